// SPDX-License-Identifier: Apache-2.0
#pragma once
// What every route stands on, whatever API it is like: the options, the records, the faults, the
// sending of a body with its fault, and the counting of all that was asked and answered.
//
// 1. Each request that asks for something is `begin`: from there until `send` or `refuse` has done
//    its part it counts as in flight.
// 2. What the server has seen is counted here and nowhere else: answers in `statistics`, requests
//    of each report in `requests`, and what only one behaviour knows in the tally of its name.
// Threads: any; a tally is found or made under a lock and lives as long as the front.

#include "faults.hpp"
#include "maker.hpp"
#include "records.hpp"

#include <httplib.h>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace example {

/// What the behaviours can be told; see README.md for which takes which.
struct behaviour_options {
  int quota = 0;  ///< calls of an account in a window; 0: any number
  std::chrono::milliseconds quota_window{2'000};
  int concurrent = 10;    ///< calls of an account at once
  int error_quota = 10;   ///< 5xx of an account in a window, after which everything is refused
  int outage_after = 10;  ///< requests of an account before its outage
  std::chrono::milliseconds outage{0};
  int slots = 3;                             ///< reports that are made at once
  std::size_t page_size = 100;               ///< rows, if the client asks for no other number
  std::size_t most_rows = 1'000'000;         ///< of one report: then it is cut short, or refused
  double poll_401 = 0;                       ///< share of polls
  std::chrono::milliseconds report_life{0};  ///< 0: as long as the server
};

struct options {
  std::string data = "build/deps/node_modules/vega-datasets/data";
  std::string host = "127.0.0.1";
  int port = 0;
  std::string port_file;
  std::string token;
  unsigned connections = 400;
  std::uint64_t seed = 1;
  std::chrono::milliseconds latency{0};
  double rate = 0;
  bool endless = false;
  fault_shares shares;
  example::making making;
  behaviour_options behave;
};

/// Counts answers and requests in flight. Threads: any.
class statistics {
 public:
  void enter() {
    const int now = ++in_flight_;
    int seen = most_.load();
    while (now > seen && !most_.compare_exchange_weak(seen, now)) {}
  }
  void leave() { --in_flight_; }
  void count(answer kind) { ++counts_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::string json() const;
  [[nodiscard]] std::string sentence() const;  ///< the kinds that happened, for people

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(answer::count)> counts_{};
  std::atomic<int> in_flight_{0};
  std::atomic<int> most_{0};
};

/// Numbers with names, of one behaviour: how often, or how many at most. Threads: any.
class tally {
 public:
  void add(const std::string& what) {
    const std::lock_guard lock{mutex_};
    ++numbers_[what];
  }
  void most(const std::string& what, std::int64_t now) {
    const std::lock_guard lock{mutex_};
    auto& seen = numbers_[what];
    seen = std::max(seen, now);
  }
  [[nodiscard]] std::string json() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t> numbers_;
};

/// Compresses a whole body as gzip.
[[nodiscard]] std::string gzip(const std::string& plain);

/// Reads "2001-01-31"; empty: it is no day.
[[nodiscard]] std::optional<std::chrono::sys_days> parse_day(const std::string& text);

class front {
 public:
  /// Loads the records. Errors: std::runtime_error.
  explicit front(options chosen);

  /// The records of that dataset; null: there are none.
  [[nodiscard]] const dataset* records(const std::string& name) const;
  [[nodiscard]] const dataset& flights() const { return *records("flights"); }
  [[nodiscard]] const std::map<std::string, std::unique_ptr<dataset>>& all_records() const {
    return sets_;
  }

  /// Tells whether that is the token which the server was started with, or it wants none.
  [[nodiscard]] bool knows(std::string_view token) const {
    return chosen.token.empty() || token == chosen.token;
  }
  /// By `Authorization: Bearer`.
  [[nodiscard]] bool knows_bearer(const httplib::Request& request) const {
    return knows(request.get_header_value("Authorization").substr(0, 7) == "Bearer "
                     ? request.get_header_value("Authorization").substr(7)
                     : std::string());
  }

  /// Counts a request of `path`, waits the latency, and says how it is to be answered.
  [[nodiscard]] answer begin(const std::string& path);

  /// Sends a body as `kind` says: whole, in drips, or half of it before the connection closes;
  /// nothing or a page of HTML in its place. Requires: `begin`.
  void send(httplib::Response& response, std::string body, answer kind, const char* type);

  /// Sends that status in place of what was asked for. Requires: `begin`.
  void refuse(httplib::Response& response, answer kind, int status, const std::string& body,
              const char* type = "application/json");

  [[nodiscard]] tally& tally_of(const std::string& behaviour);

  const options chosen;
  example::statistics statistics;
  request_counts requests;
  std::atomic<bool> stopping{false};

 private:
  std::map<std::string, std::unique_ptr<dataset>> sets_;
  std::mutex mutex_;
  std::map<std::string, tally> tallies_;
};

}  // namespace example
