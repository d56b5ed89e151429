// SPDX-License-Identifier: Apache-2.0
// A state that would point into JSON that is gone.
// expected: a state owns its texts
#include "kind.hpp"

struct viewing {
  static constexpr std::string_view tag = "viewing";
  std::string_view text;
};
BOOST_DESCRIBE_STRUCT(viewing, (), (text))

std::string use() { return wherry::detail::encode(viewing{}); }
