// SPDX-License-Identifier: Apache-2.0
// Goal: the next process goes on exactly where the last one was: with the key, the attempt and the
// setbacks of each machine, and at once.
// Method: engines under virtual time, two lives on one file; the first ends by a stop without
// grace, or is gone with its leases out.
#include <algorithm>
#include <map>
#include <tuple>

#include "engine_subject.hpp"

using namespace wherry;
using namespace wherry::test;

namespace {

/// Runs until `after` has passed, then stops without waiting for any step.
task<> run_for(duration after, store& on, parcel kind, engine_options options) {
  options.grace = {};
  parcel_engine subject{on, std::move(kind), std::move(options)};
  co_await with_scope([&](scope& all) -> task<> {
    all.go(run_well(subject, run_until::stopped));
    co_await sleep_for(after);
    subject.stop();
  });
}

}  // namespace

TEST_SUITE("sqlite.hpp: restart") {
  TEST_CASE("a step that is tried again by the next process has the key and attempt of before") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    std::map<std::string, strings> keys;
    const auto note = [&](const step_context& run) {
      keys[run.id].push_back(run.idempotency_key() + " attempt " + std::to_string(run.attempt));
    };
    on_virtual_time(file, 1, [&](store& on) -> task<> {
      parcel_engine subject{on, {}, {}};
      co_await submit_all(subject, some(3));
      co_await run_for(1min, on,
                       {.on_packed = {},
                        .on_carried = [&](carried, step_context run) -> task<said> {
                          note(run);
                          if (run.id == "p/1") co_return transient{"rain", 1h};
                          if (run.id == "p/2") co_return throttled{"slow down", run.now() + 1h};
                          co_await sleep_for(24h);
                          co_return permanent{"never said"};
                        }},
                       {});
    });
    on_virtual_time(file, 2, [&](store& on) -> task<> {
      const auto deliver = [&](carried now, step_context run) -> task<said> {
        note(run);
        co_return delivered{now.note};
      };
      co_await run_for(2h, on, {.on_packed = {}, .on_carried = deliver}, {});
      CHECK(on.count()->in(phase::completed) == 3);
    });
    check_consistent(file);
    CHECK(keys["p/0"] == strings{"p/0/1/carried/1 attempt 1", "p/0/1/carried/1 attempt 1"});
    CHECK(keys["p/1"] == strings{"p/1/1/carried/1 attempt 1", "p/1/1/carried/1 attempt 2"});
    CHECK(keys["p/2"] == strings{"p/2/1/carried/1 attempt 1", "p/2/1/carried/1 attempt 1"});
  }

  TEST_CASE("a machine cannot be sent back and forth for ever by restarts in between") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    const parcel sent_back{.on_packed = {},
                           .on_carried = [](carried now, step_context) -> task<said> {
                             co_return go_back<parcel::state>{packed{now.lane}, "wet"};
                           }};
    int lives = 0;
    for (bool ended = false; !ended && lives < 9; ++lives) {
      on_virtual_time(file, static_cast<std::uint64_t>(lives + 1), [&](store& on) -> task<> {
        if (lives == 0) {
          parcel_engine subject{on, {}, {}};
          co_await submit_all(subject, some(1));
        }
        // The next life is two hours later; so it is sent back once in each.
        dynamic_cast<virtual_scheduler&>(scheduler::current())
            .shift_calendar(std::chrono::hours(2 * lives));
        co_await run_for(1min, on, sent_back, {.policy = {.attempts = 3, .first = 1h, .cap = 1h}});
        ended = on.count()->in(phase::dead) == 1;
      });
    }
    CHECK_MESSAGE(lives <= 4, "three times back, as often as it may be tried");
    check_consistent(file);
  }

  TEST_CASE("what was ready is leased by priority, then rank, then due, then age") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    constexpr std::size_t many = 2'000;
    on_virtual_time(file, 1, [](store& on) -> task<> {
      std::vector<submission> wanted;
      for (std::size_t i = 0; i < many; ++i) {
        auto each = item("m" + std::to_string(i));
        each.priority = static_cast<std::int32_t>(detail::draw() % 3);
        each.rank = static_cast<std::int32_t>(detail::draw() % 3);
        each.due = now() + std::chrono::seconds(detail::draw() % 9);
        wanted.push_back(std::move(each));
      }
      co_await submit_new(on, std::move(wanted));
      co_await promote_all(on, now() + 1h);
    });
    on_virtual_time(file, 2, [](store& on) -> task<> {
      using place = std::tuple<std::int32_t, std::int32_t, system_time, std::int64_t>;
      std::vector<place> order;
      while (order.size() < many) {
        const auto some = co_await lease_some(on, "lane", 7);
        REQUIRE_FALSE(some.empty());
        for (const auto& each : some) {
          order.emplace_back(-each.priority, -each.rank, view_of(on, each.id).due, each.key);
        }
      }
      CHECK(std::ranges::is_sorted(order));
    });
  }

  TEST_CASE("machines whose worker is gone run again at once") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    on_virtual_time(file, 1, [](store& on) -> task<> {
      parcel_engine subject{on, {}, {}};
      co_await submit_all(subject, some(20));
      CHECK((co_await lease_all(on, "lane")).size() == 20);  // for an hour
    });
    on_virtual_time(file, 2, [](store& on) -> task<> {
      co_await run_for(5s, on, {}, {});
      CHECK(on.count()->in(phase::completed) == 20);
    });
    check_consistent(file);
  }
}
