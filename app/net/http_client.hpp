// SPDX-License-Identifier: Apache-2.0
#pragma once
// http_client: hundreds of HTTP transfers at once, all on one thread of libcurl's multi interface.
// A process that awaits `fetch` holds a channel, not a thread.
//
// Invariants
// 1. When `fetch` ends, however it ends, the transfer has ended too: what the request points to
//    (a body_writer) is not touched afterwards. A cancelled fetch aborts its transfer first.
// 2. A body that is shorter than the server announced is an error, never a short body: by
//    Content-Length, by the last chunk, and by the end mark of gzip and zstd. Where nothing but the
//    closing of the connection tells the end, the answer says so (`ended_by_close`).
// 3. The status comes before the body: an answer other than 2xx whose body cannot be decoded is an
//    answer all the same, with what is wrong in `body_fault`. An empty body is complete in any
//    encoding.
// 4. An error names scheme, host and port; never path, query, headers or bodies: those may hold
//    secrets.
// 5. Redirects are not followed: the caller decides where credentials may go (`redirect_url`).

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "net/origin.hpp"
#include "wherry/csp/task.hpp"

namespace wherry::app {

/// Names and values in the order in which they were sent. Names compare without regard to case.
using http_headers = std::vector<std::pair<std::string, std::string>>;

/// Finds the first header of that name; empty if there is none.
[[nodiscard]] std::string_view find_header(const http_headers& in, std::string_view name) noexcept;

/// Receives a body as it arrives. Threads: called on the client's thread, one call at a time, only
/// while the fetch that it belongs to is awaited; so it may block for a local file, no longer.
class body_writer {
 public:
  enum class verdict {
    more,    ///< go on
    enough,  ///< end the transfer here, as a success
    failed,  ///< end it with net_error_kind::local_io; the writer knows why
  };
  virtual ~body_writer() = default;

  /// Takes the next decoded bytes of an answer with that status; never zero bytes.
  virtual verdict write(int status, std::string_view bytes) = 0;
};

/// So many bytes of a file, streamed as the body of a request. Requires: the file has them while
/// they are sent.
struct file_body {
  std::filesystem::path path;
  std::uint64_t size_bytes = 0;
  std::uint64_t begin_bytes = 0;  ///< where in the file they begin
};

/// The body of a request: none, bytes in memory, or a file.
using request_body = std::variant<std::monostate, std::shared_ptr<const std::string>, file_body>;

struct http_request {
  std::string method = "GET";
  std::string url;       ///< http or https; may hold secrets
  http_headers headers;  ///< may hold secrets
  std::string user;      ///< for basic authentication; empty: none
  std::string password;
  request_body body;

  /// Receives the body of the answer; null collects it in http_response::body.
  body_writer* into = nullptr;
  /// Bounds the body after decompression; enforced while it arrives.
  std::uint64_t max_size_bytes = 1u << 20;
  /// Offers gzip and zstd to the server and undoes them.
  bool accept_compressed = false;

  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds timeout{300'000};  ///< for all of it
  /// Ends a transfer whose answer has begun and that then moves less than one byte a second for so
  /// long. Until it begins only `timeout` counts: a report may take long to make. Units: whole
  /// seconds.
  std::chrono::seconds stall_timeout{60};
};

enum class net_error_kind {
  bad_request,  ///< the URL or the method is none
  resolve,      ///< the host's name is not known
  connect,      ///< nobody listens, or the network is down
  tls,          ///< the certificate or the handshake
  timeout,      ///< one of the three timeouts
  truncated,    ///< the body ended before its end, or the server hung up
  too_large,    ///< the body is over max_size_bytes
  local_io,     ///< the body_writer or the file of the request body failed
  exhausted,    ///< this process has too many open files
  protocol,     ///< the server does not speak HTTP as it should
  stopped,      ///< the client is being destroyed
};

/// Says why there is no answer. `message` names the host and the remedy.
struct net_error {
  net_error_kind kind;
  std::string message;
  bool transient = true;  ///< trying again may help
};

struct http_response {
  int status = 0;
  http_headers headers;
  std::string body;                   ///< if it was collected
  std::uint64_t body_size_bytes = 0;  ///< after decompression
  /// Why `body` is not the whole body, or none of it; never where status is 2xx: fetch then fails.
  std::optional<net_error> body_fault;
  /// Neither a length nor chunks nor an end mark: a body that was cut would look the same.
  bool ended_by_close = false;
  std::string redirect_url;  ///< absolute; empty unless status is 3xx with a Location
  std::chrono::microseconds first_byte_after{0};
  std::chrono::microseconds total{0};
};

/// What sends requests: http_client over the network, or who stands in for it. Threads: any.
class http_fetcher {
 public:
  http_fetcher() = default;
  http_fetcher(const http_fetcher&) = delete;
  http_fetcher& operator=(const http_fetcher&) = delete;
  virtual ~http_fetcher() = default;

  /// Sends a request and receives the answer, whatever its status.
  /// Suspends: until the answer is whole. Errors: net_error; `cancelled`.
  [[nodiscard]] virtual task<std::expected<http_response, net_error>> fetch(
      http_request request) = 0;
};

/// How often a request follows.
inline constexpr int redirects_limit = 5;

/// Whether an answer from `here` sends on to where a request may follow: to an http or https
/// address, and never from https to http.
[[nodiscard]] bool sends_on(const std::optional<origin>& here, const http_response& answer);

struct http_client_options {
  /// Connections kept open for reuse, over all hosts.
  int idle_connections = 1024;
  /// A file of certificates to trust besides the system's; empty: none.
  std::string extra_certificates;
};

/// Owns the transfer thread and its connections. Requires: outlives its fetches.
class http_client final : public http_fetcher {
 public:
  explicit http_client(http_client_options options = {});
  ~http_client() override;

  [[nodiscard]] task<std::expected<http_response, net_error>> fetch(http_request request) override;

 private:
  struct implementation;
  std::unique_ptr<implementation> self_;
};

}  // namespace wherry::app
