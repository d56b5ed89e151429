// SPDX-License-Identifier: Apache-2.0
#pragma once
// States as JSON, through their described members, so that a store is readable with sqlite3 and jq.
//
//   struct downloadable { static constexpr std::string_view tag = "downloadable"; std::string
//   client; }; BOOST_DESCRIBE_STRUCT(downloadable, (), (client))
//
// A member may be a string, a bool, an integer, a double, an optional, a vector, or a described
// struct. Reading is strict: a member too few, too many or of another type is an error that names
// it.

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace wherry::detail {

template <class T>
concept described = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;

template <class T>
using members = boost::describe::describe_members<T, boost::describe::mod_any_access>;

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};

template <class T>
boost::json::value to_json(const T& value) {
  if constexpr (is_optional<T>::value) {
    return value ? to_json(*value) : boost::json::value(nullptr);
  } else if constexpr (is_vector<T>::value) {
    boost::json::array array;
    for (const auto& each : value) array.push_back(to_json(each));
    return array;
  } else if constexpr (described<T>) {
    boost::json::object object;
    boost::mp11::mp_for_each<members<T>>(
        [&](auto member) { object.emplace(member.name, to_json(value.*member.pointer)); });
    return object;
  } else if constexpr (std::same_as<T, bool>) {
    return value;
  } else if constexpr (std::unsigned_integral<T>) {
    return static_cast<std::uint64_t>(value);
  } else if constexpr (std::signed_integral<T>) {
    return static_cast<std::int64_t>(value);
  } else if constexpr (std::floating_point<T>) {
    // JSON has no word for the others: they become null, and come back as NaN.
    return std::isfinite(value) ? boost::json::value(static_cast<double>(value)) : nullptr;
  } else {
    static_assert(!std::same_as<T, std::string_view>, "a state owns its texts: use std::string");
    return boost::json::string(std::string_view(value));
  }
}

/// Reads `json` into `value`; the text of the mistake, empty if there is none.
template <class T>
std::string from_json(const boost::json::value& json, T& value, const std::string& where) {
  const auto wrong = [&](std::string_view wanted) {
    return where + ": wanted " + std::string(wanted) + ", found " +
           std::string(boost::json::to_string(json.kind()));
  };
  if constexpr (is_optional<T>::value) {
    if (json.is_null()) return value.reset(), std::string{};
    return from_json(json, value.emplace(), where);
  } else if constexpr (is_vector<T>::value) {
    if (!json.is_array()) return wrong("an array");
    value.clear();
    for (const auto& each : json.get_array()) {
      if (auto mistake = from_json(each, value.emplace_back(), where + "[]"); !mistake.empty()) {
        return mistake;
      }
    }
    return {};
  } else if constexpr (described<T>) {
    if (!json.is_object()) return wrong("an object");
    const auto& object = json.get_object();
    std::string mistake;
    std::size_t known = 0;
    boost::mp11::mp_for_each<members<T>>([&](auto member) {
      if (!mistake.empty()) return;
      const std::string inner = where.empty() ? member.name : where + "." + member.name;
      const auto* found = object.if_contains(member.name);
      if (found == nullptr) {
        mistake = inner + ": missing";
      } else {
        mistake = from_json(*found, value.*member.pointer, inner);
        ++known;
      }
    });
    if (mistake.empty() && known != object.size()) mistake = where + ": members that are not known";
    return mistake;
  } else if constexpr (std::same_as<T, bool>) {
    if (!json.is_bool()) return wrong("true or false");
    value = json.get_bool();
    return {};
  } else if constexpr (std::integral<T>) {
    boost::system::error_code error;
    value = json.to_number<T>(error);
    return error ? wrong("an integer in range") : std::string{};
  } else if constexpr (std::floating_point<T>) {
    if (json.is_null()) return value = std::numeric_limits<T>::quiet_NaN(), std::string{};
    boost::system::error_code error;
    value = json.to_number<T>(error);
    return error ? wrong("a number") : std::string{};
  } else {
    if (!json.is_string()) return wrong("a string");
    value = T(std::string_view(json.get_string()));
    return {};
  }
}

/// Reads JSON, doubles exactly. Errors: the text of the mistake.
[[nodiscard]] std::expected<boost::json::value, std::string> parse_json(std::string_view text);

template <described T>
std::string encode(const T& value) {
  return boost::json::serialize(to_json(value));
}

/// Errors: the text of the mistake, with the member's name.
template <described T>
std::expected<T, std::string> decode_value(const boost::json::value& json) {
  T value{};
  if (auto mistake = from_json(json, value, ""); !mistake.empty()) {
    return std::unexpected(std::move(mistake));
  }
  return value;
}

template <described T>
std::expected<T, std::string> decode(std::string_view text) {
  const auto json = parse_json(text);
  if (!json) return std::unexpected(json.error());
  return decode_value<T>(*json);
}

}  // namespace wherry::detail
