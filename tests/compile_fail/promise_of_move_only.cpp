// SPDX-License-Identifier: Apache-2.0
// Each take of a promise gets a copy, and there is none of a unique_ptr.
// expected: no matching constructor for initialization of 'const wherry::channel<
// because: because 'std::unique_ptr<int>' does not satisfy 'copy_constructible'
#include <memory>

#include "wherry/csp/channel.hpp"

const wherry::channel<std::unique_ptr<int>> once{wherry::promise{}};
