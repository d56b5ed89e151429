// SPDX-License-Identifier: Apache-2.0
// `wherry preview`: one report through source and transform, its rows before and after. Neither the
// store nor the sink is touched; what has to be a file for a moment is in a directory that goes.

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <expected>
#include <system_error>

#include "commands/commands.hpp"
#include "commands/output.hpp"
#include "commands/session.hpp"
#include "commands/signals.hpp"
#include "commands/stoppable.hpp"
#include "spec/day.hpp"

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

task<int> preview(session& all, const client& of, day on, std::size_t rows) {
  const auto parts = all.parts();
  auto writer = parts.spool.write(downloaded_key(of.id, 1), spool_form::own_file);
  auto fetched = co_await parts.source.fetch(of, on, writer);
  if (!fetched) {
    if (fetched.error().is == source_error::meaning::empty) {
      say("the API has no report for this day\n");
      co_return all_well;
    }
    complain(fetched.error().message);
    co_return some_dead;
  }
  const auto shown = parts.transformer.preview({.client = of.id,
                                                .day = to_string(on),
                                                .input = parts.spool.path_of(fetched->file),
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

}  // namespace

int preview_report(const preview_call& call) {
  block_stop_signals();
  auto spec = read_or_complain(call.spec);
  if (!spec) return spec.error();
  const auto wanted =
      backlog::make({.from = call.day, .to = call.day, .clients = {call.client}}, spec->clients);
  if (!wanted) {
    complain(wanted.error().message + "; " + wanted.error().remedy);
    return mistake_made;
  }
  const auto scratch = scratch_directory::make();
  if (!scratch) return complain(scratch.error()), mistake_made;
  spec->spool = scratch->path();
  auto prepared = prepared_spec::make(std::move(*spec), call.spec);
  if (!prepared) return complain(prepared.error()), mistake_made;
  auto parts = session::open(std::move(*prepared));
  if (!parts) return complain(parts.error()), mistake_made;
  const report_id id = (*wanted)[0];
  const client& of = (*parts)->spec().clients[id.client];
  return run_until_stopped(preview(**parts, of, id.day, call.rows));
}

}  // namespace wherry::app
