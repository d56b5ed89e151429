// SPDX-License-Identifier: Apache-2.0
#pragma once
// Requests for keys. Pure. Internal to app/aws.
//
// Nobody waits long for them: who gives keys stands beside the program, or is made for many.

#include <chrono>
#include <string>

#include "aws/origin.hpp"
#include "net/http_client.hpp"

namespace wherry::app {

/// Asks the token service for a role's keys in exchange for a token; not signed.
[[nodiscard]] http_request identity_request(const std::string& sts, const web_identity& by,
                                            const std::string& token);

/// Asks the token service for a role's keys, signed with others.
[[nodiscard]] http_request role_request(const aws_setup& in, const assumed_role& role,
                                        const aws_keys& with,
                                        std::chrono::system_clock::time_point now);

/// Asks beside the container. `token`: what the container may show; empty: nothing.
[[nodiscard]] http_request container_request(const container_keys& at, const std::string& token);

/// Asks the metadata service for a token of its own, without which it says nothing: within a
/// second, for a machine that is none of EC2's has nobody there.
[[nodiscard]] http_request metadata_token_request(const instance_keys& at);

/// Asks it for the name of the instance's role, or with one for its keys.
[[nodiscard]] http_request metadata_request(const instance_keys& at, const std::string& token,
                                            const std::string& role);

}  // namespace wherry::app
