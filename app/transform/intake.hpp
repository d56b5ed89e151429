// SPDX-License-Identifier: Apache-2.0
#pragma once
// From the bytes of a report, as they were downloaded, to the text that the scan reads: unpacked,
// in UTF-8, and CSV also where it was JSON. A report that is that already is not touched.
//
//   1. Memory is bounded whatever the report: what comes out stays in memory up to 4 MB and then
//      goes to a file in the directory of the outputs, which has no name (but for `as_file`).
//   2. At most `max_size_bytes` come out of a packed report, and of the making of CSV; more is an
//      error (a bomb), found before it is written.
//
// One object a thread; it keeps its memory from one report to the next.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "transform/report_scan.hpp"
#include "transform/unpack.hpp"

namespace wherry::app {

/// Text that is written once and then read: in memory, or, if it is long, in a file.
class spilled_text {
 public:
  /// `directory`: where files are made; empty: all stays in memory.
  explicit spilled_text(std::string directory) : directory_(std::move(directory)) {}
  ~spilled_text() { clear(); }
  spilled_text(const spilled_text&) = delete;
  spilled_text& operator=(const spilled_text&) = delete;

  /// Forgets what was written. `named`: what is written now has a file with a name.
  void clear(bool named = false);

  /// Errors: io, no_space.
  [[nodiscard]] std::expected<void, transform_error> append(std::string_view bytes);

  /// Returns what was written; it stays until `clear`. Errors: io, no_space.
  [[nodiscard]] std::expected<report_bytes, transform_error> text();

  std::uint64_t size_bytes() const { return size_bytes_; }
  const std::string& path() const { return path_; }  ///< of the file that has a name

 private:
  std::expected<void, transform_error> open();
  std::expected<void, transform_error> flush();

  std::string directory_;
  std::string memory_;  // what is not in the file
  std::string path_;
  bool named_ = false;
  int descriptor_ = -1;
  std::uint64_t size_bytes_ = 0;
  void* mapped_ = nullptr;
  std::size_t mapped_size_ = 0;
};

class intake {
 public:
  struct options {
    std::uint64_t max_size_bytes;
    std::string directory;
  };

  /// Requires: `shape` outlives it.
  intake(const report_shape& shape, options how)
      : shape_(shape), options_(std::move(how)), made_(options_.directory) {}

  /// Returns the text of a report; it stays as long as `bytes`, and until the next one.
  /// Errors: data, columns, too_large; io; what `stopped` says.
  [[nodiscard]] std::expected<report_bytes, transform_error> take(
      report_bytes bytes, const std::function<bool()>& stopped);

  /// The same as a file, for DuckDB to read by itself; `path`: where the bytes lie.
  [[nodiscard]] std::expected<std::string, transform_error> as_file(
      report_bytes bytes, const std::string& path, const std::function<bool()>& stopped);

  /// Lets go of what the last report left.
  void clear() { made_.clear(); }

 private:
  bool is_ready(std::string_view bytes) const;
  std::expected<void, transform_error> make(report_bytes bytes,
                                            const std::function<bool()>& stopped);
  std::expected<void, transform_error> keep(std::string_view text);
  std::unexpected<transform_error> too_large(std::string_view what) const;

  const report_shape& shape_;
  options options_;
  spilled_text made_;
};

}  // namespace wherry::app
