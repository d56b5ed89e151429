// SPDX-License-Identifier: Apache-2.0
#pragma once
// The rows of a report that cannot be read, put aside: a plain CSV of place, reason and the row as
// it stood, in the order of the report; and whether they are too many. One object a report.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/spec.hpp"
#include "transform/error.hpp"
#include "transform/files.hpp"
#include "transform/report_scan.hpp"

namespace wherry::app {

class rejected_rows {
 public:
  /// `path`: where they are written, once there is one; empty: they are counted and not written.
  /// `place_word`: "line" or "row".
  rejected_rows(std::string path, std::string_view place_word);

  /// Takes one. What goes wrong is kept for `finish`.
  void add(const row_sieve::bad_row& row);

  std::uint64_t count() const { return count_; }

  /// Completes the file, if there is one. `good`: how many rows could be read.
  /// Errors: data, naming the first, when they are more than allowed (and no file stays); io,
  /// no_space.
  [[nodiscard]] std::expected<void, transform_error> finish(std::uint64_t good,
                                                            const quarantine& allowed);

 private:
  void write();

  std::string path_;
  std::string place_word_;
  std::uint64_t count_ = 0;
  std::vector<std::string> first_;
  std::string text_;
  std::optional<output_file> file_;
  std::optional<transform_error> error_;
};

}  // namespace wherry::app
