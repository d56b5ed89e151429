// SPDX-License-Identifier: Apache-2.0
// The library in one page: a kind of machine, driven from a store in the file errands.db. Its step
// fails twice before it succeeds; kill the program at any moment, start it again, and it goes on.

#include <cstdio>
#include <expected>
#include <stdexcept>
#include <string>
#include <variant>

#include "wherry/engine/engine.hpp"
#include "wherry/store/sqlite.hpp"

namespace {

// The states: plain data, all that the next step needs. Stored as JSON of their described members.
struct ordered {
  static constexpr std::string_view tag = "ordered";
  std::string goods;
};
BOOST_DESCRIBE_STRUCT(ordered, (), (goods))

struct delivered {
  static constexpr std::string_view tag = "delivered";
  std::string receipt;
};
BOOST_DESCRIBE_STRUCT(delivered, (), (receipt))

struct errand {  // a kind of machine: from each state a step to the next
  static constexpr std::string_view name = "errand";
  using state = std::variant<ordered, delivered>;  // plain structs; the last one is final
  wherry::task<wherry::outcome<state>> step(ordered now, wherry::step_context context) {
    if (now.goods.empty()) co_return wherry::permanent{"nothing was ordered"};
    if (context.attempt < 3) throw std::runtime_error("nobody was at home");  // again, later
    co_return delivered{now.goods + " handed over"};
  }
};

using store_result = std::expected<void, wherry::store_error>;

wherry::task<store_result> run_errands(wherry::store& store) {
  wherry::engine<errand> engine{store, errand{}};
  const auto asked = co_await engine.submit(
      {{.id = "anna", .first = ordered{"lamp"}}, {.id = "bert", .first = ordered{""}}});
  if (!asked) co_return std::unexpected(asked.error());
  co_return co_await engine.run();  // killed here and started again, it goes on
}

store_result tell_history(wherry::store& store, const char* id) {
  const auto history = store.history(id);
  if (!history) return std::unexpected(history.error());
  for (const auto& line : *history) {
    std::printf("%s: %s -> %s, %s%s%s\n", id, line.from.c_str(), line.to.c_str(),
                std::string(to_string(line.outcome)).c_str(), line.error.empty() ? "" : ": ",
                line.error.c_str());
  }
  return {};
}

}  // namespace

int main() {
  const auto store = wherry::open_sqlite_store("errands.db");
  store_result went = store ? store_result{} : std::unexpected(store.error());
  if (went) went = wherry::thread_scheduler{}.run(run_errands(**store));
  if (went) went = tell_history(**store, "anna");
  if (went) went = tell_history(**store, "bert");
  if (!went) std::fprintf(stderr, "errands: %s\n", went.error().message.c_str());
  return went ? 0 : 1;
}
