// SPDX-License-Identifier: Apache-2.0
// A state that is not final has no step.
// expected: no matching function for call to 'drive'
#include "kind.hpp"

struct wrong {
  static constexpr std::string_view name = "wrong";
  using state = std::variant<begun, done>;
};

void use() { drive<wrong>(); }
