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

/// Whether the counts say already that nothing matches.
bool none_of(const machine_counts& counts, const machine_filter& filter) {
  return std::ranges::none_of(counts.by, [&](const auto& each) {
    const auto& [in, state] = each.first;
    return (!filter.phase || *filter.phase == in) &&
           (filter.state.empty() || filter.state == state);
  });
}

/// Whether it is better to sort all machines of a phase than to look for them among the other that
/// shares its index by id.
bool are_few(const machine_counts& counts, std::optional<phase> in) {
  if (in != phase::waiting && in != phase::ready) return false;
  constexpr std::int64_t quickly_sorted = 20'000, among = 8;
  const auto number = counts.in(*in);
  return number <= quickly_sorted && number * among < counts.unfinished();
}

}  // namespace

phase phase_at(const statement& row, int column, const database& file) {
  if (const auto found = phase_from(row.text(column))) return *found;
  throw database_failure(
      {store_error::kind::corrupt,
       fmt::format("{}: the unknown phase \"{}\" in a row: restore it from a copy",
                   file.file().string(), row.text(column))});
}

std::int32_t shape_at(const statement& row, int column) noexcept {
  constexpr auto highest = std::numeric_limits<std::int32_t>::max();
  const auto shape = row.integer(column);
  return shape < 0 || shape > highest ? highest : static_cast<std::int32_t>(shape);
}

control_verb verb_at(const statement& row, int column, const database& file) {
  if (const auto found = control_verb_from(row.text(column))) return *found;
  throw database_failure(
      {store_error::kind::corrupt,
       fmt::format("{}: the unknown command \"{}\" in its inbox: delete that row",
                   file.file().string(), row.text(column))});
}

std::string_view indexed_with(phase wanted) noexcept {
  switch (wanted) {
    case phase::waiting:
    case phase::ready: return "phase IN ('waiting', 'ready')";
    case phase::dead:
    case phase::cancelled: return "phase IN ('dead', 'cancelled')";
    case phase::completed: break;
  }
  return {};
}

selection::selection(std::string_view columns, std::string_view from, std::string after_id)
    : sql_(fmt::format("SELECT {} FROM {} WHERE id > ?", columns, from)) {
  texts_.push_back(std::move(after_id));
}

selection& selection::also(std::string_view condition, std::string text) {
  texts_.push_back(std::move(text));
  return where(condition);
}

selection& selection::where(std::string_view condition) {
  sql_.append(" AND ").append(condition);
  return *this;
}

selection& selection::in_state(const std::string& state) {
  return state.empty() ? *this : also("state = ?", state);
}

selection& selection::in_lane(const std::optional<std::string>& lane) {
  return lane ? also("lane = ?", *lane) : *this;
}

selection& selection::with_id(const machine_filter& filter) {
  if (!filter.id.empty()) also("id = ?", filter.id);
  if (filter.id_prefix.empty()) return *this;
  also("id >= ?", filter.id_prefix);
  auto end = after_prefix(filter.id_prefix);
  return end.empty() ? *this : also("id < ?", std::move(end));
}

selection& selection::at_most(std::size_t limit) {
  limit_ = static_cast<std::int64_t>(
      std::min<std::size_t>(limit, std::numeric_limits<std::int32_t>::max()));
  return *this;
}

statement selection::prepare(database& file) const {
  statement query(file, sql_ + " ORDER BY id LIMIT ?");
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

selection machines_matching(const machine_filter& filter, std::size_t limit, std::string after_id,
                            bool few) {
  std::string_view from = "machines";
  if (few) {
    from = filter.phase == phase::waiting ? "machines INDEXED BY machines_waiting"
                                          : "machines INDEXED BY machines_ready";
  }
  selection wanted(
      "id, generation, version, state, data, phase, lane, priority, attempt, due_ms, created_ms, "
      "updated_ms, error, setbacks, deadline_ms, shape",
      from, std::move(after_id));
  wanted.in_state(filter.state).in_lane(filter.lane).with_id(filter).at_most(limit);
  if (filter.phase) {
    const auto index = indexed_with(*filter.phase);
    if (!few && !index.empty()) wanted.where(index);
    wanted.where(fmt::format("phase = '{}'", to_string(*filter.phase)));
  }
  return wanted;
}

std::vector<machine_view> read_machines(database& file, const machine_filter& filter,
                                        std::size_t limit, std::string after_id) {
  const auto counts = read_counts(file);
  if (none_of(counts, filter)) return {};
  const auto wanted =
      machines_matching(filter, limit, std::move(after_id), are_few(counts, filter.phase));
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
                     .deadline = query.time(14),
                     .created = query.time(10),
                     .updated = query.time(11),
                     .error = query.text(12),
                     .shape = shape_at(query, 15)});
  }
  return views;
}

std::vector<lane_state> read_lanes(database& file, system_time now) {
  statement query(file,
                  "SELECT lane, parked_until_ms, paused, keep_until_ms, quotas, failures, "
                  "open_until_ms, error, stopped FROM lanes "
                  "WHERE parked_until_ms > ?1 OR paused = 1 OR keep_until_ms > ?1 ORDER BY lane");
  query.with(to_ms(now));
  std::vector<lane_state> states;
  while (query.next()) {
    lane_state state{.lane = query.text(0), .paused = query.integer(2) != 0};
    if (query.time(1) > now) {
      state.parked_until = query.time(1);
      state.is_stopped = query.integer(8) != 0;
    }
    if (query.time(3) > now) {
      state.memory = {.quotas = query.text(4),
                      .failures = static_cast<std::int32_t>(query.integer(5)),
                      .open_until = query.time(6),
                      .keep_until = query.time(3)};
    }
    const bool is_held_up =
        state.parked_until != system_time{} || state.memory.open_until != system_time{};
    if (is_held_up) state.error = query.text(7);
    states.push_back(std::move(state));
  }
  return states;
}

std::vector<history_entry> read_history(database& file, std::string_view id) {
  statement query(file,
                  "SELECT generation, version, from_state, to_state, phase, outcome, attempt, "
                  "started_ms, ended_ms, error, runs FROM history "
                  "WHERE machine = (SELECT key FROM machines WHERE id = ?) "
                  "ORDER BY generation, version");
  query.with(id);
  std::vector<history_entry> entries;
  while (query.next()) {
    entries.push_back({.generation = query.integer(0),
                       .version = query.integer(1),
                       .runs = query.integer(10),
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
