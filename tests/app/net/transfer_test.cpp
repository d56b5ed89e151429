// SPDX-License-Identifier: Apache-2.0
// Goal: bodies in both directions, and transfers that are ended from outside. Method: as in
// http_client_test.cpp; that nothing is touched after the end is also what ASan watches here.
#include "net/transfer.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <optional>
#include <semaphore>

#include "fault_server.hpp"
#include "no_descriptors.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry::app {
namespace {

transfer::answer fetch(http_request request) {
  http_client client;
  thread_scheduler scheduler{{.threads = 2}};
  return scheduler.run(client.fetch(std::move(request)));
}

struct counting_writer final : body_writer {
  verdict then = verdict::more;
  std::string bytes;
  int status = 0;
  verdict write(int with_status, std::string_view piece) override {
    status = with_status;
    bytes.append(piece);
    return then;
  }
};

// Echoes the request as the body of the answer.
void echo(connection& with) {
  if (const auto request = with.read_request()) {
    with.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(request->size()) + "\r\n\r\n" +
              *request);
  }
}

struct temporary_file {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("wherry-transfer-" + std::to_string(::getpid()));
  explicit temporary_file(std::string_view text) { std::ofstream{path} << text; }
  ~temporary_file() { std::filesystem::remove(path); }
};

}  // namespace

TEST_SUITE("net/transfer.hpp") {
  TEST_CASE("a body in memory is sent whole with its length and nothing about its type") {
    const fault_server server{echo};
    for (const std::size_t size : {0uz, 9'000uz, 3'000'000uz}) {
      http_request request;
      request.method = "PUT";
      request.url = server.url("/a%20b?c=d");
      request.headers = {{"X-One", "1"}, {"X-Empty", ""}};
      request.max_size_bytes = 4'000'000;
      request.body = std::make_shared<const std::string>(size, 'x');
      const auto got = fetch(request);
      REQUIRE(got.has_value());
      CHECK(got->body.starts_with("PUT /a%20b?c=d HTTP/1.1\r\n"));
      CHECK(got->body.contains("Content-Length: " + std::to_string(size) + "\r\n"));
      CHECK(got->body.contains("X-One: 1\r\n"));
      CHECK(got->body.contains("X-Empty:\r\n"));
      CHECK_FALSE(got->body.contains("Content-Type"));
      CHECK_FALSE(got->body.contains("Expect"));
      CHECK(got->body.ends_with("\r\n\r\n" + std::string(size, 'x')));
    }
  }

  TEST_CASE("a path is sent as it stands") {
    const fault_server server{echo};
    http_request request;
    request.url = server.url("/a/../b/./c");
    const auto got = fetch(request);
    REQUIRE(got.has_value());
    CHECK(got->body.starts_with("GET /a/../b/./c HTTP/1.1\r\n"));
  }

  TEST_CASE("a file is streamed as the body") {
    const fault_server server{echo};
    const temporary_file file{std::string(500'000, 'y')};
    http_request request;
    request.method = "PUT";
    request.url = server.url();
    request.body = file_body{file.path, 500'000};
    const auto got = fetch(request);
    REQUIRE(got.has_value());
    CHECK(got->body.contains("Content-Length: 500000\r\n"));
    CHECK(got->body.ends_with("\r\n\r\n" + std::string(500'000, 'y')));
  }

  TEST_CASE("bytes of a file from its midst are streamed as the body") {
    const fault_server server{echo};
    const temporary_file file{std::string(100'000, 'a') + std::string(200'000, 'b') + "c"};
    http_request request;
    request.method = "PUT";
    request.url = server.url();
    request.body = file_body{file.path, 200'000, 100'000};
    const auto got = fetch(request);
    REQUIRE(got.has_value());
    CHECK(got->body.contains("Content-Length: 200000\r\n"));
    CHECK(got->body.ends_with("\r\n\r\n" + std::string(200'000, 'b')));
  }

  TEST_CASE("a file that is shorter than announced or missing is a local error that names it") {
    const fault_server server{echo};
    const temporary_file file{"short"};
    http_request request;
    request.method = "PUT";
    request.url = server.url();
    request.body = file_body{file.path, 100};
    const auto got = fetch(request);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().kind == net_error_kind::local_io);
    CHECK(got.error().message.contains(file.path.native()));
    request.body = file_body{"/no/such/file", 1};
    const auto missing = fetch(request);
    REQUIRE_FALSE(missing.has_value());
    CHECK(missing.error().kind == net_error_kind::local_io);
    CHECK(missing.error().message.contains("/no/such/file"));
  }

  TEST_CASE("want of file descriptors is told as such and passes") {
    const fault_server server{echo};
    const temporary_file file{"rows"};
    http_request request;
    request.method = "PUT";
    request.url = server.url();
    http_client client;
    thread_scheduler scheduler{{.threads = 2}};
    transfer::answer no_socket, no_file;
    {
      const no_descriptors none;
      no_socket = scheduler.run(client.fetch(request));
      request.body = file_body{file.path, 4};
      no_file = scheduler.run(client.fetch(request));
    }
    for (const auto& got : {no_socket, no_file}) {
      REQUIRE_FALSE(got.has_value());
      CAPTURE(got.error().message);
      CHECK(got.error().kind == net_error_kind::exhausted);
      CHECK(got.error().transient);
      CHECK(got.error().message.contains("`ulimit -n`"));
    }
    CHECK(no_file.error().message.contains(file.path.native()));
    CHECK(scheduler.run(client.fetch(request)).has_value());
  }

  TEST_CASE("a writer receives the body with the status and may end the transfer") {
    const fault_server server{
        fault_server::answers("HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\n12345")};
    counting_writer writer;
    http_request request;
    request.url = server.url();
    request.into = &writer;
    CHECK(fetch(request).error().kind == net_error_kind::truncated);
    CHECK(writer.bytes == "12345");
    CHECK(writer.status == 503);

    writer.then = body_writer::verdict::enough;
    const auto enough = fetch(request);
    REQUIRE(enough.has_value());
    CHECK(enough->status == 503);

    writer.then = body_writer::verdict::failed;
    CHECK(fetch(request).error().kind == net_error_kind::local_io);
  }

  TEST_CASE("a cancelled fetch hangs up and lets go of its writer") {
    std::binary_semaphore half_sent{0}, hung_up{0};
    const fault_server server{[&](connection& with) {
      if (!with.read_request()) return;
      with.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123");
      half_sent.release();
      with.wait_for_close();
      hung_up.release();
    }};
    http_client client;
    thread_scheduler scheduler{{.threads = 2}};
    bool was_cancelled = false;
    scheduler.run([](http_client& with, std::string url, std::binary_semaphore& sent,
                     bool& saw_cancelled) -> task<void> {
      scope children;
      children.go([](http_client& through, std::string to, bool& saw) -> task<void> {
        counting_writer writer;  // dies with this frame
        http_request request;
        request.url = std::move(to);
        request.into = &writer;
        try {
          (void)co_await through.fetch(std::move(request));
        } catch (const cancelled&) {
          saw = true;
          throw;
        }
      }(with, url, saw_cancelled));
      co_await thread([&] { sent.acquire(); }).take();
      children.cancel();
      co_await children.join();
    }(client, server.url(), half_sent, was_cancelled));
    hung_up.acquire();
    CHECK(was_cancelled);
  }

  TEST_CASE("a fetch that was cancelled before it began unwinds") {
    const fault_server server{[](connection& with) { with.wait_for_close(); }};
    http_client client;
    thread_scheduler scheduler{{.threads = 2}};
    bool was_cancelled = false;
    scheduler.run([](http_client& with, std::string url, bool& saw_cancelled) -> task<void> {
      scope children;
      children.cancel();
      children.go([](http_client& through, std::string to, bool& saw) -> task<void> {
        http_request request;
        request.url = std::move(to);
        try {
          (void)co_await through.fetch(std::move(request));
        } catch (const cancelled&) {
          saw = true;
          throw;
        }
      }(with, url, saw_cancelled));
      co_await children.join();
    }(client, server.url(), was_cancelled));
    CHECK(was_cancelled);
  }

  TEST_CASE("a client that is destroyed stops what is under way") {
    std::binary_semaphore asked{0};
    const fault_server server{[&](connection& with) {
      if (!with.read_request()) return;
      asked.release();
      with.wait_for_close();
    }};
    std::optional<http_client> client{std::in_place};
    thread_scheduler scheduler{{.threads = 2}};
    transfer::answer got;
    scheduler.run([](std::optional<http_client>& with, std::string url,
                     std::binary_semaphore& arrived, transfer::answer& out) -> task<void> {
      http_request request;
      request.url = std::move(url);
      auto fetched = go(with->fetch(std::move(request)));
      co_await thread([&] {
        arrived.acquire();
        with.reset();
      }).take();
      out = std::move(**co_await fetched.take());
    }(client, server.url(), asked, got));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().kind == net_error_kind::stopped);
  }

}  // TEST_SUITE

}  // namespace wherry::app
