// SPDX-License-Identifier: Apache-2.0
// `wherry import`: opens what a run needs, cheapest mistakes first, and lets it run.

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <utility>

#include "commands/commands.hpp"
#include "commands/import_run.hpp"
#include "commands/output.hpp"
#include "commands/session.hpp"
#include "commands/signals.hpp"
#include "commands/store_file.hpp"
#include "commands/views.hpp"
#include "wherry/store/sqlite.hpp"

namespace wherry::app {
namespace {

/// Beside the transforms: what else may block, as writing files does.
constexpr int other_blocking_threads = 16;

// A clock that was set back must not look like an import that hangs.
void note_clock(const std::filesystem::path& file) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto beside = inspect_sqlite_store(file);
  const auto since = beside ? (*beside)->waiting_since() : std::unexpected(beside.error());
  if (!since) return;  // whatever that is, the import itself meets it
  if (const auto note = clock_note(*since, now); !note.empty()) tell("{}\n", note);
}

backlog_request range_of(const import_call& call, const spec& of) {
  if (!call.is_daily()) return call.range;
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  auto range = daily_range(days_of_clients(of, now), call.look_back.value_or(of.look_back));
  range.clients = call.range.clients;
  return range;
}

}  // namespace

int import_reports(const import_call& call) {
  block_stop_signals();
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads the progress may go, the import goes on
  auto spec = read_or_complain(call.spec);
  if (!spec) return spec.error();
  const auto wanted = backlog::make(range_of(call, *spec), spec->clients);
  if (!wanted) {
    complain(wanted.error().message + "; " + wanted.error().remedy);
    return mistake_made;
  }
  auto prepared = prepared_spec::make(std::move(*spec), call.spec);
  if (!prepared) return complain(prepared.error()), mistake_made;
  if (const int status = prepared->try_keys(); status != all_well) return status;

  // The order of these is the order of their lives: the scheduler's threads use all the others.
  auto store =
      open_sqlite_store(store_path(prepared->spec().store), store_options(prepared->spec()));
  if (!store) return complain(store.error().message), mistake_made;
  note_clock(store_path(prepared->spec().store));
  auto parts = session::open(std::move(*prepared));
  if (!parts) return complain(parts.error()), mistake_made;
  const auto& opened = (*parts)->spec();
  const asked_reports asked(*wanted, opened.clients);
  import_run run(**parts, **store, call, asked);
  thread_scheduler scheduler(
      {.threads = 0, .blocking_threads = opened.transform.threads + other_blocking_threads});
  const stop_signals listening([&] {
    complain("stopping: steps under way may end; again to stop at once");
    run.stop();
  });
  return scheduler.run(run.run());
}

}  // namespace wherry::app
