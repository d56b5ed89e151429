// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an answer of a reporting API means: rows, no rows, try again, wait, or give up. Pure: the
// rules of the spec, an answer and the time go in, a meaning comes out.
//
// 1. The first rule of [[source.on]] whose conditions all hold decides, whatever the status;
//    without one the status does: 204 is empty, 202 (not ready yet) transient, 206 (a part, which
//    nobody asked for) permanent, other 2xx rows, 401 credentials, 429 throttled, 408 425 5xx
//    transient, the rest permanent.
// 2. Conditions on the body see its first `body_prefix_limit` bytes; `json` holds only for a body
//    that is whole within them.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "net/http_client.hpp"
#include "net/retry_after.hpp"
#include "spec/spec.hpp"

namespace wherry::app {

/// How much of a body the rules look at.
inline constexpr std::size_t body_prefix_limit = 64 * 1024;

/// An answer as the rules see it.
struct answer {
  int status = 0;
  const http_headers& headers;
  std::string_view body_prefix;
  bool body_is_whole = true;  ///< body_prefix is all of it
};

struct answer_meaning {
  answer_rule::meaning is;
  /// How long to wait: the longest of what the rule says, of what the answer says where the rule
  /// looks, and of Retry-After, at most a day. Only for pending, transient and throttled; empty:
  /// nobody says.
  std::optional<std::chrono::milliseconds> wait;
  std::optional<std::size_t> rule;  ///< index in source.on; empty: the status decided
};

/// Decides what an answer means.
[[nodiscard]] answer_meaning classify(const std::vector<answer_rule>& rules, const answer& given,
                                      std::chrono::system_clock::time_point now);

/// Tells whether a status, without any rule, means rows.
[[nodiscard]] bool means_rows(int status) noexcept;

/// Tells whether any rule looks at bodies; if none does, nobody needs to keep a prefix.
[[nodiscard]] bool looks_at_bodies(const std::vector<answer_rule>& rules) noexcept;

}  // namespace wherry::app
