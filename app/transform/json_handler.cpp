// SPDX-License-Identifier: Apache-2.0
#include "transform/json_handler.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "transform/csv_writer.hpp"
#include "transform/json_rows.hpp"

namespace wherry::app {
namespace {

std::vector<std::string> steps_of(std::string_view path) {
  std::vector<std::string> steps;
  while (!path.empty()) {
    const auto dot = std::min(path.find('.'), path.size());
    steps.emplace_back(path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return steps;
}

void append_quoted(std::string& out, std::string_view text) {
  out += boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

}  // namespace

json_handler::json_handler(const report_shape& shape)
    : shape_(shape),
      rows_path_(steps_of(shape.format.rows)),
      cells_(shape.columns.size()),
      seen_(shape.columns.size(), false) {
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    const auto& column = shape.columns[i];
    columns_.emplace(column.path.empty() ? column.name : column.path, i);
  }
}

bool json_handler::refuse(code& error, std::string what) {
  wrong_ = std::move(what);
  error = boost::json::make_error_code(boost::json::error::syntax);
  return false;
}

std::vector<std::string> json_handler::never_seen() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    const auto& column = shape_.columns[i];
    if (seen_[i] || column.optional) continue;
    names.push_back(column.path.empty() ? column.name : column.path);
  }
  return names;
}

bool json_handler::on_document_begin(code&) {
  ++documents_;
  open_.clear();
  found_rows_ = shape_.format.type == report_format::kind::jsonl || shape_.format.rows_optional;
  return true;
}

bool json_handler::on_document_end(code& error) {
  if (found_rows_) return true;
  return refuse(error,
                fmt::format("it has no \"{}\". Correct rows in [source.format], or write "
                            "rows_optional = true there if the API leaves it out where there are "
                            "no rows",
                            shape_.format.rows));
}

// ---- where we are

// How far along the path to the rows a child of a container outside of them is.
std::size_t json_handler::match(const container& parent) const {
  if (parent.matched == off_path) return off_path;
  const auto& step = rows_path_[parent.matched];
  const bool fits =
      parent.is_array ? step == "*" || step == fmt::format("{}", parent.index) : step == key_;
  return fits ? parent.matched + 1 : off_path;
}

// Makes path_ that of the next child of a container in a row. Returns the column that is there.
std::size_t json_handler::enter_path(container& parent) {
  path_.resize(parent.path_size);
  if (!path_.empty()) path_ += '.';
  if (parent.is_array) {
    fmt::format_to(std::back_inserter(path_), "{}", parent.index++);
  } else {
    path_ += key_;
  }
  const auto found = columns_.find(path_);
  return found == columns_.end() ? no_column : found->second;
}

bool json_handler::begin(bool is_array, code& error) {
  const bool is_lines = shape_.format.type == report_format::kind::jsonl;
  if (open_.empty() || open_.back().is == region::outside) {
    auto matched = open_.empty() ? 0 : match(open_.back());
    if (!open_.empty()) ++open_.back().index;
    if (matched != rows_path_.size()) {
      open_.push_back({region::outside, is_array, matched});
    } else if (is_lines) {
      ++rows_;
      open_.push_back({region::row, is_array});
    } else if (is_array) {
      found_rows_ = true;
      open_.push_back({region::rows, is_array});
    } else {
      return refuse(error, fmt::format("{} is an object and no array of rows. Say where that is by "
                                       "rows in [source.format]",
                                       path_text()));
    }
    return true;
  }
  auto& parent = open_.back();
  if (parent.is == region::rows) {
    ++rows_;
    open_.push_back({region::row, is_array});
    return true;
  }
  if (parent.is == region::row) {
    const auto column = enter_path(parent);
    if (column == no_column) {
      open_.push_back({region::row, is_array, off_path, 0, path_.size()});
      return true;
    }
    cell_column_ = column;
    cell_depth_ = open_.size();
    cell_text_.clear();
  } else {
    begin_item();
  }
  cell_text_ += is_array ? '[' : '{';
  open_.push_back({region::cell, is_array});
  return true;
}

bool json_handler::end(code& error) {
  const auto ended = open_.back();
  open_.pop_back();
  if (ended.is == region::cell) {
    cell_text_ += ended.is_array ? ']' : '}';
    if (cell_text_.size() > max_string_size) return refuse(error, "a value is over 64 MB");
    if (open_.size() > cell_depth_) return true;
    value_.swap(cell_text_);
    const bool done = set(cell_column_, scalar::text, error);
    value_.clear();
    return done;
  }
  const bool is_whole_row =
      ended.is == region::row && (open_.empty() || open_.back().is == region::rows);
  if (is_whole_row) write_row();
  return true;
}

std::string json_handler::path_text() const {
  return rows_path_.empty() ? std::string("the document")
                            : fmt::format("\"{}\"", shape_.format.rows);
}

// ---- values

bool json_handler::leaf(scalar is, code& error) {
  if (open_.empty() || open_.back().is == region::outside) return outside_leaf(is, error);
  auto& parent = open_.back();
  if (parent.is == region::rows) {
    return refuse(error, fmt::format("row {} is {} and neither an object nor an array", rows_ + 1,
                                     is == scalar::null ? "null" : "a single value"));
  }
  if (parent.is == region::cell) {
    begin_item();
    append_leaf(is);
    value_.clear();
    return true;
  }
  const auto column = enter_path(parent);
  if (column != no_column) {
    const bool done = set(column, is, error);
    value_.clear();
    return done;
  }
  value_.clear();
  constexpr std::size_t shown = 10;
  if (rows_ == 1 && not_declared_.size() < shown) not_declared_.push_back(cut_value(path_));
  return true;
}

bool json_handler::outside_leaf(scalar is, code& error) {
  value_.clear();
  if (open_.empty()) return refuse(error, "it is a single value and neither object nor array");
  const auto matched = match(open_.back());
  ++open_.back().index;
  if (matched != rows_path_.size()) return true;
  if (is != scalar::null) {
    return refuse(error, fmt::format("{} is a single value and no array of rows. Say where that is "
                                     "by rows in [source.format]",
                                     path_text()));
  }
  found_rows_ = true;
  return true;
}

bool json_handler::set(std::size_t column, scalar is, code& error) {
  auto& cell = cells_[column];
  if (cell.is_set) {
    return refuse(error, fmt::format("row {} has \"{}\" twice", rows_, cut_value(path_)));
  }
  seen_[column] = true;
  cell.is_set = true;
  cell.is_null = is == scalar::null;
  cell.is_text = is == scalar::text;
  if (is == scalar::number) {
    cell.value = without_exponent(value_);
  } else if (!cell.is_null) {
    cell.value.swap(value_);
  }
  return true;
}

// Inside a cell that is kept as JSON text: the comma between the items of an array; those of an
// object come with their keys.
void json_handler::begin_item() {
  auto& parent = open_.back();
  if (!parent.is_array) return;
  if (parent.index++ > 0) cell_text_ += ',';
}

void json_handler::append_leaf(scalar is) {
  if (is == scalar::text) {
    append_quoted(cell_text_, value_);
  } else {
    cell_text_ += is == scalar::null ? "null" : value_;
  }
}

void json_handler::write_row() {
  for (auto& cell : cells_) {
    if (&cell != &cells_.front()) out_ += ',';
    if (cell.is_set && !cell.is_null) {
      if (cell.is_text) {
        append_text(out_, cell.value);
      } else {
        out_ += cell.value;
      }
    }
    cell.is_set = false;
    cell.is_null = true;
  }
  out_ += '\n';
}

// ---- what basic_parser calls

bool json_handler::on_object_begin(code& error) { return begin(false, error); }
bool json_handler::on_object_end(std::size_t, code& error) { return end(error); }
bool json_handler::on_array_begin(code& error) { return begin(true, error); }
bool json_handler::on_array_end(std::size_t, code& error) { return end(error); }

bool json_handler::on_key_part(text part, std::size_t, code&) {
  if (key_is_whole_) key_.clear();
  key_is_whole_ = false;
  key_.append(part.data(), part.size());
  return true;
}

bool json_handler::on_key(text part, std::size_t size, code& error) {
  on_key_part(part, size, error);
  key_is_whole_ = true;
  if (open_.back().is != region::cell) return true;
  if (open_.back().index++ > 0) cell_text_ += ',';
  append_quoted(cell_text_, key_);
  cell_text_ += ':';
  return true;
}

bool json_handler::on_string_part(text part, std::size_t, code&) {
  value_.append(part.data(), part.size());
  return true;
}

bool json_handler::on_string(text part, std::size_t, code& error) {
  value_.append(part.data(), part.size());
  return leaf(scalar::text, error);
}

bool json_handler::on_number_part(text part, code&) {
  value_.append(part.data(), part.size());
  return true;
}

bool json_handler::on_int64(std::int64_t, text part, code& error) {
  value_.append(part.data(), part.size());
  return leaf(scalar::number, error);
}

bool json_handler::on_uint64(std::uint64_t, text part, code& error) {
  value_.append(part.data(), part.size());
  return leaf(scalar::number, error);
}

bool json_handler::on_double(double, text part, code& error) {
  value_.append(part.data(), part.size());
  return leaf(scalar::number, error);
}

bool json_handler::on_bool(bool value, code& error) {
  value_ = value ? "true" : "false";
  return leaf(scalar::word, error);
}

bool json_handler::on_null(code& error) {
  value_.clear();
  return leaf(scalar::null, error);
}

bool json_handler::on_comment_part(text, code&) { return true; }
bool json_handler::on_comment(text, code&) { return true; }

}  // namespace wherry::app
