// SPDX-License-Identifier: Apache-2.0
#pragma once
// Keys of AWS, and the places where they come from, as plain data. A name of a place is for people
// and holds no secret.

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "spec/spec.hpp"

namespace wherry::app {

/// Signs requests, for a while.
struct aws_keys {
  std::string access_key;
  secret secret_key;
  secret session_token;                                            ///< empty: none
  std::optional<std::chrono::system_clock::time_point> expires{};  ///< empty: not known
};

/// A token that somebody else keeps fresh in a file, in exchange for a role's keys.
struct web_identity {
  std::string token_file;
  std::string role;
  std::string session;
};

/// An address beside the program that gives keys: of ECS, of EKS Pod Identity.
struct container_keys {
  std::string url;
  secret token;            ///< empty: none
  std::string token_file;  ///< read each time; empty: none
};

/// The metadata service of an EC2 instance, version 2.
struct instance_keys {
  std::string endpoint;
};

/// A role that keys are exchanged for.
struct assumed_role {
  std::string arn;
  std::string session;
  std::string external_id;  ///< empty: none
};

/// Where keys come from.
struct aws_origin {
  std::string name;
  std::variant<aws_keys, web_identity, container_keys, instance_keys> base;
  std::vector<assumed_role> roles{};  ///< taken one after the other
};

/// All that the surroundings say about AWS.
struct aws_setup {
  aws_origin from;
  std::string region;
  std::string sts;  ///< address of the token service
};

/// Says why there are no keys. `message` names the place and the remedy, and holds no secret.
struct aws_error {
  bool transient = false;  ///< asking again may help
  std::string message;
};

}  // namespace wherry::app
