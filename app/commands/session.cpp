// SPDX-License-Identifier: Apache-2.0
#include "commands/session.hpp"

#include <fmt/core.h>

#include <utility>

#include "commands/commands.hpp"
#include "spec/read.hpp"

namespace wherry::app {

void complain(const std::string& text) { fmt::print(stderr, "wherry: {}\n", text); }

std::expected<app::spec, int> read_or_complain(const std::filesystem::path& file) {
  auto read = read_spec(file, process_environment());
  if (read) return std::move(*read);
  for (const auto& each : read.error()) fmt::print(stderr, "{}\n", to_string(each));
  return std::unexpected(static_cast<int>(mistake_made));
}

session::session(app::spec spec, std::unique_ptr<app::spool> spool,
                 std::unique_ptr<app::transformer> transformer)
    : spec_(std::move(spec)),
      spool_(std::move(spool)),
      transformer_(std::move(transformer)),
      source_(spec_.source, client_),
      sink_(make_sink(spec_.sink, client_, *spool_)) {}

std::expected<std::unique_ptr<session>, std::string> session::open(
    app::spec spec, const std::filesystem::path& spool_directory) {
  auto transformer =
      app::transformer::open(spec.source, spec.transform, spec.sink,
                             {.directory = std::filesystem::absolute(spool_directory)});
  if (!transformer) return std::unexpected(std::move(transformer.error().message));
  auto spool = app::spool::open(spool_directory, spec.spool_budget_bytes);
  if (!spool) return std::unexpected(std::move(spool.error().message));
  return std::unique_ptr<session>(
      new session(std::move(spec), std::move(*spool), std::move(*transformer)));
}

}  // namespace wherry::app
