// SPDX-License-Identifier: Apache-2.0
// Goal: the bridge between a user's types and the core's names and JSON: which kinds are kinds,
// what a state becomes, and which step runs. What must not compile at all is in tests/compile_fail.

#include <any>

#include "subject.hpp"

namespace wherry::test {
namespace {

struct no_lane {
  static constexpr std::string_view name = "no_lane";
  using state = std::variant<first, last>;
  task<outcome<state>> step(first now, step_context) { co_return last{now.number}; }
};

struct const_step {
  static constexpr std::string_view name = "const_step";
  using state = std::variant<first, last>;
  task<outcome<state>> step(first now, step_context) const { co_return last{now.number}; }
};

struct any_step {
  static constexpr std::string_view name = "any_step";
  using state = std::variant<first, last>;
  task<outcome<state>> step(std::any, step_context) { co_return last{}; }
};

struct wrong_answer {
  static constexpr std::string_view name = "wrong_answer";
  using state = std::variant<first, last>;
  task<state> step(first now, step_context) { co_return last{now.number}; }
};

static_assert(machine_kind<scripted>);
static_assert(machine_kind<no_lane>);
static_assert(machine_kind<const_step>);
static_assert(!machine_kind<any_step>, "a step that takes anything is no state's own");
static_assert(!machine_kind<wrong_answer>);

task<detail::raw_outcome> run_raw(scripted kind, std::string tag, std::string data) {
  detail::typed_kind<scripted> typed{std::move(kind)};
  co_return co_await typed.run({std::move(tag), std::move(data)}, step_context{});
}

/// What the core hears if the step of `first` says `answer`.
detail::raw_outcome heard(said answer) {
  virtual_scheduler home;
  scripted kind{.on_first = [&](first, step_context) -> task<said> { co_return std::move(answer); },
                .on_second = {}};
  return home.run(run_raw(std::move(kind), "first", R"({"number":1,"lane":"x"})"));
}

}  // namespace

TEST_SUITE("engine/kind") {
  TEST_CASE("a state becomes its tag and its JSON and its lane and how far along it is") {
    const detail::typed_kind<scripted> kind{scripted{}};
    const auto raw = kind.encode_state(second{7, "slow"});
    CHECK(raw.tag == "second");
    CHECK(raw.data == R"({"number":7,"lane":"slow"})");
    CHECK(raw.lane == "slow");
    CHECK(raw.rank == 1);
    CHECK_FALSE(raw.is_final);
    CHECK(kind.encode_state(last{}).is_final);
  }

  TEST_CASE("a kind that names no lane has one a state") {
    const detail::typed_kind<no_lane> kind{no_lane{}};
    CHECK(kind.encode_state(first{}).lane == "first");
  }

  TEST_CASE("the step of the stored state runs and its next state is encoded") {
    virtual_scheduler home;
    const auto raw = home.run(run_raw({}, "second", R"({"number":3,"lane":"x"})"));
    CHECK(raw.kind == outcome_kind::advanced);
    CHECK(raw.next.tag == "last");
    CHECK(raw.next.data == R"({"number":3})");
  }

  TEST_CASE("each way to fail arrives with its error") {
    const auto failed = heard(transient{"flaky", 2s});
    CHECK(failed.kind == outcome_kind::retried);
    CHECK(failed.error == "flaky");
    CHECK(failed.wait == 2s);

    const system_time later{std::chrono::days(30'000)};
    const auto slowed = heard(throttled{"slow down", later});
    CHECK(slowed.kind == outcome_kind::throttled);
    CHECK(slowed.error == "slow down");
    CHECK(slowed.until == later);

    const auto not_yet = heard(postponed{"not ready", later});
    CHECK(not_yet.kind == outcome_kind::postponed);
    CHECK(not_yet.error == "not ready");
    CHECK(not_yet.until == later);

    const auto stopped = heard(stops_lane{"refused", later});
    CHECK(stopped.kind == outcome_kind::postponed);
    CHECK(stopped.stops_lane);
    CHECK(stopped.error == "refused");
    CHECK(stopped.until == later);

    const auto died = heard(permanent{"gone"});
    CHECK(died.kind == outcome_kind::died);
    CHECK(died.error == "gone");

    const auto back = heard(go_back<scripted::state>{first{9, "x"}, "file vanished"});
    CHECK(back.kind == outcome_kind::went_back);
    CHECK(back.error == "file vanished");
    CHECK(back.next.tag == "first");
  }

  TEST_CASE("a machine in a state that nobody knows is left alone") {
    virtual_scheduler home;
    const auto raw = home.run(run_raw({}, "third", "{}"));
    CHECK(raw.leaves_alone);
    CHECK(raw.error.find("\"third\"") != std::string::npos);
  }

  TEST_CASE("a stored state that cannot be read is a dead letter that names the member") {
    virtual_scheduler home;
    const auto raw = home.run(run_raw({}, "first", R"({"number":"one","lane":"x"})"));
    CHECK(raw.kind == outcome_kind::died);
    CHECK_FALSE(raw.leaves_alone);
    CHECK(raw.error.find("number: wanted an integer") != std::string::npos);
  }
}

}  // namespace wherry::test
