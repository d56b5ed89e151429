// SPDX-License-Identifier: Apache-2.0
#pragma once
// WHERRY_ASSERT: for what must not happen, whoever is to blame. Always on, also in release builds:
// a wrong state that goes on can lose work, a process that stops cannot.

namespace wherry::detail {
[[noreturn]] void assertion_failed(const char* condition, const char* meaning, const char* file,
                                   int line) noexcept;
}

/// Ends the program with the place and `meaning` unless `condition` holds.
#define WHERRY_ASSERT(condition, meaning) \
  (static_cast<bool>(condition)           \
       ? static_cast<void>(0)             \
       : ::wherry::detail::assertion_failed(#condition, meaning, __FILE__, __LINE__))
