// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the engine's tests share: a kind whose steps are scripted by the case, a store that watches
// and disturbs another one, and runs over many seeds.
//
// Method: a case is a coroutine that runs under virtual_scheduler once a seed, so that order is
// drawn and time costs nothing. WHERRY_SEED=n runs that seed alone.

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "wherry/csp/timeout.hpp"
#include "wherry/engine/engine.hpp"
#include "wherry/engine/forwarding_store.hpp"
#include "wherry/store/memory.hpp"

namespace wherry::test {

using namespace std::chrono_literals;

struct first {
  static constexpr std::string_view tag = "first";
  int number = 0;
  std::string lane;
};
BOOST_DESCRIBE_STRUCT(first, (), (number, lane))

struct second {
  static constexpr std::string_view tag = "second";
  int number = 0;
  std::string lane;
};
BOOST_DESCRIBE_STRUCT(second, (), (number, lane))

struct last {
  static constexpr std::string_view tag = "last";
  int number = 0;
};
BOOST_DESCRIBE_STRUCT(last, (), (number))

/// Three states; what their steps do, the case says. Unsaid: on to the next state at once.
struct scripted {
  static constexpr std::string_view name = "scripted";
  using state = std::variant<first, second, last>;
  using said = outcome<state>;

  std::function<task<said>(first, step_context)> on_first;
  std::function<task<said>(second, step_context)> on_second;

  task<said> step(first now, step_context context) {
    if (on_first) co_return co_await on_first(now, std::move(context));
    co_return second{now.number, now.lane};
  }
  task<said> step(second now, step_context context) {
    if (on_second) co_return co_await on_second(now, std::move(context));
    co_return last{now.number};
  }
  [[nodiscard]] std::string lane(const first& now) const { return now.lane; }
  [[nodiscard]] std::string lane(const second& now) const { return now.lane; }
};

using said = scripted::said;
using scripted_engine = engine<scripted>;
using starts = std::vector<scripted_engine::start>;

/// `count` machines "0", "1"… in lane "lane", or in `lanes` lanes "lane 0", "lane 1"… by turns.
[[nodiscard]] starts machines(int count, int lanes = 1);

/// A store in front of another: counts, and if asked delays and fails.
class watched_store final : public forwarding_store {
 public:
  using forwarding_store::forwarding_store;

  /// Each write and lease takes from 0 to 3 ms.
  bool is_slow = false;
  /// No renewal arrives.
  bool loses_renewals = false;
  /// Asked at each write: true lets it fail; `after` says whether it was done all the same.
  std::function<bool(std::string_view write)> fails;
  /// Told of each lease that is asked for.
  std::function<void(const std::string& lane)> sees_lease;
  bool fails_after = false;
  /// Each promotion takes that long.
  duration promote_takes{};
  std::atomic<std::size_t> promotions{0};  ///< that have begun
  /// What tidy answers; empty: nothing is left to do.
  std::function<std::expected<bool, store_error>()> on_tidy;

  std::atomic<std::size_t> leased{0};  ///< neither recorded nor released yet
  std::atomic<std::size_t> leased_most{0};
  std::atomic<std::size_t> lease_calls{0};
  std::atomic<std::size_t> rounds{0};  ///< calls of ready_lanes
  std::atomic<std::size_t> reclaimed{0};
  std::atomic<std::size_t> recording{0};  ///< calls of record under way
  std::atomic<std::size_t> recording_most{0};

  task<std::expected<submit_report, store_error>> submit(std::vector<submission> wanted) override;
  std::vector<std::string> ready_lanes() override;
  task<std::expected<std::vector<leased_machine>, store_error>> lease(std::string lane,
                                                                      std::size_t count,
                                                                      system_time expires) override;
  task<std::expected<std::vector<bool>, store_error>> record(
      std::vector<transition> outcomes) override;
  void release(const std::vector<leased_machine>& unused) override;
  task<std::expected<std::size_t, store_error>> promote(system_time now) override;
  void renew(const std::vector<lease_id>& held, system_time expires) override {
    if (!loses_renewals) inner().renew(held, expires);
  }
  task<std::expected<std::vector<leased_machine>, store_error>> reclaim(
      system_time now, system_time expires) override;
  task<std::expected<inbox_progress, store_error>> step_inbox() override;
  task<std::expected<bool, store_error>> tidy(system_time now) override;

 private:
  task<> delay();
  [[nodiscard]] bool fails_now(std::string_view write) { return fails && fails(write); }
};

/// Runs `body` once a seed, under virtual time.
void over_seeds(int count, const std::function<task<>()>& body);
/// Runs `body` on `threads` threads, in real time.
void on_threads(int threads, const std::function<task<>()>& body);

/// Suspends for `how_long`.
task<> pause(duration how_long);
/// Suspends for a drawn time below `limit`.
task<> pause_below(std::chrono::milliseconds limit);
[[nodiscard]] system_time now();

/// Submits and runs until drained; checks both.
task<> run_all(scripted_engine& subject, starts wanted);
/// As engine.run(until), for a scope; checks that it ends well.
task<> run_well(scripted_engine& subject, run_until until);

/// The machine of that id. Requires: it exists.
[[nodiscard]] machine_view view_of(store& from, const std::string& id);
[[nodiscard]] std::vector<history_entry> history_of(store& from, const std::string& id);
[[nodiscard]] std::int64_t count_in(store& from, phase wanted);

/// Checks what holds for every store at rest: `machines` of them, all finished, and in each history
/// each version once, without gaps, ending in the machine's own phase.
void check_whole(store& from, std::int64_t machines);

}  // namespace wherry::test
