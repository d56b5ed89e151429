// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is at an object's key: by a HEAD, and by the SHA-256 that our own uploads store with an
// object. Internal to app/sink.

#include <expected>
#include <string>
#include <string_view>

#include "sink/s3_server.hpp"
#include "spool/spool.hpp"

namespace wherry::app {

/// The header with which an object's hash is stored, so that a later import knows its own bytes.
inline constexpr std::string_view sha256_header = "x-amz-meta-sha256";

enum class standing {
  none_known,  ///< nothing, or the server does not say
  same,        ///< an object with the bytes of the spool file
  other,       ///< an object with other bytes
};

/// Looks. Requires: server outlives it. Suspends: for one request. Errors: what befell it on the
/// way; an answer that is neither yes nor no is told by the request that follows, which has a body
/// to tell it in (without s3:ListBucket "there is none" is a 403).
[[nodiscard]] task<std::expected<standing, sink_error>> look(s3_server* server, std::string url,
                                                             spool_file file);

}  // namespace wherry::app
