// SPDX-License-Identifier: Apache-2.0
// `wherry redrive` and `cancel`: commands go into the store's inbox. Whoever owns the store applies
// them within a second; if nobody does, they are applied here and now.

#include <fmt/core.h>

#include "commands/commands.hpp"
#include "commands/session.hpp"
#include "commands/store_file.hpp"
#include "wherry/store/sqlite.hpp"

namespace wherry::app {
namespace {

struct control_words {
  control_verb verb;
  std::optional<phase> all;  // what --all means; empty: whatever the verb applies to
  const char* done;          // "will run again"
};

std::vector<machine_filter> filters_of(const inspect_call& call, const control_words& words) {
  if (call.all) return {machine_filter{words.all, {}, {}, {}}};
  std::vector<machine_filter> filters;
  for (const auto& id : call.ids) filters.push_back({std::nullopt, {}, id, {}});
  return filters;
}

// Every id is known, or nothing is asked.
std::expected<void, std::string> check_ids(sqlite_inspector& store, const inspect_call& call) {
  for (const auto& id : call.ids) {
    const auto found = store.query({std::nullopt, {}, id, {}}, 1, "");
    if (!found) return std::unexpected(found.error().message);
    if (found->empty()) {
      return std::unexpected("no report \"" + id + "\" in this store; see: wherry list");
    }
  }
  return {};
}

task<std::expected<std::size_t, store_error>> apply(store& owned) {
  co_return co_await owned.drain_inbox();
}

int control(const inspect_call& call, const control_words& words) {
  if (call.ids.empty() && !call.all) {
    complain("which ones? Name ids as client/2025-01-31, or say --all");
    return mistake_made;
  }
  const auto file = find_store(call.store);
  if (!file) return complain(file.error()), mistake_made;
  {
    auto beside = inspect_sqlite_store(*file);
    if (!beside) return complain(beside.error().message), mistake_made;
    if (auto known = check_ids(**beside, call); !known) {
      return complain(known.error()), mistake_made;
    }
    for (const auto& filter : filters_of(call, words)) {
      if (auto asked = (*beside)->ask(words.verb, filter); !asked) {
        return complain(asked.error().message), mistake_made;
      }
    }
  }
  auto owned = open_sqlite_store(*file);
  if (!owned) {
    if (owned.error().what != store_error::kind::owned) {
      return complain(owned.error().message), mistake_made;
    }
    fmt::print("asked: the running import applies it within a second\n");
    return all_well;
  }
  thread_scheduler scheduler({.threads = 1, .blocking_threads = 1});
  const auto applied = scheduler.run(apply(**owned));
  if (!applied) return complain(applied.error().message), mistake_made;
  fmt::print("done: what it applies to {} with the next import\n", words.done);
  return all_well;
}

}  // namespace

int redrive_machines(const inspect_call& call) {
  return control(call, {control_verb::redrive, phase::dead, "runs again"});
}

int cancel_machines(const inspect_call& call) {
  return control(call, {control_verb::cancel, std::nullopt, "does not run"});
}

}  // namespace wherry::app
