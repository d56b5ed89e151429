// SPDX-License-Identifier: Apache-2.0
// The texts of failures and of broken assertions.

#include "wherry/csp/failure.hpp"

#include <cstdio>
#include <cstdlib>

#include "wherry/csp/assert.hpp"

namespace wherry {

std::string failure::what() const {
  if (is_cancelled()) return "cancelled";
  try {
    rethrow();
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {  // the text for what is not a std::exception; nothing is swallowed
    return "an exception that is not a std::exception";
  }
}

namespace detail {

void assertion_failed(const char* condition, const char* meaning, const char* file,
                      int line) noexcept {
  std::fprintf(stderr, "%s:%d: assertion failed: %s (%s)\n", file, line, meaning, condition);
  std::abort();
}

}  // namespace detail
}  // namespace wherry
