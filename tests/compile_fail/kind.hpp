// SPDX-License-Identifier: Apache-2.0
#pragma once
// The states that the misuses share.

#include "wherry/engine/kind.hpp"

struct begun {
  static constexpr std::string_view tag = "begun";
  int number = 0;
};
BOOST_DESCRIBE_STRUCT(begun, (), (number))

struct done {
  static constexpr std::string_view tag = "done";
  int number = 0;
};
BOOST_DESCRIBE_STRUCT(done, (), (number))

/// What an engine asks of its kind.
template <wherry::machine_kind Kind>
void drive() {}
