// SPDX-License-Identifier: Apache-2.0
#pragma once
// An API behind credentials, with a token server of its own, and a source that signs in to it; time
// stands still until a test moves it.

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <vector>

#include "../net/keeping_server.hpp"
#include "../scratch.hpp"
#include "source/source.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry::app::sign_in {

using fetched = std::expected<download, source_error>;
using is = source_error::meaning;
namespace fs = std::filesystem;

struct house {
  testing::scratch at;
  const fs::path directory = at.path;
  std::unique_ptr<spool> files;
  source spec;
  http_client http;
  std::atomic<std::int64_t> seconds = 1'000;  // the time
  std::atomic<int> asked_the_time = 0;
  std::unique_ptr<http_source> from;

  house() { files = std::move(*spool::open(directory, 1u << 22)); }

  task<fetched> one(int number) {
    auto writer = files->write({"c" + std::to_string(number), 1, spool_step::download});
    co_return co_await from->fetch(
        {"acme", "77", "", "UTC"},
        day{std::chrono::year{2025}, std::chrono::January, std::chrono::day{31}}, writer);
  }

  task<std::vector<fetched>> many(int count) {
    std::vector<channel<result<fetched>>> coming;
    coming.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) coming.push_back(go(one(i)));
    std::vector<fetched> all;
    all.reserve(coming.size());
    for (const auto& each : coming) {
      auto got = co_await each.take();
      all.push_back(std::move(**got));
    }
    co_return all;
  }

  void open() {
    if (from) return;
    from = std::make_unique<http_source>(spec, http, [this] {
      asked_the_time.fetch_add(1);
      asked_the_time.notify_all();
      return steady_time{std::chrono::seconds{seconds.load()}};
    });
  }

  /// So many reports at once, by the credentials that the source has learnt so far.
  std::vector<fetched> fetch_many(int count, int threads = 1) {
    open();
    thread_scheduler scheduler{{.threads = threads}};
    return scheduler.run(many(count));
  }

  task<> one_for_nothing() { static_cast<void>(co_await one(0)); }
  task<> cancelled_once(std::atomic<bool>* reached) {
    scope owner;
    owner.go(one_for_nothing());
    co_await thread([reached] { reached->wait(false); }).take();
    owner.cancel();
    co_await owner.join();
  }

  /// A report whose step is cancelled once `reached` is true.
  void fetch_and_cancel(std::atomic<bool>& reached) {
    open();
    thread_scheduler scheduler{{.threads = 1}};
    scheduler.run(cancelled_once(&reached));
  }

  /// Asks the API to make a report; then how it comes along.
  task<bool> made() {
    const client of{"acme", "77", "", "UTC"};
    const day on{std::chrono::year{2025}, std::chrono::January, std::chrono::day{31}};
    auto id = co_await from->request(of, on, "");
    if (!id) co_return false;
    auto progress = co_await from->poll(of, on, *id);
    co_return progress && progress->now == remote_progress::is::ready;
  }
  bool request_and_poll() {
    open();
    thread_scheduler scheduler{{.threads = 1}};
    return scheduler.run(made());
  }

  fetched fetch() { return std::move(fetch_many(1).front()); }
};

}  // namespace wherry::app::sign_in
