// SPDX-License-Identifier: Apache-2.0
// Two states that the store could not tell apart.
// expected: no matching function for call to 'drive'
#include "kind.hpp"

struct begun_again {
  static constexpr std::string_view tag = "begun";
  int number = 0;
};
BOOST_DESCRIBE_STRUCT(begun_again, (), (number))

struct wrong {
  static constexpr std::string_view name = "wrong";
  using state = std::variant<begun, begun_again, done>;
  wherry::task<wherry::outcome<state>> step(begun, wherry::step_context) { co_return done{}; }
  wherry::task<wherry::outcome<state>> step(begun_again, wherry::step_context) { co_return done{}; }
};

void use() { drive<wrong>(); }
