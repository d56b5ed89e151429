// SPDX-License-Identifier: Apache-2.0
#pragma once
// keeping_server: a server of a test's own whose answers a function makes, and that knows what it
// was asked.

#include <algorithm>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fault_server.hpp"

namespace wherry::app {

inline std::string answer_of(int status, std::string_view body, std::string_view headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + std::string{headers} +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

/// A server that keeps what it was asked, and answers the n-th request (from 1) by a function.
class keeping_server {
 public:
  using answerer = std::function<std::string(const std::string& request, int nth)>;
  explicit keeping_server(answerer answer)
      : answer_(std::move(answer)), server_([this](connection& with) {
          const auto request = with.read_request();
          if (!request) return;
          int nth = 0;
          {
            const std::lock_guard lock{mutex_};
            requests_.push_back(*request);
            nth = static_cast<int>(requests_.size());
          }
          with.send(answer_(*request, nth));
        }) {}

  [[nodiscard]] std::vector<std::string> requests() {
    const std::lock_guard lock{mutex_};
    return requests_;
  }
  [[nodiscard]] std::string url(std::string_view path) const { return server_.url(path); }

 private:
  answerer answer_;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  fault_server server_;
};

/// Answers always the same.
inline keeping_server::answerer always(std::string bytes) {
  return [bytes = std::move(bytes)](const std::string&, int) { return bytes; };
}

/// How many of the requests say something.
inline auto count(const std::vector<std::string>& requests, std::string_view what) {
  return std::ranges::count_if(requests, [&](const auto& one) { return one.contains(what); });
}

}  // namespace wherry::app
