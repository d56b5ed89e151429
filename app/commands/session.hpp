// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a command that imports works with, opened in the order in which a mistake is cheapest to
// find: spec, then SQL, then spool. The store comes last and apart: preview needs none.

#include <expected>
#include <filesystem>
#include <memory>
#include <string>

#include "net/http_client.hpp"
#include "report/report.hpp"
#include "sink/sink.hpp"
#include "source/source.hpp"
#include "spec/spec.hpp"
#include "spool/spool.hpp"
#include "transform/transformer.hpp"

namespace wherry::app {

/// Reads a spec; prints its mistakes to stderr. Errors: the exit status.
[[nodiscard]] std::expected<app::spec, int> read_or_complain(const std::filesystem::path& file);

/// Prints "wherry: <text>" to stderr.
void complain(const std::string& text);

/// The parts of an import, alive together.
class session {
 public:
  /// Errors: what is wrong with the SQL, the rates or the spool, for people.
  [[nodiscard]] static std::expected<std::unique_ptr<session>, std::string> open(
      app::spec spec, const std::filesystem::path& spool_directory);

  [[nodiscard]] report_parts parts() { return {spec_, source_, *spool_, *transformer_, *sink_}; }
  [[nodiscard]] const app::spec& spec() const noexcept { return spec_; }

 private:
  session(app::spec spec, std::unique_ptr<app::spool> spool,
          std::unique_ptr<app::transformer> transformer);

  app::spec spec_;
  http_client client_;
  std::unique_ptr<app::spool> spool_;
  std::unique_ptr<app::transformer> transformer_;
  report_source source_;
  std::unique_ptr<object_sink> sink_;
};

}  // namespace wherry::app
