// SPDX-License-Identifier: Apache-2.0
#include "commands/session.hpp"

#include <utility>

#include "aws/chain.hpp"
#include "clients/listed_clients.hpp"
#include "commands/commands.hpp"
#include "commands/fetched_rates.hpp"
#include "commands/output.hpp"
#include "commands/signals.hpp"
#include "commands/stoppable.hpp"
#include "spec/template.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {

namespace {

// The exit status, as that of a command that may be stopped.
task<int> get_clients(app::spec* of, http_client* client) {
  auto listed = co_await list_clients(of, client);
  if (listed) {
    of->clients = *std::move(listed);
    co_return all_well;
  }
  for (const auto& each : listed.error().mistakes) {
    tell("{}\n", without_variables(each, of->variables));
  }
  co_return listed.error().stopped ? stopped_by_signal : static_cast<int>(mistake_made);
}

bool needs_keys(const sink& of) { return of.url.starts_with("s3://"); }

task<int> get_keys(aws_credentials* of) {
  const auto got = co_await of->signer();
  if (!got) complain(got.error().message);
  co_return got ? all_well : mistake_made;
}

}  // namespace

std::expected<app::spec, int> read_or_complain(const std::filesystem::path& file,
                                               const environment& variables) {
  auto read = read_spec(file, variables);
  if (!read) {
    for (const auto& each : read.error()) tell("{}\n", to_string(each));
    return std::unexpected(static_cast<int>(mistake_made));
  }
  if (read->client_list) {
    block_stop_signals();
    http_client client;
    // A command listens to the signals itself.
    const int status = read->client_list->url.empty()
                           ? thread_scheduler({.threads = 1}).run(get_clients(&*read, &client))
                           : run_until_stopped(get_clients(&*read, &client));
    if (status != all_well) return std::unexpected(status);
  }
  return std::move(*read);
}

prepared_spec::prepared_spec(app::spec spec, std::unique_ptr<app::transformer> transformer,
                             std::string keys_from)
    : spec_(std::move(spec)),
      transformer_(std::move(transformer)),
      keys_(std::make_unique<aws_credentials>(
          [sink = spec_.sink] { return find_aws(sink, process_environment(), machine_files()); },
          *client_)),
      keys_from_(std::move(keys_from)) {}

int prepared_spec::try_keys() const {
  return needs_keys(spec_.sink) ? run_until_stopped(get_keys(keys_.get())) : all_well;
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
  std::string keys_from;
  if (needs_keys(spec.sink)) {
    auto setup = find_aws(spec.sink, process_environment(), machine_files());
    if (!setup) return std::unexpected(file.string() + ": " + setup.error());
    spec.sink.region = std::move(setup->region);
    keys_from = std::move(setup->from.name);
  }
  return prepared_spec(std::move(spec), std::move(*transformer), std::move(keys_from));
}

session::session(prepared_spec prepared, std::unique_ptr<app::spool> spool, http_fetcher* network)
    : spec_(std::move(prepared.spec_)),
      client_(std::move(prepared.client_)),
      keys_(std::move(prepared.keys_)),
      spool_(std::move(spool)),
      transformer_(std::move(prepared.transformer_)),
      source_(spec_.source, network != nullptr ? *network : *client_),
      sink_(make_sink(spec_.sink, *client_, *keys_, *spool_)),
      loader_(spec_.warehouse ? make_loader(spec_, *client_, *keys_, *spool_) : nullptr) {}

std::expected<std::unique_ptr<session>, std::string> session::open(prepared_spec prepared,
                                                                   http_fetcher* network) {
  auto spool = app::spool::open(prepared.spec().spool, prepared.spec().spool_budget_bytes);
  if (!spool) return std::unexpected(std::move(spool.error().message));
  return std::unique_ptr<session>(new session(std::move(prepared), std::move(*spool), network));
}

}  // namespace wherry::app
