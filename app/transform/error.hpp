// SPDX-License-Identifier: Apache-2.0
#pragma once
// What can go wrong when a report is transformed, as one value that names the place and the remedy.
// `permanent` says whether the same report would fail again: a full disk may be relieved, a
// malformed file may not. Plain data.

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace wherry::app {

struct transform_error {
  enum class kind {
    sql,          ///< the SQL does not parse, bind or run
    columns,      ///< columns of the report or of the result are not those declared
    unit,         ///< convert_unit: unknown or incompatible units
    currency,     ///< convert_currency: unknown currency, no rate for the day
    data,         ///< the report's content: malformed CSV, a value that does not fit its column
    too_large,    ///< the report unpacks to more than [source] max_size
    io,           ///< reading, writing, memory
    no_space,     ///< the disk is full
    interrupted,  ///< by a stop request
  };
  kind what;
  std::string message;
  bool permanent = true;
};

/// Makes the failure that a function returns. Memory, files and interruptions may be tried again.
inline std::unexpected<transform_error> failure(transform_error::kind what, std::string message) {
  const bool passing = what == transform_error::kind::io ||
                       what == transform_error::kind::no_space ||
                       what == transform_error::kind::interrupted;
  return std::unexpected(transform_error{what, std::move(message), !passing});
}

}  // namespace wherry::app
