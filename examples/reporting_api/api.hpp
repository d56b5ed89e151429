// SPDX-License-Identifier: Apache-2.0
#pragma once
// The reporting API as an HTTP server: its own routes, and those of the behaviours. A thread a
// connection (cpp-httplib), which is enough up to a few hundred connections; a request counts as in
// flight from its arrival until the last byte of its body is out.

#include "behaviours.hpp"
#include "front.hpp"

#include <httplib.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace example {

class reporting_api {
 public:
  /// Loads the records. Errors: std::runtime_error.
  explicit reporting_api(options chosen);

  /// Binds, announces itself on stdout and in the port file, serves until `stop`.
  void run();

  /// Ends `run`. Without effect before it listens. Threads: any.
  void stop();

 private:
  using request = httplib::Request;
  using response = httplib::Response;

  void configure();
  void route();
  void route_counts();
  void route_made_reports();
  bool authorized(const request& asked, response& to);
  void refuse(response& to, answer kind, std::string_view why);
  void serve_clients(const request& asked, response& to);
  void serve_report(const request& asked, response& to);
  void serve_csv(const request& asked, response& to, const std::string& path,
                 const std::string& dataset, const std::string& client, std::chrono::sys_days day);
  void serve_request(const request& asked, response& to);
  void serve_progress(const request& asked, response& to);
  void serve_made(const request& asked, response& to);
  void serve_endless(response& to);

  front front_;
  std::map<std::string, token_bucket> buckets_;  // by dataset
  report_maker maker_;
  std::vector<std::unique_ptr<behaviour>> behaviours_;
  httplib::Server server_;
  socket_t listener_ = -1;
};

}  // namespace example
