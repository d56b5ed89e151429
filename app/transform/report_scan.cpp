// SPDX-License-Identifier: Apache-2.0
#include "transform/report_scan.hpp"

#include <cctype>
#include <cstring>

#include <fmt/format.h>

#include "transform/decimal.hpp"
#include "transform/shown_text.hpp"

namespace wherry::app {
namespace {

using kind = transform_error::kind;

// Points a string at text that outlives it, or copies it in when it is short.
void put_text(duckdb_string_t& to, std::string_view text) {
  std::memset(&to, 0, sizeof to);
  to.value.inlined.length = static_cast<std::uint32_t>(text.size());
  if (text.size() <= sizeof to.value.inlined.inlined) {
    std::memcpy(to.value.inlined.inlined, text.data(), text.size());
  } else {
    std::memcpy(to.value.pointer.prefix, text.data(), sizeof to.value.pointer.prefix);
    to.value.pointer.ptr = const_cast<char*>(text.data());
  }
}

template <class Value>
bool store(void* data, idx_t row, const std::optional<Value>& value) {
  if (!value) return false;
  static_cast<Value*>(data)[row] = *value;
  return true;
}

bool store_decimal(const report_column& column, void* data, idx_t row, std::string_view text) {
  const auto value = parse_decimal(trimmed(text), column.width, column.scale);
  if (!value) return false;
  if (column.width <= 4)
    static_cast<std::int16_t*>(data)[row] = static_cast<std::int16_t>(*value);
  else if (column.width <= 9)
    static_cast<std::int32_t*>(data)[row] = static_cast<std::int32_t>(*value);
  else if (column.width <= 18)
    static_cast<std::int64_t*>(data)[row] = static_cast<std::int64_t>(*value);
  else
    static_cast<duckdb_hugeint*>(data)[row] = to_hugeint(*value);
  return true;
}

}  // namespace

std::string in_lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool report_shape::is_json() const {
  return format.type == report_format::kind::json || format.type == report_format::kind::jsonl;
}

csv_dialect report_shape::dialect() const {
  if (is_json()) return {};
  const char usual = format.type == report_format::kind::tsv ? '\t' : ',';
  return {.delimiter = format.delimiter != '\0' ? format.delimiter : usual,
          .quote = format.quote,
          .escape = format.escape};
}

std::string cut_value(std::string_view text) {
  constexpr std::size_t most = 40;
  if (text.size() <= most) return plain_text(text);
  std::size_t length = most;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
  return plain_text(text.substr(0, length));
}

std::string not_of_type(const report_column& column, std::string_view value) {
  return fmt::format("column \"{}\": '{}' is not a {}", column.name, cut_value(value),
                     in_lower_case(column.type));
}

report_scan::report_scan(const report_shape& shape, const report_layout& layout, csv_reader reader,
                         passed_pages pages, row_sieve* sieve)
    : shape_(shape), layout_(layout), reader_(reader), pages_(pages), sieve_(sieve) {
  if (shape_.format.totals > 0 && !shape_.is_json()) hold_totals_back();
}

// A second reader goes ahead by as many rows as are totals. A malformed one is met by the first.
void report_scan::hold_totals_back() {
  ahead_ = reader_;
  std::vector<csv_field> record;
  int held = 0;
  while (held < shape_.format.totals) {
    const auto more = ahead_->next(record);
    if (!more) return;
    if (!*more) break;
    if (!is_blank(record) || shape_.columns.size() == 1) ++held;
  }
  too_few_for_totals_ = held > 0 && held < shape_.format.totals;
}

// Tells whether all records from the last one on begin as totals do.
bool report_scan::only_totals_follow() {
  if (no_totals_before_ != nullptr && reader_.position() <= no_totals_before_) return false;
  csv_reader look = reader_;
  std::vector<csv_field> record;
  for (;;) {
    const auto more = look.next(record);
    if (!more) return false;  // the scan itself meets it
    if (!*more) return true;
    if (is_blank(record) || record[0].text.starts_with(shape_.format.totals_begin)) continue;
    no_totals_before_ = look.position();
    return false;
  }
}

void report_scan::aim(duckdb_data_chunk chunk) {
  const auto vector_of = [&](std::size_t column) {
    return duckdb_data_chunk_get_vector(chunk, column);
  };
  targets_.clear();
  for (const auto index : layout_.order) {
    const duckdb_vector vector = vector_of(index);
    targets_.push_back({&shape_.columns[index], vector, duckdb_vector_get_data(vector)});
  }
  absent_.clear();
  for (const auto index : layout_.absent) absent_.push_back(vector_of(index));
  if (duckdb_data_chunk_get_column_count(chunk) > shape_.columns.size()) {
    places_ = static_cast<std::int64_t*>(duckdb_vector_get_data(vector_of(shape_.columns.size())));
  }
}

bool report_scan::put_typed(const target& to, idx_t row, std::string_view text) const {
  switch (to.column->read_as) {
    case DUCKDB_TYPE_BOOLEAN: return store(to.data, row, parse_boolean(text));
    case DUCKDB_TYPE_SMALLINT: return store(to.data, row, parse_integer<std::int16_t>(text));
    case DUCKDB_TYPE_INTEGER: return store(to.data, row, parse_integer<std::int32_t>(text));
    case DUCKDB_TYPE_BIGINT: return store(to.data, row, parse_integer<std::int64_t>(text));
    case DUCKDB_TYPE_DOUBLE: return store(to.data, row, parse_double(text));
    case DUCKDB_TYPE_DATE: return store(to.data, row, parse_date(text));
    case DUCKDB_TYPE_DECIMAL: return store_decimal(*to.column, to.data, row, text);
    default: return false;
  }
}

std::string report_scan::value_of(const csv_field& field) const {
  if (!field.doubled) return std::string(field.text);
  std::string value;
  append_unquoted(value, field.text, reader_.dialect());
  return value;
}

bool report_scan::put(const target& to, idx_t row, const csv_field& field) {
  const bool text_column = to.column->read_as == DUCKDB_TYPE_VARCHAR && !to.column->cast;
  if (field.text.empty() && !(field.quoted && text_column)) {
    set_null(to.vector, row);
    return true;
  }
  std::string_view text = field.text;
  if (field.doubled) {
    scratch_.clear();
    append_unquoted(scratch_, text, reader_.dialect());
    text = scratch_;
  }
  if (to.column->read_as != DUCKDB_TYPE_VARCHAR) return put_typed(to, row, text);
  if (field.doubled) {
    duckdb_vector_assign_string_element_len(to.vector, row, text.data(), text.size());
  } else {
    put_text(static_cast<duckdb_string_t*>(to.data)[row], text);
  }
  return true;
}

// The next record that is a row, or a bad one.
report_scan::found report_scan::next() {
  if (too_few_for_totals_) {
    error_ = {kind::data, fmt::format("the report has fewer rows than the {} totals at its end. "
                                      "Correct totals in [source.format]",
                                      shape_.format.totals)};
    return found::error;
  }
  const bool blanks_are_rows = shape_.columns.size() == 1;
  while (ahead_) {
    const auto more = ahead_->next(fields_);
    if (more && !*more) return found::end;
    if (!more || blanks_are_rows || !is_blank(fields_)) break;
  }
  for (;;) {
    const auto more = reader_.next(fields_);
    if (!more) {
      error_ = {kind::data, fmt::format("line {}: {}. Correct the report at its source",
                                        more.error().line, more.error().what)};
      return found::error;
    }
    if (!*more) return found::end;
    if (is_blank(fields_) && !blanks_are_rows) continue;
    const auto& begin = shape_.format.totals_begin;
    if (begin.empty() || !fields_[0].text.starts_with(begin)) return found::row;
    return only_totals_follow() ? found::end : found::row;
  }
}

// False: it is a bad one; `why_bad` says why.
bool report_scan::put_row(idx_t row) {
  bad_field_ = fields_.size();
  if (fields_.size() != targets_.size()) return false;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (put(targets_[i], row, fields_[i])) continue;
    bad_field_ = i;
    return false;
  }
  return true;
}

std::string report_scan::why_bad() const {
  if (bad_field_ < fields_.size()) {
    return not_of_type(*targets_[bad_field_].column, value_of(fields_[bad_field_]));
  }
  return fmt::format("{} fields where {} {}{}", fields_.size(),
                     shape_.format.header ? "the header has" : "the columns are", targets_.size(),
                     fields_.size() < targets_.size() ? " (is the report cut short?)" : "");
}

transform_error report_scan::bad_row() const {
  const bool is_value = bad_field_ < fields_.size();
  return {
      kind::data,
      fmt::format("{} {}{} {}. {}", shape_.place_word(), place(), is_value ? "," : ":", why_bad(),
                  is_value ? wrong_value_remedy : "Correct the report at its source")};
}

// Whatever was put into a row that is none.
void report_scan::unput(idx_t row) const {
  for (const auto& each : targets_) {
    auto* const valid = duckdb_vector_get_validity(each.vector);
    if (valid != nullptr) duckdb_validity_set_row_valid(valid, row);
  }
}

// A row whose fields could be read, and which the view's casts find bad.
bool report_scan::drops(idx_t row) {
  if (sieve_ == nullptr || sieve_->uncastable.empty()) return false;
  const auto found = sieve_->uncastable.find(place());
  if (found == sieve_->uncastable.end()) return false;
  if (sieve_->drop) {
    std::string reason;
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      const auto& column = shape_.columns[found->second];
      if (targets_[i].column == &column) reason = not_of_type(column, value_of(fields_[i]));
    }
    sieve_->drop({place(), reason, reader_.record()});
  }
  unput(row);
  return true;
}

std::expected<idx_t, transform_error> report_scan::fill(duckdb_data_chunk chunk) {
  if (at_end_) return 0;
  aim(chunk);
  pages_.up_to(reader_.position());  // of the chunks before this one
  const idx_t most = duckdb_vector_size();
  idx_t row = 0;
  while (row < most) {
    const auto what = next();
    if (what == found::error) return std::unexpected(*error_);
    if (what == found::end) {
      at_end_ = true;
      break;
    }
    ++records_;
    if (!put_row(row)) {
      if (sieve_ == nullptr) return std::unexpected(bad_row());
      if (sieve_->drop) sieve_->drop({place(), why_bad(), reader_.record()});
      unput(row);
      continue;
    }
    if (drops(row)) continue;
    if (places_ != nullptr) places_[row] = static_cast<std::int64_t>(place());
    ++row;
  }
  for (const auto vector : absent_) {
    for (idx_t each = 0; each < row; ++each) set_null(vector, each);
  }
  rows_ += row;
  return row;
}

}  // namespace wherry::app
