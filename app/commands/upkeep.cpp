// SPDX-License-Identifier: Apache-2.0
// `wherry store check`, `compact` and `backup`: a store in good order.

#include <boost/json.hpp>

#include "commands/commands.hpp"
#include "commands/output.hpp"
#include "commands/progress.hpp"
#include "commands/progress_line.hpp"
#include "commands/store_file.hpp"
#include "wherry/store/sqlite_upkeep.hpp"

namespace wherry::app {
namespace json = boost::json;

namespace {

/// Shows how far it is, unless the result is for a script.
class shown_progress {
 public:
  explicit shown_progress(bool quiet) : quiet_(quiet) {}

  [[nodiscard]] upkeep_watcher watcher() {
    return [this](const upkeep_progress& at) { show(at); };
  }
  void finish() {
    if (shown_) line_.end();
  }

 private:
  void show(const upkeep_progress& at) {
    if (quiet_ || !line_.is_time()) return;
    shown_ = true;
    line_.show(at.of > 0 ? fmt::format("{}: {} %", at.stage, 100 * at.done / at.of)
                         : std::string(at.stage));
  }

  const bool quiet_;
  bool shown_ = false;
  progress_line line_;
};

// Mistakes in the call, and what is not there, are told apart from work that could not be done.
int complain_of(const store_error& error) {
  complain(error.message);
  using kind = store_error::kind;
  const bool not_begun = error.what == kind::missing || error.what == kind::foreign ||
                         error.what == kind::newer || error.what == kind::owned ||
                         error.what == kind::refused;
  return not_begun ? mistake_made : some_dead;
}

std::string megabytes(std::int64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

}  // namespace

int check_store(const upkeep_call& call) {
  const auto file = find_store(call.store);
  if (!file) return complain(file.error()), mistake_made;
  shown_progress progress(call.json);
  const auto found = check_sqlite_store(*file, progress.watcher());
  progress.finish();
  if (!found) return complain_of(found.error());
  if (call.json) {
    json::array all;
    for (const auto& each : *found) {
      all.push_back(json::object{{"what", each.what}, {"remedy", each.remedy}});
    }
    say("{}\n",
        json::serialize(json::object{{"sound", found->empty()}, {"found", std::move(all)}}));
  } else {
    for (const auto& each : *found) say("wrong: {}\n  remedy: {}\n", each.what, each.remedy);
    if (found->empty()) say("{}: all is well\n", file->string());
  }
  return found->empty() ? all_well : some_dead;
}

int compact_store(const upkeep_call& call) {
  const auto file = find_store(call.store);
  if (!file) return complain(file.error()), mistake_made;
  shown_progress progress(call.json);
  const sqlite_retention keep{.history_for = std::chrono::days(call.history_days),
                              .history_lines = call.history_lines,
                              .keep_for = std::chrono::days(call.keep_days)};
  const auto done = compact_sqlite_store(*file, keep, progress.watcher());
  progress.finish();
  if (!done) return complain_of(done.error());
  if (call.json) {
    say("{}\n", json::serialize(json::object{{"machines_removed", done->machines},
                                             {"history_lines_removed", done->lines},
                                             {"bytes_before", done->bytes_before},
                                             {"bytes_after", done->bytes_after}}));
  } else {
    say("{} completed reports and {} lines of history taken away; {} before, {} now\n",
        grouped(done->machines), grouped(done->lines), megabytes(done->bytes_before),
        megabytes(done->bytes_after));
  }
  return all_well;
}

int back_up_store(const upkeep_call& call) {
  const auto file = find_store(call.store);
  if (!file) return complain(file.error()), mistake_made;
  shown_progress progress(call.json);
  const auto bytes =
      backup_sqlite_store(*file, call.to, {.replace = call.replace}, progress.watcher());
  progress.finish();
  if (!bytes) return complain_of(bytes.error());
  if (call.json) {
    say("{}\n", json::serialize(json::object{{"bytes", *bytes}}));
  } else {
    say("{} copied to {}\n", megabytes(*bytes), call.to.string());
  }
  return all_well;
}

}  // namespace wherry::app
