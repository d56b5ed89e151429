// SPDX-License-Identifier: Apache-2.0
#pragma once
// The chain: which of the places that AWS's tools know holds the keys here. The first that is set
// decides, and what is wrong with it is an error: nothing goes on to the next place by itself.
//
//   1. access_key and secret_key of [sink]
//   2. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//   3. AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME
//   4. the profile AWS_PROFILE, or "default", of AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE:
//      its role (by source_profile, credential_source or web_identity_token_file), or its keys
//   5. AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or …_FULL_URI
//   6. the metadata service of EC2, unless AWS_EC2_METADATA_DISABLED
//
// A variable that is set but empty counts as not set. No network.
// Source: AWS, "SDKs and Tools Reference Guide", "Standardized credential providers"; the order is
// that of the SDK for Kotlin, "DefaultChainCredentialsProvider".

#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "aws/origin.hpp"
#include "spec/read.hpp"
#include "spec/spec.hpp"

namespace wherry::app {

/// Reads a file whole; empty: there is none. Errors: why it cannot be read.
using small_file_reader =
    std::function<std::expected<std::optional<std::string>, std::string>(const std::string& path)>;

/// Reads files of at most 1 MB of this machine.
[[nodiscard]] small_file_reader machine_files();

/// Looks where the keys of a sink come from, and in which region it is: `region` of [sink], or
/// AWS_REGION, AWS_DEFAULT_REGION, the profile's region, us-east-1. Errors: the place that cannot
/// be right, or what was looked at in vain; with the remedy.
[[nodiscard]] std::expected<aws_setup, std::string> find_aws(const sink& of,
                                                             const environment& variables,
                                                             const small_file_reader& files);

/// Says that there are no keys anywhere: what was looked at, `last` being why the last place has
/// none, and how to give some.
[[nodiscard]] std::string no_keys(std::string_view last);

}  // namespace wherry::app
