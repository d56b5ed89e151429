// SPDX-License-Identifier: Apache-2.0
#include "retention.hpp"

#include <algorithm>

#include "commands.hpp"
#include "views.hpp"

namespace wherry::sqlite {
namespace {

using std::chrono::milliseconds;

/// Machines that a part of the sweep looks at, and lines that one commit takes away, and as many
/// more as its last machine has.
constexpr std::int64_t sweep_limit = 500;
constexpr std::int64_t lines_in_commit = 2'000;

std::int64_t before(system_time now, duration kept) noexcept {
  return kept > duration::zero()
             ? std::max<std::int64_t>(0, to_ms(now - std::chrono::ceil<milliseconds>(kept)))
             : 0;
}

}  // namespace

cutoffs cutoffs_at(const sqlite_retention& keep, system_time now) noexcept {
  return {.history_ms = before(now, keep.history_for), .completed_ms = before(now, keep.keep_for)};
}

milliseconds rest_between(const sqlite_retention& keep) noexcept {
  duration shortest = std::chrono::hours(10);
  for (const auto each : {keep.history_for, keep.keep_for}) {
    if (each > duration::zero()) shortest = std::min(shortest, each);
  }
  return std::clamp<milliseconds>(std::chrono::ceil<milliseconds>(shortest / 10),
                                  std::chrono::seconds(1), std::chrono::hours(1));
}

trimmer::trimmer(database& file, const sqlite_retention& keep)
    : file_(file),
      limit_(keep.history_lines == 0 ? 0
                                     : static_cast<std::int64_t>(std::clamp<std::size_t>(
                                           keep.history_lines, 2, 1'000'000'000))),
      first_(file,
             "SELECT version FROM history WHERE machine = ? AND generation = ? "
             "ORDER BY version LIMIT 1"),
      oldest_kept_(file,
                   "SELECT version FROM history WHERE machine = ? AND generation = ? "
                   "ORDER BY version DESC LIMIT 1 OFFSET ?"),
      runs_between_(file,
                    "SELECT coalesce(sum(runs), 0) FROM history WHERE machine = ?1 "
                    "AND generation = ?2 AND version > ?3 AND version < ?4"),
      cut_between_(file,
                   "DELETE FROM history WHERE machine = ?1 AND generation = ?2 AND version > ?3 "
                   "AND version < ?4"),
      note_(file, "UPDATE machines SET trimmed = trimmed + ?2 WHERE key = ?1"),
      oldest_of_older_(file,
                       "SELECT generation, version FROM history WHERE machine = ? "
                       "AND generation < ? ORDER BY generation DESC, version DESC "
                       "LIMIT 1 OFFSET ?"),
      cut_older_(file,
                 "DELETE FROM history WHERE machine = ?1 AND (generation, version) < (?2, ?3)") {}

std::int64_t trimmer::stride() const noexcept { return std::max<std::int64_t>(1, limit_ / 8); }

void trimmer::bound(std::int64_t key, std::int64_t generation, std::int64_t version) {
  if (limit_ == 0 || version <= limit_ || (version - limit_ - 1) % stride() != 0) return;
  cut(key, generation);
}

std::int64_t trimmer::cut(std::int64_t key, std::int64_t generation) {
  if (limit_ == 0) return 0;
  // One line for the first; of the newest as many that there is room until the next time.
  const auto newest = limit_ - stride();
  if (!oldest_kept_.with(key, generation, newest - 1).next()) return 0;
  const auto kept = oldest_kept_.integer(0);
  oldest_kept_.reset();
  const auto first = first_.with(key, generation).value();
  const auto runs = runs_between_.with(key, generation, first, kept).value();
  if (runs == 0) return 0;
  cut_between_.with(key, generation, first, kept).run();
  const auto lines = file_.changes();
  note_.with(key, runs).run();
  return lines;
}

std::int64_t trimmer::bound_older(std::int64_t key, std::int64_t generation) {
  if (limit_ == 0 || !oldest_of_older_.with(key, generation, limit_ - 1).next()) return 0;
  const auto oldest_generation = oldest_of_older_.integer(0);
  const auto oldest_version = oldest_of_older_.integer(1);
  oldest_of_older_.reset();
  cut_older_.with(key, oldest_generation, oldest_version).run();
  return file_.changes();
}

// A machine whose history went has as many versions trimmed as it has. One that was superseded may
// have lines of generations before, which only the writer looks at.
sweep_query::sweep_query(database& file)
    : rows_(file,
            "SELECT key, (phase = 'completed' AND updated_ms < ?3) OR "
            "(phase IN ('completed', 'dead', 'cancelled') AND updated_ms < ?2 "
            "AND trimmed < version) OR (generation > 1 AND ?2 > 0 AND EXISTS (SELECT 1 FROM "
            "history WHERE machine = key AND history.generation < machines.generation "
            "AND ended_ms < ?2)) FROM machines WHERE key > ?1 ORDER BY key LIMIT ?4") {}

sweep_part sweep_query::after(std::int64_t key, const cutoffs& may_go) {
  sweep_part part;
  part.last_key = key;
  std::int64_t seen = 0;
  rows_.with(key, may_go.history_ms, may_go.completed_ms, sweep_limit);
  while (rows_.next()) {
    ++seen;
    part.last_key = rows_.integer(0);
    if (rows_.integer(1) != 0) part.keys.push_back(part.last_key);
  }
  part.at_end = seen < sweep_limit;
  return part;
}

void tidy_command::run(transaction& changes) {
  answer_ = {};
  for (const auto key : keys_) {
    if (answer_.lines >= lines_in_commit) break;
    tidy(changes, key);
    ++answer_.looked_at;
  }
}

// The row is read again: since the sweep saw it, it may have begun a new generation, or run again.
void tidy_command::tidy(transaction& changes, std::int64_t key) {
  auto& row = changes.ended.with(key);
  if (!row.next()) return;
  effect gone;
  gone.key = key;
  gone.generation = row.integer(0);
  gone.version_before = row.integer(1);
  const auto in = phase_at(row, 2, changes.file);
  auto state = row.text(3);
  const auto updated = row.integer(4);
  const bool has_lines = row.integer(5) < gone.version_before;
  row.reset();
  const auto delete_by = [&](statement& lines) {
    lines.run();
    answer_.lines += changes.file.changes();
  };
  if (in == phase::completed && updated < may_go_.completed_ms) {
    delete_by(changes.forget_lines.with(key));
    changes.forget.with(key).run();
    ++answer_.machines;
    gone.before = place{in, std::move(state), {}, {}};
    changes.effects.push_back(std::move(gone));
  } else if (is_finished(in) && updated < may_go_.history_ms) {
    delete_by(changes.forget_lines.with(key));
    if (has_lines) changes.all_trimmed.with(key).run();
  } else if (may_go_.history_ms > 0) {
    delete_by(changes.forget_older.with(key, gone.generation, may_go_.history_ms));
  }
}

}  // namespace wherry::sqlite
