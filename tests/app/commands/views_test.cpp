// SPDX-License-Identifier: Apache-2.0
// Goal: a machine reads the same for people and for programs: its words are those of the store.
#include "commands/views.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "report/report.hpp"

using namespace wherry;
using namespace wherry::app;

namespace {

machine_view waiting_machine() {
  machine_view machine;
  machine.id = "acme/2025-01-31";
  machine.version = 2;
  machine.state = "downloadable";
  machine.data = R"({"client":"acme","day":"2025-01-31"})";
  machine.lane = "acme";
  machine.attempt = 3;
  machine.due = system_time{std::chrono::milliseconds(1'738'000'000'120)};
  machine.error = "503 Service Unavailable";
  return machine;
}

}  // namespace

TEST_SUITE("commands/views.hpp") {
  TEST_CASE("a line of a waiting machine says when it is due and why it waits") {
    CHECK(line_of(waiting_machine()) ==
          "acme/2025-01-31                  waiting   downloadable   attempt 3"
          "  due 2025-01-27 17:46:40.120Z  503 Service Unavailable");
  }

  TEST_CASE("a page tells the whole history") {
    history_entry failed;
    failed.from = failed.to = "downloadable";
    failed.outcome = outcome_kind::retried;
    failed.attempt = 2;
    failed.started = system_time{std::chrono::milliseconds(1'000)};
    failed.ended = system_time{std::chrono::milliseconds(1'250)};
    failed.error = "503";
    const auto page = page_of(waiting_machine(), {failed});
    CHECK(page.find("1970-01-01 00:00:01.000Z     250 ms  downloadable -> downloadable  retried, "
                    "attempt 2: 503\n") != page.npos);
  }

  TEST_CASE("the state is JSON inside the JSON and times are milliseconds") {
    const auto object = json_of(waiting_machine());
    CHECK(object.at("data").at("client").as_string() == "acme");
    CHECK(object.at("due_ms").as_int64() == 1'738'000'000'120);
    CHECK(object.at("phase").as_string() == "waiting");
  }

  TEST_CASE("a clock that was set back is told with both times and the remedy") {
    const system_time now{std::chrono::milliseconds(1'738'000'000'120)};
    CHECK(clock_note({}, now).empty());
    CHECK(clock_note(now + std::chrono::seconds(59), now).empty());
    const auto note = clock_note(now + std::chrono::hours(24), now);
    for (const auto* each : {"2025-01-27 17:46:40.120Z", "2025-01-28 17:46:40.120Z", "set it right",
                             "cancel and redrive"}) {
      CHECK_MESSAGE(note.find(each) != std::string::npos, note);
    }
  }

  TEST_CASE("a deadline and a priority are shown where there is one") {
    auto machine = waiting_machine();
    CHECK(json_of(machine).at("deadline_ms").is_null());
    CHECK(page_of(machine, {}).find("deadline") == std::string::npos);
    machine.deadline = system_time{std::chrono::milliseconds(1'738'000'000'120)};
    machine.priority = -3;
    CHECK(json_of(machine).at("deadline_ms").as_int64() == 1'738'000'000'120);
    CHECK(json_of(machine).at("priority").as_int64() == -3);
    const auto page = page_of(machine, {});
    CHECK(page.find("  deadline 2025-01-27 17:46:40.120Z\n") != std::string::npos);
    CHECK(page.find("  priority -3\n") != std::string::npos);
  }

  TEST_CASE("a report that this program cannot read says so and whose it is") {
    auto machine = waiting_machine();
    CHECK(json_of(machine).at("shape").as_int64() == 0);
    CHECK(page_of(machine, {}).find("note") == std::string::npos);
    machine.shape = 99;
    CHECK(page_of(machine, {})
              .find(fmt::format("  note     its state \"downloadable\" is of shape 99, this "
                                "program knows {}: left alone",
                                shape_of<report>)) != std::string::npos);
  }

  TEST_CASE("a report of which rows were put aside says how many and where they are") {
    auto machine = waiting_machine();
    machine.phase = phase::completed;
    machine.state = "completed";
    machine.shape = shape_of<report>;
    machine.data = R"({"url":"s3://b/acme.csv.gz","size_bytes":1,"sha256":"ab","rows":5,)"
                   R"("spec":"v","rejected_rows":0})";
    CHECK(line_of(machine).find("aside") == std::string::npos);
    machine.data.replace(machine.data.size() - 2, 1, "3");
    CHECK(line_of(machine).find("put aside: 3 rows in s3://b/acme.rejected.csv") !=
          std::string::npos);
    CHECK(page_of(machine, {}).find("  aside    3 rows in s3://b/acme.rejected.csv\n") !=
          std::string::npos);
  }

  TEST_CASE("a lane that begins nothing says why and what ends that") {
    const system_time now{std::chrono::milliseconds(1'738'000'000'000)};
    lane_state lane{.lane = "acme"};
    CHECK_FALSE(is_blocked(lane, now));
    lane.parked_until = now;
    lane.memory.failures = 2;
    lane.memory.quotas = "{}";
    CHECK_FALSE(is_blocked(lane, now));
    lane.parked_until = now + std::chrono::milliseconds(120);
    CHECK(is_blocked(lane, now));
    CHECK(line_of(lane, now) == "acme           parked until 2025-01-27 17:46:40.120Z");
    lane.is_stopped = true;
    CHECK(line_of(lane, now) ==
          "acme           stopped until a new run begins, or 2025-01-27 17:46:40.120Z");
    lane.is_stopped = false;
    lane.paused = true;
    lane.memory.open_until = lane.parked_until;
    CHECK(line_of(lane, now) ==
          "acme           paused until: wherry resume acme; parked until 2025-01-27 "
          "17:46:40.120Z; broken: 2 failures in a row, tried again at 2025-01-27 17:46:40.120Z");
    lane = {.lane = "acme", .memory = {.failures = 9, .open_until = now}};
    CHECK(is_blocked(lane, now));
    CHECK(line_of(lane, now) ==
          "acme           broken: 9 failures in a row, tried again now, one report at a time");
    lane.error = "refused";
    CHECK(boost::json::serialize(json_of(lane)) ==
          R"({"lane":"acme","paused":false,"parked_until_ms":null,"error":"refused","failures":9,)"
          R"("open_until_ms":1738000000000})");
  }

  TEST_CASE("a state that is not JSON is shown as text") {
    auto machine = waiting_machine();
    machine.data = "{";
    CHECK(json_of(machine).at("data").as_string() == "{");
  }
}
