// SPDX-License-Identifier: Apache-2.0
// Carries out retention on a whole store that nobody runs, and writes its file anew. Each commit
// leaves a whole store, so it may be interrupted anywhere.

#include <fmt/format.h>

#include "commands.hpp"
#include "owner_lock.hpp"
#include "schema.hpp"
#include "surroundings.hpp"
#include "upkeep.hpp"
#include "views.hpp"

namespace wherry::sqlite {
namespace {

namespace fs = std::filesystem;

std::int64_t bytes_of(const fs::path& file) {
  std::error_code absent;
  std::int64_t sum = 0;
  for (const char* const end : {"", "-wal"}) {
    const auto size = fs::file_size(file.string() + end, absent);
    if (!absent) sum += static_cast<std::int64_t>(size);
  }
  return sum;
}

class compactor {
 public:
  compactor(database& file, const sqlite_retention& keep, const upkeep_watcher& watch)
      : file_(file), keep_(keep), watch_(watch), changes_(file, real_calendar, keep) {}

  compaction run() {
    done_.bytes_before = bytes_of(file_.file());
    count_anew();  // first: what follows keeps right counts right, and needs the machine of a line
    sweep();
    shorten();
    rewrite();
    done_.bytes_after = bytes_of(file_.file());
    return done_;
  }

 private:
  void say(std::string_view stage, std::int64_t done, std::int64_t of) const {
    if (watch_) watch_({.stage = stage, .done = done, .of = of});
  }

  template <class Unit>
  void commit(Unit unit) {
    file_.run("BEGIN IMMEDIATE");
    try {
      unit();
      file_.run("COMMIT");
    } catch (const database_failure&) {
      if (file_.in_transaction()) file_.run("ROLLBACK");
      throw;
    }
  }

  void sweep() {
    const auto now =
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    const auto may_go = cutoffs_at(keep_, now);
    const auto last = file_.value("SELECT coalesce(max(key), 0) FROM machines");
    sweep_query query(file_);
    sweep_part part;
    while (may_go.any() && !part.at_end) {
      part = query.after(part.last_key, may_go);
      while (!part.keys.empty()) {
        part.keys.erase(part.keys.begin(), part.keys.begin() + tidy(part, may_go));
      }
      say("taking away what need not be kept", part.last_key, last);
    }
  }

  std::ptrdiff_t tidy(const sweep_part& part, const cutoffs& may_go) {
    tidy_command some(part.keys, may_go);
    commit([&] {
      changes_.begin();
      some.run(changes_);
      changes_.settle();
    });
    done_.machines += some.progress().machines;
    done_.lines += some.progress().lines;
    return static_cast<std::ptrdiff_t>(some.progress().looked_at);
  }

  // Histories that are longer than they may be: the limit was another one when they were written.
  void shorten() {
    const auto limit = changes_.trim.limit();
    if (limit == 0) return;
    say("looking for long histories", 0, 0);
    statement longest(file_,
                      "SELECT machine, generation FROM history WHERE machine > ?1 "
                      "GROUP BY machine, generation HAVING count(*) > ?2 LIMIT 500");
    for (std::int64_t after = 0;;) {
      std::vector<std::pair<std::int64_t, std::int64_t>> some;
      longest.with(after, limit);
      while (longest.next()) some.emplace_back(longest.integer(0), longest.integer(1));
      if (some.empty()) return;
      // The last machine may have more generations than were seen: it is looked at again.
      after = some.size() < 500 ? some.back().first : some.back().first - 1;
      commit([&] {
        for (const auto& [key, generation] : some) done_.lines += cut(key, generation);
      });
    }
  }

  std::int64_t cut(std::int64_t key, std::int64_t generation) {
    const auto current = changes_.ended.with(key).value();
    if (generation == current) return changes_.trim.cut(key, generation);
    return changes_.trim.bound_older(key, current);
  }

  void count_anew() {
    say("counting anew", 0, 0);
    commit([this] {
      file_.run(
          "DELETE FROM history WHERE NOT EXISTS (SELECT 1 FROM machines WHERE key = machine);"
          "DELETE FROM counts;"
          "INSERT INTO counts SELECT phase, state, count(*) FROM machines GROUP BY phase, state;"
          "UPDATE lanes SET ready = 0;"
          "INSERT INTO lanes (lane, ready, parked_until_ms) SELECT lane, count(*), 0 FROM machines "
          "WHERE phase = 'ready' GROUP BY lane "
          "ON CONFLICT (lane) DO UPDATE SET ready = excluded.ready");
    });
  }

  void rewrite() {
    constexpr std::string_view stage = "writing the file anew";
    file_.run("PRAGMA wal_checkpoint(TRUNCATE)");
    const auto used = file_.value("PRAGMA page_count") - file_.value("PRAGMA freelist_count");
    require_space(2 * used * file_.value("PRAGMA page_size"));
    const auto begun = file_.pages_written();
    say(stage, 0, used);
    file_.on_work([&] { say(stage, std::min(file_.pages_written() - begun, used), used); });
    file_.run("VACUUM");
    file_.on_work({});
    file_.run("PRAGMA wal_checkpoint(TRUNCATE)");
    say(stage, used, used);
  }

  // SQLite writes a copy beside the store, and that over the store by way of its log.
  void require_space(std::int64_t bytes) const {
    std::error_code unknown;
    const auto free = fs::space(file_.file().parent_path(), unknown).available;
    if (unknown || free >= static_cast<std::uintmax_t>(bytes)) return;
    constexpr double mega = 1e6;
    throw database_failure(
        {store_error::kind::full,
         fmt::format(
             "{}: writing it anew needs {:.0f} MB on its disk, of which {:.0f} MB are free: "
             "make room; what was not to be kept has gone already, and its space is used again",
             file_.file().string(), static_cast<double>(bytes) / mega,
             static_cast<double>(free) / mega)});
  }

  database& file_;
  const sqlite_retention& keep_;
  const upkeep_watcher& watch_;
  transaction changes_;
  compaction done_;
};

// Temporary files beside the store: its disk is the one with the space, not /tmp. For all
// connections of the process, which have few and small ones.
void keep_temporary_files_beside(database& file) {
  auto directory = file.file().parent_path().string();
  for (std::size_t at = 0; (at = directory.find('\'', at)) != std::string::npos; at += 2) {
    directory.insert(at, 1, '\'');
  }
  file.run("PRAGMA temp_store = FILE");
  file.run(fmt::format("PRAGMA temp_store_directory = '{}'", directory).c_str());
}

}  // namespace
}  // namespace wherry::sqlite

namespace wherry {

std::expected<compaction, store_error> compact_sqlite_store(const std::filesystem::path& file,
                                                            const sqlite_retention& keep,
                                                            const upkeep_watcher& watch) {
  using namespace sqlite;
  return guarded([&] {
    const auto whole = existing_store(file);
    {
      database seen(whole, access::read);
      require_store(seen);
    }
    const owner_lock owner(whole);
    database own(whole, access::write);
    migrate(own);
    keep_temporary_files_beside(own);
    return compactor(own, keep, watch).run();
  });
}

}  // namespace wherry
