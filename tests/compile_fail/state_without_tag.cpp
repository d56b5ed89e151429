// SPDX-License-Identifier: Apache-2.0
// A state without a name that the store could keep.
// expected: no matching function for call to 'drive'
#include "kind.hpp"

struct nameless {
  int number = 0;
};
BOOST_DESCRIBE_STRUCT(nameless, (), (number))

struct wrong {
  static constexpr std::string_view name = "wrong";
  using state = std::variant<nameless, done>;
  wherry::task<wherry::outcome<state>> step(nameless, wherry::step_context) { co_return done{}; }
};

void use() { drive<wrong>(); }
