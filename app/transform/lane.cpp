// SPDX-License-Identifier: Apache-2.0
#include "transform/lane.hpp"

#include <unistd.h>
#include <atomic>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "transform/rejected_rows.hpp"
#include "transform/result_writer.hpp"

namespace wherry::app {
namespace {

using kind = transform_error::kind;

// As much CSV as is compressed at once: most reports are one block, a huge one stays bounded.
constexpr std::size_t block_size_bytes = 4u << 20;

// DuckDB takes 32 MB for each buffer of its CSV reader and holds a few, however small the report
// is: eight lanes would be out of memory. Twice its longest line is the least that makes sense.
constexpr std::size_t sniff_buffer_size_bytes = 4u << 20;

std::expected<text_table, transform_error> first_rows(duckdb_connection connection,
                                                      const std::string& from, std::size_t rows) {
  text_table table;
  auto columns = describe(connection, fmt::format("select * from {}", from), kind::sql);
  if (!columns) return std::unexpected(std::move(columns.error()));
  std::vector<std::string> texts;
  for (const auto& one : *columns)
    texts.push_back(fmt::format("cast({} as varchar)", quoted_name(one.name)));
  auto result = query(connection,
                      fmt::format("select {} from {} limit {}", fmt::join(texts, ", "), from, rows),
                      kind::data);
  if (!result) return std::unexpected(std::move(result.error()));
  table.columns = std::move(*columns);
  table.rows = read_texts(*result);
  return table;
}

}  // namespace

transform_lane::transform_lane(connection_handle connection, const report_shape& shape,
                               output_options output)
    : connection_(std::move(connection)),
      shape_(shape),
      input_(shape),
      intake_(shape, {output.max_report_bytes, output.directory}),
      output_(std::move(output)),
      compressor_(output_.codec) {
  static std::atomic<unsigned> lanes = 0;  // of the process: two transformers may share a directory
  parquet_ = fmt::format("{}/.wherry-{}-{}.parquet", output_.directory, ::getpid(), ++lanes);
}

transform_lane::~transform_lane() {
  if (output_.format == file_format::parquet) ::unlink(parquet_.c_str());
}

std::expected<void, transform_error> transform_lane::prepare_for(const result_plan& plan) {
  const auto select = plan.select(output_.format);
  const auto sql =
      output_.format != file_format::parquet
          ? select
          : fmt::format("copy ({}) to {} (format parquet, compression {}, use_tmp_file false)",
                        select, quoted_text(parquet_),
                        output_.codec == compression::gzip ? "gzip" : "zstd");
  auto statement = prepare(connection_.get(), sql, kind::sql);
  if (!statement) return std::unexpected(std::move(statement.error()));
  statement_ = std::move(*statement);
  return {};
}

// A streamed result comes while the report is still being read.
std::expected<result_handle, transform_error> transform_lane::execute(
    duckdb_prepared_statement statement, delivery how) {
  const auto wrong = [](const char* error) {
    return std::unexpected(
        from_duckdb(error == nullptr ? "DuckDB gives no reason" : error, kind::data));
  };
  pending_handle pending;
  const auto begun = how == delivery::streamed
                         ? duckdb_pending_prepared_streaming(statement, pending.out())
                         : duckdb_pending_prepared(statement, pending.out());
  if (begun != DuckDBSuccess) return wrong(duckdb_pending_error(pending.get()));
  // Beginning made DuckDB forget interruptions that had come; it keeps those from here on.
  if (input_.stopped()) return failure(kind::interrupted, "interrupted");
  result_handle result;
  if (duckdb_execute_pending(pending.get(), result.out()) == DuckDBSuccess) return result;
  return wrong(duckdb_result_error(result.address()));
}

std::expected<text_rows, transform_error> transform_lane::texts_of(const std::string& sql) {
  const auto statement = prepare(connection_.get(), sql, kind::data);
  if (!statement) return std::unexpected(statement.error());
  auto result = execute(statement->get(), delivery::whole);
  if (!result) return std::unexpected(std::move(result.error()));
  return read_texts(*result);
}

std::expected<void, transform_error> transform_lane::load(report_bytes bytes) {
  if (bytes.text.empty()) return failure(kind::data, report_input::empty_report);
  const auto text = intake_.take(bytes, [this] { return input_.stopped(); });
  if (!text) return std::unexpected(text.error());
  return input_.load(*text);
}

std::expected<result_plan, transform_error> transform_lane::sniff(report_bytes bytes,
                                                                  const std::string& path,
                                                                  const transform& transform) {
  const auto file = intake_.as_file(bytes, path, [this] { return input_.stopped(); });
  if (!file) return std::unexpected(file.error());
  const auto dialect = shape_.dialect();
  const auto text_of = [](char one) {
    return quoted_text(one == '\0' ? std::string{} : std::string(1, one));
  };
  const auto view = fmt::format(
      "create or replace temp view report as select * from read_csv({}, header = true, skip = {}, "
      "delim = {}, quote = {}, escape = {}, sample_size = -1, allow_quoted_nulls = false, "
      "buffer_size = {})",
      quoted_text(*file), shape_.format.skip, text_of(dialect.delimiter), text_of(dialect.quote),
      text_of(dialect.escape == '\0' ? dialect.quote : dialect.escape), sniff_buffer_size_bytes);
  auto created = query(connection_.get(), view, kind::data);
  if (!created) return std::unexpected(std::move(created.error()));
  auto plan = plan_result(connection_.get(), transform);
  if (!plan) return plan;
  if (auto ready = prepare_for(*plan); !ready) return std::unexpected(std::move(ready.error()));
  return plan;
}

std::expected<void, transform_error> transform_lane::prepare_sieve(const std::string& uncastable) {
  if (uncastable.empty()) return {};
  auto statement = prepare(connection_.get(), uncastable, kind::columns);
  if (!statement) return std::unexpected(std::move(statement.error()));
  uncastable_ = std::move(*statement);
  uncastable_sql_ = uncastable;
  return {};
}

// Rows that the scan reads and the view's casts refuse. They are kept, so they are bounded.
std::expected<void, transform_error> transform_lane::find_uncastable() {
  constexpr std::size_t most = 1'000'000;
  auto result = execute(uncastable_.get(), delivery::streamed);
  if (!result) return std::unexpected(std::move(result.error()));
  for (;;) {
    const chunk_handle chunk(duckdb_fetch_chunk(*result->address()));
    if (chunk.get() == nullptr) break;
    const column_of<std::int64_t> places(duckdb_data_chunk_get_vector(chunk.get(), 0));
    const column_of<std::int64_t> columns(duckdb_data_chunk_get_vector(chunk.get(), 1));
    for (idx_t row = 0, rows = duckdb_data_chunk_get_size(chunk.get()); row < rows; ++row) {
      sieve_.uncastable.emplace(static_cast<std::uint64_t>(places[row]),
                                static_cast<std::size_t>(columns[row]));
    }
    if (sieve_.uncastable.size() > most) {
      return failure(kind::data, fmt::format("over {} rows cannot be read. Correct the report at "
                                             "its source, or the types in [source] columns",
                                             most));
    }
  }
  if (const char* error = duckdb_result_error(result->address());
      error != nullptr && *error != '\0') {
    return std::unexpected(from_duckdb(error, kind::data));
  }
  return {};
}

std::expected<std::uint64_t, transform_error> transform_lane::sift(const quarantine& allowed,
                                                                   const std::string& path) {
  sieve_ = {};
  input_.drop_by(&sieve_);
  if (!uncastable_sql_.empty()) {
    if (auto found = find_uncastable(); !found) {
      return std::unexpected(input_.stopped() || !input_.error() ? found.error() : *input_.error());
    }
  }
  rejected_rows rejected(path, shape_.place_word());
  sieve_.drop = [&](const row_sieve::bad_row& row) { rejected.add(row); };
  input_.drop_by(&sieve_);
  const auto good = input_.finish();
  sieve_.drop = nullptr;
  if (!good) return std::unexpected(good.error());
  if (auto kept = rejected.finish(*good, allowed); !kept) {
    return std::unexpected(std::move(kept.error()));
  }
  input_.drop_by(&sieve_);  // from here on in silence
  return rejected.count();
}

std::expected<transform_result, transform_error> transform_lane::run(const result_plan& plan,
                                                                     const transform_job& job,
                                                                     bool sniffed) {
  const bool text = output_.format != file_format::parquet;
  if (auto ready = renew_statements(plan); !ready) return std::unexpected(std::move(ready.error()));
  auto file =
      text ? output_file::create(job.output, job.returned_bytes) : output_file::reuse(parquet_);
  if (!file) return std::unexpected(std::move(file.error()));
  transform_result result;
  const auto rows_out = text ? write_text(plan, *file) : write_parquet();
  if (!rows_out) return std::unexpected(explained(rows_out.error(), plan));
  result.rows_out = *rows_out;
  const auto rows_in = sniffed ? count_rows() : input_.finish();
  if (!rows_in) return std::unexpected(rows_in.error());
  result.rows_in = *rows_in;
  auto kept = text ? file->keep() : file->keep_as(job.output, job.returned_bytes);
  if (!kept) return std::unexpected(std::move(kept.error()));
  result.size_bytes = kept->size_bytes;
  result.output = std::move(kept->returned);
  return result;
}

// DuckDB 1.4 keeps some kilobytes of each execution of a prepared statement until that is
// destroyed.
std::expected<void, transform_error> transform_lane::renew_statements(const result_plan& plan) {
  constexpr int executions_at_most = 200;
  if (++executions_ < executions_at_most) return {};
  executions_ = 0;
  if (auto ready = prepare_for(plan); !ready) return ready;
  return prepare_sieve(uncastable_sql_);
}

std::expected<std::uint64_t, transform_error> transform_lane::write_text(const result_plan& plan,
                                                                         output_file& file) {
  auto result = execute(statement_.get(), delivery::streamed);
  if (!result) return std::unexpected(std::move(result.error()));
  std::uint64_t rows = 0;
  text_.clear();
  result_writer writer(*result->address(), plan.columns, output_.format);
  writer.header(text_);
  for (;;) {
    const chunk_handle chunk(duckdb_fetch_chunk(*result->address()));
    if (chunk.get() == nullptr) break;
    if (input_.stopped()) return failure(kind::interrupted, "interrupted");
    writer.rows(chunk.get(), text_);
    rows += duckdb_data_chunk_get_size(chunk.get());
    if (text_.size() < block_size_bytes) continue;
    if (auto flushed = flush(file); !flushed) return std::unexpected(std::move(flushed.error()));
  }
  if (const char* error = duckdb_result_error(result->address());
      error != nullptr && *error != '\0') {
    return std::unexpected(from_duckdb(error, kind::data));
  }
  if (!text_.empty()) {
    if (auto flushed = flush(file); !flushed) return std::unexpected(std::move(flushed.error()));
  }
  return rows;
}

std::expected<void, transform_error> transform_lane::flush(output_file& file) {
  if (output_.codec == compression::none) {
    auto written = file.write(text_);
    text_.clear();
    return written;
  }
  compressor_.compress(text_, compressed_);
  text_.clear();
  return file.write(compressed_);
}

std::expected<std::uint64_t, transform_error> transform_lane::write_parquet() {
  auto result = execute(statement_.get(), delivery::whole);
  if (!result) return std::unexpected(std::move(result.error()));
  return duckdb_rows_changed(result->address());
}

std::expected<std::uint64_t, transform_error> transform_lane::count_rows() {
  const auto rows = texts_of("select cast(count(*) as varchar) from report");
  if (!rows) return std::unexpected(rows.error());
  return std::stoull((*rows)[0][0].value_or("0"));
}

std::expected<transform_preview, transform_error> transform_lane::preview(const result_plan& plan,
                                                                          std::size_t rows) {
  auto before = first_rows(connection_.get(), "report", rows);
  if (!before) return std::unexpected(explained(std::move(before.error()), plan));
  auto after = first_rows(connection_.get(),
                          fmt::format("({}) as written", plan.select(file_format::parquet)), rows);
  if (!after) return std::unexpected(explained(std::move(after.error()), plan));
  return transform_preview{std::move(*before), std::move(*after)};
}

// Adds the column to the error of a cast: DuckDB names only the value. It costs another run or two
// of the SQL, on this path alone.
transform_error transform_lane::explained(transform_error error, const result_plan& plan) {
  // Whatever DuckDB calls it: a stopped run says nothing about the report.
  if (input_.stopped()) return {kind::interrupted, "interrupted", false};
  if (input_.error()) return *input_.error();
  if (error.what != kind::data) return error;
  for (const auto& cast : plan.casts) {
    const auto name = quoted_name(cast.name);
    const auto rows = texts_of(fmt::format(
        "select left(cast({0} as varchar), 40) from ({1}\n) as result where {0} is not null and "
        "try_cast({0} as {2}) is null limit 1",
        name, plan.sql, cast.to));
    if (input_.stopped()) return {kind::interrupted, "interrupted", false};
    if (!rows || rows->empty()) continue;
    error.message = fmt::format(
        "column \"{}\": '{}' ({}) does not fit {}, the type declared in [transform] columns. "
        "Declare a wider type, or correct the SQL",
        cast.name, (*rows)[0][0].value_or(""), cast.from, cast.to);
    return error;
  }
  return error;
}

void transform_lane::interrupt() {
  input_.stop();
  duckdb_interrupt(connection_.get());
}

}  // namespace wherry::app
