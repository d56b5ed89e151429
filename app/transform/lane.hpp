// SPDX-License-Identifier: Apache-2.0
#pragma once
// One of a transformer's N ways through DuckDB: a connection with its prepared statement, the input
// it reads from, and buffers that keep their memory from one report to the next. One thread at a
// time, but for `interrupt`.

#include <expected>
#include <string>
#include <string_view>

#include "transform/compress.hpp"
#include "transform/database.hpp"
#include "transform/files.hpp"
#include "transform/functions.hpp"
#include "transform/intake.hpp"
#include "transform/plan.hpp"
#include "transform/report_table.hpp"
#include "transform/transformer.hpp"

namespace wherry::app {

class transform_lane {
 public:
  struct output_options {
    file_format format;
    compression codec;
    std::string directory;  ///< where Parquet files are written before they get their name
    std::uint64_t max_report_bytes;
  };

  transform_lane(connection_handle connection, const report_shape& shape, output_options output);
  ~transform_lane();
  transform_lane(const transform_lane&) = delete;
  transform_lane& operator=(const transform_lane&) = delete;

  duckdb_connection connection() const { return connection_.get(); }
  report_input& input() { return input_; }

  /// Takes the next report. Requires: `bytes` outlives its use.
  /// Errors: data, columns, too_large, io, interrupted.
  [[nodiscard]] std::expected<void, transform_error> load(report_bytes bytes);

  std::string& report_buffer() { return report_; }

  /// Whose report is next, for the functions that tell.
  void set_subject(report_subject of) { subject_ = std::move(of); }
  const report_subject& subject() const { return subject_; }

  /// Prepares the statement that `run` executes.
  [[nodiscard]] std::expected<void, transform_error> prepare_for(const result_plan& plan);

  /// Takes a report whose columns are guessed by DuckDB, and prepares for it.
  [[nodiscard]] std::expected<result_plan, transform_error> sniff(report_bytes bytes,
                                                                  const std::string& path,
                                                                  const transform& transform);

  /// Prepares for `sift`. `uncastable`: what report_table selects; empty: there are none.
  [[nodiscard]] std::expected<void, transform_error> prepare_sieve(const std::string& uncastable);

  /// Lets the rows of the loaded report drop that cannot be read, and writes them to `path`; if
  /// that is empty, they are counted alone. Returns how many there are; without any there is no
  /// file. Requires: `prepare_sieve`. Errors: data when they are more than allowed; those of `run`.
  [[nodiscard]] std::expected<std::uint64_t, transform_error> sift(const quarantine& allowed,
                                                                   const std::string& path);

  /// Executes the statement and writes the output. Requires: `prepare_for`; a loaded input, unless
  /// the report was sniffed.
  [[nodiscard]] std::expected<transform_result, transform_error> run(const result_plan& plan,
                                                                     const transform_job& job,
                                                                     bool sniffed);

  /// The first rows of `report` and of the result.
  [[nodiscard]] std::expected<transform_preview, transform_error> preview(const result_plan& plan,
                                                                          std::size_t rows);

  /// Forgets an earlier interruption.
  void begin() { input_.resume(); }
  /// Lets go of what the last report left on the disk.
  void end() { intake_.clear(); }
  /// Makes the run under way fail soon as `interrupted`, whenever in it that comes.
  void interrupt();

 private:
  enum class delivery { streamed, whole };
  std::expected<result_handle, transform_error> execute(duckdb_prepared_statement statement,
                                                        delivery how);
  std::expected<text_rows, transform_error> texts_of(const std::string& sql);
  std::expected<std::uint64_t, transform_error> write_text(const result_plan& plan,
                                                           output_file& file);
  std::expected<std::uint64_t, transform_error> write_parquet();
  std::expected<void, transform_error> renew_statements(const result_plan& plan);
  std::expected<void, transform_error> flush(output_file& file);
  std::expected<std::uint64_t, transform_error> count_rows();
  std::expected<void, transform_error> find_uncastable();
  transform_error explained(transform_error error, const result_plan& plan);

  connection_handle connection_;
  const report_shape& shape_;
  report_subject subject_;
  report_input input_;
  intake intake_;
  output_options output_;
  std::string parquet_;  // a COPY prepared once has one path: a large file is renamed to its own
  block_compressor compressor_;
  statement_handle statement_;
  statement_handle uncastable_;
  std::string uncastable_sql_;  // empty: no row is
  int executions_ = 0;          // since the statements were prepared
  row_sieve sieve_;
  std::string report_;  // the text of a small report
  std::string text_;    // CSV not yet compressed
  std::string compressed_;
};

}  // namespace wherry::app
