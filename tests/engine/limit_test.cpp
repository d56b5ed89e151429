// SPDX-License-Identifier: Apache-2.0
// Goal: quotas, breakers, adaptive lanes and the number in flight of a state, as steps meet them;
// and what a restart remembers of them. Method: the other side is modelled inside the steps, under
// virtual time; a restart is another engine on the same store.

#include <algorithm>

#include "subject.hpp"

namespace wherry::test {
namespace {

using times = std::vector<system_time>;

int most_within(const times& calls, std::chrono::milliseconds window) {
  std::ptrdiff_t most = 0;
  for (auto begin = calls.begin(); begin != calls.end(); ++begin) {
    most = std::max(most, std::lower_bound(begin, calls.end(), *begin + window) - begin);
  }
  return static_cast<int>(most);
}

std::function<lane_limits(std::string_view)> limited(lane_limits limits) {
  return [limits](std::string_view lane) { return lane == "lane" ? limits : lane_limits{}; };
}

scripted logging(times& calls, duration takes = 10ms) {
  return {.on_first = [&calls, takes](first at, step_context) -> task<said> {
            calls.push_back(now());
            co_await pause(takes);
            co_return second{at.number, "free"};
          },
          .on_second = {}};
}

}  // namespace

TEST_SUITE("engine/limit") {
  TEST_CASE("several quotas hold at once and what they allow is used") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      times calls;
      const lane_limits limits{.in_flight = 50, .quotas = {{10, 1s}, {30, 1min}}};
      scripted_engine subject{*store, logging(calls), {.limits = limited(limits)}};
      const auto began = now();
      co_await run_all(subject, machines(90));
      CHECK(most_within(calls, 1s) == 10);
      CHECK(most_within(calls, 1min) == 30);
      CHECK(now() - began < 130s);
    });
  }

  TEST_CASE("a quota holds over restarts however a run ends") {
    over_seeds(30, []() -> task<> {
      const auto store = open_memory_store();
      times calls;
      const lane_limits limits{.in_flight = 3, .quotas = {{5, 1s}, {40, 1min}}};
      {
        scripted_engine begin{*store, {}, {}};
        REQUIRE(co_await begin.submit(machines(120)));
      }
      for (int life = 0; life < 12; ++life) {
        scripted_engine subject{*store, logging(calls), {.limits = limited(limits)}};
        co_await with_scope([&](scope& all) -> task<> {
          all.go(run_well(subject, run_until::stopped));
          co_await pause(500ms);
          co_await pause_below(2s);
          subject.stop();
        });
      }
      scripted_engine subject{*store, logging(calls), {.limits = limited(limits)}};
      co_await run_well(subject, run_until::drained);
      CHECK(calls.size() == 120);
      CHECK(most_within(calls, 1s) <= 5);
      CHECK(most_within(calls, 1min) <= 40);
    });
  }

  TEST_CASE("what a lane knows last is recorded last though two batches are under way") {
    over_seeds(30, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      store.is_slow = true;
      scripted kind{.on_first = [](first, step_context) -> task<said> {
                      co_await pause_below(40ms);
                      co_return transient{"down"};
                    },
                    .on_second = {}};
      const lane_limits limits{.in_flight = 8, .breaker = {.failures = 1'000}};
      scripted_engine subject{store, kind, {.limits = limited(limits), .policy = {.attempts = 1}}};
      co_await run_all(subject, machines(40));
      REQUIRE(inner->lane_states().size() == 1);
      CHECK(inner->lane_states()[0].memory.failures == 40);
    });
  }

  TEST_CASE("a crash forgets at most the calls of steps that were not recorded") {
    over_seeds(30, []() -> task<> {
      const auto store = open_memory_store();
      times calls;
      const lane_limits limits{.in_flight = 3, .quotas = {{30, 1h}}};
      {
        scripted_engine begin{*store, {}, {}};
        REQUIRE(co_await begin.submit(machines(100)));
      }
      int lives = 0;
      for (; lives < 4; ++lives) {
        scripted_engine subject{*store, logging(calls, 100ms), {.limits = limited(limits)}};
        co_await with_scope([&](scope& all) -> task<> {
          all.go(run_well(subject, run_until::stopped));
          co_await pause_below(500ms);
          all.cancel();
        });
      }
      scripted_engine subject{*store, logging(calls), {.limits = limited(limits)}};
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        co_await pause(50min);
        subject.stop();
      });
      CHECK(std::ssize(calls) >= 30);
      CHECK(std::ssize(calls) <= 30 + lives * 3);
    });
  }

  TEST_CASE("a breaker asks a side that is down now and then and spends few attempts on it") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      const auto up_at = now() + 1h;
      times failed;
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      co_await pause(100ms);
                      if (now() >= up_at) co_return second{at.number, "free"};
                      failed.push_back(now());
                      co_return transient{"connection refused"};
                    },
                    .on_second = {}};
      const lane_limits limits{.in_flight = 4,
                               .breaker = {.failures = 5, .open_for = 1min, .longest = 10min}};
      scripted_engine subject{*store, kind, {.limits = limited(limits), .policy = {.attempts = 4}}};
      co_await run_all(subject, machines(100));
      CHECK(count_in(*store, phase::completed) == 100);
      // Five to eight open it; then a probe after 1, 2, 4, 8, 10, 10… minutes.
      CHECK(failed.size() >= 5 + 5);
      CHECK(failed.size() <= 8 + 9);
      CHECK(now() < up_at + 10min + 20s);
    });
  }

  TEST_CASE("a breaker that is open stays so over a restart") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      int asked = 0;
      scripted kind{.on_first = [&](first, step_context) -> task<said> {
                      ++asked;
                      co_return transient{"connection refused", 1ms};
                    },
                    .on_second = {}};
      const lane_limits limits{.in_flight = 1, .breaker = {.failures = 3, .open_for = 1h}};
      const engine_options options{.limits = limited(limits)};
      {
        scripted_engine begin{*store, {}, {}};
        REQUIRE(co_await begin.submit(machines(10)));
      }
      for (int life = 0; life < 5; ++life) {
        scripted_engine subject{*store, kind, options};
        co_await with_scope([&](scope& all) -> task<> {
          all.go(run_well(subject, run_until::stopped));
          co_await pause(1min);
          subject.stop();
        });
        CHECK(asked == 3);
      }
      REQUIRE(store->lane_states().size() == 1);
      CHECK(store->lane_states()[0].memory.failures == 3);
      scripted_engine subject{*store, {}, options};
      co_await run_well(subject, run_until::drained);
      check_whole(*store, 10);
      CHECK(store->lane_states().empty());
    });
  }

  TEST_CASE("an adaptive lane finds what the other side bears") {
    over_seeds(10, []() -> task<> {
      std::array<int, 2> throttled_by{};
      for (const bool adaptive : {false, true}) {
        const auto store = open_memory_store();
        int inside = 0;
        scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                        struct count {
                          int& of;
                          explicit count(int& one) : of(one) { ++of; }
                          ~count() { --of; }
                        } const here{inside};
                        const bool too_many = inside > 6;
                        co_await pause(100ms);
                        if (too_many) co_return throttled{"429", now() + 1ms};
                        co_return second{at.number, "free"};
                      },
                      .on_second = {}};
        scripted_engine subject{
            *store, kind, {.limits = limited({.in_flight = 64, .adaptive = adaptive})}};
        co_await run_all(subject, machines(600));
        throttled_by[adaptive ? 1 : 0] = static_cast<int>(subject.progress().throttled);
      }
      CHECK(throttled_by[1] * 4 < throttled_by[0]);
    });
  }

  TEST_CASE("no more steps of a state are in flight than its policy says and others go on") {
    over_seeds(30, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      store.is_slow = true;
      int inside = 0, most = 0, firsts = 0, firsts_most = 0;
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      firsts_most = std::max(firsts_most, ++firsts);
                      co_await pause_below(20ms);
                      --firsts;
                      co_return second{at.number, at.lane};
                    },
                    .on_second = [&](second at, step_context) -> task<said> {
                      most = std::max(most, ++inside);
                      co_await pause_below(60ms);
                      --inside;
                      co_return last{at.number};
                    }};
      scripted_engine subject{
          store, kind, {.window = 64, .policies = {{"second", {.in_flight = 3}}}}};
      co_await run_all(subject, machines(200, 20));
      CHECK(most == 3);
      CHECK(firsts_most > 3);
      CHECK(store.leased == 0);
      check_whole(*inner, 200);
    });
  }

  TEST_CASE("a limit of every state holds for each alone") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      std::map<std::string, int> inside, most;
      const auto measure = [&](std::string state) -> task<> {
        most[state] = std::max(most[state], ++inside[state]);
        co_await pause_below(30ms);
        --inside[state];
      };
      scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                      co_await measure(context.state);
                      co_return second{at.number, at.lane};
                    },
                    .on_second = [&](second at, step_context context) -> task<said> {
                      co_await measure(context.state);
                      co_return last{at.number};
                    }};
      scripted_engine subject{*store, kind, {.policy = {.in_flight = 2}}};
      co_await run_all(subject, machines(60, 7));
      CHECK(most["first"] == 2);
      CHECK(most["second"] == 2);
    });
  }

  TEST_CASE("lanes that wait for room in a state ask the store no more than there is room") {
    over_seeds(5, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      co_await pause(10ms);
                      co_return last{at.number};
                    },
                    .on_second = {}};
      scripted_engine subject{store, kind, {.policies = {{"first", {.in_flight = 1}}}}};
      co_await run_all(subject, machines(400, 100));
      CHECK(store.lease_calls <= 3 * 400 + 200);
      check_whole(*inner, 400);
    });
  }
}

}  // namespace wherry::test
