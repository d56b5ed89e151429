// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is decided in a load, without doing any of it: which reports are to be loaded and which are
// there, whose rows are wrong, what a database's error means. Pure.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/load.hpp"

namespace wherry::app {

/// What the table of loads says of a report.
struct known_load {
  std::string client;
  std::string day;
  std::string sha256;
  std::int64_t generation = 0;
};

struct load_decision {
  load_result result = load_result::loaded;  ///< what will have been done for the report
  bool writes = true;                        ///< whether anything is to be written for that
  friend bool operator==(const load_decision&, const load_decision&) = default;
};

/// Decides for each report. The same bytes are loaded once, and the line that says so takes the
/// newest generation that had them; other bytes of a newer generation stay.
[[nodiscard]] std::vector<load_decision> decide(std::span<const load_item> reports,
                                                std::span<const known_load> known);

/// Compares staged rows with what each report should have. Errors: by number of the report, those
/// whose rows are not under its own client and day, so that they could not be found again.
struct wrong_rows {
  std::size_t report = 0;
  std::string message;
};
[[nodiscard]] std::vector<wrong_rows> compare_rows(std::span<const load_item> reports,
                                                   std::span<const std::uint64_t> staged);

/// Where in a load a statement stands.
enum class load_phase {
  connect,
  loads,    ///< the table wherry_loads
  prepare,  ///< the target's columns, and the reports' keys in them
  copy,
  replace,  ///< delete, insert
  commit,
};

/// What a database says of a statement that failed.
struct database_error {
  std::string state;  ///< SQLSTATE; empty: the connection is gone
  std::string message;
};

/// What it means for a load.
struct load_failure {
  enum class kind {
    transient,    ///< all of it again
    unreachable,  ///< all of it again, after a while
    stopped,      ///< for every report alike, until somebody has changed something
    data,         ///< one of the reports is to blame, and it is not said which
  };
  kind is = kind::transient;
  bool object_is_gone = false;  ///< of `data`
  std::string message;
};

/// Requires: `table` is how the table of the load is called in messages.
[[nodiscard]] load_failure explain(load_phase in, const database_error& wrong,
                                   std::string_view table);

}  // namespace wherry::app
