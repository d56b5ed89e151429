// SPDX-License-Identifier: Apache-2.0
// The invariants of histories, one pass each.

#include "invariants.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

namespace wherry::reference {
namespace {

constexpr long never = std::numeric_limits<long>::max();

struct value_seen {
  std::size_t putter = 0;
  std::size_t lane = 0;
  bool accepted = false;
  int taken = 0;
};

class check {
 public:
  check(const program& played, const history& seen)
      : played_(played),
        seen_(seen),
        close_began_(played.lanes.size(), never),
        close_ended_(played.lanes.size(), never),
        promised_(played.lanes.size(), 0) {}

  std::string run() {
    each_operation([&](std::size_t who, const operation_seen& one) { note_puts(who, one); });
    each_operation([&](std::size_t who, const operation_seen& one) { judge(who, one); });
    for (const auto& [value, had] : values_) {
      const auto kind = played_.lanes[had.lane].kind;
      const bool keeps = kind == lane_kind::rendezvous || kind == lane_kind::fixed;
      if (had.accepted && keeps && had.taken == 0) fail(value, "was accepted and never came out");
    }
    return fault_;
  }

 private:
  template <class Visit>
  void each_operation(Visit visit) {
    for (std::size_t who = 0; who < seen_.processes.size(); ++who) {
      for (const auto& one : seen_.processes[who]) visit(who, one);
    }
  }

  void note_puts(std::size_t who, const operation_seen& one) {
    if (one.what->what == verb::close) {
      auto& began = close_began_[one.what->target];
      auto& ended = close_ended_[one.what->target];
      began = std::min(began, one.called);
      ended = std::min(ended, one.returned);
    }
    const auto cases = one.what->cases();
    for (std::size_t each = 0; each < cases.size(); ++each) {
      if (cases[each].what != side::put) continue;
      const bool accepted = one.had.how == ending::accepted && one.had.arm == each;
      values_[cases[each].value] = {who, cases[each].lane, accepted, 0};
    }
  }

  void judge(std::size_t who, const operation_seen& one) {
    if (one.returned == operation_seen::never) return fail(0, "an operation never came back");
    if (!one.kept_values) fail(0, "a value is with its putter and accepted, or neither");
    if (one.what->count == 0 || one.had.arm >= one.what->count) return;
    const auto& chosen = one.what->arms[one.had.arm];
    if (one.had.how == ending::accepted && one.called > close_ended_[chosen.lane]) {
      fail(chosen.value, "was accepted after the close");
    }
    if (one.had.how == ending::ended && one.returned < close_began_[chosen.lane]) {
      fail(0, "a taker was told of an end before there was a close");
    }
    if (one.had.how == ending::taken) judge_taken(who, chosen.lane, one.had.value);
  }

  void judge_taken(std::size_t who, std::size_t lane, int value) {
    const auto found = values_.find(value);
    if (found == values_.end()) return fail(value, "came out and never went in");
    auto& had = found->second;
    if (!had.accepted) fail(value, "was taken though it was not accepted");
    if (had.lane != lane) fail(value, "came out of another channel");
    ++had.taken;
    if (played_.lanes[lane].kind == lane_kind::promise) {
      if (promised_[lane] == 0) promised_[lane] = value;
      if (promised_[lane] != value) fail(value, "is not what the promise gave others");
      return;
    }
    if (had.taken > 1) fail(value, "was taken twice");
    auto& last = last_taken_[{had.putter, lane, who}];
    // Numbers rise along what a process puts.
    if (value < last) fail(value, "came to one taker after what was put later");
    last = value;
  }

  void fail(int value, const char* what) {
    if (!fault_.empty()) return;
    fault_ = value == 0 ? what : "value " + std::to_string(value) + " " + what;
  }

  const program& played_;
  const history& seen_;
  std::vector<long> close_began_;
  std::vector<long> close_ended_;
  std::vector<int> promised_;
  std::map<int, value_seen> values_;
  std::map<std::tuple<std::size_t, std::size_t, std::size_t>, int> last_taken_;
  std::string fault_;
};

}  // namespace

std::string broken_invariant(const program& played, const history& seen) {
  return check(played, seen).run();
}

}  // namespace wherry::reference
