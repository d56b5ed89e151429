// SPDX-License-Identifier: Apache-2.0
// The store's contract in its simplest form: ordered maps under one mutex. What the other stores do
// is right if it looks the same as this.
//
// Invariants (under mutex_)
// 1. A row is in `waiting_` exactly if its phase is waiting, in the `ready` set of its lane exactly
//    if its phase is ready and it has no lease.
// 2. `leases_` holds the rows that have one. A row with a lease is ready.
// 3. Each version of a generation above 0 has one line of history, alone or with those before.
//
// Nothing here waits, so a run under virtual_scheduler depends on the seed alone.

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "lanes.hpp"
#include "row.hpp"
#include "wherry/csp/assert.hpp"
#include "wherry/store/memory.hpp"

namespace wherry {
namespace memory {
namespace {

constexpr std::size_t promote_limit = 500;

std::unexpected<store_error> refused(std::string why) {
  return std::unexpected(store_error{store_error::kind::refused, std::move(why)});
}

class memory_store final : public store {
 public:
  task<std::expected<submit_report, store_error>> submit(std::vector<submission> wanted) override {
    for (const auto& each : wanted) {
      if (auto why = refusal(each); !why.empty()) co_return refused(std::move(why));
    }
    const auto now = scheduler::current().system_now();
    const std::lock_guard guard(mutex_);
    submit_report report;
    for (auto& each : wanted) add(std::move(each), now, report);
    co_return report;
  }

  std::vector<std::string> ready_lanes() override {
    const std::lock_guard guard(mutex_);
    std::vector<std::string> names;
    for (const auto& [name, rows] : ready_) {
      if (!lanes_.is_paused(name)) names.push_back(name);
    }
    return names;
  }

  task<std::expected<std::vector<leased_machine>, store_error>> lease(
      std::string lane, std::size_t count, system_time expires) override {
    const std::lock_guard guard(mutex_);
    std::vector<leased_machine> leased;
    if (lanes_.is_paused(lane)) co_return leased;
    const auto found = ready_.find(lane);
    while (found != ready_.end() && leased.size() < count && !found->second.empty()) {
      row& next = *found->second.begin()->second;
      found->second.erase(found->second.begin());
      leased.push_back(take_lease(next, expires));
    }
    if (found != ready_.end() && found->second.empty()) ready_.erase(found);
    co_return leased;
  }

  task<std::expected<std::vector<bool>, store_error>> record(
      std::vector<transition> outcomes) override {
    for (const auto& each : outcomes) {
      if (auto why = refusal(each); !why.empty()) co_return refused(std::move(why));
    }
    const std::lock_guard guard(mutex_);
    std::vector<bool> accepted;
    for (auto& each : outcomes) {
      if (each.lane_memory) {
        lanes_.keep(each.ran_in, std::move(*each.lane_memory), cut_error(each.error));
      }
      for (auto& [lane, memory] : each.other_memories) lanes_.keep(lane, std::move(memory), {});
      accepted.push_back(commit(std::move(each)));
    }
    co_return accepted;
  }

  void release(const std::vector<leased_machine>& unused) override {
    const std::lock_guard guard(mutex_);
    for (const auto& each : unused) {
      const auto found = leases_.find(each.key);
      if (found == leases_.end() || found->second->lease->token != each.token) continue;
      end_lease(*found->second);
    }
  }

  task<std::expected<std::size_t, store_error>> promote(system_time now) override {
    const std::lock_guard guard(mutex_);
    std::size_t promoted = 0;
    while (promoted < promote_limit && !waiting_.empty() && waiting_.begin()->first.first <= now) {
      row& due = *waiting_.begin()->second;
      move(due, [](machine_view& view) { view.phase = phase::ready; });
      ++promoted;
    }
    co_return promoted;
  }

  std::optional<system_time> next_due() override {
    const std::lock_guard guard(mutex_);
    if (waiting_.empty()) return std::nullopt;
    return waiting_.begin()->first.first;
  }

  void renew(const std::vector<lease_id>& held, system_time expires) override {
    const std::lock_guard guard(mutex_);
    for (const auto& [key, token] : held) {
      const auto found = leases_.find(key);
      if (found == leases_.end() || found->second->lease->token != token) continue;
      found->second->lease->expires = expires;
    }
  }

  task<std::expected<std::vector<leased_machine>, store_error>> reclaim(
      system_time now, system_time expires) override {
    const std::lock_guard guard(mutex_);
    std::vector<leased_machine> lost;
    for (const auto& [key, each] : leases_) {
      if (each->lease->expires <= now) lost.push_back(take_lease(*each, expires));
    }
    co_return lost;
  }

  task<std::expected<inbox_progress, store_error>> step_inbox() override {
    co_return inbox_progress{};
  }

  std::vector<lane_state> lane_states() override {
    const auto now = scheduler::current().system_now();
    const std::lock_guard guard(mutex_);
    return lanes_.states(now);
  }

  channel<std::monostate> ready_signal() override { return signal_; }

  task<std::expected<std::size_t, store_error>> apply(control_request asked) override {
    if (auto why = refusal(asked); !why.empty()) co_return refused(std::move(why));
    const auto now = scheduler::current().system_now();
    const std::lock_guard guard(mutex_);
    if (asked.verb == control_verb::pause) co_return lanes_.pause(*asked.filter.lane);
    if (asked.verb == control_verb::resume) {
      signal_.offer(std::monostate{});
      co_return lanes_.resume(*asked.filter.lane);
    }
    std::size_t changed = 0;
    for (auto& [id, each] : rows_) {
      if (!matches(each.view, asked.filter)) continue;
      const bool is_new = asked.verb == control_verb::prioritize ? prioritize(each, asked.priority)
                                                                 : apply(asked.verb, each, now);
      if (is_new) ++changed;
    }
    co_return changed;
  }

  std::expected<machine_counts, store_error> count() override {
    const std::lock_guard guard(mutex_);
    return counts_;
  }

  std::expected<std::vector<machine_view>, store_error> query(const machine_filter& filter,
                                                              std::size_t limit,
                                                              std::string after_id) override {
    const std::lock_guard guard(mutex_);
    std::vector<machine_view> views;
    const auto first = std::max(after_id, filter.id_prefix);
    for (auto each = rows_.lower_bound(first); each != rows_.end() && views.size() < limit;
         ++each) {
      if (!each->first.starts_with(filter.id_prefix)) break;
      if (each->first > after_id && matches(each->second.view, filter)) {
        views.push_back(each->second.view);
      }
    }
    return views;
  }

  std::expected<std::vector<history_entry>, store_error> history(std::string_view id) override {
    const std::lock_guard guard(mutex_);
    const auto found = rows_.find(id);
    return found == rows_.end() ? std::vector<history_entry>{} : found->second.history;
  }

 private:
  void add(submission wanted, system_time now, submit_report& report) {
    auto [found, is_new] = rows_.try_emplace(wanted.id);
    row& target = found->second;
    if (!is_new &&
        (wanted.generation <= target.view.generation || !is_finished(target.view.phase))) {
      report.add_known(target.view.phase);
      return;
    }
    ++(is_new ? report.added : report.superseded);
    if (is_new) {
      target.key = ++last_key_;
    } else {
      uncount(target.view);
    }
    target.rank = wanted.rank;
    target.entered = 0;
    target.view = machine_view{.id = std::move(wanted.id),
                               .generation = wanted.generation,
                               .version = 0,
                               .state = std::move(wanted.state),
                               .data = std::move(wanted.data),
                               .phase = wanted.due > now ? phase::waiting : phase::ready,
                               .lane = std::move(wanted.lane),
                               .priority = wanted.priority,
                               .attempt = 1,
                               .setbacks = 0,
                               .due = std::max(wanted.due, now),
                               .deadline = wanted.deadline,
                               .created = now,
                               .updated = now,
                               .error = {},
                               .shape = wanted.shape};
    ++counts_.by[{target.view.phase, target.view.state}];
    enlist(target);
  }

  leased_machine take_lease(row& from, system_time expires) {
    from.lease = lease_data{++last_token_, expires};
    leases_.emplace(from.key, &from);
    const auto& view = from.view;
    return {.key = from.key,
            .token = from.lease->token,
            .id = view.id,
            .generation = view.generation,
            .version = view.version,
            .state = view.state,
            .data = view.data,
            .lane = view.lane,
            .priority = view.priority,
            .rank = from.rank,
            .attempt = view.attempt,
            .setbacks = view.setbacks,
            .entered = from.entered,
            .deadline = view.deadline,
            .shape = view.shape};
  }

  void end_lease(row& of) {
    leases_.erase(of.key);
    of.lease.reset();
    enlist(of);
  }

  bool commit(transition done) {
    const auto found = leases_.find(done.key);
    if (found == leases_.end()) return false;
    row& target = *found->second;
    if (target.lease->token != done.token || target.view.version != done.version ||
        target.view.generation != done.generation) {
      return false;
    }
    const std::string error(cut_error(done.error));
    log(target.history, {.generation = done.generation,
                         .version = done.version + 1,
                         .from = done.from,
                         .to = done.to,
                         .phase = done.phase,
                         .outcome = done.outcome,
                         .attempt = done.attempt,
                         .started = done.started,
                         .ended = done.ended,
                         .error = error});
    if (done.lane_parked_until) lanes_.park(done);
    move(target, [&](machine_view& view) {
      target.rank = done.rank;
      target.entered = done.entered;
      ++view.version;
      view.state = std::move(done.to);
      view.data = std::move(done.data);
      view.shape = done.shape;
      view.phase = done.phase;
      view.lane = std::move(done.lane);
      view.attempt = done.next_attempt;
      view.setbacks = done.setbacks;
      view.due = done.due == system_time{} ? done.ended : done.due;
      view.updated = done.ended;
      view.error = error;
    });
    return true;
  }

  bool apply(control_verb verb, row& target, system_time now) {
    const auto phase_now = target.view.phase;
    const bool redrive = verb == control_verb::redrive;
    if (redrive ? phase_now != phase::dead && phase_now != phase::cancelled
                : is_finished(phase_now)) {
      return false;
    }
    target.history.push_back({.generation = target.view.generation,
                              .version = target.view.version + 1,
                              .from = target.view.state,
                              .to = target.view.state,
                              .phase = redrive ? phase::ready : phase::cancelled,
                              .outcome = redrive ? outcome_kind::redriven : outcome_kind::cancelled,
                              .attempt = target.view.attempt,
                              .started = now,
                              .ended = now,
                              .error = {}});
    if (!redrive) signal_.offer(std::monostate{});  // it may have been the last that ran
    move(target, [&](machine_view& view) {
      ++view.version;
      view.phase = redrive ? phase::ready : phase::cancelled;
      view.updated = now;
      if (redrive) {
        view.attempt = 1;
        view.setbacks = 0;
        view.due = now;
        view.deadline = {};
        view.error.clear();
      }
    });
    return true;
  }

  // No new version: the run under way, if there is one, goes on.
  bool prioritize(row& target, std::int32_t priority) {
    if (is_finished(target.view.phase) || target.view.priority == priority) return false;
    if (target.lease) {
      target.view.priority = priority;
    } else {
      move(target, [&](machine_view& view) { view.priority = priority; });
    }
    return true;
  }

  /// Changes a row, and with it everything that is kept about its old and new situation.
  template <class Change>
  void move(row& target, Change change) {
    unlist(target);
    uncount(target.view);
    change(target.view);
    ++counts_.by[{target.view.phase, target.view.state}];
    enlist(target);
  }

  void enlist(row& each) {
    if (each.view.phase == phase::waiting) {
      const auto place = waiting_.emplace(std::pair{each.view.due, each.key}, &each).first;
      if (place == waiting_.begin()) signal_.offer(std::monostate{});
    } else if (each.view.phase == phase::ready) {
      ready_[each.view.lane].emplace(turn_of(each), &each);
      signal_.offer(std::monostate{});
    }
  }

  void unlist(row& each) {
    if (each.lease) {
      leases_.erase(each.key);
      each.lease.reset();
    } else if (each.view.phase == phase::waiting) {
      waiting_.erase({each.view.due, each.key});
    } else if (each.view.phase == phase::ready) {
      const auto lane = ready_.find(each.view.lane);
      WHERRY_ASSERT(lane != ready_.end(), "a ready row without a lease stands in its lane");
      lane->second.erase(turn_of(each));
      if (lane->second.empty()) ready_.erase(lane);
    }
  }

  void uncount(const machine_view& view) {
    const auto found = counts_.by.find({view.phase, view.state});
    WHERRY_ASSERT(found != counts_.by.end(), "every machine is counted");
    if (--found->second == 0) counts_.by.erase(found);
  }

  std::mutex mutex_;
  std::map<std::string, row, std::less<>> rows_;
  std::map<std::string, std::map<turn, row*>> ready_;  // by lane; none is empty
  std::map<std::pair<system_time, std::int64_t>, row*> waiting_;
  std::map<std::int64_t, row*> leases_;  // by key
  kept_lanes lanes_;
  machine_counts counts_;
  std::int64_t last_key_ = 0;
  std::uint64_t last_token_ = 0;
  channel<std::monostate> signal_{fixed{1}};
};

}  // namespace
}  // namespace memory

std::unique_ptr<store> open_memory_store() { return std::make_unique<memory::memory_store>(); }

}  // namespace wherry
