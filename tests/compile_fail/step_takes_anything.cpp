// SPDX-License-Identifier: Apache-2.0
// A step that takes whatever comes stands in for no state's own step.
// expected: no matching function for call to 'drive'
#include <any>

#include "kind.hpp"

struct wrong {
  static constexpr std::string_view name = "wrong";
  using state = std::variant<begun, done>;
  wherry::task<wherry::outcome<state>> step(std::any, wherry::step_context) { co_return done{}; }
};

void use() { drive<wrong>(); }
