// SPDX-License-Identifier: Apache-2.0
#pragma once
// fault_server: an HTTP server that sends whatever bytes a test wants, cut, endless or never, since
// no real server can be made to misbehave on demand. Plain sockets, a thread a connection.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace wherry::app {

/// One connection, as a handler sees it.
class connection {
 public:
  explicit connection(int socket) : socket_(socket) {}

  /// Blocks until a request is there, body and all. Empty: the client closed.
  std::optional<std::string> read_request() {
    std::string text;
    std::size_t end = 0;
    while ((end = text.find("\r\n\r\n")) == text.npos) {
      if (!receive(text)) return {};
    }
    const auto length_at = text.find("Content-Length: ");
    const std::size_t length =
        length_at < end ? std::strtoul(text.c_str() + length_at + 16, nullptr, 10) : 0;
    while (text.size() < end + 4 + length) {
      if (!receive(text)) return {};
    }
    return text;
  }

  /// Sends bytes; false: the client closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// Blocks until the client closes (or the server is destroyed).
  void wait_for_close() {
    std::string rest;
    read_until_close(rest);
  }

  /// Blocks until the other side closes; takes all that it sends.
  void read_until_close(std::string& into) {
    while (receive(into)) {}
  }

 private:
  bool receive(std::string& into) {
    char piece[4096];
    const auto size = ::recv(socket_, piece, sizeof piece, 0);
    if (size <= 0) return false;
    into.append(piece, static_cast<std::size_t>(size));
    return true;
  }
  int socket_;
};

/// Serves on a free port of the loopback until destroyed. The connection ends with the handler.
class fault_server {
 public:
  using handler = std::function<void(connection&)>;

  explicit fault_server(handler serve)
      : serve_(std::move(serve)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, any, size) != 0 || ::listen(listener_, 1024) != 0 ||
        ::getsockname(listener_, any, &size) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread{[this] { accept_all(); }};
  }

  /// Answers every request on a connection with the same bytes, then closes.
  static handler answers(std::string bytes) {
    return [bytes = std::move(bytes)](connection& with) {
      if (with.read_request()) with.send(bytes);
    };
  }

  ~fault_server() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock{mutex_};
      for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    }
    for (auto& each : threads_) each.join();
    for (const int socket : sockets_) ::close(socket);
    ::close(listener_);
  }
  fault_server(const fault_server&) = delete;
  fault_server& operator=(const fault_server&) = delete;

  [[nodiscard]] std::string url(std::string_view path = "/") const {
    return origin() + std::string{path};
  }
  [[nodiscard]] std::string origin() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int connections() const { return connections_.load(); }

 private:
  void accept_all() {
    // accept4 wants its descriptor before it waits: while a test lets none be had, it may not be
    // called for nobody.
    pollfd someone{listener_, POLLIN, 0};
    while (::poll(&someone, 1, -1) == 1) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      ++connections_;
      const std::lock_guard lock{mutex_};
      sockets_.push_back(socket);
      threads_.emplace_back([this, socket] {
        connection with{socket};
        serve_(with);
        ::shutdown(socket, SHUT_RDWR);
      });
    }
  }

  handler serve_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace wherry::app
