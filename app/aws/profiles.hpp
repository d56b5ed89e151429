// SPDX-License-Identifier: Apache-2.0
#pragma once
// The files that `aws configure` writes: ~/.aws/config and ~/.aws/credentials. Pure. Internal to
// app/aws.
//
// Source: AWS, "SDKs and Tools Reference Guide", "Shared config and credentials files": sections
// [default], [name] and, in config, [profile name]; "#" and ";" begin a comment; indented lines
// belong to the setting above them, which is none of ours.

#include <expected>
#include <map>
#include <string>
#include <string_view>

namespace wherry::app {

/// The settings of one profile; names in lower case.
using aws_profile = std::map<std::string, std::string, std::less<>>;
using aws_profiles = std::map<std::string, aws_profile, std::less<>>;

/// In the one a profile is called [profile name], in the other [name].
enum class profile_file { config, credentials };

/// Adds the profiles of a file; what it says takes the place of what is known already.
/// Errors: the number of the line that is none, and no word of it: it may be a secret.
[[nodiscard]] std::expected<void, std::string> add_profiles(std::string_view text,
                                                            profile_file kind, aws_profiles& to);

}  // namespace wherry::app
