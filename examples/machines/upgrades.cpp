// SPDX-License-Identifier: Apache-2.0
// A program changes what its states look like, while machines of before lie in the store. Last
// year's order knew an amount; this year's knows its currency, and "open" is called "placed".

#include <cstdio>
#include <string>
#include <variant>
#include <vector>

#include "wherry/engine/engine.hpp"
#include "wherry/store/memory.hpp"

namespace {

struct paid {
  static constexpr std::string_view tag = "paid";
};
BOOST_DESCRIBE_STRUCT(paid, (), ())

namespace last_year {
struct open {
  static constexpr std::string_view tag = "open";
  int amount = 0;
};
BOOST_DESCRIBE_STRUCT(open, (), (amount))

struct order {
  static constexpr std::string_view name = "order";
  using state = std::variant<open, paid>;
  wherry::task<wherry::outcome<state>> step(open, wherry::step_context) { co_return paid{}; }
};
}  // namespace last_year

struct placed {
  static constexpr std::string_view tag = "placed";
  int amount = 0;
  std::string currency;
};
BOOST_DESCRIBE_STRUCT(placed, (), (amount, currency))

struct order {
  static constexpr std::string_view name = "order";
  using state = std::variant<placed, paid>;

  static void name_the_currency(wherry::state_json& old) {
    if (old.tag == "open") old.data["currency"] = "EUR";
  }
  static void open_is_placed(wherry::state_json& old) {
    if (old.tag == "open") old.tag = "placed";
  }
  // To shape 1, to shape 2. One that was released is never changed, moved or taken away.
  static constexpr std::array upgrades{&name_the_currency, &open_is_placed};

  wherry::task<wherry::outcome<state>> step(placed now, wherry::step_context context) {
    std::printf("%s: %d %s\n", context.id.c_str(), now.amount, now.currency.c_str());
    co_return paid{};
  }
};

// As the store of each year had them: sqlite3 FILE 'select state, data, shape from machines'
void test_stored_samples() {
  const std::vector<wherry::stored_state> samples{
      {"open", R"({"amount":5})", 0},
      {"open", R"({"amount":5,"currency":"EUR"})", 1},
      {"placed", R"({"amount":5,"currency":"EUR"})", 2}};
  for (const auto& sample : samples) {
    const auto now = wherry::read_state<order>(sample);
    const bool good = now && std::get<placed>(*now).currency == "EUR";
    std::printf("a sample of shape %d: %s\n", sample.shape, good ? "good" : "lost");
  }
}

wherry::task<> run_both(wherry::store& store) {
  wherry::engine<last_year::order> before{store, {}};
  wherry::engine<order> now{store, {}};
  static_cast<void>(co_await before.submit({{.id = "old order", .first = last_year::open{7}}}));
  static_cast<void>(co_await now.submit({{.id = "new order", .first = placed{8, "USD"}}}));
  // Somebody starts last year's program by mistake: it runs what is its own.
  before.on_left_alone([](const wherry::left_alone& each) {
    std::printf("%s: %s\n", each.id.c_str(), each.why.c_str());
  });
  static_cast<void>(co_await before.run());
  static_cast<void>(co_await before.submit({{.id = "late order", .first = last_year::open{9}}}));
  static_cast<void>(co_await now.run());
}

}  // namespace

int main() {
  test_stored_samples();
  const auto store = wherry::open_memory_store();
  wherry::thread_scheduler scheduler({.threads = 1});
  scheduler.run(run_both(*store));
}
