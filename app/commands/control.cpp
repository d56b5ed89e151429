// SPDX-License-Identifier: Apache-2.0
// `wherry redrive`, `cancel`, `prioritize`, `pause` and `resume`: done here and now if nobody runs
// the store; otherwise asked for in its inbox, and whoever runs it applies that within a second.

#include "commands/commands.hpp"
#include "commands/output.hpp"
#include "commands/progress.hpp"
#include "commands/store_file.hpp"
#include "wherry/store/sqlite.hpp"

namespace wherry::app {
namespace {

using requests = std::vector<control_request>;

/// What to say once it is done here.
struct control_words {
  std::string one;         ///< did change
  std::string many;        ///< did, after their number
  std::string applies_to;  ///< if there was nothing to do
};

task<std::expected<std::size_t, store_error>> apply(store& owned, requests wanted) {
  // What others asked for before us comes first.
  if (auto drained = co_await owned.drain_inbox(); !drained) co_return drained;
  std::size_t changed = 0;
  for (auto& each : wanted) {
    const auto done = co_await owned.apply(std::move(each));
    if (!done) co_return done;
    changed += *done;
  }
  co_return changed;
}

// Nobody runs the store: what is asked for is done here and now.
int control_here(store& owned, const inspect_call& call, requests wanted,
                 const control_words& words) {
  thread_scheduler scheduler({.threads = 1, .blocking_threads = 1});
  const auto changed = scheduler.run(apply(owned, std::move(wanted)));
  if (!changed) return complain(changed.error().message), some_dead;
  if (call.json) {
    say("{{\"changed\":{}}}\n", *changed);
  } else if (*changed == 0) {
    say("nothing to do: {}\n", words.applies_to);
  } else if (*changed == 1) {
    say("{}\n", words.one);
  } else {
    say("{} {}\n", grouped(*changed), words.many);
  }
  return all_well;
}

int control_beside(sqlite_inspector& store, const inspect_call& call, const requests& wanted) {
  for (const auto& each : wanted) {
    if (auto asked = store.ask(each); !asked) {
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

/// Looks at the store with `check`, whose text says what hinders; then does, or asks for, what is
/// wanted.
template <class Check>
int control(const inspect_call& call, requests wanted, const control_words& words, Check check) {
  for (const auto& each : wanted) {
    if (auto why = refusal(each); !why.empty()) return complain(why), mistake_made;
  }
  const auto file = find_store(call.store);
  if (!file) return complain(file.error()), mistake_made;
  auto beside = inspect_sqlite_store(*file);
  if (!beside) return complain(beside.error().message), mistake_made;
  if (std::expected<void, std::string> may = check(**beside); !may) {
    return complain(may.error()), mistake_made;
  }
  auto owned = open_sqlite_store(*file);
  if (owned) return control_here(**owned, call, std::move(wanted), words);
  if (owned.error().what == store_error::kind::owned) return control_beside(**beside, call, wanted);
  return complain(owned.error().message), mistake_made;
}

// Every id is known, or nothing is asked.
std::expected<void, std::string> check_ids(sqlite_inspector& store, const inspect_call& call) {
  for (const auto& id : call.ids) {
    const auto found = store.query({.id = id}, 1, "");
    if (!found) return std::unexpected(found.error().message);
    if (found->empty()) {
      return std::unexpected("no report \"" + id + "\" in this store; see: wherry list");
    }
  }
  return {};
}

/// `what` for each id, or for all; `all` is what --all means, empty: whatever the verb applies to.
int control_reports(const inspect_call& call, const control_request& what, std::optional<phase> all,
                    const control_words& words) {
  if (call.ids.empty() && !call.all) {
    complain("which ones? Name ids as client/2025-01-31, or say --all");
    return mistake_made;
  }
  requests wanted;
  const auto want = [&](machine_filter which) {
    wanted.push_back({.verb = what.verb, .filter = std::move(which), .priority = what.priority});
  };
  if (call.all) want({.phase = all});
  for (const auto& id : call.ids) want({.id = id});
  return control(call, std::move(wanted), words,
                 [&](sqlite_inspector& store) { return check_ids(store, call); });
}

// A lane is known by its machines alone: a name that has none may be right, or mistyped.
std::expected<void, std::string> note_unknown_lane(sqlite_inspector& store,
                                                   const std::string& lane) {
  for (const auto in : {phase::ready, phase::waiting}) {
    const auto found = store.query({.phase = in, .lane = lane}, 1, "");
    if (!found) return std::unexpected(found.error().message);
    if (!found->empty()) return {};
  }
  tell("note: no unfinished report is in lane \"{}\" now; wherry show ID names the lane of one\n",
       lane);
  return {};
}

int control_lane(const inspect_call& call, control_verb verb, const control_words& words) {
  requests wanted;
  wanted.push_back({.verb = verb, .filter = {.lane = call.lane}});
  return control(call, std::move(wanted), words,
                 [&](sqlite_inspector& store) { return note_unknown_lane(store, call.lane); });
}

}  // namespace

int redrive_machines(const inspect_call& call) {
  return control_reports(
      call, {.verb = control_verb::redrive}, phase::dead,
      {"it runs again with the next import", "reports run again with the next import",
       "only dead and cancelled reports can be redriven"});
}

int cancel_machines(const inspect_call& call) {
  return control_reports(
      call, {.verb = control_verb::cancel}, std::nullopt,
      {"it does not run with the next import", "reports do not run with the next import",
       "only reports that have not finished can be cancelled"});
}

int prioritize_machines(const inspect_call& call) {
  return control_reports(
      call, {.verb = control_verb::prioritize, .priority = call.priority}, std::nullopt,
      {fmt::format("it has priority {} from now on", call.priority),
       fmt::format("reports have priority {} from now on", call.priority),
       fmt::format("what is named has finished, or has priority {} already", call.priority)});
}

int pause_lane(const inspect_call& call) {
  const auto paused =
      fmt::format("lane \"{}\" begins nothing until: wherry resume {}", call.lane, call.lane);
  return control_lane(call, control_verb::pause,
                      {paused, paused, fmt::format("lane \"{}\" is paused already", call.lane)});
}

int resume_lane(const inspect_call& call) {
  const auto resumed = fmt::format("lane \"{}\" goes on with the next import", call.lane);
  return control_lane(call, control_verb::resume,
                      {resumed, resumed, fmt::format("lane \"{}\" is not paused", call.lane)});
}

}  // namespace wherry::app
