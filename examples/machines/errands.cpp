// SPDX-License-Identifier: Apache-2.0
// The library in one page: a kind of machine with three states and two steps, one of which fails
// now and then, driven from a store. Under virtual time, so that the hours that it takes are none,
// and from one seed, so that the output is always the same; a real program says thread_scheduler
// and open_sqlite_store, and changes nothing else.

#include <cstdio>
#include <stdexcept>

#include "wherry/engine/engine.hpp"
#include "wherry/store/memory.hpp"

namespace {

// The states: plain data, all that the next step needs.
struct ordered {
  static constexpr std::string_view tag = "ordered";
  std::string goods;
  int pieces = 0;
};
BOOST_DESCRIBE_STRUCT(ordered, (), (goods, pieces))

struct packed {
  static constexpr std::string_view tag = "packed";
  std::string parcel;
};
BOOST_DESCRIBE_STRUCT(packed, (), (parcel))

struct delivered {
  static constexpr std::string_view tag = "delivered";
  std::string receipt;
};
BOOST_DESCRIBE_STRUCT(delivered, (), (receipt))

// The steps: each from one state to the next. The last state is final.
struct errand {
  static constexpr std::string_view name = "errand";
  using state = std::variant<ordered, packed, delivered>;

  wherry::task<wherry::outcome<state>> step(ordered now, wherry::step_context) {
    if (now.pieces == 0) co_return wherry::permanent{"nothing was ordered"};
    co_return packed{std::to_string(now.pieces) + " x " + now.goods};
  }
  wherry::task<wherry::outcome<state>> step(packed now, wherry::step_context context) {
    if (context.attempt < 3) throw std::runtime_error("nobody was at home");
    co_return delivered{now.parcel + ", at attempt " + std::to_string(context.attempt)};
  }
};

wherry::task<> run_errands(wherry::store& store) {
  wherry::engine<errand> engine{store, errand{}};
  engine.on_completed([](const auto& done) {
    std::printf("%s: delivered %s\n", done.id.c_str(), done.last.receipt.c_str());
  });
  co_await engine.submit({{.id = "anna", .first = ordered{"lamp", 2}},
                          {.id = "bert", .first = ordered{"chair", 0}},
                          {.id = "cleo", .first = ordered{"table", 1}}});
  co_await engine.run();
}

}  // namespace

int main() {
  const auto store = wherry::open_memory_store();
  wherry::virtual_scheduler scheduler{1};
  scheduler.run(run_errands(*store));

  const auto history = store->history("cleo");
  for (const auto& line : *history) {
    std::printf("cleo: %s -> %s, %s %s\n", line.from.c_str(), line.to.c_str(),
                std::string(to_string(line.outcome)).c_str(), line.error.c_str());
  }
  const auto dead = store->query({.phase = wherry::phase::dead}, 10, "");
  for (const auto& each : *dead) std::printf("%s: dead, %s\n", each.id.c_str(), each.error.c_str());
}
