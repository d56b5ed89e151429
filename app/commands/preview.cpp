// SPDX-License-Identifier: Apache-2.0
// `wherry preview`: one report through source and transform, its rows before and after. Neither the
// store nor the sink is touched; what has to be a file for a moment is in a directory that goes.

#include <fmt/core.h>
#include <stdlib.h>
#include <unistd.h>

#include <system_error>

#include "commands/commands.hpp"
#include "commands/session.hpp"
#include "spec/day.hpp"

namespace wherry::app {
namespace fs = std::filesystem;

namespace {

/// A directory that is removed with all that is in it.
class scratch_directory {
 public:
  scratch_directory() {
    std::string pattern = (fs::temp_directory_path() / "wherry-preview-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), "cannot make " + pattern);
    }
    path_ = pattern;
  }
  ~scratch_directory() {
    std::error_code ignored;  // it is in the system's temporary directory
    fs::remove_all(path_, ignored);
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  [[nodiscard]] const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

task<int> preview(session& all, const client& of, day on, std::size_t rows) {
  const auto parts = all.parts();
  auto writer = parts.spool.write(downloaded_key(of.id, 1));
  auto fetched = co_await parts.source.fetch(of, on, writer);
  if (!fetched) {
    if (fetched.error().is == source_error::meaning::empty) {
      fmt::print("the API has no report for this day\n");
      co_return all_well;
    }
    complain(fetched.error().message);
    co_return some_dead;
  }
  const auto shown = parts.transformer.preview(parts.spool.path_of(fetched->file), rows);
  if (!shown) {
    complain(shown.error().message);
    co_return some_dead;
  }
  fmt::print("before\n{}\nafter\n{}", drawn(shown->before), drawn(shown->after));
  co_return all_well;
}

}  // namespace

int preview_report(const preview_call& call) {
  auto spec = read_or_complain(call.spec);
  if (!spec) return spec.error();
  const auto wanted =
      backlog::make({.from = call.day, .to = call.day, .clients = {call.client}}, spec->clients);
  if (!wanted) {
    complain(wanted.error().message + "; " + wanted.error().remedy);
    return mistake_made;
  }
  const scratch_directory scratch;
  auto parts = session::open(std::move(*spec), scratch.path());
  if (!parts) return complain(parts.error()), mistake_made;
  const report_id id = (*wanted)[0];
  thread_scheduler scheduler;
  return scheduler.run(preview(**parts, (*parts)->spec().clients[id.client], id.day, call.rows));
}

}  // namespace wherry::app
