// SPDX-License-Identifier: Apache-2.0
#pragma once
// One value out of a JSON body, as text: for the rules of [[source.on]], and for lists of clients.

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace wherry::app {

/// Parses a whole JSON text. Empty: it is none.
[[nodiscard]] std::optional<boost::json::value> parse_json(std::string_view text);

/// Finds the value at a dotted path; null: not there.
[[nodiscard]] const boost::json::value* value_at(const boost::json::value& in,
                                                 std::string_view path);

/// Finds the value at a dotted path, "error.code" or "errors.0.reason", as text: strings plain,
/// numbers and true, false, null as JSON writes them. "*" is the first of an object or array.
/// Empty: not there, or an object or array.
[[nodiscard]] std::optional<std::string> text_at(const boost::json::value& in,
                                                 std::string_view path);

}  // namespace wherry::app
