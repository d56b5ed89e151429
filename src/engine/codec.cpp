// SPDX-License-Identifier: Apache-2.0
// Boost.JSON before 1.82 reads a double with an error of some last places. Here its parser finds
// the numbers, and std::from_chars reads them, so that a state is read back as it was written.

#include "wherry/engine/codec.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <system_error>

#include "wherry/csp/assert.hpp"
#include "wherry/engine/machine.hpp"

namespace wherry::detail {
namespace {

using text_view = boost::json::string_view;
using error_code = boost::system::error_code;

/// Makes a value of what the parser finds. The limits are those of a value.
struct value_handler {
  static constexpr std::size_t max_object_size = boost::json::object::max_size();
  static constexpr std::size_t max_array_size = boost::json::array::max_size();
  static constexpr std::size_t max_key_size = boost::json::string::max_size();
  static constexpr std::size_t max_string_size = boost::json::string::max_size();

  boost::json::value_stack stack{};

  bool on_document_begin(error_code&) { return stack.reset(), true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t size, error_code&) { return stack.push_object(size), true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t size, error_code&) { return stack.push_array(size), true; }
  bool on_key_part(text_view part, std::size_t, error_code&) {
    return stack.push_chars(part), true;
  }
  bool on_key(text_view rest, std::size_t, error_code&) { return stack.push_key(rest), true; }
  bool on_string_part(text_view part, std::size_t, error_code&) {
    return stack.push_chars(part), true;
  }
  bool on_string(text_view rest, std::size_t, error_code&) { return stack.push_string(rest), true; }
  bool on_number_part(text_view, error_code&) {
    WHERRY_ASSERT(false, "a text that is given at once has its numbers whole");
    return false;
  }
  bool on_int64(std::int64_t number, text_view, error_code&) {
    return stack.push_int64(number), true;
  }
  bool on_uint64(std::uint64_t number, text_view, error_code&) {
    return stack.push_uint64(number), true;
  }
  bool on_double(double rough, text_view text, error_code&) {
    double exact = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), exact);
    // What no double can hold is what the parser makes of it: infinite, or zero.
    stack.push_double(read.ec == std::errc{} ? exact : rough);
    return true;
  }
  bool on_bool(bool yes, error_code&) { return stack.push_bool(yes), true; }
  bool on_null(error_code&) { return stack.push_null(), true; }
  bool on_comment_part(text_view, error_code&) { return true; }
  bool on_comment(text_view, error_code&) { return true; }
};

}  // namespace

std::expected<boost::json::value, std::string> parse_json(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = data_depth_limit;
  boost::json::basic_parser<value_handler> parser{options};
  error_code error;
  const auto used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used < text.size()) error = boost::json::error::extra_data;
  if (error) return std::unexpected("not JSON: " + error.message());
  return parser.handler().stack.release();
}

}  // namespace wherry::detail
