// SPDX-License-Identifier: Apache-2.0
// Goal: lanes are served by weight, and a lane that cannot run takes nothing from the others: no
// time, no turn, no call of the store. Method: the same run with and without the blocked lanes,
// step by step, on the same seed.

#include <tuple>

#include "subject.hpp"

namespace wherry::test {
namespace {

constexpr int all_lanes = 1'000;
constexpr int machines_a_lane = 6;

bool is_free(int lane) { return lane % 10 == 0; }

/// "0123", and what blocks it: "throttled", "paused" and "broken" by turns, or nothing.
std::string lane_name(int lane) {
  const auto number = std::to_string(10'000 + lane).substr(1);
  if (is_free(lane)) return number + " free";
  return number +
         std::array{" throttled", " paused", " broken"}[static_cast<std::size_t>(lane % 3)];
}

lane_limits limits_of(std::string_view) {
  return {.in_flight = 2,
          .rate = 50,
          .burst = 10,
          .breaker = {.failures = 3, .open_for = 24h, .longest = 48h}};
}

/// What is kept of the lanes that cannot run, as an engine that ran before has left it.
task<> block(store& in, system_time until) {
  for (int lane = 0; lane < all_lanes; ++lane) {
    if (is_free(lane)) continue;
    const auto name = lane_name(lane);
    if (name.ends_with("paused")) {
      REQUIRE(co_await in.control(control_verb::pause, {.lane = name}) == 1u);
      continue;
    }
    submission wanted{.id = "before/" + name, .state = "first", .data = "{}", .lane = name};
    std::vector<submission> one;
    one.push_back(std::move(wanted));
    REQUIRE(co_await in.submit(std::move(one)));
    const auto leased = co_await in.lease(name, 1, until);
    REQUIRE(leased->size() == 1);
    const auto& machine = leased->front();
    transition ended;
    ended.key = machine.key;
    ended.token = machine.token;
    ended.id = machine.id;
    ended.from = "first";
    ended.phase = phase::completed;
    ended.to = "last";
    ended.ran_in = name;
    if (name.ends_with("throttled")) ended.lane_parked_until = until;
    if (name.ends_with("broken")) {
      ended.lane_memory = {.failures = 3, .open_until = until, .keep_until = until + 1h};
    }
    std::vector<transition> outcomes;
    outcomes.push_back(std::move(ended));
    REQUIRE((co_await in.record(std::move(outcomes)))->front());
  }
}

struct run_log {
  std::vector<std::tuple<std::int64_t, std::string>> steps;  // of free lanes: when, which
  std::size_t leases_of_free = 0;
  std::size_t leases_of_others = 0;
};

/// Runs the machines of the free lanes to their end, beside those of the others or alone.
task<run_log> run_beside(bool with_blocked) {
  const auto inner = open_memory_store();
  watched_store store{*inner};
  const auto began = now();
  if (with_blocked) co_await block(*inner, began + 24h);
  run_log log;
  store.sees_lease = [&](const std::string& lane) {
    ++(lane.ends_with("free") ? log.leases_of_free : log.leases_of_others);
  };
  const auto note = [&](const char* step, const std::string& id) {
    log.steps.emplace_back((now() - began).count(), step + id);
  };
  const auto step = [&note](const char* name, std::string id) -> task<> {
    note(name, id);
    co_await pause_below(40ms);
  };
  int left = all_lanes / 10 * machines_a_lane;
  channel<std::monostate> done;
  scripted kind{.on_first = [&](first at, step_context context) -> task<said> {
                  co_await step("first ", context.id);
                  co_return second{at.number, at.lane};
                },
                .on_second = [&](second at, step_context context) -> task<said> {
                  co_await step("second ", context.id);
                  if (--left == 0) done.close();
                  co_return last{at.number};
                }};
  scripted_engine subject{store, kind, {.window = 250, .limits = limits_of}};
  starts wanted;
  for (int lane = 0; lane < all_lanes; ++lane) {
    if (!is_free(lane) && !with_blocked) continue;
    for (int i = 0; i < machines_a_lane; ++i) {
      const auto name = lane_name(lane);
      wanted.push_back({.id = name + "/" + std::to_string(i), .first = first{i, name}});
    }
  }
  REQUIRE(co_await subject.submit(std::move(wanted)));
  co_await with_scope([&](scope& all) -> task<> {
    all.go(run_well(subject, run_until::stopped));
    co_await done.take();
    subject.stop();
  });
  CHECK(subject.progress().completed == all_lanes / 10 * machines_a_lane);
  co_return log;
}

}  // namespace

TEST_SUITE("engine/fair") {
  TEST_CASE("beside 900 lanes that are blocked 100 others run as if they were alone") {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      CAPTURE(seed);
      virtual_scheduler one{seed}, other{seed};
      const auto alone = one.run(run_beside(false));
      const auto beside = other.run(run_beside(true));
      CHECK(alone.steps.size() == 2 * all_lanes / 10 * machines_a_lane);
      CHECK_MESSAGE(beside.leases_of_others == 0, "a blocked lane costs no call of the store");
      CHECK(beside.leases_of_free == alone.leases_of_free);
      CHECK_MESSAGE((beside.steps == alone.steps), "each step at its time, in its order");
    }
  }

  TEST_CASE("lanes that are blocked while they run cost one lease each at most") {
    over_seeds(3, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      std::map<std::string, int> leases;
      store.sees_lease = [&](const std::string& lane) { ++leases[lane]; };
      int left = 100 * 20;
      channel<std::monostate> done;
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      co_await pause(5ms);
                      if (!at.lane.ends_with("free")) co_return throttled{"429", now() + 24h};
                      if (--left == 0) done.close();
                      co_return last{at.number};
                    },
                    .on_second = {}};
      scripted_engine subject{
          store, kind, {.window = 64, .limits = [](auto) { return lane_limits{.in_flight = 1}; }}};
      starts wanted;
      for (int lane = 0; lane < all_lanes; ++lane) {
        const auto name = std::to_string(lane) + (is_free(lane) ? " free" : " throttled");
        for (int i = 0; i < 20; ++i) {
          wanted.push_back({.id = name + "/" + std::to_string(i), .first = first{i, name}});
        }
      }
      REQUIRE(co_await subject.submit(std::move(wanted)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        co_await done.take();
        subject.stop();
      });
      int most = 0;
      for (const auto& [lane, count] : leases) {
        if (!lane.ends_with("free")) most = std::max(most, count);
      }
      CHECK(most == 1);
      CHECK(subject.progress().completed == 2'000);
    });
  }

  TEST_CASE("lanes are served by weight however small the window is") {
    for (const std::size_t window : {1u, 3u, 40u}) {
      CAPTURE(window);
      over_seeds(5, [window]() -> task<> {
        const auto store = open_memory_store();
        std::map<std::string, int> ran;
        int total = 0;
        double worst = 0;
        scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                        ++ran[at.lane];
                        ++total;
                        if (total >= 200 && total <= 1'000) {
                          const double share = 1.0 * ran["lane 0"] / total;
                          worst = std::max(worst, std::abs(share - 0.5));
                        }
                        co_await pause(10ms);
                        co_return last{at.number};
                      },
                      .on_second = {}};
        // Weights 3, 1, 1, 1: lane 0 has the right to a half.
        scripted_engine subject{*store, kind, {.window = window, .limits = [](auto lane) {
                                                 return lane_limits{
                                                     .in_flight = 100,
                                                     .weight = lane == "lane 0" ? 3.0 : 1.0};
                                               }}};
        auto wanted = machines(4'000, 4);
        co_await run_all(subject, std::move(wanted));
        CHECK(worst < 0.06);
      });
    }
  }

  TEST_CASE("a lane that is paused begins nothing and goes on when it is resumed") {
    over_seeds(10, []() -> task<> {
      const auto inner = open_memory_store();
      watched_store store{*inner};
      std::map<std::string, std::vector<system_time>> ran;
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      ran[at.lane].push_back(now());
                      co_await pause(1s);
                      co_return last{at.number};
                    },
                    .on_second = {}};
      scripted_engine subject{
          store, kind, {.limits = [](auto) { return lane_limits{.in_flight = 1}; }}};
      const auto began = now();
      REQUIRE(co_await subject.submit(machines(20, 2)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await pause(2'500ms);
        REQUIRE(co_await store.control(control_verb::pause, {.lane = "lane 0"}) == 1u);
        co_await pause(1min);
        CHECK(ran["lane 0"].size() == 3);
        CHECK(ran["lane 1"].size() == 10);
        const auto leases = store.lease_calls.load();
        co_await pause(1h);
        CHECK(store.lease_calls == leases);
        REQUIRE(co_await store.control(control_verb::resume, {.lane = "lane 0"}) == 1u);
      });
      REQUIRE(ran["lane 0"].size() == 10);
      CHECK(ran["lane 0"][2] == began + 2s);
      CHECK(ran["lane 0"][3] == began + 2'500ms + 1min + 1h);
      check_whole(*inner, 20);
    });
  }

  TEST_CASE("a machine that waits runs first once it has a higher priority") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      std::vector<int> order;
      scripted kind{.on_first = [&](first at, step_context) -> task<said> {
                      order.push_back(at.number);
                      co_await pause(1s);
                      co_return last{at.number};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {.window = 1}};
      REQUIRE(co_await subject.submit(machines(5)));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await pause(500ms);
        CHECK(co_await store->apply(
                  {.verb = control_verb::prioritize, .filter = {.id = "4"}, .priority = 1}) == 1u);
        CHECK(co_await store->apply(
                  {.verb = control_verb::prioritize, .filter = {.id = "0"}, .priority = -1}) == 1u);
      });
      CHECK(order == std::vector<int>{0, 4, 1, 2, 3});
      CHECK(count_in(*store, phase::completed) == 5);
    });
  }
}

}  // namespace wherry::test
