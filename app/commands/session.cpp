// SPDX-License-Identifier: Apache-2.0
#include "commands/session.hpp"

#include <utility>

#include "commands/commands.hpp"
#include "commands/fetched_rates.hpp"
#include "commands/output.hpp"

namespace wherry::app {

std::expected<app::spec, int> read_or_complain(const std::filesystem::path& file,
                                               const environment& variables) {
  auto read = read_spec(file, variables);
  if (read) return std::move(*read);
  for (const auto& each : read.error()) tell("{}\n", to_string(each));
  return std::unexpected(static_cast<int>(mistake_made));
}

std::expected<prepared_spec, std::string> prepared_spec::make(app::spec spec,
                                                              const std::filesystem::path& file,
                                                              http_fetcher* network) {
  if (auto fetched = fetch_rates_first(spec.transform, network); !fetched) {
    return std::unexpected(file.string() + ": " + fetched.error());
  }
  auto transformer =
      app::transformer::open(spec.source, spec.transform, spec.sink,
                             {.directory = std::filesystem::absolute(spec.spool).string()});
  if (!transformer) {
    return std::unexpected(file.string() + ": " + transformer.error().message);
  }
  return prepared_spec(std::move(spec), std::move(*transformer));
}

session::session(prepared_spec prepared, std::unique_ptr<app::spool> spool, http_fetcher* network)
    : spec_(std::move(prepared.spec_)),
      spool_(std::move(spool)),
      transformer_(std::move(prepared.transformer_)),
      source_(spec_.source, network != nullptr ? *network : client_),
      sink_(make_sink(spec_.sink, client_, *spool_)),
      loader_(spec_.warehouse ? make_loader(spec_, client_, *spool_) : nullptr) {}

std::expected<std::unique_ptr<session>, std::string> session::open(prepared_spec prepared,
                                                                   http_fetcher* network) {
  auto spool = app::spool::open(prepared.spec().spool, prepared.spec().spool_budget_bytes);
  if (!spool) return std::unexpected(std::move(spool.error().message));
  return std::unique_ptr<session>(new session(std::move(prepared), std::move(*spool), network));
}

}  // namespace wherry::app
