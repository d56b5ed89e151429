// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a command that works on reports needs, opened in the order in which a mistake is cheapest to
// find: the spec, then its SQL, then (import's own) the store, then the spool.

#include <expected>
#include <filesystem>
#include <memory>
#include <string>

#include "aws/credentials.hpp"
#include "net/http_client.hpp"
#include "report/report.hpp"
#include "sink/sink.hpp"
#include "source/source.hpp"
#include "spec/read.hpp"
#include "spec/spec.hpp"
#include "spool/spool.hpp"
#include "transform/transformer.hpp"
#include "warehouse/loader.hpp"

namespace wherry::app {

/// Reads a spec, and the list of clients that it names, if it does; prints the mistakes to stderr.
/// Blocks the stop signals while it reads a list. Errors: the exit status.
[[nodiscard]] std::expected<app::spec, int> read_or_complain(
    const std::filesystem::path& file, const environment& variables = process_environment());

/// A spec whose SQL, units and rates have been tried, and of which it is known where the keys of
/// its sink come from.
class prepared_spec {
 public:
  /// Fetches the rates, if they are to be. `file`: where the spec was read, for errors. `network`:
  /// by which; null: its own.
  /// Errors: what is wrong with the SQL, the tables, the rates or the places of keys.
  [[nodiscard]] static std::expected<prepared_spec, std::string> make(
      app::spec spec, const std::filesystem::path& file, http_fetcher* network = nullptr);

  [[nodiscard]] const app::spec& spec() const noexcept { return spec_; }
  /// Where the keys come from, for people; empty: the sink needs none.
  [[nodiscard]] const std::string& keys_from() const noexcept { return keys_from_; }
  [[nodiscard]] http_client& client() const noexcept { return *client_; }
  [[nodiscard]] aws_credentials& keys() const noexcept { return *keys_; }

  /// Gets the keys that the sink needs, if any, so that an import without them is not begun; prints
  /// why there are none. Returns the exit status: 0, 2, or 130 if a signal came first.
  /// Requires: block_stop_signals was called.
  [[nodiscard]] int try_keys() const;

 private:
  friend class session;
  prepared_spec(app::spec spec, std::unique_ptr<app::transformer> transformer,
                std::string keys_from);

  app::spec spec_;
  std::unique_ptr<app::transformer> transformer_;
  std::unique_ptr<http_client> client_ = std::make_unique<http_client>();
  std::unique_ptr<aws_credentials> keys_;
  std::string keys_from_;
};

/// The parts of an import, alive together.
class session {
 public:
  /// `network`: by which the source is asked, outlives it; null: its own.
  /// Errors: what is wrong with the spool, for people.
  [[nodiscard]] static std::expected<std::unique_ptr<session>, std::string> open(
      prepared_spec prepared, http_fetcher* network = nullptr);

  [[nodiscard]] report_parts parts() {
    return {.spec = spec_,
            .source = source_,
            .spool = *spool_,
            .transformer = *transformer_,
            .sink = *sink_,
            .slots = nullptr,
            .loader = loader_.get()};
  }
  [[nodiscard]] const app::spec& spec() const noexcept { return spec_; }

 private:
  session(prepared_spec prepared, std::unique_ptr<app::spool> spool, http_fetcher* network);

  app::spec spec_;
  std::unique_ptr<http_client> client_;
  std::unique_ptr<aws_credentials> keys_;
  std::unique_ptr<app::spool> spool_;
  std::unique_ptr<app::transformer> transformer_;
  http_source source_;
  std::unique_ptr<object_sink> sink_;
  std::unique_ptr<report_loader> loader_;  // null: the spec has no warehouse
};

}  // namespace wherry::app
