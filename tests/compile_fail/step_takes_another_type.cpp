// SPDX-License-Identifier: Apache-2.0
// A step whose parameter is no state, but can be made of one.
// expected: no matching function for call to 'drive'
#include "kind.hpp"

struct almost {
  almost(begun) {}
};

struct wrong {
  static constexpr std::string_view name = "wrong";
  using state = std::variant<begun, done>;
  wherry::task<wherry::outcome<state>> step(almost, wherry::step_context) { co_return done{}; }
};

void use() { drive<wrong>(); }
