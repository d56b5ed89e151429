// SPDX-License-Identifier: Apache-2.0
#pragma once
// The real records behind the reporting API, held in memory so that a report is one binary search
// and one rendering. Flights (three million) are packed columns of 12 bytes a row; birdstrikes and
// weather are few and kept as finished CSV lines. Nothing changes after loading, so any thread may
// read.
//
// Invariant: rows are sorted by (client, day), and within it by all columns: a report has one form.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace example {

/// Serves the reports of one dataset.
class dataset {
 public:
  virtual ~dataset() = default;

  /// Lists the clients in order; a client is an airport, an airline or a city.
  [[nodiscard]] const std::vector<std::string>& clients() const { return clients_; }
  [[nodiscard]] bool has(std::string_view client) const;
  [[nodiscard]] std::chrono::sys_days first_day() const { return first_day_; }
  [[nodiscard]] std::chrono::sys_days last_day() const { return last_day_; }
  [[nodiscard]] virtual std::size_t rows() const = 0;

  /// Writes the CSV of one report: the header, then the rows of that client and day, possibly none.
  [[nodiscard]] virtual std::string report(std::string_view client,
                                           std::chrono::sys_days day) const = 0;

 protected:
  /// Finds the client's place in `clients()`, or clients().size().
  [[nodiscard]] std::size_t place(std::string_view client) const;

  std::vector<std::string> clients_;  // sorted
  std::chrono::sys_days first_day_;
  std::chrono::sys_days last_day_;
};

/// Holds flights-3m.parquet: a client is the airport of origin.
class flights final : public dataset {
 public:
  explicit flights(const std::filesystem::path& data);
  [[nodiscard]] std::size_t rows() const override { return rows_.size(); }
  [[nodiscard]] std::string report(std::string_view client,
                                   std::chrono::sys_days day) const override;

 private:
  struct row {
    std::uint16_t origin;       // place in clients_
    std::uint16_t day;          // days since first_day_
    std::uint16_t minute;       // of the day
    std::int16_t delay;         // minutes; negative: early
    std::int16_t distance;      // miles
    std::uint16_t destination;  // place in airports_
  };
  std::vector<row> rows_;
  std::vector<std::string> airports_;
};

/// Holds a small CSV: what of it is the client, what the day, and which columns a report shows.
class small_dataset final : public dataset {
 public:
  struct shape {
    std::string file;
    std::string client;   ///< SQL of the client's name, made an id by lower case and dashes
    std::string day;      ///< SQL of the day
    std::string columns;  ///< SQL of the columns, renamed as the report names them
  };
  small_dataset(const std::filesystem::path& data, const shape& shape);
  [[nodiscard]] std::size_t rows() const override { return rows_.size(); }
  [[nodiscard]] std::string report(std::string_view client,
                                   std::chrono::sys_days day) const override;

 private:
  struct row {
    std::size_t client;
    std::chrono::sys_days day;
    std::string line;
  };
  std::vector<row> rows_;
  std::string header_;
};

small_dataset birdstrikes(const std::filesystem::path& data);
small_dataset weather(const std::filesystem::path& data);

}  // namespace example
