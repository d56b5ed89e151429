// SPDX-License-Identifier: Apache-2.0
// Goal: what a spec says of its limits reaches the engine's lanes, and an import keeps to its
// quotas, also when it is started again. Method: the spec is read from its text; an import has real
// steps, spool and DuckDB, under virtual time; the API only notes when it was called.
#include <algorithm>
#include <set>

#include "house.hpp"
#include "lying_source.hpp"
#include "spec/read.hpp"
#include "wherry/csp/sleep.hpp"

using namespace wherry;
using namespace wherry::app;
using namespace wherry::app::testing;
using namespace std::chrono_literals;

namespace {

using times = std::vector<system_time>;

app::spec spec_of(const std::string& import, const std::string& source_limit,
                  const std::string& sink_limit) {
  const auto text =
      "[import]\nname = \"ads\"\n" + import +
      "\n[source]\nurl = \"http://nowhere/{client}/{day}.csv\"\nlimit = " + source_limit +
      "\ncolumns = { day = \"date\", amount = \"bigint\" }" +
      "\n[transform]\ncolumns = { day = \"date\", amount = \"bigint\" }" +
      "\n[sink]\nurl = \"file:///nowhere/{day}/{client}.csv\"\nlimit = " + sink_limit + "\n";
  auto made = parse_spec(text, "ads.toml", [](const std::string&) { return std::nullopt; });
  REQUIRE_MESSAGE(made.has_value(), (made ? "" : to_string(made.error().front())));
  return *std::move(made);
}

lane_limits lane_of(const app::spec& spec, std::string_view lane) {
  return options_of(spec).limits(lane);
}

constexpr const char* two_clients = R"(clients = ["acme", "globex"])";
constexpr const char* everything =
    R"({ lane = "api", rate = "10/s", in_flight = 7, quotas = ["100/min", "10000/day"], )"
    R"(adaptive = true, weight = 3, )"
    R"(breaker = { failures = 5, open_for = "20s", longest = "2m" } })";

int most_within(const times& calls, std::chrono::milliseconds window) {
  std::ptrdiff_t most = 0;
  for (auto begin = calls.begin(); begin != calls.end(); ++begin) {
    most = std::max(most, std::lower_bound(begin, calls.end(), *begin + window) - begin);
  }
  return static_cast<int>(most);
}

/// Notes when it was called, and has a row for everybody; now and then it fails first.
class noting_api final : public testing::lying_source {
 public:
  using lying_source::fetch;
  task<std::expected<download, source_error>> fetch(client, day, spool_writer& into) override {
    calls.push_back(scheduler::current().system_now());
    co_await sleep_for(200ms);
    if (calls.size() % 4 == 0) {
      co_return std::unexpected(source_error{source_error::meaning::transient, {}, "bad gateway"});
    }
    REQUIRE(into.write("day,amount\n2025-01-31,1\n"));
    auto file = into.finish();
    REQUIRE(file.has_value());
    co_return download{.file = *file};
  }
  times calls;
};

/// Takes every object.
class noting_sink final : public object_sink {
 public:
  task<std::expected<stored_object, sink_error>> put(object_to_put what) override {
    calls.push_back(scheduler::current().system_now());
    objects.insert(what.of.id);
    co_return stored_object{"sim://" + what.of.id, what.file.size_bytes, what.file.sha256};
  }
  task<std::expected<void, sink_error>> remove(client of, day, object_role) override {
    objects.erase(of.id);
    co_return {};
  }
  times calls;
  std::set<std::string> objects;
};

/// One import; a store in memory that outlives its engines.
struct quota_import {
  scratch at;
  app::spec spec;
  std::unique_ptr<store> machines = open_memory_store();
  std::unique_ptr<app::spool> spool;
  std::unique_ptr<app::transformer> transformer;
  noting_api api;
  noting_sink sink;

  explicit quota_import(app::spec read) : spec(std::move(read)) {
    auto opened = spool::open(at.path / "spool", spec.spool_budget_bytes);
    REQUIRE(opened.has_value());
    spool = std::move(*opened);
    auto made = transformer::open(spec.source, spec.transform, spec.sink,
                                  {.directory = spool->directory().native()});
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().message));
    transformer = std::move(*made);
  }

  [[nodiscard]] engine<report> start() {
    return {*machines, report{{spec, api, *spool, *transformer, sink}}, options_of(spec)};
  }

  task<> submit() {
    auto driver = start();
    std::vector<engine<report>::start> all;
    for (const auto& each : spec.clients) {
      all.push_back({.id = each.id + "/2025-01-31", .first = downloadable{each.id, "2025-01-31"}});
    }
    REQUIRE(co_await driver.submit(std::move(all)));
  }

  /// As a process that is stopped, cleanly, after some time.
  task<> run_for(duration time) {
    auto driver = start();
    co_await with_scope([&](scope& all) -> task<> {
      all.go(run_well(driver, run_until::stopped));
      co_await sleep_for(time);
      driver.stop();
    });
  }

  task<> run_to_the_end() {
    auto driver = start();
    co_await run_well(driver, run_until::drained);
  }

  static task<> run_well(engine<report>& driver, run_until until) {
    REQUIRE(co_await driver.run(until));
  }
};

std::string clients(int count) {
  std::string list = "clients = [";
  for (int i = 0; i < count; ++i) list += "\"c" + std::to_string(i) + "\", ";
  return list + "]";
}

}  // namespace

TEST_SUITE("report/report.hpp: limits") {
  TEST_CASE("all that a spec says of a source's limit reaches the lane of that name") {
    const auto lane = lane_of(spec_of(two_clients, everything, "{}"), "api");
    CHECK(lane.in_flight == 7);
    CHECK(lane.rate == 10);
    CHECK(lane.per == 1s);
    CHECK(lane.quotas == std::vector<wherry::quota>{{100, 1min}, {10'000, 24h}});
    CHECK(lane.adaptive);
    CHECK(lane.breaker.failures == 5);
    CHECK(lane.breaker.open_for == 20s);
    CHECK(lane.breaker.longest == 2min);
    CHECK(lane.weight == 3);
  }

  TEST_CASE("the lanes of source and sink are two and neither has the other's limits") {
    const auto of_sink = lane_of(spec_of(two_clients, everything, "{}"), "sink");
    CHECK(of_sink.quotas.empty());
    CHECK_FALSE(of_sink.adaptive);
    CHECK(of_sink.breaker.failures == 0);
    CHECK(of_sink.weight == 1);
    const auto turned = spec_of(two_clients, "{}", R"({ quotas = ["5/s"], weight = 2 })");
    CHECK(lane_of(turned, "sink").quotas == std::vector<wherry::quota>{{5, 1s}});
    CHECK(lane_of(turned, "sink").weight == 2);
    CHECK(lane_of(turned, "acme").quotas.empty());
  }

  TEST_CASE("each account has a lane with the whole quota") {
    const auto spec = spec_of(two_clients, R"({ quotas = ["9/h"] })", "{}");
    CHECK(lane_of(spec, "acme").quotas == std::vector<wherry::quota>{{9, 1h}});
    CHECK(lane_of(spec, "globex").quotas == std::vector<wherry::quota>{{9, 1h}});
  }

  TEST_CASE("source and sink of one lane have the tighter of each limit") {
    const auto lane = lane_of(
        spec_of(two_clients,
                R"({ lane = "a", rate = "100/s", quotas = ["50/min", "900/h"], weight = 2, )"
                R"(breaker = { failures = 9, open_for = "1m" } })",
                R"({ lane = "a", rate = "1/s", quotas = ["60/min", "5/s", "800/h"], )"
                R"(adaptive = true, breaker = { failures = 3, longest = "20m" } })"),
        "a");
    CHECK(lane.rate == 1);
    CHECK(lane.burst < 2);
    CHECK(lane.quotas == std::vector<wherry::quota>{{50, 1min}, {800, 1h}, {5, 1s}});
    CHECK(lane.adaptive);
    CHECK(lane.breaker.failures == 3);
    CHECK(lane.breaker.open_for == 1min);
    CHECK(lane.breaker.longest == 20min);
    CHECK(lane.weight == 2);
  }

  TEST_CASE("an import never makes more calls in a window than its quotas and uses them") {
    quota_import at{spec_of(
        clients(40), R"({ lane = "api", in_flight = 20, quotas = ["3/min", "10/h"] })", "{}")};
    virtual_scheduler time{1};
    time.run([](quota_import& of) -> task<> {
      co_await of.submit();
      co_await of.run_to_the_end();
    }(at));
    CHECK(at.sink.objects.size() == 40);
    CHECK(at.api.calls.size() > 40);  // attempts that failed are calls, too
    CHECK(most_within(at.api.calls, 1min) == 3);
    CHECK(most_within(at.api.calls, 1h) == 10);
  }

  TEST_CASE("an import that is started again and again has one quota for all its starts") {
    quota_import at{
        spec_of(clients(30), R"({ lane = "api", in_flight = 2, quotas = ["10/day"] })", "{}")};
    virtual_scheduler time{2};
    time.run([](quota_import& of) -> task<> {
      co_await of.submit();
      for (int i = 0; i < 8; ++i) co_await of.run_for(700ms);
      co_await of.run_to_the_end();
    }(at));
    CHECK(at.sink.objects.size() == 30);
    CHECK(most_within(at.api.calls, 24h) == 10);
  }

  TEST_CASE("a quota of the sink spreads the uploads and not the downloads") {
    quota_import at{spec_of(clients(12), R"({ lane = "api" })", R"({ quotas = ["4/h"] })")};
    virtual_scheduler time{3};
    time.run([](quota_import& of) -> task<> {
      co_await of.submit();
      co_await of.run_to_the_end();
    }(at));
    CHECK(at.sink.objects.size() == 12);
    CHECK(most_within(at.sink.calls, 1h) == 4);
    CHECK(most_within(at.api.calls, 1h) >= 12);
  }
}
