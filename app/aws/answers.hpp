// SPDX-License-Identifier: Apache-2.0
#pragma once
// What those who give keys answer, and until when keys are used. Pure. Internal to app/aws.
//
// Source: AWS, "IAM roles for Amazon EC2", "Retrieve security credentials"; "Container credential
// provider"; STS API reference, "AssumeRole" and "AssumeRoleWithWebIdentity".

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "aws/origin.hpp"
#include "net/http_client.hpp"

namespace wherry::app {

/// Reads the JSON of a container or of the metadata service. `from`: who answered, for errors.
[[nodiscard]] std::expected<aws_keys, aws_error> keys_in_json(const http_response& answer,
                                                              const std::string& from);

/// Reads the XML of the token service, where `role` was asked for. Errors: its code and what to do.
[[nodiscard]] std::expected<aws_keys, aws_error> keys_in_xml(const http_response& answer,
                                                             const std::string& from,
                                                             const std::string& role);

/// Reads "2025-01-31T12:00:00Z". Empty: it is none.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> parse_instant(
    std::string_view text);

/// Says when keys are asked for anew that were got at `got_at`: five minutes before they expire,
/// or half of their life before, if that is less.
[[nodiscard]] std::chrono::system_clock::time_point renewal_of(
    const aws_keys& keys, std::chrono::system_clock::time_point got_at);

/// Says when to ask again after that failed and the old keys still hold: in a minute, or in half of
/// what is left of them.
[[nodiscard]] std::chrono::system_clock::time_point next_try(
    const aws_keys& old, std::chrono::system_clock::time_point now);

}  // namespace wherry::app
