// SPDX-License-Identifier: Apache-2.0
#pragma once
// s3_front: stands before the real S3 server and lets through, answers itself, loses or keeps each
// request as a test wants, since no real server refuses a part on demand. A signature covers the
// Host header, which goes through as it is.

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "../net/fault_server.hpp"
#include "s3_house.hpp"

namespace wherry::app {

/// What becomes of a request.
struct fate {
  enum class is {
    passed,    ///< the server answers
    answered,  ///< with `text`
    lost,      ///< the server gets it, and its answer gets lost
    kept,      ///< nobody answers
  };
  is what = is::passed;
  std::string text{};

  /// An answer without a body.
  static fate taken(const std::string& headers) {
    return {is::answered,
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n" + headers + "\r\n"};
  }
  /// An answer of S3's form.
  static fate refused(int status, std::string_view code) {
    const auto body = "<Error><Code>" + std::string{code} + "</Code></Error>";
    return {is::answered, "HTTP/1.1 " + std::to_string(status) + " No\r\nConnection: close\r\n" +
                              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body};
  }
};

class s3_front {
 public:
  /// Judges a request by its head, "PUT /bucket/key?partNumber=2&uploadId=… HTTP/1.1\r\nHost: …",
  /// and its number among those whose first lines are the same, from 1.
  using judge = std::function<fate(const std::string& head, int number)>;

  s3_front(const std::string& endpoint, judge of)
      : port_(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)))),
        judge_(std::move(of)) {}

  [[nodiscard]] std::string endpoint() const { return server_.origin(); }

  /// How many requests had all these words in their heads.
  [[nodiscard]] int count(const std::vector<std::string>& words) {
    const std::lock_guard lock{mutex_};
    return static_cast<int>(std::ranges::count_if(heads_, [&](const std::string& head) {
      return std::ranges::all_of(words, [&](const auto& word) { return head.contains(word); });
    }));
  }

 private:
  void serve(connection& with) {
    auto request = with.read_request();
    if (!request) return;
    const auto line = request->substr(0, request->find("\r\n"));
    const auto head = request->substr(0, request->find("\r\n\r\n"));
    int number = 0;
    {
      const std::lock_guard lock{mutex_};
      heads_.push_back(head);
      number = static_cast<int>(std::ranges::count_if(
          heads_, [&](const std::string& each) { return each.starts_with(line + "\r\n"); }));
    }
    const auto now = judge_(head, number);
    if (now.what == fate::is::answered) with.send(now.text);
    if (now.what == fate::is::kept) with.wait_for_close();
    if (now.what != fate::is::passed && now.what != fate::is::lost) return;
    request->insert(line.size(), "\r\nConnection: close");
    const auto answer = forward(*request);
    if (now.what == fate::is::passed) with.send(answer);
  }

  // Gives all that the server answers.
  [[nodiscard]] std::string forward(std::string_view request) const {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    std::string answer;
    connection server{socket};
    if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
        server.send(request)) {
      server.read_until_close(answer);
    }
    ::close(socket);
    return answer;
  }

  std::uint16_t port_;
  judge judge_;
  std::mutex mutex_;
  std::vector<std::string> heads_;
  fault_server server_{[this](connection& with) { serve(with); }};  // last: it begins at once
};

/// A house before whose server stands a front.
struct fronted_house : house {
  s3_front front;
  explicit fronted_house(s3_front::judge of = [](const auto&, int) { return fate{}; })
      : front(spec.endpoint, std::move(of)) {
    into("{account}.csv");
    spec.endpoint = front.endpoint();
    spec.multipart_bytes = 1'000'000;
  }
};

}  // namespace wherry::app
