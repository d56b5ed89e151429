// SPDX-License-Identifier: Apache-2.0
#include "views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace wherry::sqlite {
namespace {

/// The least text that is greater than all that begin with `prefix`; empty: there is none.
std::string after_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

phase phase_at(const statement& row, int column, const database& file) {
  if (const auto found = phase_from(row.text(column))) return *found;
  throw database_failure(
      {store_error::kind::corrupt,
       fmt::format("{}: a machine in the unknown phase \"{}\": restore it from a copy",
                   file.file().string(), row.text(column))});
}

}  // namespace

selection::selection(std::string_view columns, const machine_filter& filter, std::string after_id,
                     std::size_t limit)
    : limit_(static_cast<std::int64_t>(
          std::min<std::size_t>(limit, std::numeric_limits<std::int32_t>::max()))) {
  sql_ = fmt::format("SELECT {} FROM machines WHERE id > ?", columns);
  texts_.push_back(std::move(after_id));
  const auto also = [this](std::string_view condition, std::string text) {
    sql_ += condition;
    texts_.push_back(std::move(text));
  };
  // The phase stands in the text, so that the index of that phase can be used.
  if (filter.phase) sql_ += fmt::format(" AND phase = '{}'", to_string(*filter.phase));
  if (!filter.state.empty()) also(" AND state = ?", filter.state);
  if (!filter.id.empty()) also(" AND id = ?", filter.id);
  if (!filter.id_prefix.empty()) {
    also(" AND id >= ?", filter.id_prefix);
    if (auto end = after_prefix(filter.id_prefix); !end.empty())
      also(" AND id < ?", std::move(end));
  }
  sql_ += " ORDER BY id LIMIT ?";
}

statement selection::prepare(database& file) {
  statement query(file, sql_);
  int index = 0;
  for (const auto& each : texts_) query.bind(++index, each);
  query.bind(++index, limit_);
  return query;
}

machine_counts read_counts(database& file) {
  machine_counts counts;
  statement query(file, "SELECT phase, state, n FROM counts WHERE n > 0");
  while (query.next()) counts.by[{phase_at(query, 0, file), query.text(1)}] = query.integer(2);
  return counts;
}

std::vector<machine_view> read_machines(database& file, const machine_filter& filter,
                                        std::size_t limit, std::string after_id) {
  selection wanted(
      "id, generation, version, state, data, phase, lane, priority, attempt, due_ms, created_ms, "
      "updated_ms, error, setbacks",
      filter, std::move(after_id), limit);
  auto query = wanted.prepare(file);
  std::vector<machine_view> views;
  while (query.next()) {
    views.push_back({.id = query.text(0),
                     .generation = query.integer(1),
                     .version = query.integer(2),
                     .state = query.text(3),
                     .data = query.text(4),
                     .phase = phase_at(query, 5, file),
                     .lane = query.text(6),
                     .priority = static_cast<std::int32_t>(query.integer(7)),
                     .attempt = static_cast<std::int32_t>(query.integer(8)),
                     .setbacks = static_cast<std::int32_t>(query.integer(13)),
                     .due = query.time(9),
                     .created = query.time(10),
                     .updated = query.time(11),
                     .error = query.text(12)});
  }
  return views;
}

std::vector<history_entry> read_history(database& file, std::string_view id) {
  statement query(file,
                  "SELECT generation, version, from_state, to_state, phase, outcome, attempt, "
                  "started_ms, ended_ms, error FROM history "
                  "WHERE machine = (SELECT key FROM machines WHERE id = ?) "
                  "ORDER BY generation, version");
  query.with(id);
  std::vector<history_entry> entries;
  while (query.next()) {
    entries.push_back({.generation = query.integer(0),
                       .version = query.integer(1),
                       .from = query.text(2),
                       .to = query.text(3),
                       .phase = phase_at(query, 4, file),
                       .outcome = outcome_kind_from(query.text(5)).value_or(outcome_kind::advanced),
                       .attempt = static_cast<std::int32_t>(query.integer(6)),
                       .started = query.time(7),
                       .ended = query.time(8),
                       .error = query.text(9)});
  }
  return entries;
}

}  // namespace wherry::sqlite
