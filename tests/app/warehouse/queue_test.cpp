// SPDX-License-Identifier: Apache-2.0
// Goal: reports that come together are loaded together, one batch at a time; each learns its own
// outcome, whoever else is unwound. Method: virtual time, over many orders; what loads is a
// function of the test's.
#include "warehouse/queue.hpp"

#include <doctest/doctest.h>

#include <map>
#include <stdexcept>
#include <string>

#include "reports.hpp"
#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/csp/sleep.hpp"

namespace wherry::app {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using ids = std::vector<std::string>;

/// What was loaded, and when; reports called "bad…" fail.
struct house {
  std::vector<ids> batches;
  std::vector<duration> begun;
  int under_way = 0;
  int most_under_way = 0;
  bool throws = false;
  duration takes = 1s;
  load_queue queue;
  std::map<std::string, load_outcome> told;

  explicit house(std::size_t batch, std::chrono::milliseconds linger = 2s)
      : queue({.batch = batch, .linger = linger},
              [this](std::vector<load_item> items) { return carry_out(std::move(items)); }) {}

  task<std::vector<load_outcome>> carry_out(std::vector<load_item> items) {
    most_under_way = std::max(most_under_way, ++under_way);
    begun.push_back(scheduler::current().now().time_since_epoch());
    auto& batch = batches.emplace_back();
    std::vector<load_outcome> outcomes;
    for (const auto& each : items) {
      batch.push_back(each.client);
      if (each.client.starts_with("bad")) {
        outcomes.push_back(
            std::unexpected(load_error{load_error_kind::permanent, "no " + each.client}));
      } else {
        outcomes.push_back(load_result::loaded);
      }
    }
    co_await sleep_for(takes);
    --under_way;
    if (throws) throw std::runtime_error("the carrier failed");
    co_return outcomes;
  }

  task<> load(std::string client, duration at = {}) {
    co_await sleep_for(at);
    told[client] = co_await queue.load(report_of(client));
  }

  /// Loads them, each at its time.
  void run(std::vector<std::pair<std::string, duration>> reports, std::uint64_t seed = 1) {
    virtual_scheduler scheduler{seed};
    scheduler.run(with_scope([&](scope& all) -> task<> {
      for (const auto& [client, at] : reports) all.go(load(client, at));
      co_return;
    }));
  }
};

ids sorted(ids of) {
  std::ranges::sort(of);
  return of;
}

}  // namespace

TEST_SUITE("warehouse/queue.hpp") {
  TEST_CASE("what comes within the linger is one batch, and each learns its own outcome") {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      house at{10};
      at.run({{"acme", 0s}, {"bad", 1s}, {"globex", 1999ms}}, seed);
      REQUIRE(at.batches.size() == 1);
      CHECK(sorted(at.batches[0]) == ids{"acme", "bad", "globex"});
      CHECK(at.begun[0] == 2s);
      CHECK(at.told.at("acme") == load_outcome{load_result::loaded});
      CHECK(at.told.at("globex") == load_outcome{load_result::loaded});
      REQUIRE_FALSE(at.told.at("bad").has_value());
      CHECK(at.told.at("bad").error().message == "no bad");
    }
  }

  TEST_CASE("a full batch does not wait") {
    house at{2};
    at.run({{"a", 0s}, {"b", 100ms}, {"c", 100ms}});
    REQUIRE(at.batches.size() == 2);
    CHECK(at.begun[0] == 100ms);
    CHECK(at.batches[0].size() == 2);
    CHECK(at.batches[1].size() == 1);
    CHECK(at.told.size() == 3);
  }

  TEST_CASE("one batch at a time, and what comes meanwhile gathers for the next") {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      house at{10, 0ms};
      at.takes = 5s;
      at.run({{"a", 0s}, {"b", 1s}, {"c", 2s}, {"d", 20s}}, seed);
      CHECK(at.most_under_way == 1);
      REQUIRE(at.batches.size() == 3);
      CHECK(at.batches[0] == ids{"a"});
      CHECK(sorted(at.batches[1]) == ids{"b", "c"});
      CHECK(at.batches[2] == ids{"d"});  // by another process: the first ended
    }
  }

  TEST_CASE("two generations of one report are never in one batch") {
    house at{10};
    virtual_scheduler scheduler;
    std::vector<load_outcome> both(2);
    scheduler.run(with_scope([&](scope& all) -> task<> {
      for (std::size_t i = 0; i < 2; ++i) {
        all.go([](house* in, load_outcome* told, std::int64_t generation) -> task<> {
          *told = co_await in->queue.load(report_of("acme", 3, "aa", generation));
        }(&at, &both[i], static_cast<std::int64_t>(i) + 1));
      }
      co_return;
    }));
    CHECK(at.batches == std::vector<ids>{{"acme"}, {"acme"}});
    CHECK((both[0].has_value() && both[1].has_value()));
  }

  TEST_CASE("a step that is unwound leaves the line and holds up nobody") {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      house at{10};
      virtual_scheduler scheduler{seed};
      scheduler.run(with_scope([&](scope& all) -> task<> {
        all.go(at.load("stays"));
        scope some;
        some.go(at.load("goes"));
        co_await sleep_for(1s);
        some.cancel();
        try {
          co_await some.join();
        } catch (const cancelled&) {}
      }));
      CHECK(at.batches == std::vector<ids>{{"stays"}});
      CHECK(at.told.size() == 1);
    }
  }

  TEST_CASE("a step that is unwound while its batch is under way ends it for nobody else") {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      house at{10};
      virtual_scheduler scheduler{seed};
      scheduler.run(with_scope([&](scope& all) -> task<> {
        scope some;
        some.go(at.load("goes"));  // the first: its process works for all
        co_await sleep_for(1s);
        all.go(at.load("stays"));
        co_await sleep_for(1500ms);
        some.cancel();
        try {
          co_await some.join();
        } catch (const cancelled&) {}
      }));
      REQUIRE(at.batches.size() == 1);
      CHECK(at.batches[0].size() == 2);
      CHECK(at.told.at("stays") == load_outcome{load_result::loaded});
    }
  }

  TEST_CASE("an exception is a transient failure of its whole batch and of no other") {
    house at{10};
    at.throws = true;
    at.run({{"a", 0s}, {"b", 0s}});
    for (const auto* each : {"a", "b"}) {
      REQUIRE_FALSE(at.told.at(each).has_value());
      CHECK(at.told.at(each).error().kind == load_error_kind::transient);
      CHECK(at.told.at(each).error().message == "the carrier failed");
    }
    at.throws = false;
    at.run({{"a", 0s}});
    CHECK(at.told.at("a").has_value());
  }

  TEST_CASE("a run that ends in the midst of a load leaves a queue that works") {
    house at{10, 0ms};
    at.takes = 1h;
    virtual_scheduler first;
    first.run([](house* in) -> task<> {
      scope some;
      some.go(in->load("cut"));
      co_await sleep_for(1s);
      some.cancel();
      try {
        co_await some.join();
      } catch (const cancelled&) {}
    }(&at));  // the process that loads is unwound with the run
    CHECK(at.told.empty());
    at.takes = 1s;
    at.run({{"next", 0s}});
    CHECK(at.told.at("next").has_value());
  }
}

}  // namespace wherry::app
