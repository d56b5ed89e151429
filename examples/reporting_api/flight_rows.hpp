// SPDX-License-Identifier: Apache-2.0
#pragma once
// The rows of one report of flights, for answers of other forms than CSV; and what all behaviours
// need to know of a request: whose report, of which day, and which part of it.

#include "front.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace example {

/// One flight as the CSV has it: "2001-01-02 06:30:00", minutes, miles, airport, airport.
struct flight {
  std::string_view date, delay, distance, origin, destination;

  /// The hour of departure, "06".
  [[nodiscard]] std::string_view hour() const { return date.substr(11, 2); }
};

/// Says which report is asked for.
struct asked_report {
  std::string client;
  std::string day;
  std::string hours;  ///< "00,01,…": only flights that left in these; empty: all

  /// What it is called in /requests, and what it is made by.
  [[nodiscard]] std::string name() const {
    return client + "/" + day + (hours.empty() ? "" : "/" + hours);
  }
  static asked_report from_name(const std::string& name) {
    const auto first = name.find('/'), second = name.find('/', first + 1);
    return {name.substr(0, first), name.substr(first + 1, second - first - 1),
            second == name.npos ? "" : name.substr(second + 1)};
  }
  /// Tells whether there are such reports.
  [[nodiscard]] bool is_known(const dataset& records) const {
    return records.has(client) && day.size() == 10 && parse_day(day);
  }
};

class flight_rows {
 public:
  /// Requires: of.is_known.
  flight_rows(const dataset& records, const asked_report& of)
      : csv_(records.report(of.client, *parse_day(of.day))) {
    std::size_t at = csv_.find('\n') + 1;  // after the header
    while (at < csv_.size()) {
      std::array<std::string_view, 5> cells;
      for (auto& cell : cells) {
        const auto end = csv_.find_first_of(",\n", at);
        cell = std::string_view(csv_).substr(at, end - at);
        at = end + 1;
      }
      const flight row{cells[0], cells[1], cells[2], cells[3], cells[4]};
      if (of.hours.empty() || of.hours.find(row.hour()) != of.hours.npos) rows_.push_back(row);
    }
  }

  flight_rows(flight_rows&&) = delete;

  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] auto begin() const { return rows_.begin(); }
  [[nodiscard]] auto end() const { return rows_.end(); }

  /// Forgets all rows but the first `most`.
  void cut_to(std::size_t most) {
    if (rows_.size() > most) rows_.resize(most);
  }

  /// The rows from `first` on, at most so many.
  [[nodiscard]] std::vector<flight> page(std::size_t first, std::size_t size) const {
    const auto begin = std::min(first, rows_.size());
    const auto end = begin + std::min(size, rows_.size() - begin);
    return {rows_.begin() + static_cast<std::ptrdiff_t>(begin),
            rows_.begin() + static_cast<std::ptrdiff_t>(end)};
  }

 private:
  std::string csv_;  // what rows_ points into
  std::vector<flight> rows_;
};

/// The body of a request as JSON; null if it is none.
inline boost::json::value json_of(const httplib::Request& request) {
  boost::system::error_code wrong;
  auto read = boost::json::parse(request.body, wrong);
  return wrong ? boost::json::value() : read;
}

/// The text at a JSON pointer; empty: there is none.
inline std::string text_at(const boost::json::value& in, std::string_view pointer) {
  boost::system::error_code wrong;
  const auto* const found = in.find_pointer(pointer, wrong);
  if (found == nullptr) return {};
  return found->is_string() ? std::string(found->get_string()) : boost::json::serialize(*found);
}

/// A number of the query, or what it is without.
inline std::size_t number_of(const httplib::Request& request, const std::string& name,
                             std::size_t otherwise) {
  const auto text = request.get_param_value(name);
  const bool is_number =
      !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == text.npos;
  return is_number ? std::stoul(text) : otherwise;
}

}  // namespace example
