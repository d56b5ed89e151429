// SPDX-License-Identifier: Apache-2.0
#pragma once
// What people see of a store: counts, machines, histories. Used by the owner and by inspectors.

#include <optional>
#include <string>
#include <vector>

#include "database.hpp"

namespace wherry::sqlite {

/// A query of machines in order of id; its texts live here while the statement runs.
class selection {
 public:
  /// `from`: the table, perhaps with the index that must serve it.
  selection(std::string_view columns, std::string_view from, std::string after_id);
  /// Requires `condition`, which stands in the text: so the index that has it in its WHERE can
  /// serve.
  selection& where(std::string_view condition);
  selection& in_state(const std::string& state);
  selection& in_lane(const std::optional<std::string>& lane);
  /// As far as the filter's id and id_prefix say.
  selection& with_id(const machine_filter& filter);
  selection& at_most(std::size_t limit);
  /// Requires: *this outlives the statement.
  [[nodiscard]] statement prepare(database& file) const;

 private:
  selection& also(std::string_view condition, std::string text);

  std::string sql_;
  std::vector<std::string> texts_;
  std::int64_t limit_ = 0;
};

/// The WHERE of the index by id that holds the machines of that phase; empty: none does.
[[nodiscard]] std::string_view indexed_with(phase wanted) noexcept;

// What a column names. Errors: each throws database_failure; corrupt.
[[nodiscard]] phase phase_at(const statement& row, int column, const database& file);
[[nodiscard]] control_verb verb_at(const statement& row, int column, const database& file);

/// A shape. One that no program writes becomes the highest, which none knows: left alone.
[[nodiscard]] std::int32_t shape_at(const statement& row, int column) noexcept;

/// The query that read_machines makes. `few`: of the filter's phase, waiting or ready, there are
/// few among many of the other, so they are looked up by it and sorted, not looked for by id.
[[nodiscard]] selection machines_matching(const machine_filter& filter, std::size_t limit,
                                          std::string after_id, bool few = false);

// Errors: each throws database_failure.
[[nodiscard]] machine_counts read_counts(database& file);
[[nodiscard]] std::vector<machine_view> read_machines(database& file, const machine_filter& filter,
                                                      std::size_t limit, std::string after_id);
[[nodiscard]] std::vector<history_entry> read_history(database& file, std::string_view id);
/// The lanes of which something is kept at `now`.
[[nodiscard]] std::vector<lane_state> read_lanes(database& file, system_time now);

/// Runs `unit` and turns a database_failure into an error.
template <class Unit>
auto guarded(Unit unit) -> std::expected<decltype(unit()), store_error> {
  try {
    if constexpr (std::is_void_v<decltype(unit())>) {
      unit();
      return {};
    } else {
      return unit();
    }
  } catch (const database_failure& why) {
    return std::unexpected(why.error());
  }
}

}  // namespace wherry::sqlite
