// SPDX-License-Identifier: Apache-2.0
#include "sink/file_sink.hpp"

#include "sink/object_file.hpp"
#include "sink/sink_errors.hpp"
#include "wherry/csp/go.hpp"

namespace wherry::app {
namespace {

constexpr std::string_view file_scheme = "file://";

}  // namespace

task<std::expected<stored_object, sink_error>> file_sink::put(object_to_put what) {
  auto url = object_url(spec_, what);
  if (!url) co_return std::unexpected(url.error());
  const std::filesystem::path target{url->substr(file_scheme.size())};
  const auto outcome =
      co_await thread([&from = spool_, &known = durable_, file = what.file, target, &spec = spec_] {
        return store_as_file(from, file, target, known,
                             spec.overwrite ? existing::replaced : existing::stays);
      }).take();
  if (!outcome->has_value()) outcome->error().rethrow();
  const auto& stored = outcome->value();
  if (!stored) co_return std::unexpected(stored.error());
  co_return stored_object{std::move(*url), what.file.size_bytes, std::move(what.file.sha256),
                          *stored == writing::unchanged};
}

task<std::expected<void, sink_error>> file_sink::remove(client of, day on, object_role role) {
  if (has_names_of_versions(spec_)) co_return {};
  const auto url = object_url(spec_, {.of = std::move(of), .on = on, .file = {}, .role = role});
  if (!url) co_return std::unexpected(url.error());
  const std::filesystem::path target{url->substr(file_scheme.size())};
  const auto outcome = co_await thread([target] { return remove_file(target); }).take();
  if (!outcome->has_value()) outcome->error().rethrow();
  co_return outcome->value();
}

}  // namespace wherry::app
