// SPDX-License-Identifier: Apache-2.0
#include "reader.hpp"

#include <algorithm>

#include "wherry/csp/assert.hpp"

namespace wherry::sqlite {
namespace {

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

}  // namespace

queries::queries(const std::filesystem::path& file, const surroundings& world)
    : file_(file, access::read, world.vfs),
      places_(file_,
              "SELECT precedence, due_ms, key FROM machines WHERE phase = 'ready' AND lane = ?1 "
              "AND (precedence, due_ms, key) >= (?2, ?3, ?4) ORDER BY precedence, due_ms, key"),
      row_(file_,
           "SELECT id, generation, version, state, data, priority, rank, attempt, setbacks, lane, "
           "entered, deadline_ms "
           "FROM machines WHERE key = ?"),
      inbox_(file_,
             "SELECT key, verb, phase, state, id, id_prefix, lane IS NOT NULL, "
             "coalesce(lane, ''), priority FROM inbox ORDER BY key LIMIT 1") {}

found_rows queries::free_rows(const refill_plan& wanted) {
  found_rows found;
  std::size_t bytes = 0;
  const snapshot_of held(places_);
  const auto& from = wanted.from;
  places_.with(wanted.lane, from.precedence, from.due_ms, from.key);
  while (places_.next()) {
    const turn at{places_.integer(0), places_.integer(1), places_.integer(2)};
    if (wanted.is_leased(at.key)) continue;
    if (found.rows.size() == wanted.room || bytes > read_ahead::byte_limit) {
      found.bound = at;
      break;
    }
    found.rows.push_back({at, machine(at.key)});
    bytes += read_ahead::weight(found.rows.back().contents);
  }
  return found;
}

leased_machine queries::machine(std::int64_t key) {
  const bool found = row_.with(key).next();
  WHERRY_ASSERT(found, "a row that was seen is never deleted");
  leased_machine seen{.key = key,
                      .id = row_.text(0),
                      .generation = row_.integer(1),
                      .version = row_.integer(2),
                      .state = row_.text(3),
                      .data = row_.text(4),
                      .lane = row_.text(9),
                      .priority = static_cast<std::int32_t>(row_.integer(5)),
                      .rank = static_cast<std::int32_t>(row_.integer(6)),
                      .attempt = static_cast<std::int32_t>(row_.integer(7)),
                      .setbacks = static_cast<std::int32_t>(row_.integer(8)),
                      .entered = row_.integer(10),
                      .deadline = row_.time(11)};
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
