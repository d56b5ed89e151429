// SPDX-License-Identifier: Apache-2.0
// Goal: a program whose states have changed runs what older ones stored, and leaves alone what
// newer ones did.
// Method: three programs of one shop, as they followed each other, share a store.

#include "subject.hpp"

namespace wherry::test {
namespace {

struct sold {
  static constexpr std::string_view tag = "sold";
};
BOOST_DESCRIBE_STRUCT(sold, (), ())

namespace first_year {
struct priced {
  static constexpr std::string_view tag = "priced";
  int amount = 0;
};
BOOST_DESCRIBE_STRUCT(priced, (), (amount))

struct shop {
  static constexpr std::string_view name = "shop";
  [[nodiscard]] std::string lane(const auto&) const { return "shop"; }
  using state = std::variant<priced, sold>;
  task<outcome<state>> step(priced, step_context) { co_return sold{}; }
};
}  // namespace first_year

namespace second_year {  // prices have a currency
struct priced {
  static constexpr std::string_view tag = "priced";
  int amount = 0;
  std::string currency;
};
BOOST_DESCRIBE_STRUCT(priced, (), (amount, currency))

void name_the_currency(state_json& old) {
  if (old.tag != "priced") return;
  if (old.data.at("amount").as_int64() < 0) throw std::runtime_error("a price below zero");
  old.data["currency"] = "USD";
}

struct shop {
  static constexpr std::string_view name = "shop";
  [[nodiscard]] std::string lane(const auto&) const { return "shop"; }
  using state = std::variant<priced, sold>;
  static constexpr std::array upgrades{&name_the_currency};
  task<outcome<state>> step(priced, step_context) { co_return sold{}; }
};
}  // namespace second_year

namespace third_year {  // what was priced is offered, and then reserved; a price of 0 is a gift
struct offered {
  static constexpr std::string_view tag = "offered";
  int amount = 0;
  std::string currency;
};
BOOST_DESCRIBE_STRUCT(offered, (), (amount, currency))
struct reserved {
  static constexpr std::string_view tag = "reserved";
  std::string price;
};
BOOST_DESCRIBE_STRUCT(reserved, (), (price))

void offer_what_is_priced(state_json& old) {
  if (old.tag != "priced") return;
  old.tag = "offered";
  if (old.data.at("amount").as_int64() == 0) old = {.tag = "sold", .data = {}};
}

struct shop {
  static constexpr std::string_view name = "shop";
  [[nodiscard]] std::string lane(const auto&) const { return "shop"; }
  using state = std::variant<offered, reserved, sold>;
  static constexpr std::array upgrades{&second_year::name_the_currency, &offer_what_is_priced};

  std::function<task<outcome<state>>(offered, step_context)> on_offered;

  task<outcome<state>> step(offered now, step_context context) {
    if (on_offered) co_return co_await on_offered(now, std::move(context));
    co_return reserved{std::to_string(now.amount) + " " + now.currency};
  }
  task<outcome<state>> step(reserved, step_context) { co_return sold{}; }
};
}  // namespace third_year

using said_offered = outcome<third_year::shop::state>;

/// Machines as the program of `Kind` begins them, "a 0", "a 1", … for the name "a".
template <class Kind, class State>
task<> begin(store& in, const std::string& name, State first, int count = 1) {
  engine<Kind> program{in, {}, {}};
  std::vector<typename engine<Kind>::start> wanted;
  for (int i = 0; i < count; ++i) wanted.push_back({name + " " + std::to_string(i), first});
  REQUIRE(co_await program.submit(std::move(wanted)));
}

template <class Kind>
task<std::vector<left_alone>> run_out(store& in, Kind kind = {}) {
  engine<Kind> program{in, std::move(kind), {}};
  std::vector<left_alone> alone;
  program.on_left_alone([&](const left_alone& each) { alone.push_back(each); });
  const auto ended = co_await program.run();
  CHECK_MESSAGE(ended.has_value(), (ended ? std::string() : ended.error().message));
  CHECK(program.progress().left_alone == alone.size());
  co_return alone;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_SUITE("engine/shape") {
  TEST_CASE("a stored sample of each shape is read as the state of today") {
    const std::vector<stored_state> samples{
        {"priced", R"({"amount":5})", 0},
        {"priced", R"({"amount":5,"currency":"USD"})", 1},
        {"offered", R"({"amount":5,"currency":"USD"})", 2},
    };
    for (const auto& each : samples) {
      CAPTURE(each.shape);
      const auto now = read_state<third_year::shop>(each);
      REQUIRE_MESSAGE(now.has_value(), (now ? std::string() : now.error().why));
      const auto* offer = std::get_if<third_year::offered>(&*now);
      REQUIRE(offer != nullptr);
      CHECK(offer->amount == 5);
      CHECK(offer->currency == "USD");
    }
  }

  TEST_CASE("the shape of a kind is the number of its upgrades") {
    CHECK(shape_of<first_year::shop> == 0);
    CHECK(shape_of<third_year::shop> == 2);
  }

  TEST_CASE("what cannot be read says whose fault that is") {
    using third_year::shop;
    const auto newer = read_state<shop>({"offered", "{}", 3});
    REQUIRE_FALSE(newer.has_value());
    CHECK(newer.error().what == unreadable::kind::foreign);
    CHECK(has(newer.error().why, "\"offered\" is of shape 3, this program knows 2"));

    const auto unknown = read_state<shop>({"returned", "{}", 2});
    REQUIRE_FALSE(unknown.has_value());
    CHECK(unknown.error().what == unreadable::kind::foreign);
    CHECK(has(unknown.error().why, "no state \"returned\""));

    for (const auto& data : {R"({"amount":"5"})", R"({"amount":-1})", "{}", "[]", "{"}) {
      CAPTURE(data);
      const auto damaged = read_state<shop>({"priced", data, 0});
      REQUIRE_FALSE(damaged.has_value());
      CHECK(damaged.error().what == unreadable::kind::damaged);
      CHECK(has(damaged.error().why, "the stored state \"priced\" cannot be read: "));
    }
  }

  TEST_CASE("an older program's machine runs and is stored in the newest shape when it advances") {
    over_seeds(10, []() -> task<> {
      const auto store = open_memory_store();
      co_await begin<first_year::shop>(*store, "lamp", first_year::priced{7});
      int runs = 0;
      third_year::shop shop{
          .on_offered = [&](third_year::offered now, step_context) -> task<said_offered> {
            const auto kept = view_of(*store, "lamp 0");
            CHECK(kept.shape == 0);
            CHECK(kept.data == R"({"amount":7})");
            CHECK(now.currency == "USD");
            if (++runs == 1) co_return transient{"nobody is in"};
            co_return third_year::reserved{"7 USD"};
          }};
      CHECK((co_await run_out(*store, std::move(shop))).empty());
      CHECK(runs == 2);
      check_whole(*store, 1);
      CHECK(view_of(*store, "lamp 0").shape == 2);
    });
  }

  TEST_CASE("an idempotency key is the same before and after an upgrade") {
    virtual_scheduler home;
    home.run([]() -> task<> {
      const auto store = open_memory_store();
      co_await begin<first_year::shop>(*store, "lamp", first_year::priced{7});
      std::string key;
      third_year::shop shop{
          .on_offered = [&](third_year::offered, step_context context) -> task<said_offered> {
            key = context.idempotency_key();
            co_return third_year::reserved{};
          }};
      static_cast<void>(co_await run_out(*store, std::move(shop)));
      CHECK(key == "lamp 0/1/priced/0");
    }());
  }

  TEST_CASE("a machine that an upgrade has brought to its end completes") {
    virtual_scheduler home;
    home.run([]() -> task<> {
      const auto store = open_memory_store();
      co_await begin<second_year::shop>(*store, "gift", second_year::priced{0, "EUR"});
      static_cast<void>(co_await run_out<third_year::shop>(*store));
      CHECK(view_of(*store, "gift 0").phase == phase::completed);
      CHECK(view_of(*store, "gift 0").state == "sold");
    }());
  }

  TEST_CASE("a machine of a newer program is left alone with a reason and all others are run") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      co_await begin<third_year::shop>(*store, "new", third_year::offered{1, "EUR"}, 3);
      co_await begin<first_year::shop>(*store, "old", first_year::priced{2}, 40);
      const auto before = view_of(*store, "new 1");
      const auto alone = co_await run_out<first_year::shop>(*store);
      CHECK(alone.size() == 3);
      for (const auto& each : alone) CHECK(has(each.why, "is of shape 2, this program knows 0"));
      CHECK(count_in(*store, phase::completed) == 40);
      const auto after = view_of(*store, "new 1");
      CHECK(after.phase == phase::ready);
      CHECK(after.version == 0);
      CHECK(after.attempt == 1);
      CHECK(after.data == before.data);
      CHECK(after.error.empty());
      // The newer program finds them at once.
      CHECK((co_await run_out<third_year::shop>(*store)).empty());
      check_whole(*store, 43);
    });
  }

  TEST_CASE("machines that are left alone take no room from others in the window or in a lane") {
    virtual_scheduler home;
    home.run([]() -> task<> {
      const auto store = open_memory_store();
      co_await begin<third_year::shop>(*store, "new", third_year::reserved{"1 EUR"}, 20);
      co_await begin<first_year::shop>(*store, "old", first_year::priced{2}, 20);
      engine<first_year::shop> older{*store, {}, {.window = 2, .limits = [](std::string_view) {
                                                    return lane_limits{.in_flight = 1, .rate = 10};
                                                  }}};
      REQUIRE(co_await older.run());
      CHECK(older.progress().completed == 20);
      CHECK(older.progress().left_alone == 20);
    }());
  }

  TEST_CASE("an engine whose machines left alone are cancelled ends when the others have") {
    over_seeds(20, []() -> task<> {
      const auto store = open_memory_store();
      co_await begin<third_year::shop>(*store, "new", third_year::reserved{"1 EUR"}, 2);
      co_await begin<scripted>(*store, "slow", first{1, "lane"});
      scripted kind{.on_first = [&](first now, step_context) -> task<said> {
                      co_await pause(1min);
                      co_return second{now.number, now.lane};
                    },
                    .on_second = {}};
      scripted_engine subject{*store, kind, {}};
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await pause_below(50s);
        CHECK(co_await store->control(control_verb::cancel, {.id = "new 0"}) == 1u);
        co_await pause_below(50s);
        CHECK(co_await store->control(control_verb::redrive, {.id = "new 0"}) == 1u);
      });
      CHECK(view_of(*store, "slow 0").phase == phase::completed);
      CHECK(view_of(*store, "new 0").phase == phase::ready);
      CHECK(subject.progress().left_alone >= 1);
      CHECK((co_await run_out<third_year::shop>(*store)).empty());
      check_whole(*store, 3);
    });
  }

  TEST_CASE("a machine whose upgrade fails is a dead letter as it was and can be redriven") {
    virtual_scheduler home;
    home.run([]() -> task<> {
      const auto store = open_memory_store();
      co_await begin<first_year::shop>(*store, "odd", first_year::priced{-1});
      CHECK((co_await run_out<second_year::shop>(*store)).empty());
      const auto dead = view_of(*store, "odd 0");
      CHECK(dead.phase == phase::dead);
      CHECK(dead.shape == 0);
      CHECK(dead.data == R"({"amount":-1})");
      CHECK(has(dead.error, "its upgrade to shape 1 failed: a price below zero"));
      CHECK(co_await store->control(control_verb::redrive, {.id = "odd 0"}) == 1u);
      static_cast<void>(co_await run_out<first_year::shop>(*store));
      check_whole(*store, 1);
    }());
  }

  TEST_CASE("a machine of a newer program is left alone also past its deadline") {
    virtual_scheduler home;
    home.run([]() -> task<> {
      const auto store = open_memory_store();
      engine<third_year::shop> newer{*store, {}, {}};
      REQUIRE(co_await newer.submit(
          {{.id = "new", .first = third_year::reserved{"1 EUR"}, .deadline = now() + 1s}}));
      co_await pause(2s);
      CHECK((co_await run_out<first_year::shop>(*store)).size() == 1);
      CHECK(view_of(*store, "new").version == 0);
      CHECK(view_of(*store, "new").phase == phase::ready);
      CHECK((co_await run_out<third_year::shop>(*store)).empty());
      CHECK_MESSAGE(view_of(*store, "new").phase == phase::dead, "it is the newer one's to judge");
    }());
  }

  TEST_CASE("machines that were left alone and cancelled take no room from others") {
    virtual_scheduler home;
    home.run([]() -> task<> {
      constexpr int many = static_cast<int>(detail::left_alone_machines::limit);
      const auto store = open_memory_store();
      co_await begin<third_year::shop>(*store, "new", third_year::reserved{"1 EUR"}, many);
      engine<first_year::shop> older{*store, {}, {}};
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](engine<first_year::shop>& run) -> task<> {
          const auto ended = co_await run.run(run_until::stopped);
          CHECK_MESSAGE(ended.has_value(), (ended ? std::string() : ended.error().message));
        }(older));
        co_await pause(5s);
        CHECK(co_await store->control(control_verb::cancel, {}) == static_cast<std::size_t>(many));
        co_await begin<third_year::shop>(*store, "more", third_year::reserved{"1 EUR"});
        co_await pause(5s);
        CHECK(older.progress().left_alone == 1);
        older.stop();
      });
    }());
  }

  TEST_CASE("a shape that no program has and an upgrade that throws anything are told as damage") {
    struct thrower {
      static void go(state_json&) { throw 1; }
    };
    const std::array<upgrade, 1> upgrades{&thrower::go};
    for (const std::int32_t shape : {-1, 0}) {
      const auto read = detail::read_json({"priced", "{}", shape}, upgrades);
      REQUIRE_FALSE(read.has_value());
      CHECK(read.error().what == unreadable::kind::damaged);
    }
  }

  TEST_CASE("a store full of machines of a newer program ends the run with a reason and no loss") {
    virtual_scheduler home;
    home.run([]() -> task<> {
      constexpr int many = static_cast<int>(detail::left_alone_machines::limit) + 1;
      const auto store = open_memory_store();
      co_await begin<third_year::shop>(*store, "new", third_year::offered{1, "EUR"}, many);
      engine<first_year::shop> older{*store, {}, {}};
      const auto ended = co_await older.run();
      REQUIRE_FALSE(ended.has_value());
      CHECK(ended.error().what == store_error::kind::newer);
      CHECK(has(ended.error().message, "1000 machines of another program were left alone"));
      CHECK(count_in(*store, phase::ready) == many);
      CHECK((co_await run_out<third_year::shop>(*store)).empty());
      check_whole(*store, many);
    }());
  }
}

}  // namespace wherry::test
