// SPDX-License-Identifier: Apache-2.0
#include "warehouse/decide.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::app {
namespace {

using kind = load_failure::kind;

struct known_state {
  std::string_view begin;  ///< of the SQLSTATE
  load_failure::kind is;
  std::string_view remedy;
};

// Those that mean the same in whatever statement. The first that fits decides.
// Source: PostgreSQL 15, "PostgreSQL Error Codes"; AWS, "Serializable isolation" (1023).
constexpr known_state known[] = {
    {"28", kind::stopped, "check user and password in the address of [warehouse]"},
    {"3D000", kind::stopped, "correct the database in the address of [warehouse]"},
    {"3F000", kind::stopped, "correct the schema in `warehouse.table`"},
    {"42501", kind::stopped,
     "grant the user of [warehouse] SELECT, INSERT and DELETE on the table and on wherry_loads, "
     "CREATE on their schema if wherry_loads is not there, and TEMPORARY on the database"},
    {"25006", kind::unreachable,
     "it takes no writes: let the address of [warehouse] name the primary"},
    {"25P03", kind::unreachable,
     "it ends transactions that are idle while objects are fetched; lower `warehouse.batch`, or "
     "raise its idle_in_transaction_session_timeout"},
    {"40", kind::transient, "somebody else changed the same tables; it is tried again"},
    {"55P03", kind::transient, "somebody else holds a lock; it is tried again"},
    {"57014", kind::transient,
     "it took longer than `warehouse.timeout`, or somebody cancelled it; raise it, or lower "
     "`warehouse.batch`"},
    {"53300", kind::unreachable, "it has too many connections; it is tried again"},
    {"53", kind::unreachable, "it lacks memory or space: somebody must give it some"},
    {"57", kind::unreachable, "it is tried again once it is up"},
    {"08", kind::unreachable, "it is tried again"},
    {"58", kind::unreachable, "the server has a problem of its own; it is tried again"},
};

std::string_view remedy_for_data(load_phase in) {
  switch (in) {
    case load_phase::copy:
      return "correct what [transform] makes of the report, or the type of that column in the "
             "table; Redshift says more in sys_load_error_detail";
    case load_phase::prepare:
    case load_phase::loads:
      return "the columns of client and day do not take this client; correct their types";
    default: return "correct what [transform] makes of the report, or the table's columns";
  }
}

bool says(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(), [](char a, char b) {
           const auto lower = [](char c) {
             return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
           };
           return lower(a) == lower(b);
         }) != text.end();
}

// Redshift reports most of what goes wrong in a cluster as XX000, and says in words what it was.
bool is_isolation_violation(const database_error& wrong) {
  return says(wrong.message, "serializable isolation violation");
}

bool object_is_gone(const database_error& wrong) {
  return says(wrong.message, "NoSuchKey") || says(wrong.message, "key does not exist") ||
         says(wrong.message, "content_length");
}

bool bucket_refuses(const database_error& wrong) {
  return says(wrong.message, "AccessDenied") || says(wrong.message, "not authorized to");
}

// An error of a statement that reads or writes rows; before those, only values can be to blame.
bool blames_rows(load_phase in, const database_error& wrong) {
  if (in == load_phase::prepare || in == load_phase::loads) return wrong.state.starts_with("22");
  return (in == load_phase::copy || in == load_phase::replace) &&
         (wrong.state.starts_with("22") || wrong.state.starts_with("23") ||
          wrong.state.starts_with("XX"));
}

}  // namespace

std::vector<load_decision> decide(std::span<const load_item> reports,
                                  std::span<const known_load> known_loads) {
  std::vector<load_decision> decided(reports.size());
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const auto& report = reports[i];
    for (const auto& each : known_loads) {
      if (each.client != report.client || each.day != report.day) continue;
      if (each.sha256 == report.sha256) {
        decided[i] = {load_result::unchanged, each.generation < report.generation};
      } else if (each.generation > report.generation) {
        decided[i] = {load_result::superseded, false};
      }
    }
  }
  return decided;
}

std::vector<wrong_rows> compare_rows(std::span<const load_item> reports,
                                     std::span<const std::uint64_t> staged) {
  std::vector<wrong_rows> wrong;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (staged[i] >= reports[i].rows) continue;  // more: of another, which then has fewer
    wrong.push_back(
        {i, fmt::format("of the {} rows of the report {} have its client \"{}\" and its day {} in "
                        "the columns that `warehouse.client` and `warehouse.day` name: the others "
                        "could not be found again when the day is loaded anew; let [transform] "
                        "write them so",
                        reports[i].rows, staged[i], reports[i].client, reports[i].day)});
  }
  return wrong;
}

load_failure explain(load_phase in, const database_error& wrong, std::string_view table) {
  const auto said = [&](load_failure::kind is, std::string_view remedy) {
    return load_failure{is, false, fmt::format("{}: {}; {}", table, wrong.message, remedy)};
  };
  if (wrong.state.empty()) {
    return said(kind::unreachable, in == load_phase::commit
                                       ? "it is tried again; what has been committed stays once"
                                       : "it is tried again");
  }
  if (is_isolation_violation(wrong)) {
    return said(kind::transient, "somebody else changed the same tables; it is tried again");
  }
  if (in == load_phase::copy && bucket_refuses(wrong)) {
    return said(kind::stopped,
                "allow the role of `warehouse.iam_role` s3:GetObject and s3:ListBucket there");
  }
  if (blames_rows(in, wrong)) {
    auto failure = said(kind::data, remedy_for_data(in));
    failure.object_is_gone = in == load_phase::copy && object_is_gone(wrong);
    return failure;
  }
  if (wrong.state == "42P01" && in == load_phase::prepare) {
    return said(kind::stopped, "make the table, or correct `warehouse.table`");
  }
  if (wrong.state == "42703") {
    return said(kind::stopped,
                "add the column to the table, or take it out of the columns of [transform]");
  }
  const auto* const found = std::ranges::find_if(
      known, [&](const known_state& each) { return wrong.state.starts_with(each.begin); });
  if (found != std::end(known)) return said(found->is, found->remedy);
  // Two that make the table of loads at once: one of them is told that there is one.
  if (in == load_phase::loads && (wrong.state == "23505" || wrong.state == "42P07")) {
    return said(kind::transient, "it is tried again");
  }
  if (wrong.state.starts_with("XX")) return said(kind::transient, "it is tried again");
  return said(kind::stopped, "see that the table and wherry_loads are as docs/warehouse.md says");
}

}  // namespace wherry::app
