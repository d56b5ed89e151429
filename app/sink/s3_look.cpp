// SPDX-License-Identifier: Apache-2.0
#include "sink/s3_look.hpp"

namespace wherry::app {

task<std::expected<standing, sink_error>> look(s3_server* server, std::string url,
                                               spool_file file) {
  const auto answered = co_await server->ask({.method = "HEAD", .url = std::move(url)});
  if (!answered) co_return std::unexpected(answered.error());
  if (!is_success(*answered)) co_return standing::none_known;
  const bool is_same =
      find_header(answered->headers, sha256_header) == file.sha256 &&
      find_header(answered->headers, "content-length") == std::to_string(file.size_bytes);
  co_return is_same ? standing::same : standing::other;
}

}  // namespace wherry::app
