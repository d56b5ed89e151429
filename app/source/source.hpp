// SPDX-License-Identifier: Apache-2.0
#pragma once
// report_source: downloads the report of one client and day into the spool; where the API makes
// it on request, requests it and asks until it is ready.
//
// 1. Only the body of an answer that means rows becomes a file; of any other the first 64 KiB are
//    looked at and dropped.
// 2. Redirects are followed, at most five, never from https to http; credentials and headers of the
//    spec go only to the origin (scheme, host, port) that the spec names.
// 3. No error holds a secret: neither the URL's query, nor a header, nor what the server said in a
//    body that may echo them. The address of a report that is ready may be one: it goes nowhere
//    but into the request.

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/http_client.hpp"
#include "source/answer.hpp"
#include "spec/day.hpp"
#include "spec/spec.hpp"
#include "spool/spool.hpp"
#include "wherry/csp/clock.hpp"
#include "wherry/csp/task.hpp"

namespace wherry::app {

struct download {
  spool_file file;
  std::chrono::microseconds first_byte_after{0};
  std::chrono::microseconds total{0};
};

/// Which request for a report it is.
struct asked_page {
  std::string report{};  ///< its id at the API; empty: it was not requested
  std::string part{};    ///< what {part} stands for
  std::string next{};    ///< what the page before said (`page::next`); empty: the first page
};

/// One page of a report.
struct page {
  spool_file file;
  /// What asks for the one after it; may hold secrets. Empty: it is the last.
  std::string next{};
};

/// Says why there are no rows. `message` names the place and the remedy.
struct source_error {
  enum class meaning {
    empty,        ///< the report exists and has no rows
    pending,      ///< not ready yet: ask again; no attempt is spent
    transient,    ///< try again
    throttled,    ///< the lane waits; no attempt is spent
    split,        ///< too large: ask for parts of it
    expired,      ///< what asked for it may hold no more: ask anew for what gives that
    spool_full,   ///< as throttled, by the spool
    credentials,  ///< the lane stops until somebody has mended them; no attempt is spent
    permanent,    ///< trying again would not help
  };
  meaning is = meaning::transient;
  /// If it is known; of pending, transient, throttled, spool_full.
  std::optional<std::chrono::milliseconds> wait;
  std::string message;
};

/// Where a report is, and what is said to get it.
struct remote_place {
  std::string url;  ///< a secret: often whoever knows it may read the report
  bool with_credentials = false;
  // Only for the origin of `url`.
  http_headers headers{};
  std::string body{};       ///< JSON to be posted; empty: a GET
  bool may_expire = false;  ///< the API has made it, and keeps it for a while
};

/// What becomes of a report that the API makes.
struct remote_progress {
  enum class is {
    not_ready,  ///< to be asked again
    ready,      ///< `place` says where it is
    gone        ///< it failed, or nobody knows it any more: to be requested anew
  };
  is now = is::not_ready;
  remote_place place{};
  std::string why;  ///< of `gone`
};

/// Threads: any.
class report_source {
 public:
  virtual ~report_source() = default;

  /// Asks the API to make a report, or a part of it (empty: all), and gives the id under which it
  /// does, also if that is one that it was asked for before. Suspends: until it has answered.
  /// Errors: source_error; `cancelled`.
  [[nodiscard]] virtual task<std::expected<std::string, source_error>> request(
      client of, day on, std::string part) = 0;

  /// Asks how a report comes along. Suspends, errors: as above; empty: it is ready and has no rows.
  [[nodiscard]] virtual task<std::expected<remote_progress, source_error>> poll(
      client of, day on, std::string remote) = 0;

  /// Downloads a page of a report; the first page of one that the API has made lies at `from`.
  /// Requires: source.pages or source.split. Otherwise as below.
  [[nodiscard]] virtual task<std::expected<page, source_error>> fetch_page(
      client of, day on, asked_page which, std::optional<remote_place> from,
      spool_writer& into) = 0;

  /// As below, from there.
  [[nodiscard]] virtual task<std::expected<download, source_error>> fetch(remote_place from,
                                                                          spool_writer& into) = 0;

  /// Downloads one report and finishes `into` if there are rows; otherwise drop `into`.
  /// Suspends: until the answer is whole. Errors: source_error; `cancelled`.
  [[nodiscard]] virtual task<std::expected<download, source_error>> fetch(client of, day on,
                                                                          spool_writer& into) = 0;
};

class credentials;

/// Tells the time by which credentials expire.
using time_source = std::function<steady_time()>;

/// Requires: spec and client outlive it.
class http_source final : public report_source {
 public:
  /// `now`: empty for the time of the scheduler.
  http_source(const source& spec, http_fetcher& client, time_source now = {});
  ~http_source() override;

  [[nodiscard]] task<std::expected<std::string, source_error>> request(client of, day on,
                                                                       std::string part) override;
  [[nodiscard]] task<std::expected<remote_progress, source_error>> poll(
      client of, day on, std::string remote) override;
  [[nodiscard]] task<std::expected<page, source_error>> fetch_page(client of, day on,
                                                                   asked_page which,
                                                                   std::optional<remote_place> from,
                                                                   spool_writer& into) override;
  [[nodiscard]] task<std::expected<download, source_error>> fetch(remote_place from,
                                                                  spool_writer& into) override;
  [[nodiscard]] task<std::expected<download, source_error>> fetch(client of, day on,
                                                                  spool_writer& into) override;

  /// Asks for something that is no report, such as a list of accounts, of at most 64 MiB; a
  /// redirect is not followed. Gives the body. Suspends: until it is whole. Errors: source_error;
  /// `cancelled`.
  [[nodiscard]] task<std::expected<std::string, source_error>> get(std::string url);

 private:
  struct fetched {
    download got;
    http_headers headers;
    std::string beginning;  // of the body, up to what was to be kept
    bool is_whole = true;   // that is all of it
  };
  struct looking {
    std::size_t kept_bytes = 0;    // so many of the body's
    bool is_later_page = false;    // what asked for it may have expired
    bool ends_when_empty = false;  // a body without a byte has no rows
  };
  [[nodiscard]] task<std::expected<fetched, source_error>> fetch_rows(remote_place from,
                                                                      spool_writer& into,
                                                                      looking how);
  [[nodiscard]] std::expected<remote_place, source_error> place_of_page(
      const client& of, day on, const asked_page& which) const;
  struct asked {
    http_response answer;
    std::string place;
    answer_meaning meant;
  };
  [[nodiscard]] task<std::expected<asked, source_error>> ask(http_request question,
                                                             std::uint64_t most_bytes);

  [[nodiscard]] task<std::expected<http_response, source_error>> send_as_nobody(
      http_request question);

  const source& spec_;
  http_fetcher& client_;
  const std::unique_ptr<credentials> credentials_;
};

}  // namespace wherry::app
