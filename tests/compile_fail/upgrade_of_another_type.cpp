// SPDX-License-Identifier: Apache-2.0
// An upgrade that gives a new state back, where it should change the old one: nothing would come of
// it.
// expected: no matching function for call to 'drive'
#include "kind.hpp"

struct wrong {
  static constexpr std::string_view name = "wrong";
  using state = std::variant<begun, done>;
  static wherry::state_json upgrade_it(wherry::state_json old) { return old; }
  static constexpr std::array upgrades{&upgrade_it};
  wherry::task<wherry::outcome<state>> step(begun, wherry::step_context) { co_return done{}; }
};

void use() { drive<wrong>(); }
