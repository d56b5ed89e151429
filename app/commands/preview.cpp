// SPDX-License-Identifier: Apache-2.0
// `wherry preview`: one report through source and transform, its rows before and after. It is
// fetched by the steps, limits and waits of an import. Neither the store nor the sink is touched;
// what has to be a file for a moment is in a directory that goes. --record keeps what was said, and
// --replay goes by that alone.

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <expected>
#include <functional>
#include <system_error>

#include "commands/commands.hpp"
#include "commands/output.hpp"
#include "commands/progress_line.hpp"
#include "commands/session.hpp"
#include "commands/signals.hpp"
#include "commands/stoppable.hpp"
#include "recording/recorder.hpp"
#include "recording/replayer.hpp"
#include "report/fetched_report.hpp"
#include "spec/day.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/csp/select.hpp"
#include "wherry/csp/timeout.hpp"
#include "wherry/store/memory.hpp"

namespace wherry::app {
namespace fs = std::filesystem;

namespace {

/// A directory that is removed with all that is in it.
class scratch_directory {
 public:
  /// Errors: the text, with the remedy.
  static std::expected<scratch_directory, std::string> make() {
    std::error_code error;
    const auto where = fs::temp_directory_path(error);
    std::string pattern = (where / "wherry-preview-XXXXXX").string();
    if (error || ::mkdtemp(pattern.data()) == nullptr) {
      const auto why = error ? error : std::error_code(errno, std::generic_category());
      return std::unexpected(fmt::format(
          "cannot make a directory in {}: {}; let the variable TMPDIR name one that can be written",
          error ? "the temporary directory" : where.string(), why.message()));
    }
    return scratch_directory(std::move(pattern));
  }
  scratch_directory(scratch_directory&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  scratch_directory& operator=(scratch_directory&&) = delete;
  ~scratch_directory() {
    std::error_code ignored;  // it is in the system's temporary directory
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  explicit scratch_directory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// Tries of a step: whoever waits for a preview sees what is wrong after a few.
constexpr int most_attempts = 3;

/// What a report is waiting for, as one line; empty: it is not there.
std::string line_about(store& machines, system_time begun, system_time now) {
  const auto found = machines.query({}, 1, "");
  if (!found || found->empty()) return {};
  const auto& report = found->front();
  const auto seconds = [](auto span) {
    return std::chrono::ceil<std::chrono::seconds>(span).count();
  };
  auto line = fmt::format("{} after {} s", report.state, seconds(now - begun));
  if (!report.error.empty()) line += ": " + report.error;
  if (report.due > now) line += fmt::format("; again in {} s", seconds(report.due - now));
  return line;
}

/// Says what is waited for, until `over`.
task<> show_progress(store& machines, channel<std::monostate> over) {
  progress_line line;
  auto& clock = scheduler::current();
  const auto begun = clock.system_now();
  auto pause = std::max<std::chrono::milliseconds>(line.pause(), std::chrono::seconds(1));
  for (bool has_shown = false;; has_shown = true, pause = line.pause()) {
    const auto tick = timeout(pause);
    const auto chosen = co_await select(priority, over.take(), tick.take());
    if (chosen.index() == 0) {
      if (has_shown) line.end();
      co_return;
    }
    line.show(line_about(machines, begun, clock.system_now()));
  }
}

using fetching = engine<fetched_report>;

/// Runs a report up to its bytes, as an import would. A file without a name: there are no rows.
/// Errors: why there is none.
task<std::expected<spool_file, std::string>> fetch(report_parts parts, report_id id,
                                                   std::string client, bool shows_progress) {
  const auto machines = open_memory_store();
  fetching driver(*machines, fetched_report(parts), options_of(parts.spec));
  std::vector<fetching::start> only{
      {.id = to_string(id, parts.spec.clients),
       .first = fetched_report::first(parts.spec, std::move(client), to_string(id.day))}};
  std::expected<spool_file, std::string> got = std::unexpected("the report has not ended");
  driver.on_completed([&](fetching::finished done) { got = std::move(done.last.file); });
  driver.on_transition([&](const transition& made) {
    if (made.phase == phase::dead) got = std::unexpected(made.error);
  });
  const auto submitted = co_await driver.submit(std::move(only));
  if (!submitted) co_return std::unexpected(submitted.error().message);
  std::expected<void, store_error> ran;
  channel<std::monostate> over;
  co_await with_scope([&](scope& all) -> task<> {
    if (shows_progress) all.go(show_progress(*machines, over));
    ran = co_await driver.run();
    over.close();
  });
  if (!ran) co_return std::unexpected(ran.error().message);
  for (const auto& [lane, why] : driver.stopped_lanes()) co_return std::unexpected(why);
  co_return got;
}

// The transform shows what lies in a file of its own.
std::expected<std::string, spool_error> path_to(const spool_file& rows, spool& in) {
  if (spool::has_path(rows)) return in.path_of(rows);
  const auto bytes = in.read(rows);
  if (!bytes) return std::unexpected(bytes.error());
  auto file = in.store({"preview", 1, spool_step::joined}, *bytes, spool_form::own_file);
  if (!file) return std::unexpected(std::move(file.error()));
  return in.path_of(*file);
}

task<int> preview(session& all, report_id id, std::size_t rows, bool shows_progress) {
  const auto parts = all.parts();
  const client& of = parts.spec.clients[id.client];
  const auto fetched = co_await fetch(parts, id, of.id, shows_progress);
  if (!fetched) {
    complain(fetched.error());
    co_return some_dead;
  }
  if (fetched->name.empty()) {
    say("the API has no report for this day\n");
    co_return all_well;
  }
  const auto file = path_to(*fetched, parts.spool);
  if (!file) {
    complain(file.error().message);
    co_return some_dead;
  }
  const auto shown = parts.transformer.preview({.client = of.id,
                                                .day = to_string(id.day),
                                                .input = *file,
                                                .account = of.account,
                                                .currency = of.currency,
                                                .timezone = of.timezone},
                                               rows);
  if (!shown) {
    complain(shown.error().message);
    co_return some_dead;
  }
  say("before\n{}\nafter\n{}", drawn(shown->before), drawn(shown->after));
  co_return all_well;
}

/// How a preview reaches the API, and how it is run.
struct surroundings {
  http_fetcher* network = nullptr;  ///< null: as an import does
  bool shows_progress = true;
  std::function<int(task<int>)> run = run_until_stopped;
};

int preview_by(const preview_call& call, spec of, const surroundings& by) {
  const auto wanted =
      backlog::make({.from = call.day, .to = call.day, .clients = {call.client}}, of.clients);
  if (!wanted) {
    complain(wanted.error().message + "; " + wanted.error().remedy);
    return mistake_made;
  }
  const auto scratch = scratch_directory::make();
  if (!scratch) return complain(scratch.error()), mistake_made;
  of.spool = scratch->path() + "/spool";
  // What is recorded is all there is: no copy of the rates stands in, and none is left.
  if (by.network != nullptr && !of.transform.rates_url.empty()) {
    of.transform.rates = scratch->path() + "/rates";
  }
  of.retry.attempts = std::min(of.retry.attempts, most_attempts);
  auto prepared = prepared_spec::make(std::move(of), call.spec, by.network);
  if (!prepared) return complain(prepared.error()), mistake_made;
  auto parts = session::open(std::move(*prepared), by.network);
  if (!parts) return complain(parts.error()), mistake_made;
  return by.run(preview(**parts, (*wanted)[0], call.rows, by.shows_progress));
}

int record_preview(const preview_call& call, spec of) {
  const auto is_readable = [&](const environment& variables) {
    return read_spec(call.spec, variables).has_value();
  };
  const auto variables = stand_ins_of(of, is_readable);
  if (!variables) return complain("cannot record: " + variables.error()), mistake_made;
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  auto into = recording_writer::open(call.record, now, *variables);
  if (!into) return complain("cannot record: " + into.error()), mistake_made;
  http_client client;
  recorder network(client, redactor(of, *variables), std::move(*into));
  return preview_by(call, std::move(of), {.network = &network});
}

/// Time is virtual: it begins when that of the recording did, and waits pass at once.
int replay_preview(const preview_call& call) {
  auto from = read_recording(call.replay);
  if (!from) return complain("cannot replay: " + from.error()), mistake_made;
  const auto variables = environment_of(from->variables, process_environment());
  if (const auto read = read_spec(call.spec, variables);
      read && read->client_list && !read->client_list->url.empty()) {
    complain(
        "cannot replay: `import.clients` is asked for by url, and a recording holds no list of "
        "clients; write the client into the spec, or the list into a file");
    return mistake_made;
  }
  auto of = read_or_complain(call.spec, variables);
  if (!of) return of.error();
  const auto begun = from->begun;
  redactor secrets(*of, from->variables);
  replayer network(std::move(*from), std::move(secrets));
  return preview_by(call, std::move(*of),
                    {.network = &network, .shows_progress = false, .run = [&](task<int> work) {
                       return virtual_scheduler(1, begun).run(std::move(work));
                     }});
}

}  // namespace

int preview_report(const preview_call& call) {
  if (!call.replay.empty()) return replay_preview(call);
  block_stop_signals();
  auto of = read_or_complain(call.spec);
  if (!of) return of.error();
  if (!call.record.empty()) return record_preview(call, std::move(*of));
  return preview_by(call, std::move(*of), {});
}

}  // namespace wherry::app
