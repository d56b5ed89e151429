// SPDX-License-Identifier: Apache-2.0
#pragma once
// A whole import but for the command line: engine, spool, DuckDB, sink and HTTP are the real ones;
// the API is a fault_server, and machines live in a store in memory.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "../keys.hpp"
#include "../net/fault_server.hpp"
#include "../scratch.hpp"
#include "report/report.hpp"
#include "wherry/engine/engine.hpp"
#include "wherry/store/memory.hpp"

namespace wherry::app::testing {

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// Answers 200 with that body.
inline std::string ok(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string{body};
}

/// What a test varies: the spec and the engine's options. Then `open`, and `run`.
struct house {
  scratch at;
  app::spec spec;
  std::unique_ptr<store> machines = open_memory_store();
  http_client http;
  aws_credentials keys{testing::keys_in(spec.sink), http};
  std::unique_ptr<app::spool> spool;
  std::unique_ptr<app::transformer> transformer;
  std::unique_ptr<report_source> source;
  std::unique_ptr<object_sink> sink;
  std::unique_ptr<engine<report>> driver;
  std::int64_t generation = 1;

  /// Reports of clients c0, c1, … from that server.
  house(const fault_server& api, int clients) {
    for (int i = 0; i < clients; ++i) {
      const auto id = "c" + std::to_string(i);
      spec.clients.push_back({.id = id, .account = id, .currency = "", .timezone = "UTC"});
    }
    spec.source.url = api.url("/{client}/{day}.csv");
    spec.source.limit = {.lane = "api", .in_flight = 8};
    spec.source.columns = {{"day", "date"}, {"name", "varchar"}, {"amount", "bigint"}};
    spec.sink.url = "file://" + (at.path / "out").native() + "/{day}/{client}.csv";
    spec.sink.limit = {.lane = "sink", .in_flight = 8};
    spec.retry.first = std::chrono::milliseconds{1};
    spec.retry.cap = std::chrono::milliseconds{1};
  }

  void open() {
    auto opened = spool::open(at.path / "spool", spec.spool_budget_bytes);
    REQUIRE(opened.has_value());
    spool = std::move(*opened);
    auto made = transformer::open(spec.source, spec.transform, spec.sink,
                                  {.directory = spool->directory().native()});
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().message));
    transformer = std::move(*made);
    source = std::make_unique<http_source>(spec.source, http);
    sink = make_sink(spec.sink, http, keys, *spool);
    make_engine(options_of(spec));
  }

  void make_engine(engine_options options) {
    driver = std::make_unique<engine<report>>(
        *machines, report{{spec, *source, *spool, *transformer, *sink}}, std::move(options));
    driver->on_completed(
        [this](engine<report>::finished done) { remove_files(*spool, done.id, done.generation); });
  }

  task<> submit_and_run(bool& good) {
    std::vector<engine<report>::start> all;
    for (const auto& each : spec.clients) {
      all.push_back({.id = each.id + "/2025-01-31",
                     .first = downloadable{each.id, "2025-01-31"},
                     .generation = generation});
    }
    auto submitted = co_await driver->submit(std::move(all));
    good = submitted.has_value();
    auto ran = co_await driver->run();
    good = good && ran.has_value();
  }

  /// Submits a report of each client and runs until none is left to run, or the engine is stopped.
  void run() {
    bool good = false;
    thread_scheduler scheduler{{.threads = 2}};
    scheduler.run(submit_and_run(good));
    REQUIRE(good);
  }

  task<> redrive_and_run(bool& good) {
    auto redriven = co_await machines->control(control_verb::redrive, {.phase = phase::dead});
    good = redriven.has_value();
    auto ran = co_await driver->run();
    good = good && ran.has_value();
  }

  /// Runs all dead letters again.
  void redrive() {
    bool good = false;
    thread_scheduler scheduler{{.threads = 2}};
    scheduler.run(redrive_and_run(good));
    REQUIRE(good);
  }

  [[nodiscard]] std::filesystem::path object_of(const std::string& client) const {
    return at.path / "out" / "2025-01-31" / (client + ".csv");
  }
  [[nodiscard]] machine_view machine_of(const std::string& client) const {
    const auto found = machines->query({.id = client + "/2025-01-31"}, 1, "");
    REQUIRE((found && found->size() == 1));
    return found->front();
  }
  [[nodiscard]] std::int64_t count(phase in) const { return machines->count()->in(in); }
};

}  // namespace wherry::app::testing
