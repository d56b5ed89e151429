// SPDX-License-Identifier: Apache-2.0
// A put takes over what cannot be copied: it must be said, by std::move.
// expected: no matching member function for call to 'put'
// because: candidate function not viable: expects an rvalue for 1st argument
#include <memory>

#include "wherry/csp/channel.hpp"

using ticket = std::unique_ptr<int>;
wherry::task<> hand_over(wherry::channel<ticket> to, ticket mine) { co_await to.put(mine); }
