// SPDX-License-Identifier: Apache-2.0
#pragma once
// What stands in a recording for the variables of the environment that a spec refers to, and for
// its secrets. Pure.

#include <expected>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "spec/read.hpp"
#include "spec/spec.hpp"

namespace wherry::app {

struct stand_in {
  std::string text;
  /// The SQL says it: its value makes the rows, so the environment's comes first.
  bool gives_way = false;
  friend bool operator==(const stand_in&, const stand_in&) = default;
};

/// By the variable's name.
using stand_ins = std::map<std::string, stand_in>;

/// The secrets that a spec holds, by what they are for: "auth.bearer".
[[nodiscard]] std::vector<std::pair<std::string, std::string>> secrets_of(const spec& of);

/// Finds a stand-in for each variable: one of its kind (an address, a path, digits, a word). Who is
/// no secret of the spec and has less than four characters, or without whose value the spec cannot
/// be read (a time zone, say), stands for itself.
/// `is_readable`: whether the spec can be read with that environment.
/// Errors: a secret that cannot have one, with the remedy.
[[nodiscard]] std::expected<stand_ins, std::string> stand_ins_of(
    const spec& of, const std::function<bool(const environment&)>& is_readable);

/// The environment in which a recording is replayed: its stand-ins; then what `real` says; then, so
/// that nothing has to be set, a word made of the name.
[[nodiscard]] environment environment_of(const stand_ins& recorded, environment real);

}  // namespace wherry::app
