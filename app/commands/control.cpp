// SPDX-License-Identifier: Apache-2.0
// `wherry redrive` and `cancel`: done here and now if nobody runs the store; otherwise asked for in
// its inbox, and whoever runs it applies that within a second.

#include "commands/commands.hpp"
#include "commands/output.hpp"
#include "commands/progress.hpp"
#include "commands/store_file.hpp"
#include "wherry/store/sqlite.hpp"

namespace wherry::app {
namespace {

struct control_words {
  control_verb verb;
  std::optional<phase> all;  // what --all means; empty: whatever the verb applies to
  const char* one_does;
  const char* many_do;
  const char* applies_to;
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

task<std::expected<std::size_t, store_error>> apply(store& owned, control_verb verb,
                                                    std::vector<machine_filter> filters) {
  // What others asked for before us comes first.
  if (auto drained = co_await owned.drain_inbox(); !drained) co_return drained;
  std::size_t changed = 0;
  for (auto& each : filters) {
    const auto done = co_await owned.control(verb, std::move(each));
    if (!done) co_return done;
    changed += *done;
  }
  co_return changed;
}

// Nobody runs the store: what is asked for is done here and now.
int control_here(store& owned, const inspect_call& call, const control_words& words) {
  thread_scheduler scheduler({.threads = 1, .blocking_threads = 1});
  const auto changed = scheduler.run(apply(owned, words.verb, filters_of(call, words)));
  if (!changed) return complain(changed.error().message), some_dead;
  if (call.json) {
    say("{{\"changed\":{}}}\n", *changed);
  } else if (*changed == 0) {
    say("nothing to do: {}\n", words.applies_to);
  } else {
    say("{} {} with the next import\n", *changed == 1 ? "it" : grouped(*changed) + " reports",
        *changed == 1 ? words.one_does : words.many_do);
  }
  return all_well;
}

int control_beside(sqlite_inspector& store, const inspect_call& call, const control_words& words) {
  for (const auto& filter : filters_of(call, words)) {
    if (auto asked = store.ask(words.verb, filter); !asked) {
      return complain(asked.error().message), some_dead;
    }
  }
  if (call.json) {
    say("{{\"asked\":true}}\n");
  } else {
    say("asked: the running import applies it within a second\n");
  }
  return all_well;
}

int control(const inspect_call& call, const control_words& words) {
  if (call.ids.empty() && !call.all) {
    complain("which ones? Name ids as client/2025-01-31, or say --all");
    return mistake_made;
  }
  const auto file = find_store(call.store);
  if (!file) return complain(file.error()), mistake_made;
  auto beside = inspect_sqlite_store(*file);
  if (!beside) return complain(beside.error().message), mistake_made;
  if (auto known = check_ids(**beside, call); !known) {
    return complain(known.error()), mistake_made;
  }
  auto owned = open_sqlite_store(*file);
  if (owned) return control_here(**owned, call, words);
  if (owned.error().what == store_error::kind::owned) return control_beside(**beside, call, words);
  return complain(owned.error().message), mistake_made;
}

}  // namespace

int redrive_machines(const inspect_call& call) {
  return control(call, {control_verb::redrive, phase::dead, "runs again", "run again",
                        "only dead and cancelled reports can be redriven"});
}

int cancel_machines(const inspect_call& call) {
  return control(call, {control_verb::cancel, std::nullopt, "does not run", "do not run",
                        "only reports that have not finished can be cancelled"});
}

}  // namespace wherry::app
