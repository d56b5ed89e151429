// SPDX-License-Identifier: Apache-2.0
#pragma once
// The reporting API as an HTTP server: routes, authorization, and the carrying out of each fault.
// A thread a connection (cpp-httplib), which is enough up to a few hundred connections; a request
// counts as in flight from its arrival until the last byte of its body is out.

#include "faults.hpp"
#include "maker.hpp"
#include "records.hpp"

#include <httplib.h>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>

namespace example {

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

class reporting_api {
 public:
  /// Loads the records. Errors: std::runtime_error.
  explicit reporting_api(options chosen);

  /// Binds, announces itself on stdout and in the port file, serves until `stop`.
  void run();

  /// Ends `run`. Without effect before it listens. Threads: any.
  void stop();

 private:
  struct entry {
    std::unique_ptr<dataset> records;
    std::unique_ptr<token_bucket> bucket;
  };

  void add(const std::string& name, std::unique_ptr<dataset> records);
  void configure();
  void route();
  void route_made_reports();
  bool authorized(const httplib::Request& request, httplib::Response& response);
  void refuse(httplib::Response& response, answer kind, std::string_view why);
  void serve_clients(const httplib::Request& request, httplib::Response& response);
  void serve_report(const httplib::Request& request, httplib::Response& response);
  void serve_csv(const httplib::Request& request, httplib::Response& response,
                 const std::string& path, const entry& set, const std::string& client,
                 std::chrono::sys_days day);
  void serve_request(const httplib::Request& request, httplib::Response& response);
  void serve_progress(const httplib::Request& request, httplib::Response& response);
  void serve_made(const httplib::Request& request, httplib::Response& response);
  void serve_endless(httplib::Response& response);
  void send(httplib::Response& response, std::string body, answer kind);

  const options options_;
  std::map<std::string, entry> sets_;
  request_counts requests_;
  report_maker maker_;
  statistics statistics_;
  std::atomic<bool> stopping_{false};
  httplib::Server server_;
  socket_t listener_ = -1;
};

}  // namespace example
