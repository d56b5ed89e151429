// SPDX-License-Identifier: Apache-2.0
#include "reader.hpp"

#include <algorithm>

#include "wherry/csp/assert.hpp"

namespace wherry::sqlite {
namespace {

/// Of what one query reads ahead: large states are not read by the dozen.
constexpr std::size_t read_byte_limit = 512 << 10;

/// Lets go of the snapshot that a query holds, also when it fails half way.
class snapshot_of {
 public:
  explicit snapshot_of(statement& query) noexcept : query_(query) {}
  snapshot_of(const snapshot_of&) = delete;
  snapshot_of& operator=(const snapshot_of&) = delete;
  ~snapshot_of() { query_.reset(); }

 private:
  statement& query_;
};

/// The machine in a row of these columns, in this order.
leased_machine machine_in(const statement& row) {
  return {.key = row.integer(11),
          .id = row.text(0),
          .generation = row.integer(1),
          .version = row.integer(2),
          .state = row.text(3),
          .data = row.text(4),
          .lane = row.text(9),
          .priority = static_cast<std::int32_t>(row.integer(5)),
          .rank = static_cast<std::int32_t>(row.integer(6)),
          .attempt = static_cast<std::int32_t>(row.integer(7)),
          .setbacks = static_cast<std::int32_t>(row.integer(8)),
          .entered = row.integer(10),
          .deadline = row.time(12),
          .shape = shape_at(row, 13)};
}

}  // namespace

queries::queries(const std::filesystem::path& file, const surroundings& world)
    : file_(file, access::read, world.vfs),
      free_(file_,
            "SELECT id, generation, version, state, data, priority, rank, attempt, setbacks, lane, "
            "entered, key, deadline_ms, shape, precedence, due_ms FROM machines "
            "WHERE phase = 'ready' AND lane = ?1 "
            "AND (precedence, due_ms, key) >= (?2, ?3, ?4) ORDER BY precedence, due_ms, key"),
      row_(file_,
           "SELECT id, generation, version, state, data, priority, rank, attempt, setbacks, lane, "
           "entered, key, deadline_ms, shape FROM machines WHERE key = ?"),
      inbox_(file_,
             "SELECT key, verb, phase, state, id, id_prefix, lane IS NOT NULL, "
             "coalesce(lane, ''), priority FROM inbox ORDER BY key LIMIT 1"),
      sweep_(file_) {}

found_rows queries::free_rows(const refill_plan& wanted) {
  found_rows found;
  std::size_t bytes = 0;
  const snapshot_of held(free_);
  const auto& from = wanted.from;
  free_.with(wanted.lane, from.precedence, from.due_ms, from.key);
  while (free_.next()) {
    const turn at{free_.integer(14), free_.integer(15), free_.integer(11)};
    if (wanted.is_leased(at.key)) continue;
    if (found.rows.size() == wanted.room || bytes > read_byte_limit) {
      found.bound = at;
      break;
    }
    found.rows.push_back({at, machine_in(free_)});
    bytes += read_ahead::weight(found.rows.back().contents);
  }
  return found;
}

std::optional<leased_machine> queries::machine(std::int64_t key) {
  if (!row_.with(key).next()) return std::nullopt;
  auto seen = machine_in(row_);
  row_.reset();
  return seen;
}

std::optional<control_step> queries::first_request() {
  const snapshot_of held(inbox_);
  if (!inbox_.next()) return std::nullopt;
  control_step asked;
  asked.inbox_key = inbox_.integer(0);
  auto& [verb, filter, priority] = asked.asked;
  verb = verb_at(inbox_, 1, file_);
  filter = {.state = inbox_.text(3), .id = inbox_.text(4), .id_prefix = inbox_.text(5)};
  // An unknown phase is never taken for any phase: that would reach all machines.
  if (!inbox_.text(2).empty()) filter.phase = phase_at(inbox_, 2, file_);
  if (inbox_.integer(6) != 0) filter.lane = inbox_.text(7);
  priority = static_cast<std::int32_t>(inbox_.integer(8));
  return asked;
}

reader::reader(const std::filesystem::path& file, const surroundings& world)
    : queries_(file, world),
      thread_(
          [](auto& gathered) {
            for (auto& each : gathered) each();
          },
          world.has_threads) {}

}  // namespace wherry::sqlite
