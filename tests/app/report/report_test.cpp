// SPDX-License-Identifier: Apache-2.0
// Goal: reports complete, and what is in the way is waited for or told, never a dead letter that
// nobody is to blame for. Method: everything real but the API and the store (house.hpp).
#include "report/report.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "house.hpp"

namespace wherry::app {
namespace {

using namespace testing;

std::string rows(std::size_t size_bytes) {
  std::string text = "day,name,amount\n";
  while (text.size() < size_bytes) text += "2025-01-31,a name of some length,12345\n";
  return text;
}

// Answers every request on a connection.
fault_server::handler serving(std::string answer) {
  return [answer = std::move(answer)](connection& with) {
    while (with.read_request() && with.send(answer)) {}
  };
}

// Somebody who is writing an object just now: the sink steps back.
struct other_writer {
  int file;
  explicit other_writer(const std::filesystem::path& object)
      : file(::open((object.parent_path() / ("." + object.filename().native() + ".wherry")).c_str(),
                    O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) {
    REQUIRE(::flock(file, LOCK_EX | LOCK_NB) == 0);
  }
  ~other_writer() { ::close(file); }
  other_writer(const other_writer&) = delete;
  other_writer& operator=(const other_writer&) = delete;
};

constexpr const char* endless_sql =
    "select count(*) as n from report, range(100000000000) t(i) where i % 7 = amount";

}  // namespace

TEST_SUITE("report/report.hpp") {
  TEST_CASE("a report goes from the API to its object") {
    const fault_server api{serving(ok("day,name,amount\n2025-01-31,x,1\n"))};
    house at{api, 1};
    at.open();
    at.run();
    CHECK(at.count(phase::completed) == 1);
    CHECK(content_of(at.object_of("c0")) == "day,name,amount\n2025-01-31,x,1\n");
    CHECK(at.spool->used_bytes() == 0);
  }

  TEST_CASE("a spool that holds a few of the reports in flight stops none of them") {
    const fault_server api{serving(ok(rows(20'000)))};
    house at{api, 40};
    at.spec.spool_budget_bytes = 300'000;
    at.spec.source.limit.in_flight = 32;
    at.open();
    at.run();
    CHECK(at.count(phase::completed) == 40);
    CHECK(at.count(phase::dead) == 0);
    CHECK(at.driver->progress().throttled > 0);
    CHECK(at.driver->progress().retried == 0);
    CHECK(at.spool->used_bytes() == 0);
  }

  TEST_CASE("a report over half of the budget is told and not tried again") {
    const fault_server api{serving(ok(rows(20'000)))};
    house at{api, 1};
    at.spec.spool_budget_bytes = 30'000;
    at.open();
    at.run();
    CHECK(at.machine_of("c0").phase == phase::dead);
    CHECK(at.machine_of("c0").error.contains("`spool_budget`"));
    CHECK(api.connections() == 1);
  }

  TEST_CASE("an output over half of the budget is told and not tried again") {
    const fault_server api{serving(ok(rows(10'000)))};
    house at{api, 1};
    at.spec.spool_budget_bytes = 30'000;
    at.spec.transform.sql = "select name || name || name as names from report";
    at.open();
    at.run();
    CHECK(at.machine_of("c0").phase == phase::dead);
    CHECK(at.machine_of("c0").error.contains("`spool_budget`"));
  }

  TEST_CASE("a query without end is interrupted at its time limit") {
    const fault_server api{serving(ok("day,name,amount\n2025-01-31,x,1\n"))};
    house at{api, 2};
    at.spec.transform.sql = endless_sql;
    at.open();
    auto options = options_of(at.spec);
    auto& policy = options.policies.at(std::string{transformable::tag});
    policy.time_limit = std::chrono::milliseconds{50};
    policy.attempts = 2;
    at.make_engine(options);
    at.run();
    CHECK(at.machine_of("c0").error.contains("time limit"));
    CHECK(at.machine_of("c1").error.contains("time limit"));
    CHECK(at.machine_of("c0").attempt == 2);
  }

  TEST_CASE("a stopped engine does not wait for a query without end, and its report stays") {
    const fault_server api{serving(ok("day,name,amount\n2025-01-31,x,1\n"))};
    house at{api, 1};
    at.spec.transform.sql = endless_sql;
    at.spec.sink.format = file_format::parquet;  // its file is there as soon as the query runs
    at.open();
    auto options = options_of(at.spec);
    options.grace = duration::zero();
    at.make_engine(options);
    const auto is_written = [&] {
      return std::ranges::any_of(
          std::filesystem::directory_iterator(at.spool->directory()),
          [](const auto& each) { return each.path().extension() == ".parquet"; });
    };
    std::jthread stopper([&] {
      while (!is_written()) std::this_thread::yield();
      at.driver->stop();
    });
    at.run();
    CHECK(at.machine_of("c0").state == transformable::tag);
    CHECK(at.machine_of("c0").phase == phase::ready);
    CHECK(at.machine_of("c0").attempt == 1);
    CHECK_FALSE(is_written());
  }

  TEST_CASE("dead letters keep no room in the spool and can be redriven all the same") {
    const fault_server api{serving(ok("day,name,amount\n2025-01-31,x,1\n"))};
    house at{api, 2};
    const auto out = at.at.path / "out";
    SUBCASE("where the sink refuses for good") {
      at.open();
      std::ofstream{out} << "in the way";
      at.run();
      std::filesystem::remove(out);
    }
    SUBCASE("where the last attempt fails") {
      at.spec.retry.attempts = 2;
      at.open();
      std::filesystem::create_directories(at.object_of("c0").parent_path());
      const other_writer first{at.object_of("c0")}, second{at.object_of("c1")};
      at.run();
    }
    REQUIRE(at.count(phase::dead) == 2);
    CHECK(at.machine_of("c0").state == uploadable::tag);
    CHECK(at.spool->used_bytes() == 0);
    at.redrive();
    CHECK(at.count(phase::completed) == 2);
    CHECK(content_of(at.object_of("c1")) == "day,name,amount\n2025-01-31,x,1\n");
  }

  TEST_CASE("a report that is wrong each time is downloaded a few times and leaves nothing") {
    const fault_server api{serving(ok("day,name,amount\n2025-01-31,x,no number\n"))};
    house at{api, 1};
    at.open();
    at.run();
    CHECK(at.machine_of("c0").phase == phase::dead);
    CHECK(at.machine_of("c0").error.contains("'no number' is not a bigint"));
    CHECK(at.spool->used_bytes() == 0);
  }

  TEST_CASE("a page that is torn in the spool before the last one comes is fetched again") {
    const std::string header = "day,name,amount\n", two = "2025-01-31,x,1\n2025-01-31,y,2\n",
                      one = "2025-01-31,z,3\n";
    std::atomic<int> asked{0};
    std::filesystem::path files;
    const fault_server api{[&](connection& with) {
      while (with.read_request()) {
        if (++asked == 2) {
          // The page is the only small file, and so lies at the beginning of all.
          std::fstream{files / ".wherry-spool.small"}.seekp(
              static_cast<int>((header + two).find("1\n")))
              << '9';
        }
        if (!with.send(ok(header + (asked % 2 == 1 ? two : one)))) return;
      }
    }};
    house at{api, 1};
    files = at.at.path / "spool";
    auto& pages = at.spec.source.pages.emplace();
    pages.by = report_pages::way::page;
    pages.size = 2;
    at.spec.source.url = api.url("/{client}/{day}.csv?page={page}");
    at.open();
    at.run();
    CHECK(asked == 4);
    CHECK(content_of(at.object_of("c0")) == header + two + one);
  }

  TEST_CASE("a report whose pages do not end is told and leaves nothing") {
    std::atomic<int> asked{0};
    const fault_server api{[&](connection& with) {
      while (with.read_request()) {
        ++asked;
        if (!with.send(ok("day,name,amount\n2025-01-31,x,1\n"))) return;
      }
    }};
    house at{api, 1};
    auto& pages = at.spec.source.pages.emplace();
    pages.by = report_pages::way::page;
    pages.size = 1;
    pages.most = 3;
    at.spec.source.url = api.url("/{client}/{day}.csv?page={page}");
    at.open();
    at.run();
    CHECK(at.machine_of("c0").phase == phase::dead);
    CHECK(at.machine_of("c0").error.starts_with("the report has more than 3 pages"));
    CHECK(asked == 3);
    CHECK(at.spool->used_bytes() == 0);
  }

  TEST_CASE("a day that has no rows any more loses the object of an earlier pass") {
    const std::string none = "HTTP/1.1 204 No Content\r\n\r\n";
    const auto answer = std::make_shared<std::string>(ok("day,name,amount\n2025-01-31,x,1\n"));
    const fault_server api{[answer](connection& with) {
      while (with.read_request() && with.send(*answer)) {}
    }};
    house at{api, 1};
    at.open();
    at.run();
    const auto object = at.object_of("c0");
    REQUIRE(std::filesystem::exists(object));
    *answer = none;
    at.generation = 2;
    SUBCASE("") {
      at.run();
      CHECK_FALSE(std::filesystem::exists(object));
    }
    SUBCASE("unless objects are to stay") {
      at.spec.sink.overwrite = false;
      at.run();
      CHECK(std::filesystem::exists(object));
    }
    CHECK(at.machine_of("c0").phase == phase::completed);
    CHECK(at.machine_of("c0").generation == 2);
  }

  TEST_CASE("files that were removed behind a machine are fetched again") {
    const fault_server api{serving(ok("day,name,amount\n2025-01-31,x,1\n"))};
    house at{api, 1};
    at.open();
    auto options = options_of(at.spec);
    for (auto& [tag, policy] : options.policies) policy.attempts = 2;
    options.policies.at(std::string{transformable::tag}).time_limit = duration::zero();
    at.make_engine(options);
    at.run();
    REQUIRE(at.machine_of("c0").state == transformable::tag);
    REQUIRE(at.machine_of("c0").phase == phase::dead);
    remove_files(*at.spool, "c0/2025-01-31", 1);
    CHECK(at.spool->used_bytes() == 0);
    at.make_engine(options_of(at.spec));
    at.redrive();
    CHECK(at.count(phase::completed) == 1);
  }

}  // TEST_SUITE

}  // namespace wherry::app
