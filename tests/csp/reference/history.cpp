// SPDX-License-Identifier: Apache-2.0
// The search for points in time that explain a history.
//
// Calls, returns and quiet instants are gone through in their order. An operation is asked of the
// model as late as possible: when a return needs it. Before a return, each of those that are open
// may have been next: that is where the search branches.

#include "history.hpp"

#include <algorithm>

#include "model.hpp"

namespace wherry::reference {
namespace {

struct event {
  enum class type : std::uint8_t { nothing, called, returned, quiet };
  type what = type::nothing;
  std::uint16_t process = 0;
  std::uint32_t operation = 0;
  std::int64_t at_ms = 0;
};

std::vector<event> in_order(const history& seen) {
  std::vector<event> all(static_cast<std::size_t>(seen.stamps));
  for (std::size_t who = 0; who < seen.processes.size(); ++who) {
    const auto process = static_cast<std::uint16_t>(who);
    for (std::uint32_t each = 0; each < seen.processes[who].size(); ++each) {
      const auto& one = seen.processes[who][each];
      all[static_cast<std::size_t>(one.called)] = {event::type::called, process, each,
                                                   one.called_ms};
      if (one.returned == operation_seen::never) continue;
      all[static_cast<std::size_t>(one.returned)] = {event::type::returned, process, each,
                                                     one.returned_ms};
    }
  }
  for (const auto& each : seen.quiet) {
    all[static_cast<std::size_t>(each.stamp)] = {event::type::quiet, 0, 0, each.at_ms};
  }
  return all;
}

class search {
 public:
  search(const history& seen, points where) : seen_(seen), where_(where), events_(in_order(seen)) {}

  std::string run(const program& played) {
    // Who has called and was not asked of the model yet.
    if (from(0, model(played), std::vector<bool>(played.processes.size(), false))) return {};
    if (furthest_ == events_.size()) return "at the end";
    return in_words(events_[furthest_]);
  }

 private:
  bool from(std::size_t at, model now, std::vector<bool> open) {
    for (; at < events_.size(); ++at) {
      furthest_ = std::max(furthest_, at);
      const event& next = events_[at];
      if (where_ == points::at_call) now.advance(next.at_ms);
      switch (next.what) {
        case event::type::nothing: break;
        case event::type::called:
          open[next.process] = true;
          if (where_ == points::at_call && !ask(next.process, next.operation, now, open)) {
            return false;
          }
          break;
        case event::type::quiet:
          if (std::ranges::find(open, true) != open.end()) return branch(at, now, open);
          if (!waits_rightly(now, at)) return false;
          break;
        case event::type::returned:
          if (has_answer(now, next, open)) break;
          if (!open[next.process] && !now.is_parked(next.process)) return false;
          return where_ == points::anywhere && branch(at, now, open);
      }
    }
    return true;
  }

  bool branch(std::size_t at, const model& now, const std::vector<bool>& open) {
    for (std::size_t who = 0; who < open.size(); ++who) {
      if (!open[who]) continue;
      model then = now;
      auto left = open;
      if (ask(who, current(who, at), then, left) && from(at, std::move(then), std::move(left))) {
        return true;
      }
    }
    return false;
  }

  /// The operation that `who` has called last before event `at`.
  std::uint32_t current(std::size_t who, std::size_t at) const {
    const auto& own = seen_.processes[who];
    std::uint32_t last = 0;
    while (last + 1 < own.size() && own[last + 1].called < static_cast<long>(at)) ++last;
    return last;
  }

  bool ask(std::size_t who, std::uint32_t operation, model& now, std::vector<bool>& open) const {
    const auto& one = seen_.processes[who][operation];
    open[who] = false;
    const bool answered = one.returned != operation_seen::never && one.had.how != ending::unready;
    const std::size_t preferred = answered ? one.had.arm : most_arms;
    return now.request(who, *one.what, preferred, one.called_ms);
  }

  bool has_answer(const model& now, const event& next, const std::vector<bool>& open) const {
    const auto& one = seen_.processes[next.process][next.operation];
    return !open[next.process] && one.kept_values && now.answer_to(next.process) == one.had;
  }

  /// Whether those, and only those, wait that the model has parked.
  bool waits_rightly(const model& now, std::size_t at) const {
    for (std::size_t who = 0; who < seen_.processes.size(); ++who) {
      const auto& own = seen_.processes[who];
      const bool waits = std::ranges::any_of(own, [&](const operation_seen& one) {
        return one.called < static_cast<long>(at) &&
               (one.returned == operation_seen::never || one.returned > static_cast<long>(at));
      });
      if (waits != now.is_parked(who)) return false;
    }
    return true;
  }

  std::string in_words(const event& at) const {
    if (at.what == event::type::quiet) {
      return "when nothing could go on, others waited than the model says";
    }
    const auto& one = seen_.processes[at.process][at.operation];
    std::string text = "process " + std::to_string(at.process) + ", " + to_text(*one.what);
    if (one.returned == operation_seen::never) return text + ": waits";
    text += ": " + to_text(one.had);
    if (!one.kept_values) text += ", and a value is not where it belongs";
    return text;
  }

  const history& seen_;
  points where_;
  std::vector<event> events_;
  std::size_t furthest_ = 0;
};

}  // namespace

std::string unexplained(const program& played, const history& seen, points where) {
  return search(seen, where).run(played);
}

}  // namespace wherry::reference
