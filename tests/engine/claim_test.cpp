// SPDX-License-Identifier: Apache-2.0
// Goal: what is leased, when, and in which order: the window, the limits of lanes, fairness between
// them, later states first. Method: limits are measured inside the steps, under virtual time.

#include <algorithm>
#include <set>

#include "subject.hpp"

namespace wherry::test {
namespace {

/// How many are inside at once, and how many came in within a second, by lane.
struct meter {
  std::map<std::string, int> inside;
  std::map<std::string, int> most;
  std::map<std::string, std::vector<system_time>> entered;

  void enter(const std::string& lane) {
    most[lane] = std::max(most[lane], ++inside[lane]);
    entered[lane].push_back(now());
  }
  void leave(const std::string& lane) { --inside[lane]; }
};

int most_in_a_second(const std::vector<system_time>& times) {
  std::ptrdiff_t most = 0;
  for (auto begin = times.begin(); begin != times.end(); ++begin) {
    const auto end = std::lower_bound(begin, times.end(), *begin + 1s);
    most = std::max(most, end - begin);
  }
  return static_cast<int>(most);
}

scripted timed(meter& of, std::chrono::milliseconds longest) {
  const auto measure = [&of, longest](std::string lane) -> task<> {
    of.enter(lane);
    co_await pause_below(longest);
    of.leave(lane);
  };
  return {.on_first = [measure](first at, step_context) -> task<said> {
            co_await measure(at.lane);
            co_return second{at.number, at.lane};
          },
          .on_second = [measure](second at, step_context) -> task<said> {
            co_await measure(at.lane);
            co_return last{at.number};
          }};
}

}  // namespace

TEST_SUITE("engine/claim") {
  TEST_CASE("while a promotion is made durable machines that are ready go on") {
    over_seeds(5, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      store.promote_takes = 1min;
      auto wanted = machines(20);
      wanted.front().due = now() + 1ms;  // it waits, and is due before the others have ended
      const auto began = now();
      scripted kind{.on_first = [](first at, step_context) -> task<said> {
                      co_await pause(100ms);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{store, kind, {.window = 2}};
      std::size_t quick = 0;
      subject.on_completed(
          [&](const scripted_engine::finished&) { quick += now() - began < 30s ? 1 : 0; });
      co_await run_all(subject, std::move(wanted));
      check_whole(*inner, 20);
      CHECK(quick == 19);
    });
  }

  TEST_CASE("nothing is promoted while the window is full and then all that is due at once") {
    over_seeds(5, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      auto wanted = machines(11);
      for (int i = 1; i <= 10; ++i) {
        wanted[static_cast<std::size_t>(i)].due = now() + std::chrono::milliseconds(100 * i);
      }
      scripted kind{.on_first = [](first at, step_context) -> task<said> {
                      if (at.number == 0) co_await pause(1min);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{store, kind, {.window = 1}};
      co_await run_all(subject, std::move(wanted));
      check_whole(*inner, 11);
      CHECK(store.promotions == 1);
    });
  }

  TEST_CASE("the window is filled and never exceeded") {
    over_seeds(50, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      store.is_slow = true;
      meter seen;
      scripted_engine subject{store, timed(seen, 20ms), {.window = 8, .limits = [](auto) {
                                                           return lane_limits{.in_flight = 5};
                                                         }}};
      co_await run_all(subject, machines(60, 3));
      check_whole(*inner, 60);
      CHECK(store.leased_most == 8);
      CHECK(store.leased == 0);
    });
  }

  TEST_CASE("a window of nothing is a window of one") {
    over_seeds(1, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      scripted_engine subject{store, {}, {.window = 0}};
      co_await run_all(subject, machines(5));
      CHECK(store.leased_most == 1);
    });
  }

  TEST_CASE("a lane at rest is forgotten and one that has run into its limits is not") {
    over_seeds(1, []() -> task<> {
      const auto store = open_memory_store();
      std::map<std::string, int> asked;
      const auto limits = [&](std::string_view lane) {
        ++asked[std::string(lane)];
        return lane == "lane 0" ? lane_limits{.rate = 1, .per = 24h} : lane_limits{};
      };
      scripted_engine subject{*store, {}, {.limits = limits}};
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        for (int round = 0; round < 3; ++round) {
          auto wanted = machines(2'500, 2'500);
          for (auto& each : wanted) each.id += " of " + std::to_string(round);
          REQUIRE(co_await subject.submit(std::move(wanted)));
          co_await pause(1min);
        }
        subject.stop();
      });
      CHECK(asked["lane 0"] == 1);
      CHECK(asked["lane 1"] > 1);
      CHECK(subject.progress().completed == 3 * 2'499);
    });
  }

  TEST_CASE("no lane has more in flight than it allows and each uses what it may") {
    over_seeds(50, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      store.is_slow = true;
      meter seen;
      scripted_engine subject{store, timed(seen, 30ms), {.limits = [](std::string_view lane) {
                                return lane_limits{.in_flight = lane == "lane 0" ? 1u : 4u};
                              }}};
      co_await run_all(subject, machines(40, 2));
      CHECK(seen.most["lane 0"] == 1);
      CHECK(seen.most["lane 1"] == 4);
    });
  }

  TEST_CASE("no lane runs faster than its rate and none is much slower") {
    for (const double rate : {20.0, 700.0, 3000.0}) {
      CAPTURE(rate);
      over_seeds(5, [rate]() -> task<> {
        const auto inner = open_memory_store();
        watched_store store{*inner};
        meter seen;
        scripted_engine subject{store, timed(seen, 5ms), {.window = 4096, .limits = [rate](auto) {
                                                            return lane_limits{.in_flight = 1000,
                                                                               .rate = rate};
                                                          }}};
        const auto began = now();
        const int steps = static_cast<int>(rate) * 3;
        co_await run_all(subject, machines(steps / 2));
        CHECK(most_in_a_second(seen.entered["lane"]) <= static_cast<int>(rate) + 1);
        const auto took = std::chrono::duration<double>(now() - began).count();
        CHECK(took < 3.1);
      });
    }
  }

  TEST_CASE("within a lane priority comes first and then how far along a machine is") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      std::vector<std::string> order;
      const auto log = [&order](const char* what, int number) {
        order.push_back(what + std::to_string(number));
      };
      scripted kind{.on_first = [log](first at, step_context) -> task<said> {
                      log("first ", at.number);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = [log](second at, step_context) -> task<said> {
                      log("second ", at.number);
                      co_return last{at.number};
                    }};
      scripted_engine subject{*store, kind, {.window = 1}};
      starts wanted = machines(4);
      wanted[2].priority = 1;
      co_await run_all(subject, std::move(wanted));
      CHECK(order == std::vector<std::string>{"first 2", "second 2", "first 0", "second 0",
                                              "first 1", "second 1", "first 3", "second 3"});
    });
  }

  TEST_CASE("no lane starves beside many others in a small window") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      constexpr int lanes = 100;
      std::map<std::string, int> ran;
      int total = 0;
      int behind_most = 0;  // how far the slowest lane was behind the mean, at any time
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      co_await pause(10ms);
                      ++ran[at.lane];
                      ++total;
                      if (total % lanes == 0 && total <= 8 * lanes) {
                        for (int i = 0; i < lanes; ++i) {
                          const int had = ran["lane " + std::to_string(i)];
                          behind_most = std::max(behind_most, total / lanes - had);
                        }
                      }
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {.window = 7}};
      // One lane has as many as all others together: it has no right to more.
      auto wanted = machines(10 * lanes, lanes);
      for (int i = 0; i < 10 * lanes; ++i) {
        wanted.push_back({.id = "greedy " + std::to_string(i), .first = first{i, "lane 0"}});
      }
      co_await run_all(subject, std::move(wanted));
      CHECK(behind_most <= 2);
    });
  }

  TEST_CASE("lanes that wait delay no other") {
    over_seeds(5, []() -> task<> {
      const auto store = open_memory_store();
      constexpr int lanes = 100;
      const auto is_parked = [](const std::string& lane) { return !lane.ends_with("7"); };
      std::set<std::string> throttled_once;
      system_time free_done{};
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      if (is_parked(at.lane) && throttled_once.insert(at.lane).second) {
                        co_return throttled{"429", now() + 1h};
                      }
                      co_return second{at.number, at.lane};
                    },
                    .on_second = [&](second at, step_context) -> task<said> {
                      co_await pause(1ms);
                      if (!is_parked(at.lane)) free_done = now();
                      co_return last{at.number};
                    }};
      scripted_engine subject{
          *store, kind, {.window = 64, .limits = [](auto) { return lane_limits{.in_flight = 1}; }}};
      const auto began = now();
      co_await run_all(subject, machines(20 * lanes, lanes));
      CHECK(free_done - began < 1s);
      CHECK(now() - began >= 1h);
      CHECK(subject.progress().completed == 20 * lanes);
    });
  }

  TEST_CASE("a lane without a name is a lane like others") {
    over_seeds(5, []() -> task<> {
      const auto store = open_memory_store();
      scripted_engine subject{*store, {}, {}};
      auto wanted = machines(100);
      for (auto& each : wanted) each.first = first{0, ""};
      co_await run_all(subject, std::move(wanted));
      CHECK(subject.progress().completed == 100);
    });
  }

  TEST_CASE("an engine that can only wait does so without asking the store again and again") {
    over_seeds(5, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      scripted kind{.on_first = [](first at, step_context) -> task<said> {
                      co_await pause(100s);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = {}};
      // Lane 0 is full, lane 1 has no permit by rate, the window of neither is.
      scripted_engine subject{store, kind, {.limits = [](std::string_view lane) {
                                if (lane == "lane 0") return lane_limits{.in_flight = 2};
                                return lane_limits{.in_flight = 9, .rate = 1, .per = 100s};
                              }}};
      REQUIRE(co_await subject.submit(machines(8, 2)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await pause(10s);
        const auto before = store.rounds.load();
        co_await pause(80s);
        CHECK(store.rounds - before < 10);
      });
      check_whole(*inner, 8);
    });
  }

  TEST_CASE("a due time beyond what a timer can hold is waited for in peace") {
    over_seeds(3, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      scripted_engine subject{store, {}, {}};
      auto wanted = machines(2);
      wanted[0].due = system_time::max();
      REQUIRE(co_await subject.submit(std::move(wanted)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await pause(10s);
        const auto before = store.rounds.load();
        co_await pause(600s);
        CHECK(store.rounds - before < 100);
        subject.stop();
      });
      CHECK(count_in(*inner, phase::completed) == 1);
      CHECK(count_in(*inner, phase::waiting) == 1);
    });
  }
}

}  // namespace wherry::test
