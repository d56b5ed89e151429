// SPDX-License-Identifier: Apache-2.0
#pragma once
// What goes wrong, and when. Each decision is a pure function of (seed, path, the how-many-eth
// request of that path), so two runs meet the same faults whatever the order in which requests
// arrive. The one exception is the rate limit, which is about time; a request that it turns away is
// not counted.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace example {

/// Names the kinds of answer; `/stats` counts each.
enum class answer {
  ok,
  unavailable,
  cut,
  slow,
  empty,
  malformed,
  endless,
  throttled,
  unauthorized,
  not_found,
  bad_request,
  count
};
inline constexpr const char* answer_names[] = {
    "ok",      "unavailable", "cut",          "slow",      "empty",      "malformed",
    "endless", "throttled",   "unauthorized", "not_found", "bad_request"};
static_assert(std::size(answer_names) == static_cast<std::size_t>(answer::count));

/// Says how often each fault happens: shares of all answers, 0 to 1.
struct fault_shares {
  double unavailable = 0;  ///< 503
  double cut = 0;          ///< Content-Length announced, half the body sent, connection closed
  double slow = 0;         ///< the body drips for some seconds
  double empty = 0;        ///< 200 with zero bytes
  double malformed = 0;    ///< 200 with a body that is no CSV
};

/// Decides one request's fate: its answer and its latency as a multiple (0.5 to 1.5) of the usual.
struct fate {
  answer kind;
  double latency_factor;
};

/// FNV-1a: the same on every machine.
inline std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
  std::uint64_t state = 14695981039346656037U ^ seed;
  for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return state;
}

/// The upper 53 bits of a word as a share, 0 to 1.
inline double share_of(std::uint64_t word) { return static_cast<double>(word >> 11U) * 0x1p-53; }

inline fate decide(const fault_shares& shares, std::uint64_t seed, std::string_view path,
                   std::uint64_t nth) {
  // The path's hash, then splitmix64 steps: well spread.
  std::uint64_t state = hash_of(path, seed);
  state ^= nth * 0xD1342543DE82EF95U;
  const auto next = [&] {
    std::uint64_t z = state += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return share_of(z ^ (z >> 31U));
  };
  double draw = next();
  const double factor = 0.5 + next();
  const std::pair<double, answer> faults[] = {{shares.unavailable, answer::unavailable},
                                              {shares.cut, answer::cut},
                                              {shares.slow, answer::slow},
                                              {shares.empty, answer::empty},
                                              {shares.malformed, answer::malformed}};
  for (const auto& [share, kind] : faults) {
    if (draw < share) return {kind, factor};
    draw -= share;
  }
  return {answer::ok, factor};
}

/// Counts the requests of each path; holds one number a distinct report that was asked for.
class request_counts {
 public:
  /// Returns 1 for the first request of `path`. Threads: any.
  std::uint64_t next(const std::string& path) {
    const std::lock_guard lock{mutex_};
    return ++counts_[path];
  }

  /// How often each path was asked for. Threads: any.
  [[nodiscard]] std::unordered_map<std::string, std::uint64_t> all() {
    const std::lock_guard lock{mutex_};
    return counts_;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::uint64_t> counts_;
};

/// Allows `per_second` requests, with a burst of one tenth of a second's worth (at least 1). 0: no
/// limit.
class token_bucket {
 public:
  explicit token_bucket(double per_second)
      : rate_(per_second), burst_(std::max(1.0, per_second / 10)), tokens_(burst_) {}

  /// Takes a token, or says how many whole seconds to wait. Threads: any.
  std::optional<int> wait(std::chrono::steady_clock::time_point now) {
    if (rate_ <= 0) return std::nullopt;
    const std::lock_guard lock{mutex_};
    tokens_ =
        std::min(burst_, tokens_ + rate_ * std::chrono::duration<double>(now - last_).count());
    last_ = now;
    if (tokens_ >= 1) {
      tokens_ -= 1;
      return std::nullopt;
    }
    return static_cast<int>((1 - tokens_) / rate_) + 1;
  }

 private:
  std::mutex mutex_;
  double rate_;
  double burst_;
  double tokens_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace example
