// SPDX-License-Identifier: Apache-2.0
#pragma once
// How large a scene is: as large as upstream's, and a tenth of that under a sanitizer, where each
// operation costs ten times as much.

namespace wherry::test {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WHERRY_IS_SANITIZED
#endif
#endif

#ifdef WHERRY_IS_SANITIZED
constexpr int scaled(int size) { return size / 10; }
#else
constexpr int scaled(int size) { return size; }
#endif

}  // namespace wherry::test
