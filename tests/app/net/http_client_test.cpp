// SPDX-License-Identifier: Apache-2.0
// Goal: what a client of HTTP is told when all goes well, and when bytes are missing, too many,
// late or wrong. Method: a server of our own that misbehaves on demand; no times are asserted.
#include "net/http_client.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "fault_server.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry::app {
namespace {

using answer = std::expected<http_response, net_error>;

answer fetch(http_request request, http_client_options options = {}) {
  http_client client{std::move(options)};
  thread_scheduler scheduler{{.threads = 2}};
  return scheduler.run(client.fetch(std::move(request)));
}

answer fetch_bytes(std::string bytes, http_request request = {}) {
  const fault_server server{fault_server::answers(std::move(bytes))};
  request.url = server.url();
  return fetch(std::move(request));
}

net_error_kind kind_of(const answer& given) {
  REQUIRE_FALSE(given.has_value());
  return given.error().kind;
}

}  // namespace

TEST_SUITE("net/http_client.hpp") {
  TEST_CASE("an answer comes with status and headers and body") {
    const auto got =
        fetch_bytes("HTTP/1.1 404 Not Found\r\nX-Reason:  none \r\nContent-Length: 4\r\n\r\ngone");
    REQUIRE(got.has_value());
    CHECK(got->status == 404);
    CHECK(find_header(got->headers, "x-reason") == "none");
    CHECK(find_header(got->headers, "x-other").empty());
    CHECK(got->body == "gone");
    CHECK(got->body_size_bytes == 4);
  }

  TEST_CASE("an interim answer is not taken for the answer") {
    const auto got = fetch_bytes(
        "HTTP/1.1 103 Early Hints\r\nContent-Encoding: br\r\n\r\n"
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    REQUIRE(got.has_value());
    CHECK(got->status == 200);
    CHECK(got->headers.size() == 1);
  }

  TEST_CASE("a body shorter than its Content-Length is truncated") {
    const auto got = fetch_bytes("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
    CHECK(kind_of(got) == net_error_kind::truncated);
    CHECK(got.error().transient);
  }

  TEST_CASE("a chunked body without its last chunk is truncated") {
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    CHECK(kind_of(fetch_bytes(head + "5\r\n12345\r\n")) == net_error_kind::truncated);
    CHECK(kind_of(fetch_bytes(head + "5\r\n123")) == net_error_kind::truncated);
    CHECK(fetch_bytes(head + "5\r\n12345\r\n0\r\n\r\n")->body == "12345");
  }

  TEST_CASE("an encoding matters only where there is a body and its status is 2xx") {
    const auto with = [](int status, std::string_view encoding, std::string_view body) {
      return fetch_bytes("HTTP/1.1 " + std::to_string(status) +
                         " X\r\nContent-Encoding: " + std::string{encoding} +
                         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                         std::string{body});
    };
    for (const int status : {200, 302, 401, 429, 503}) {
      for (const auto* encoding : {"gzip", "GZip", "X-GZIP", "zstd", "br"}) {
        CAPTURE(status);
        CAPTURE(encoding);
        const auto empty = with(status, encoding, "");
        REQUIRE(empty.has_value());
        CHECK(empty->status == status);
        CHECK_FALSE(empty->body_fault);
        const auto unreadable = with(status, encoding, "no such stream");
        if (status == 200) {
          CHECK(kind_of(unreadable) == net_error_kind::protocol);
        } else {
          REQUIRE(unreadable.has_value());
          CHECK(unreadable->status == status);
          CHECK(unreadable->body.empty());
          REQUIRE(unreadable->body_fault.has_value());
        }
      }
    }
  }

  TEST_CASE("an answer tells whether only the closing of the connection ended its body") {
    const std::string head = "HTTP/1.1 200 OK\r\n";
    CHECK(fetch_bytes(head + "\r\nbody")->ended_by_close);
    CHECK_FALSE(fetch_bytes(head + "Content-Length: 4\r\n\r\nbody")->ended_by_close);
    CHECK_FALSE(fetch_bytes(head + "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n")
                    ->ended_by_close);
    CHECK_FALSE(fetch_bytes("HTTP/1.1 204 No Content\r\n\r\n")->ended_by_close);
  }

  TEST_CASE("a connection that ends before the answer is truncated") {
    CHECK(kind_of(fetch_bytes("")) == net_error_kind::truncated);
  }

  TEST_CASE("a body over the limit is too large however it comes") {
    http_request limited;
    limited.max_size_bytes = 4;
    CHECK(kind_of(fetch_bytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345", limited)) ==
          net_error_kind::too_large);
    CHECK(kind_of(fetch_bytes("HTTP/1.1 200 OK\r\n\r\n12345", limited)) ==
          net_error_kind::too_large);
    const auto at_limit = fetch_bytes("HTTP/1.1 200 OK\r\n\r\n1234", limited);
    REQUIRE(at_limit.has_value());
    CHECK(at_limit->body == "1234");
  }

  TEST_CASE("an endless body ends at the limit") {
    const fault_server server{[](connection& with) {
      if (!with.read_request()) return;
      with.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      const std::string chunk = "1000\r\n" + std::string(0x1000, 'x') + "\r\n";
      while (with.send(chunk)) {}
    }};
    http_request request;
    request.url = server.url();
    const auto got = fetch(request);
    CHECK(kind_of(got) == net_error_kind::too_large);
    CHECK_FALSE(got.error().transient);
  }

  TEST_CASE("a server that never answers is a timeout") {
    const fault_server server{[](connection& with) { with.wait_for_close(); }};
    http_request request;
    request.url = server.url();
    request.timeout = std::chrono::milliseconds{50};
    CHECK(kind_of(fetch(request)) == net_error_kind::timeout);
  }

  TEST_CASE("a server that stops in the middle is a timeout by its stall") {
    const fault_server server{[](connection& with) {
      with.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123");
      with.wait_for_close();
    }};
    http_request request;
    request.url = server.url();
    request.stall_timeout = std::chrono::seconds{1};
    CHECK(kind_of(fetch(request)) == net_error_kind::timeout);
  }

  TEST_CASE("a server may think for longer than it may stall") {
    // The first to ask is answered only once the second, whose answer stops in the middle, has
    // been given up: a stall limit on the first would have come before.
    std::latch second_given_up{1};
    std::atomic<int> asked{0};
    const fault_server server{[&](connection& with) {
      if (!with.read_request()) return;
      if (asked++ == 0) {
        second_given_up.wait();
        with.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      } else {
        with.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123");
        with.wait_for_close();
        second_given_up.count_down();
      }
    }};
    http_request request;
    request.url = server.url();
    request.stall_timeout = std::chrono::seconds{1};
    http_client client;
    answer first, second;
    thread_scheduler scheduler{{.threads = 2}};
    scheduler.run([](http_client& with, http_request what, std::atomic<int>& seen, answer& one,
                     answer& two) -> task<void> {
      auto thinking = go(with.fetch(what));
      co_await thread([&] {
        while (seen == 0) std::this_thread::yield();
      }).take();
      two = co_await with.fetch(what);
      one = std::move(**co_await thinking.take());
    }(client, request, asked, first, second));
    CHECK(kind_of(second) == net_error_kind::timeout);
    REQUIRE(first.has_value());
    CHECK(first->body == "ok");
  }

  TEST_CASE("an unreachable host is named with the remedy") {
    std::uint16_t free_port = 0;
    {
      free_port = fault_server{[](connection&) {}}.port();
    }
    http_request request;
    request.url = "http://127.0.0.1:" + std::to_string(free_port) + "/x";
    const auto refused = fetch(request);
    CHECK(kind_of(refused) == net_error_kind::connect);
    CHECK(refused.error().message.contains("127.0.0.1:" + std::to_string(free_port)));
    CHECK(refused.error().message.contains("Connection refused"));
    request.url = "http://no-such-host.invalid/";
    const auto unknown = fetch(request);
    CHECK(kind_of(unknown) == net_error_kind::resolve);
    CHECK(unknown.error().message.contains("no-such-host.invalid"));
  }

  TEST_CASE("no error holds a secret of the request") {
    const fault_server server{
        fault_server::answers("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1")};
    http_request request;
    request.url =
        "http://user:hunter2@127.0.0.1:" + std::to_string(server.port()) + "/hunter2?key=hunter2";
    request.headers = {{"Authorization", "Bearer hunter2"}};
    const auto got = fetch(request);
    REQUIRE_FALSE(got.has_value());
    CHECK_FALSE(got.error().message.contains("hunter2"));
    request.headers = {{"Authorization", "Bearer hunter2\r\nX-Other: 1"}};
    const auto broken = fetch(request);
    CHECK(kind_of(broken) == net_error_kind::bad_request);
    CHECK_FALSE(broken.error().message.contains("hunter2"));
  }

  TEST_CASE("what is no HTTP is told apart") {
    http_request request;
    request.url = "ftp://127.0.0.1/x";
    CHECK(kind_of(fetch(request)) == net_error_kind::bad_request);
    CHECK(kind_of(fetch_bytes("SSH-2.0-OpenSSH_9.2\r\n")) == net_error_kind::protocol);
  }

  TEST_CASE("a server without TLS is a TLS error for an https URL") {
    const fault_server server{
        [](connection& with) { with.send("HTTP/1.1 400 Bad Request\r\n\r\n"); }};
    http_request request;
    request.url = "https://127.0.0.1:" + std::to_string(server.port());
    CHECK(kind_of(fetch(request)) == net_error_kind::tls);
  }

  TEST_CASE("a redirect is reported and not followed") {
    const auto got = fetch_bytes(
        "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/x?a=1\r\n"
        "Content-Length: 0\r\n\r\n");
    REQUIRE(got.has_value());
    CHECK(got->status == 302);
    CHECK(got->redirect_url == "https://elsewhere.example/x?a=1");
  }

  TEST_CASE("a connection serves one request after another") {
    const fault_server server{[](connection& with) {
      while (with.read_request()) with.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }};
    http_client client;
    thread_scheduler scheduler{{.threads = 2}};
    scheduler.run([](http_client& with, std::string url) -> task<void> {
      for (int i = 0; i < 5; ++i) {
        http_request request;
        request.url = url;
        const auto got = co_await with.fetch(std::move(request));
        CHECK(got.has_value());
      }
    }(client, server.url()));
    CHECK(server.connections() == 1);
  }

  TEST_CASE("a kept connection that the server closed is replaced without an error") {
    const fault_server server{
        fault_server::answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")};
    http_client client;
    thread_scheduler scheduler{{.threads = 2}};
    scheduler.run([](http_client& with, std::string url) -> task<void> {
      for (int i = 0; i < 20; ++i) {
        http_request request;
        request.url = url;
        const auto got = co_await with.fetch(std::move(request));
        CHECK(got.has_value());
      }
    }(client, server.url()));
    CHECK(server.connections() == 20);
  }

  TEST_CASE("hundreds of transfers are under way at once") {
    constexpr int many = 300;
    std::latch all_arrived{many};
    const fault_server server{[&](connection& with) {
      if (!with.read_request()) return;
      all_arrived.arrive_and_wait();
      with.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }};
    http_client client;
    thread_scheduler scheduler{{.threads = 2}};
    std::atomic<int> good{0};
    scheduler.run([](http_client& with, std::string url, std::atomic<int>& counted) -> task<void> {
      co_await with_scope([&](scope& all) -> task<void> {
        for (int i = 0; i < many; ++i) {
          all.go([](http_client& through, std::string to, std::atomic<int>& count) -> task<void> {
            http_request request;
            request.url = std::move(to);
            if (co_await through.fetch(std::move(request))) ++count;
          }(with, url, counted));
        }
        co_return;
      });
    }(client, server.url(), good));
    CHECK(good == many);
  }

}  // TEST_SUITE

}  // namespace wherry::app
