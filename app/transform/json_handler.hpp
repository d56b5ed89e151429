// SPDX-License-Identifier: Apache-2.0
#pragma once
// What json_rows does with what the parser finds: knows where in the document it is, gathers the
// cells of a row, and writes the row as CSV. Internal to json_rows.

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/json/basic_parser.hpp>
#include <boost/json/error.hpp>

#include "transform/report_scan.hpp"

namespace wherry::app {

class json_handler {
 public:
  using code = boost::json::error_code;
  using text = boost::json::string_view;

  // What a document may hold, for basic_parser. A cell, which is kept, is bounded.
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = 1u << 20;
  static constexpr std::size_t max_string_size = 64u << 20;

  explicit json_handler(const report_shape& shape);

  // Called by basic_parser; false ends the parsing, and `wrong` says why.
  bool on_document_begin(code& error);
  bool on_document_end(code& error);
  bool on_object_begin(code& error);
  bool on_object_end(std::size_t size, code& error);
  bool on_array_begin(code& error);
  bool on_array_end(std::size_t size, code& error);
  bool on_key_part(text part, std::size_t size, code& error);
  bool on_key(text part, std::size_t size, code& error);
  bool on_string_part(text part, std::size_t size, code& error);
  bool on_string(text part, std::size_t size, code& error);
  bool on_number_part(text part, code& error);
  bool on_int64(std::int64_t number, text part, code& error);
  bool on_uint64(std::uint64_t number, text part, code& error);
  bool on_double(double number, text part, code& error);
  bool on_bool(bool value, code& error);
  bool on_null(code& error);
  bool on_comment_part(text part, code& error);
  bool on_comment(text part, code& error);

  /// CSV that is ready; whoever takes it clears it.
  std::string& out() { return out_; }
  /// What is wrong beside the syntax; empty: nothing.
  const std::string& wrong() const { return wrong_; }
  std::uint64_t documents() const { return documents_; }
  std::uint64_t rows() const { return rows_; }

  /// Names the columns that are not optional and that no row had.
  std::vector<std::string> never_seen() const;
  /// Some places of the first row that no column is for.
  const std::vector<std::string>& not_declared() const { return not_declared_; }

 private:
  enum class region { outside, rows, row, cell };  // what a container is a part of
  enum class scalar { text, number, word, null };
  static constexpr std::size_t off_path = std::numeric_limits<std::size_t>::max();

  struct container {
    region is;
    bool is_array;
    std::size_t matched = off_path;  // outside: how many steps of the path led here
    std::size_t index = 0;           // of the next item
    std::size_t path_size = 0;       // of path_, inside a row
  };
  struct cell {
    bool is_set = false;
    bool is_null = true;
    bool is_text = false;
    std::string value;
  };
  static constexpr std::size_t no_column = std::numeric_limits<std::size_t>::max();

  bool refuse(code& error, std::string what);
  bool begin(bool is_array, code& error);
  bool end(code& error);
  bool leaf(scalar is, code& error);
  bool outside_leaf(scalar is, code& error);
  std::size_t match(const container& parent) const;
  std::size_t enter_path(container& parent);
  bool set(std::size_t column, scalar is, code& error);
  void begin_item();
  void append_leaf(scalar is);
  void write_row();
  std::string path_text() const;

  const report_shape& shape_;
  std::vector<std::string> rows_path_;
  std::unordered_map<std::string, std::size_t> columns_;  // by path
  std::vector<container> open_;
  std::string key_;
  std::string value_;  // of the leaf that is being read
  std::string path_;   // from the row
  std::string joined_;
  std::vector<cell> cells_;
  std::vector<bool> seen_;
  std::size_t cell_column_ = no_column;
  std::size_t cell_depth_ = 0;
  std::string cell_text_;
  std::vector<std::string> not_declared_;
  bool found_rows_ = false;
  bool key_is_whole_ = true;
  std::uint64_t documents_ = 0;
  std::uint64_t rows_ = 0;
  std::string out_;
  std::string wrong_;
};

}  // namespace wherry::app
