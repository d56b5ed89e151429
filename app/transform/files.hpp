// SPDX-License-Identifier: Apache-2.0
#pragma once
// The two files of a run: the report, read, and the output, written whole or removed.
//
// The output is a new file, 0600; what had its name is removed first, not written into. It is not
// fsynced: the caller knows it by size and hash, and a mismatch goes back one state. One object a
// thread.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "transform/error.hpp"

namespace wherry::app {

/// Bytes that are read from front to back.
struct report_bytes {
  std::string_view text;
  bool is_mapped = false;  ///< of a file: its pages may go, and come again when they are read
};

/// Gives back the pages of a mapped file that a reader has passed, so that a report of a gigabyte
/// never takes as much memory. Whoever still looks at them reads them anew. Does nothing otherwise.
class passed_pages {
 public:
  explicit passed_pages(report_bytes of) : from_(of.is_mapped ? of.text.data() : nullptr) {}
  /// Says how far the reader is.
  void up_to(const char* at) {
    if (from_ != nullptr && at - from_ >= step_bytes) drop(at);
  }

 private:
  static constexpr std::ptrdiff_t step_bytes = 16 << 20;
  void drop(const char* at);
  const char* from_;  // null: nothing to give back
};

/// The text of a report. A small file is read into a buffer that is kept from one report to the
/// next (unmapping interrupts every other core); a large one is mapped, so that it does not fill
/// the memory.
class report_file {
 public:
  /// Requires: `buffer` outlives the file.
  [[nodiscard]] static std::expected<report_file, transform_error> open(const std::string& path,
                                                                        std::string& buffer);
  report_file(report_file&& other) noexcept
      : text_(other.text_), mapped_(std::exchange(other.mapped_, false)) {}
  report_file& operator=(report_file&&) = delete;
  ~report_file();

  std::string_view text() const { return text_; }
  report_bytes bytes() const { return {text_, mapped_}; }

 private:
  report_file(std::string_view text, bool mapped) : text_(text), mapped_(mapped) {}
  std::string_view text_;
  bool mapped_;
};

class output_file {
 public:
  /// What there is of an output.
  struct kept {
    std::uint64_t size_bytes = 0;
    std::optional<std::string> returned{};  ///< instead of a file
  };

  /// Creates the file; an output of at most `returned_bytes` stays in memory and makes none.
  /// Errors: io, with path and remedy.
  [[nodiscard]] static std::expected<output_file, transform_error> create(
      const std::string& path, std::size_t returned_bytes = 0);

  /// Creates the file, or takes the one that is there: making one costs more than filling it. For
  /// names that are nobody else's.
  [[nodiscard]] static std::expected<output_file, transform_error> reuse(const std::string& path);
  output_file(output_file&& other) noexcept;
  output_file& operator=(output_file&&) = delete;

  /// Removes the file unless `keep` was called and succeeded.
  ~output_file();

  [[nodiscard]] std::expected<void, transform_error> write(std::string_view bytes);

  /// Closes the file and keeps it.
  [[nodiscard]] std::expected<kept, transform_error> keep();

  /// The same, under another name in the same file system; a file of at most `returned_bytes` is
  /// returned and stays where it is, for the next `reuse`.
  [[nodiscard]] std::expected<kept, transform_error> keep_as(const std::string& path,
                                                             std::size_t returned_bytes);

 private:
  output_file(std::string path, std::size_t returned_bytes)
      : path_(std::move(path)), returned_bytes_(returned_bytes) {}
  std::expected<void, transform_error> open();
  std::expected<void, transform_error> flush(std::string_view bytes);

  std::string path_;
  std::size_t returned_bytes_;
  std::string small_;  // all that there is, while there is no file
  int descriptor_ = -1;
};

/// Says in one sentence why a file operation failed, and what to do. Requires: `error` is an errno.
std::string file_trouble(std::string_view doing, std::string_view path, int error);

}  // namespace wherry::app
