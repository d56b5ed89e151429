// SPDX-License-Identifier: Apache-2.0
#pragma once
// Refuses the compilers that would make something else of this library than what is written, or
// that lack what it needs: first, and in a sentence. Included by what everything includes.

#include <version>

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#error \
    "GCC before 13 miscompiles C++ coroutines (bodies skipped, temporaries destroyed twice): \
use clang 19 or later, or GCC 13 or later"
#elif !defined(__cpp_lib_expected)
#error \
    "Wherry needs std::expected: compile as C++23 (-std=c++23) with clang 19 or later, or \
GCC 13 or later"
#endif
