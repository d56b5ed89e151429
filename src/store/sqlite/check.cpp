// SPDX-License-Identifier: Apache-2.0
// Looks for what is wrong with a store, in one snapshot of it.

#include <fmt/format.h>

#include <map>
#include <utility>

#include "schema.hpp"
#include "upkeep.hpp"
#include "views.hpp"

namespace wherry::sqlite {
namespace {

/// Findings of one kind that are told one by one.
constexpr std::int64_t told_at_most = 20;

constexpr const char* restore =
    "restore a backup (wherry store backup makes them), or save what can be read with: "
    "sqlite3 FILE .recover";
constexpr const char* count_anew = "stop its import, then: wherry store compact";

class examination {
 public:
  examination(database& file, const upkeep_watcher& watch) : file_(file), watch_(watch) {}

  std::vector<store_finding> all() {
    const std::pair<std::string_view, void (examination::*)()> parts[] = {
        {"checking pages, rows and indexes", &examination::pages},
        {"checking that every line of history has its machine", &examination::orphans},
        {"checking the counts", &examination::counts},
        {"checking the lanes", &examination::lanes},
        {"checking the histories", &examination::histories}};
    file_.run("BEGIN");  // one snapshot for all
    for (const auto& [stage, part] : parts) {
      say(stage);
      file_.on_work([this, stage] { say(stage); });
      try {
        (this->*part)();
      } catch (const database_failure& why) {
        if (why.error().what != store_error::kind::corrupt) throw;
        found_.push_back({why.error().message, restore});
        break;  // what else there is cannot be trusted
      }
    }
    file_.on_work({});
    return std::move(found_);
  }

 private:
  void say(std::string_view stage) const {
    if (watch_) watch_({.stage = stage, .done = 0, .of = 0});
  }

  void pages() {
    statement check(file_, "PRAGMA integrity_check(20)");
    while (check.next()) {
      if (auto text = check.text(0); text != "ok") found_.push_back({std::move(text), restore});
    }
  }

  void orphans() {
    statement check(file_,
                    "SELECT count(*), min(machine) FROM history "
                    "WHERE NOT EXISTS (SELECT 1 FROM machines WHERE key = machine)");
    if (!check.next() || check.integer(0) == 0) return;
    found_.push_back({fmt::format("{} lines of history belong to no machine, the first to key {}",
                                  check.integer(0), check.integer(1)),
                      count_anew});
  }

  void counts() {
    std::map<std::pair<std::string, std::string>, std::pair<std::int64_t, std::int64_t>> both;
    statement said(file_, "SELECT phase, state, n FROM counts");
    while (said.next()) both[{said.text(0), said.text(1)}].first = said.integer(2);
    statement are(file_, "SELECT phase, state, count(*) FROM machines GROUP BY phase, state");
    while (are.next()) both[{are.text(0), are.text(1)}].second = are.integer(2);
    for (const auto& [of, number] : both) {
      if (number.first == number.second) continue;
      found_.push_back({fmt::format("counts says {} machines are {} in {}, but {} are",
                                    number.first, of.first, of.second, number.second),
                        count_anew});
    }
  }

  void lanes() {
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> both;
    statement said(file_, "SELECT lane, ready FROM lanes WHERE ready > 0");
    while (said.next()) both[said.text(0)].first = said.integer(1);
    statement are(file_, "SELECT lane, count(*) FROM machines WHERE phase = 'ready' GROUP BY lane");
    while (are.next()) both[are.text(0)].second = are.integer(1);
    for (const auto& [lane, number] : both) {
      if (number.first == number.second) continue;
      found_.push_back({fmt::format("lanes says {} machines are ready in lane \"{}\", but {} are",
                                    number.first, lane, number.second),
                        count_anew});
    }
  }

  // The lines of a generation, and what retention took away, explain each of its versions once.
  void histories() {
    statement check(file_,
                    "SELECT id, m.version, m.trimmed, coalesce(sum(h.runs), 0) AS told, "
                    "coalesce(max(h.version), 0) AS newest FROM machines m LEFT JOIN history h "
                    "ON h.machine = m.key AND h.generation = m.generation GROUP BY m.key "
                    "HAVING told + m.trimmed <> m.version "
                    "OR (newest <> m.version AND m.trimmed < m.version) LIMIT ?");
    check.with(told_at_most);
    while (check.next()) {
      found_.push_back(
          {fmt::format(
               "machine {} has version {}, but its history tells of {}, {} were trimmed, and "
               "its last line is of version {}",
               check.text(0), check.integer(1), check.integer(3), check.integer(2),
               check.integer(4)),
           "the machine itself is whole and runs on; its past can only come from a backup"});
    }
    statement ahead(file_,
                    "SELECT id, h.generation, m.generation FROM machines m JOIN history h "
                    "ON h.machine = m.key AND h.generation > m.generation LIMIT ?");
    ahead.with(told_at_most);
    while (ahead.next()) {
      found_.push_back(
          {fmt::format("machine {} has a line of generation {}, and is of generation {}",
                       ahead.text(0), ahead.integer(1), ahead.integer(2)),
           restore});
    }
  }

  database& file_;
  const upkeep_watcher& watch_;
  std::vector<store_finding> found_;
};

}  // namespace
}  // namespace wherry::sqlite

namespace wherry {

std::expected<std::vector<store_finding>, store_error> check_sqlite_store(
    const std::filesystem::path& file, const upkeep_watcher& watch) {
  using namespace sqlite;
  return guarded([&] {
    database seen(existing_store(file), access::examine);
    require_store(seen);
    return examination(seen, watch).all();
  });
}

}  // namespace wherry
