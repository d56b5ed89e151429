// SPDX-License-Identifier: Apache-2.0
#pragma once
// The first free rows of a lane (ready, not leased), in memory, so that a running import leases
// without a query. Pure: no SQL, no locks.
//
// Invariant: the rows here are exactly the free rows of the lane that stand before `bound`. At the
// lowest bound nothing is known (cold); at the highest, all free rows are here (complete).
//
// Whatever makes a row free either offers it with its contents, or only says where it stands
// (rewind), which moves the bound back to it. So the bound, and nothing else, says what a query
// still has to find.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "wherry/engine/machine.hpp"

namespace wherry::sqlite {

/// Where a row stands in its lane: the smallest is leased first.
struct turn {
  std::int64_t precedence = 0;
  std::int64_t due_ms = 0;
  std::int64_t key = 0;
  friend auto operator<=>(const turn&, const turn&) = default;

  [[nodiscard]] static constexpr turn lowest() noexcept {
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    return {least, least, least};
  }
  [[nodiscard]] static constexpr turn highest() noexcept {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    return {most, most, most};
  }
};

/// As the column of that name.
[[nodiscard]] constexpr std::int64_t precedence(std::int32_t priority, std::int32_t rank) noexcept {
  return -(std::int64_t{priority} * 4'294'967'296 + rank);
}

struct free_row {
  turn at;
  leased_machine contents;
};

class read_ahead {
 public:
  /// Rows and bytes kept beyond the moment; at least one row. Wide enough for the window of a busy
  /// engine: what it has just recorded is leased again without a query.
  static constexpr std::size_t row_limit = 8'192;
  static constexpr std::size_t byte_limit = 4 << 20;
  /// Rows that a query looks for at least.
  static constexpr std::size_t least_read = 64;

  [[nodiscard]] bool complete() const noexcept { return bound_ == turn::highest(); }
  [[nodiscard]] bool cold() const noexcept { return bound_ == turn::lowest(); }
  [[nodiscard]] turn bound() const noexcept { return bound_; }
  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  /// The lane has no free row. Requires: that is so.
  void begin_complete() noexcept {
    rows_.clear();
    bytes_ = 0;
    bound_ = turn::highest();
  }
  /// Forgets all.
  void chill() noexcept {
    rows_.clear();
    bytes_ = 0;
    bound_ = turn::lowest();
  }

  /// A row became free. One that is here already stays as it is.
  void offer(turn at, leased_machine&& contents) {
    if (at >= bound_) return;
    const auto [place, added] = rows_.try_emplace(at, std::move(contents));
    if (!added) return;
    bytes_ += weight(place->second);
    trim();
  }

  /// A row became free whose contents are not at hand.
  void rewind(turn at) {
    if (at >= bound_) return;
    cut(at);
  }

  /// A row is free no more; it need not be here.
  void remove(turn at) {
    const auto found = rows_.find(at);
    if (found == rows_.end()) return;
    bytes_ -= weight(found->second);
    rows_.erase(found);
  }

  /// None of these machines is here any more, wherever it stood.
  void remove_all(const std::set<std::int64_t>& keys) {
    std::erase_if(rows_, [&](const auto& row) {
      if (!keys.contains(row.first.key)) return false;
      bytes_ -= weight(row.second);
      return true;
    });
  }

  /// Takes the first row. Requires: size() > 0.
  [[nodiscard]] free_row pop() {
    auto first = rows_.extract(rows_.begin());
    bytes_ -= weight(first.mapped());
    return {first.key(), std::move(first.mapped())};
  }

  /// Adds what a query found: all free rows from bound() on and before `bound`.
  void extend(std::vector<free_row>&& rows, turn bound) {
    for (auto& each : rows) {
      bytes_ += weight(each.contents);
      rows_.emplace_hint(rows_.end(), each.at, std::move(each.contents));
    }
    bound_ = bound;
  }

  [[nodiscard]] static std::size_t weight(const leased_machine& row) noexcept {
    return sizeof(row) + row.id.size() + row.state.size() + row.data.size() + row.lane.size();
  }

 private:
  void trim() {
    while (rows_.size() > 1 && (rows_.size() > row_limit || bytes_ > byte_limit)) {
      cut(std::prev(rows_.end())->first);
    }
  }
  /// Forgets the rows from `at` on.
  void cut(turn at) {
    for (auto each = rows_.lower_bound(at); each != rows_.end(); each = rows_.erase(each)) {
      bytes_ -= weight(each->second);
    }
    bound_ = at;
  }

  std::map<turn, leased_machine> rows_;
  std::size_t bytes_ = 0;
  turn bound_ = turn::lowest();
};

}  // namespace wherry::sqlite
