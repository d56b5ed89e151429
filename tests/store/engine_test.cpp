// SPDX-License-Identifier: Apache-2.0
// Goal: an engine on the durable store keeps going whatever its steps do with the threads that they
// may block, and ends when it is stopped.
// Method: steps block on gates that only what must not wait for them opens. A case that fails
// hangs: ctest ends it.
#include <future>
#include <variant>

#include "sqlite_subject.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/csp/timeout.hpp"
#include "wherry/engine/engine.hpp"

using namespace wherry;
using namespace wherry::test;
using namespace std::chrono_literals;

namespace {

struct work {
  static constexpr std::string_view tag = "work";
  std::string lane;
};
BOOST_DESCRIBE_STRUCT(work, (), (lane))

struct over {
  static constexpr std::string_view tag = "over";
};
BOOST_DESCRIBE_STRUCT(over, (), ())

struct job {
  static constexpr std::string_view name = "job";
  using state = std::variant<work, over>;
  using said = outcome<state>;
  std::function<task<>(work)> act;

  task<said> step(work now, step_context) {
    if (act) co_await act(now);
    co_return over{};
  }
  [[nodiscard]] std::string lane(const work& now) const { return now.lane; }
};

using job_engine = engine<job>;
using starts = std::vector<job_engine::start>;

starts jobs(const std::string& lane, int count) {
  starts wanted;
  for (int i = 0; i < count; ++i) {
    wanted.push_back({.id = lane + "/" + std::to_string(i), .first = work{lane}});
  }
  return wanted;
}

task<> run_well(job_engine& subject, run_until until) {
  const auto ended = co_await subject.run(until);
  CHECK_MESSAGE(ended.has_value(), (ended ? std::string() : ended.error().message));
}

task<> submit_all(job_engine& to, starts wanted) {
  const auto report = co_await to.submit(std::move(wanted));
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
}

/// Steps of lane "slow" block all threads of the pool until the gate opens.
class blockade {
 public:
  task<> act(work now) {
    if (now.lane != "slow") co_return;
    if (++inside_ == pool_size) full_.close();
    co_await thread([open = open_] { open.wait(); }).take();
  }
  /// Suspends: until no thread of the pool is left.
  task<> until_full() { co_await full_.take(); }
  void open() { gate_.set_value(); }

  static constexpr int pool_size = 2;  // as on_threads has it

 private:
  std::promise<void> gate_;
  std::shared_future<void> open_ = gate_.get_future().share();
  std::atomic<int> inside_{0};
  channel<std::monostate> full_;
};

}  // namespace

TEST_SUITE("sqlite.hpp: engine") {
  TEST_CASE("machines end while others block every thread that steps may block") {
    const scratch_directory directory;
    with_store(directory / "store.db", [](store& on) -> task<> {
      blockade slow;
      constexpr int many = 1'000;  // more than a read-ahead holds
      job_engine subject{on, {[&](work now) { return slow.act(now); }}, {}};
      int ended = 0;
      subject.on_completed([&](const job_engine::finished& each) {
        if (each.id.starts_with("fast") && ++ended == many) slow.open();
      });
      co_await submit_all(subject, jobs("slow", blockade::pool_size));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await slow.until_full();
        co_await submit_all(subject, jobs("fast", many));
      });
      CHECK(subject.progress().completed == many + blockade::pool_size);
    });
  }

  TEST_CASE("calls that were spent are known to the next process") {
    const scratch_directory directory;
    const engine_options options{.limits = [](auto) {
      return lane_limits{.in_flight = 2, .quotas = {{3, 1h}, {100, 24h}}};
    }};
    for (int life = 0; life < 3; ++life) {
      with_store(directory / "store.db", [&](store& on) -> task<> {
        job_engine subject{on, {}, options};
        channel<std::monostate> third;
        int ended = 0;
        subject.on_completed([&](const job_engine::finished&) {
          if (++ended == 3) third.close();
        });
        if (life == 0) co_await submit_all(subject, jobs("counted", 9));
        co_await with_scope([&](scope& all) -> task<> {
          all.go(run_well(subject, run_until::stopped));
          if (life == 0) co_await third.take();
          // Long enough for what must not happen: if it did, it would at once.
          co_await timeout(100ms).take();
          subject.stop();
        });
        CHECK(ended == (life == 0 ? 3 : 0));
        CHECK(on.count()->in(phase::ready) == 6);
        const auto kept = on.lane_states();
        REQUIRE(kept.size() == 1);
        CHECK(kept.front().memory.quotas.find("86400000") != std::string::npos);
      });
      check_consistent(directory / "store.db");
    }
  }

  TEST_CASE("a stop ends the run while steps still block every thread that they may block") {
    const scratch_directory directory;
    with_store(directory / "store.db", [](store& on) -> task<> {
      blockade slow;
      job_engine subject{on, {[&](work now) { return slow.act(now); }}, {.grace = 0ms}};
      co_await submit_all(subject, jobs("slow", blockade::pool_size));
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::stopped));
        co_await slow.until_full();
        co_await submit_all(subject, jobs("fast", 1'000));
        subject.stop();
      });
      slow.open();
      CHECK(on.count()->in(phase::ready) + on.count()->in(phase::completed) ==
            1'000 + blockade::pool_size);
      CHECK((view_of(on, "slow/0").phase == phase::ready));
    });
  }
}
