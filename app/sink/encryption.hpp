// SPDX-License-Identifier: Apache-2.0
#pragma once
// Encryption at the server (`sink.encryption`): asked for with each object, and seen to. A server
// that does not know of it takes the object all the same, in plain (Ceph 16 does, of its own key):
// so one that does not say that it encrypts is refused. Pure. Internal to app/sink.

#include <optional>
#include <string>

#include "net/http_client.hpp"
#include "sink/sink.hpp"
#include "spec/spec.hpp"

namespace wherry::app {

/// Adds the headers that ask for it; of a PUT, and of what begins an upload in parts.
void add_encryption(http_headers& to, const sink& spec);

/// An error if the answer to such a request, a success, does not say that the object is encrypted.
[[nodiscard]] std::optional<sink_error> not_encrypted(const sink& spec, const http_response& answer,
                                                      const std::string& object);

}  // namespace wherry::app
