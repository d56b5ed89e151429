// SPDX-License-Identifier: Apache-2.0
// A step that could not say how it failed.
// expected: no matching function for call to 'drive'
#include "kind.hpp"

struct wrong {
  static constexpr std::string_view name = "wrong";
  using state = std::variant<begun, done>;
  wherry::task<state> step(begun, wherry::step_context) { co_return done{}; }
};

void use() { drive<wrong>(); }
