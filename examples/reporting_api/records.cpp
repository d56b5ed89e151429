// SPDX-License-Identifier: Apache-2.0
// Loads the records with DuckDB, which is closed again once they are in vectors.
#include "records.hpp"

#include "../duck.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace example {

using std::chrono::days;
using std::chrono::sys_days;

namespace {

/// Quotes a path as an SQL string.
std::string quoted(const std::filesystem::path& path) {
  std::string text = "'";
  for (const char c : path.string()) text.append(c == '\'' ? 2 : 1, c);
  return text + "'";
}

std::vector<std::string> texts(duck& database, const std::string& sql) {
  duck_result result;
  database.query(sql, result);
  std::vector<std::string> all;
  result.each_row([&](auto chunk, idx_t row) { all.emplace_back(text(chunk, 0, row)); });
  return all;
}

/// Asks for two dates; a DuckDB DATE is an int32 of days since 1970.
std::pair<sys_days, sys_days> day_range(duck& database, const std::string& from) {
  duck_result result;
  database.query("select min(day), max(day) from " + from, result);
  std::pair<sys_days, sys_days> range;
  result.each_row([&](auto chunk, idx_t row) {
    range = {sys_days{days{number<std::int32_t>(chunk, 0, row)}},
             sys_days{days{number<std::int32_t>(chunk, 1, row)}}};
  });
  return range;
}

/// Maps each name to its place in the list.
std::unordered_map<std::string_view, std::uint16_t> places(const std::vector<std::string>& names) {
  std::unordered_map<std::string_view, std::uint16_t> found;
  for (const auto& name : names) found.emplace(name, static_cast<std::uint16_t>(found.size()));
  return found;
}

}  // namespace

std::size_t dataset::place(std::string_view client) const {
  const auto at = std::ranges::lower_bound(clients_, client);
  const bool found = at != clients_.end() && *at == client;
  return found ? static_cast<std::size_t>(at - clients_.begin()) : clients_.size();
}

bool dataset::has(std::string_view client) const { return place(client) < clients_.size(); }

flights::flights(const std::filesystem::path& data) {
  duck database;
  const std::string from = " from read_parquet(" + quoted(data / "flights-3m.parquet") + ")";
  clients_ = texts(database, "select distinct origin" + from + " order by 1");
  airports_ = texts(database, "select distinct destination" + from + " order by 1");
  std::tie(first_day_, last_day_) =
      day_range(database, "(select min(date)::date as day" + from +
                              " union all select max(date)::date" + from + ")");

  // Codes are looked up here: a join in SQL takes twice as long.
  const auto origin_place = places(clients_);
  const auto destination_place = places(airports_);
  duck_result result;
  database.query(
      "select (epoch(date) // 60)::integer, delay::smallint, distance::smallint, origin,"
      " destination" +
          from,
      result);
  rows_.reserve(3'000'000);
  const auto first = static_cast<std::int32_t>(first_day_.time_since_epoch().count());
  result.each_row([&](auto chunk, idx_t at) {
    const auto minute = number<std::int32_t>(chunk, 0, at);
    rows_.push_back({.origin = origin_place.at(text(chunk, 3, at)),
                     .day = static_cast<std::uint16_t>(minute / 1440 - first),
                     .minute = static_cast<std::uint16_t>(minute % 1440),
                     .delay = number<std::int16_t>(chunk, 1, at),
                     .distance = number<std::int16_t>(chunk, 2, at),
                     .destination = destination_place.at(text(chunk, 4, at))});
  });
  std::ranges::sort(rows_, {}, [](const row& r) {
    return std::tuple{r.origin, r.day, r.minute, r.destination, r.delay, r.distance};
  });
}

std::string flights::report(std::string_view client, sys_days day) const {
  std::string csv = "date,delay,distance,origin,destination\n";
  if (day < first_day_ || day > last_day_) return csv;
  const std::pair wanted{place(client), static_cast<std::size_t>((day - first_day_).count())};
  const auto found = std::ranges::equal_range(rows_, wanted, {}, [](const row& r) {
    return std::pair<std::size_t, std::size_t>{r.origin, r.day};
  });
  const std::string date = fmt::format("{:%Y-%m-%d}", day);
  for (const row& r : found) {
    fmt::format_to(std::back_inserter(csv), "{} {:02}:{:02}:00,{},{},{},{}\n", date, r.minute / 60,
                   r.minute % 60, r.delay, r.distance, client, airports_[r.destination]);
  }
  return csv;
}

small_dataset::small_dataset(const std::filesystem::path& data, const shape& shape) {
  duck database;
  database.run(
      fmt::format("create temp table report as select trim(regexp_replace(lower({}), '[^a-z0-9]+', "
                  "'-', 'g'), '-')"
                  " as client, ({})::date as day, {} from read_csv({}, header = true)",
                  shape.client, shape.day, shape.columns, quoted(data / shape.file)));
  clients_ = texts(database, "select distinct client from report order by client");
  std::tie(first_day_, last_day_) = day_range(database, "report");

  duck_result result;
  database.query(
      "select client, day, columns(* exclude (client, day))::varchar from report"
      " order by all",
      result);
  for (idx_t column = 2; column < result.columns(); ++column) {
    header_ += (column == 2 ? "" : ",") + result.name(column);
  }
  result.each_row([&](auto chunk, idx_t at) {
    std::string line;
    for (idx_t column = 2; column < result.columns(); ++column) {
      const auto cell = text(chunk, column, at);
      if (column > 2) line += ',';
      if (cell.find_first_of(",\"\n") == cell.npos) {
        line += cell;
      } else {
        line += '"';
        for (const char c : cell) line.append(c == '"' ? 2 : 1, c);
        line += '"';
      }
    }
    rows_.push_back({place(text(chunk, 0, at)), sys_days{days{number<std::int32_t>(chunk, 1, at)}},
                     std::move(line)});
  });
}

std::string small_dataset::report(std::string_view client, sys_days day) const {
  std::string csv = header_ + '\n';
  const auto found =
      std::ranges::equal_range(rows_, std::pair{place(client), day}, {},
                               [](const row& r) { return std::pair{r.client, r.day}; });
  for (const row& r : found) csv += r.line + '\n';
  return csv;
}

small_dataset birdstrikes(const std::filesystem::path& data) {
  return {data,
          {.file = "birdstrikes.csv",
           .client = R"("Aircraft Airline Operator")",
           .day = R"("Flight Date")",
           .columns = R"("Flight Date" as flight_date, "Aircraft Airline Operator" as airline,
                         "Airport Name" as airport, "Aircraft Make Model" as aircraft,
                         "Effect Amount of damage" as damage, "Phase of flight" as phase,
                         "Wildlife Species" as species, "Cost Other" as cost_other,
                         "Cost Repair" as cost_repair, "Cost Total $" as cost_total,
                         "Speed IAS in knots" as speed_knots)"}};
}

small_dataset weather(const std::filesystem::path& data) {
  return {data,
          {.file = "weather.csv",
           .client = "location",
           .day = "date",
           .columns = "date, location, precipitation, temp_max, temp_min, wind, weather"}};
}

}  // namespace example
