// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a request says who sends it. Pure. Internal to app/source.

#include <chrono>
#include <string>

#include "net/http_client.hpp"
#include "sign/sigv4.hpp"
#include "spec/spec.hpp"

namespace wherry::app {

/// Adds a parameter to a URL's query, encoded, unless it says just that already (as the target of a
/// redirect may).
[[nodiscard]] std::string with_parameter(std::string url, const std::string& name,
                                         const std::string& value);

/// What a request is signed with, besides what the spec says.
struct signing_facts {
  std::string token;  ///< of OAuth2
  std::chrono::system_clock::time_point now;
};

/// Puts what those credentials want into a request that is complete otherwise.
void sign(http_request& request, const auth& by, const signing_facts& with);

/// Signs by AWS's Signature Version 4: Host, Content-Type, x-amz-…, path, query and body.
void sign(http_request& request, const sigv4_signer& by, std::chrono::system_clock::time_point now);

}  // namespace wherry::app
