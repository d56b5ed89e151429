// SPDX-License-Identifier: Apache-2.0
// The command line of `wherry`: what may be said, and which command it is.

#include <sys/resource.h>

#include <algorithm>
#include <CLI/CLI.hpp>
#include <functional>

#include "commands/commands.hpp"
#include "commands/output.hpp"

namespace {

using namespace wherry::app;

/// Ids or all: redrive and cancel never act on everything by an omission.
void add_ids(CLI::App& to, inspect_call& call, const char* all) {
  auto* ids = to.add_option("id", call.ids, "reports, as client/2025-01-31");
  to.add_flag("--all", call.all, all)->excludes(ids);
}

void add_store(CLI::App& to, inspect_call& call) {
  to.add_option("--store", call.store, "the store's file, if there are several here")
      ->envname("WHERRY_STORE");
  to.add_flag("--json", call.json, "write JSON");
}

void add_upkeep_store(CLI::App& to, upkeep_call& call) {
  to.add_option("--store", call.store, "the store's file, if there are several here")
      ->envname("WHERRY_STORE");
  to.add_flag("--json", call.json, "write the result as JSON, no progress");
}

/// `wherry store`, whose commands set `command`. Requires: both outlive the parsing.
void add_upkeep(CLI::App& app, upkeep_call& call, std::function<int()>& command) {
  constexpr int days_at_most = 36'500;
  auto* store = app.add_subcommand("store", "keep a store in good order: check, compact, backup");
  store->require_subcommand(1);

  auto* check = store->add_subcommand("check", "look for damage, and for tables that disagree");
  add_upkeep_store(*check, call);
  check->callback([&] { command = [&] { return check_store(call); }; });

  auto* compact =
      store->add_subcommand("compact", "take away what need not be kept, and the file's holes");
  add_upkeep_store(*compact, call);
  compact
      ->add_option("--history-days", call.history_days,
                   "keep the history of a report so long after it ended; 0: for ever")
      ->check(CLI::Range(0, days_at_most))
      ->capture_default_str();
  compact
      ->add_option("--history-lines", call.history_lines,
                   "keep so many lines of history a report; 0: all")
      ->check(CLI::Range(0, 1'000'000'000))
      ->capture_default_str();
  compact
      ->add_option("--keep-days", call.keep_days,
                   "forget completed reports after so long: asked for again, they are imported "
                   "again; 0: never")
      ->check(CLI::Range(0, days_at_most))
      ->capture_default_str();
  compact->callback([&] { command = [&] { return compact_store(call); }; });

  auto* backup = store->add_subcommand("backup", "copy the store, also while an import runs");
  add_upkeep_store(*backup, call);
  backup->add_option("to", call.to, "the file to make")->required();
  backup->add_flag("--replace", call.replace, "a store that is there already gives way");
  backup->callback([&] { command = [&] { return back_up_store(call); }; });
}

void add_range(CLI::App& to, backlog_request& range, bool required) {
  to.add_option("--from", range.from, "first day, as 2025-01-31")->required(required);
  to.add_option("--to", range.to, "last day, included")->required(required);
  to.add_option("--client", range.clients, "only this client; may be repeated")
      ->allow_extra_args(false);
}

/// The commands that change what an import does, while it runs or before.
void add_controls(CLI::App& app, inspect_call& call, std::function<int()>& command) {
  const auto add = [&](const char* name, const char* does, int (*act)(const inspect_call&)) {
    auto* const added = app.add_subcommand(name, does);
    add_store(*added, call);
    added->callback([&call, &command, act] { command = [&call, act] { return act(call); }; });
    return added;
  };
  const auto add_lane = [&](CLI::App* to) {
    to->add_option("lane", call.lane, "as in the spec's limit, with the client's values")
        ->required();
  };
  add_ids(*add("redrive", "let dead or cancelled reports run again", redrive_machines), call,
          "all that are dead");
  add_ids(*add("cancel", "end reports that have not finished", cancel_machines), call,
          "all that have not finished");
  auto* const prioritize =
      add("prioritize", "let reports run before or after the others of their lane",
          prioritize_machines);
  add_ids(*prioritize, call, "all that have not finished");
  prioritize->add_option("--to", call.priority, "the higher number runs first; usually 0")
      ->required();
  add_lane(add("pause", "let a lane begin nothing new until it is resumed", pause_lane));
  add_lane(add("resume", "let a paused lane go on", resume_lane));
}

/// The first word, if it is the name of no command; empty otherwise.
std::string unknown_command(const CLI::App& app, int count, char** arguments) {
  const std::string first = count > 1 ? arguments[1] : "";
  const bool is_word = !first.empty() && !first.starts_with('-');
  const auto has_its_name = [&](const CLI::App* each) { return each->check_name(first); };
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  return is_word && std::ranges::none_of(commands, has_its_name) ? first : "";
}

/// A transfer takes up to two open files: as many as the system allows us.
void raise_open_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 1 << 20);
  ::setrlimit(RLIMIT_NOFILE, &files);  // refused: the limit stays, and errors say what to do
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app("Wherry carries reports, one per client and day, from HTTP APIs to files or S3.",
               "wherry");
  app.require_subcommand(1);
  app.set_version_flag("--version", "wherry " WHERRY_VERSION);
  std::function<int()> command;

  std::filesystem::path init_to = "wherry.toml";
  auto* init = app.add_subcommand("init", "write a commented spec to start from");
  init->add_option("file", init_to, "where to; never overwrites")->capture_default_str();
  init->callback([&] { command = [&] { return write_starting_spec(init_to); }; });

  check_call checked;
  auto* check = app.add_subcommand("check", "find the mistakes of a spec, and show its plan");
  check->add_option("spec", checked.spec, "the spec file")->required();
  add_range(*check, checked.range, false);
  check->add_flag("--json", checked.json, "write JSON");
  check->add_flag("--probe", checked.probe,
                  "also try the credentials: one small call to the API, about the first report of "
                  "--to or of yesterday, and one to the sink; nothing is made or left there");
  check->callback([&] { command = [&] { return check_spec(checked); }; });

  preview_call previewed;
  auto* preview = app.add_subcommand("preview", "one report, before and after; nothing is written");
  preview->add_option("spec", previewed.spec, "the spec file")->required();
  preview->add_option("--client", previewed.client, "the client")->required();
  preview->add_option("--day", previewed.day, "the day, as 2025-01-31")->required();
  preview->add_option("--rows", previewed.rows, "rows to show")->capture_default_str();
  auto* const record = preview->add_option(
      "--record", previewed.record, "keep what the API is asked and answers in this directory");
  preview->add_option("--replay", previewed.replay, "go by such a directory, without the API")
      ->excludes(record);
  preview->callback([&] { command = [&] { return preview_report(previewed); }; });

  import_call imported;
  auto* import = app.add_subcommand(
      "import",
      "import the reports of some days to completion; without days: of the newest that has ended");
  import->add_option("spec", imported.spec, "the spec file")->required();
  add_range(*import, imported.range, false);
  import->get_option("--from")->needs("--to");
  import->get_option("--to")->needs("--from");
  import
      ->add_option(
          "--look-back", imported.look_back,
          "without days: so many before the newest are imported again; the spec's look_back")
      ->check(CLI::Range(0, 400))
      ->excludes("--from");
  std::string scope = "missing";
  import
      ->add_option("--only", scope,
                   "missing: what has not been completed (default); failed: dead ones again; all: "
                   "everything again")
      ->check(CLI::IsMember({"missing", "failed", "all"}));
  import->add_flag("--json", imported.json, "write the result as JSON, no progress");
  import->callback([&] {
    command = [&] {
      imported.only = scope == "all" ? only::all : scope == "failed" ? only::failed : only::missing;
      return import_reports(imported);
    };
  });

  inspect_call inspected;
  auto* status = app.add_subcommand(
      "status", "how many reports are in which state, and which lanes begin nothing now");
  add_store(*status, inspected);
  status->callback([&] { command = [&] { return show_status(inspected); }; });

  auto* list = app.add_subcommand("list", "the reports, one a line");
  add_store(*list, inspected);
  list->add_option("--phase", inspected.phase, "waiting, ready, completed, dead or cancelled");
  list->add_option("--state", inspected.state, "for instance uploadable");
  list->add_option("--limit", inspected.limit, "at most so many")->capture_default_str();
  list->callback([&] { command = [&] { return list_machines(inspected); }; });

  auto* show = app.add_subcommand("show", "one report: its state, last error and history");
  add_store(*show, inspected);
  show->add_option("id", inspected.ids, "as client/2025-01-31")->required();
  show->callback([&] { command = [&] { return show_machines(inspected); }; });

  add_controls(app, inspected, command);

  upkeep_call kept;
  add_upkeep(app, kept, command);

  if (const auto unknown = unknown_command(app, count, arguments); !unknown.empty()) {
    complain("no command \"" + unknown + "\"; see: wherry --help");
    return mistake_made;
  }
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? all_well : mistake_made;
  }
  try {
    raise_open_files();
    const int ended = command();
    if (flush_out()) return ended;
    complain("the result could not be written to standard output");
    return ended == all_well ? some_dead : ended;
  } catch (const std::exception& error) {  // what the machine denied: a thread, memory
    complain(error.what());
    return some_dead;
  }
}
