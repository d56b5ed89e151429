// SPDX-License-Identifier: Apache-2.0
#pragma once
// How much of the space is gone through. A sanitizer's build is some thirty times as slow and says
// something else, so there it is a part: every so many programs, evenly spread.

namespace wherry::reference {

#ifdef NDEBUG
inline constexpr bool thorough = true;
#else
inline constexpr bool thorough = false;
#endif

}  // namespace wherry::reference
