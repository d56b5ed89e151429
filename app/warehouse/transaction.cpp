// SPDX-License-Identifier: Apache-2.0
#include "warehouse/transaction.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace wherry::app {
namespace {

std::string name_of(const load_target& to) {
  return to.warehouse.schema.empty() ? to.warehouse.table
                                     : to.warehouse.schema + "." + to.warehouse.table;
}

template <class Number>
Number number_of(const std::string& text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// What is done for nothing else than its effect.
load_or_failure<> done(load_or_failure<database_rows> ran) {
  if (!ran) return std::unexpected(std::move(ran.error()));
  return {};
}

}  // namespace

failed_load load_transaction::failure_of(load_phase in, const database_error& wrong) const {
  return {explain(in, wrong, "table " + name_of(*to_)), {}};
}

load_or_failure<database_rows> load_transaction::run(load_phase in, const std::string& statement) {
  auto ran = connection_.run(statement);
  if (!ran) return std::unexpected(failure_of(in, ran.error()));
  return *std::move(ran);
}

load_or_failure<load_transaction> load_transaction::begin(const load_target& to,
                                                          const std::stop_token& stop) {
  auto opened = database_connection::open(to.warehouse.url, to.warehouse.timeout, stop);
  if (!opened) {
    return std::unexpected(
        failed_load{explain(load_phase::connect, opened.error(), "table " + name_of(to)), {}});
  }
  load_transaction made{to, *std::move(opened)};
  const auto limit = fmt::format("SET statement_timeout TO {}", to.warehouse.timeout.count());
  if (auto set = done(made.run(load_phase::connect, limit)); !set) {
    return std::unexpected(std::move(set.error()));
  }
  if (auto ready = made.make_loads(); !ready) return std::unexpected(std::move(ready.error()));
  for (const auto& statement : {std::string{"BEGIN"}, sql::lock_loads(to)}) {
    if (auto ran = done(made.run(load_phase::loads, statement)); !ran) {
      return std::unexpected(std::move(ran.error()));
    }
  }
  return made;
}

// Whoever may only use the table that is there need not be allowed to make one.
load_or_failure<> load_transaction::make_loads() {
  auto looked = connection_.run(sql::look_for_loads(*to_));
  if (looked) return {};
  if (looked.error().state != "42P01") {
    return std::unexpected(failure_of(load_phase::loads, looked.error()));
  }
  return done(run(load_phase::loads, sql::create_loads(*to_)));
}

// Neither import may go on: each would delete what the other has loaded, and take it for there.
failed_load load_transaction::taken_by(std::string_view import, std::string_view client,
                                       std::string_view day) const {
  return {{load_failure::kind::stopped, false,
           fmt::format("table {}: the rows of \"{}\" on {} are of the import \"{}\"; let each "
                       "import have a table of its own, or, if that one has ended, delete its "
                       "lines of wherry_loads",
                       name_of(*to_), client, day, import)},
          {}};
}

load_or_failure<std::vector<known_load>> load_transaction::find(
    std::span<const load_item> reports) {
  auto rows = run(load_phase::loads, sql::find_loads(*to_, reports));
  if (!rows) return std::unexpected(std::move(rows.error()));
  std::vector<known_load> known;
  for (auto& row : *rows) {
    if (row[0] != to_->import) return std::unexpected(taken_by(row[0], row[1], row[2]));
    known.push_back(
        {std::move(row[1]), std::move(row[2]), std::move(row[3]), number_of<std::int64_t>(row[4])});
  }
  return known;
}

load_or_failure<> load_transaction::prepare(std::span<const load_item> reports) {
  for (const auto& statement :
       {sql::create_stage(*to_), sql::create_keys(*to_), sql::fill_keys(reports)}) {
    if (auto ran = done(run(load_phase::prepare, statement)); !ran) return ran;
  }
  return {};
}

load_or_failure<> load_transaction::stage(std::span<const load_item> reports,
                                          const std::string& manifest_url) {
  if (auto ready = prepare(reports); !ready) return ready;
  if (manifest_url.empty()) return {};
  return done(run(load_phase::copy, sql::copy_by_manifest(*to_, manifest_url)));
}

load_or_failure<> load_transaction::stage(std::span<const load_item> reports, const rows_of& read) {
  if (auto ready = prepare(reports); !ready) return ready;
  const auto statement = sql::copy_from_client(*to_);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (reports[i].rows == 0) continue;
    std::optional<load_error> unread;
    const auto copied = connection_.copy(statement, [&](const database_connection::receiver& into) {
      auto fed = read(reports[i], into);
      if (!fed) unread = std::move(fed.error());
      return fed.has_value();
    });
    if (copied) continue;
    failed_load failed = unread
                             ? failed_load{{load_failure::kind::data, false, unread->message}, {}}
                             : failure_of(load_phase::copy, copied.error());
    // Each object is a COPY of its own, so the culprit is known.
    if (failed.why.is == load_failure::kind::data) {
      failed.culprits.push_back(
          {i, unread ? *std::move(unread)
                     : load_error{load_error_kind::permanent, failed.why.message}});
    }
    return std::unexpected(std::move(failed));
  }
  return {};
}

load_or_failure<> load_transaction::replace(std::span<const load_item> reports) {
  const auto counted = run(load_phase::replace, sql::count_by_report(*to_));
  if (!counted) return std::unexpected(counted.error());
  const auto all = run(load_phase::replace, sql::count_all());
  if (!all) return std::unexpected(all.error());
  std::vector<std::uint64_t> staged(reports.size());
  for (const auto& row : *counted) {
    const auto report = number_of<std::size_t>(row[0]);
    if (report < staged.size()) staged[report] = number_of<std::uint64_t>(row[1]);
  }
  std::uint64_t wanted = 0;
  for (const auto& each : reports) wanted += each.rows;
  if (const auto wrong = compare_rows(reports, staged); !wrong.empty()) {
    failed_load failed{{load_failure::kind::data, false, wrong.front().message}, {}};
    for (const auto& each : wrong) {
      failed.culprits.push_back({each.report, {load_error_kind::permanent, each.message}});
    }
    return std::unexpected(std::move(failed));
  }
  if (const auto found = number_of<std::uint64_t>(all->at(0).at(0)); found != wanted) {
    return std::unexpected(failed_load{
        {load_failure::kind::data, true,
         fmt::format("the objects have {} rows and not {}: they are made again", found, wanted)},
        {}});
  }
  for (const auto& statement : {sql::delete_old(*to_), sql::insert_new(*to_)}) {
    if (auto ran = done(run(load_phase::replace, statement)); !ran) return ran;
  }
  return {};
}

load_or_failure<> load_transaction::remember(std::span<const load_item> reports,
                                             const sql::load_stamp& stamp) {
  for (const auto& statement :
       {sql::forget_loads(*to_, reports), sql::remember_loads(*to_, reports, stamp)}) {
    if (auto ran = done(run(load_phase::loads, statement)); !ran) return ran;
  }
  return {};
}

load_or_failure<> load_transaction::commit() { return done(run(load_phase::commit, "COMMIT")); }

}  // namespace wherry::app
