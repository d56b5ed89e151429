// SPDX-License-Identifier: Apache-2.0
#include "subject.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>

#include "wherry/store/memory.hpp"
#include "wherry/store/sqlite.hpp"

namespace wherry::test {

using namespace std::chrono_literals;

scratch_directory::scratch_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "wherry-store-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

scratch_directory::~scratch_directory() {
  std::error_code ignored;  // what is left over is in the temporary directory
  std::filesystem::remove_all(path_, ignored);
}

void on_threads(task<> body) {
  thread_scheduler threads({.threads = 2, .blocking_threads = 2});
  threads.run(std::move(body));
}

void on_every_store(const std::function<task<>(store&)>& body) {
  SUBCASE("memory") {
    const auto subject = open_memory_store();
    virtual_scheduler scheduler;
    scheduler.run(body(*subject));
  }
  SUBCASE("sqlite") {
    const scratch_directory directory;
    auto subject = open_sqlite_store(directory / "store.db");
    REQUIRE_MESSAGE(subject.has_value(), subject.error().message);
    on_threads(body(**subject));
  }
}

system_time now() { return scheduler::current().system_now(); }

submission item(std::string id) {
  return {.id = std::move(id), .state = "first", .data = R"({"n":1})", .lane = "lane"};
}

task<> submit_new(store& to, std::vector<submission> wanted) {
  const auto count = wanted.size();
  const auto report = co_await to.submit(std::move(wanted));
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  REQUIRE(report->added == count);
}

task<std::vector<leased_machine>> lease_some(store& from, std::string lane, std::size_t count) {
  auto leased = co_await from.lease(std::move(lane), count, now() + 1h);
  REQUIRE_MESSAGE(leased.has_value(), leased.error().message);
  co_return std::move(*leased);
}

task<std::vector<leased_machine>> lease_all(store& from, std::string lane) {
  std::vector<leased_machine> all;
  for (;;) {
    auto some = co_await lease_some(from, lane, 1'000);
    if (some.empty()) co_return all;
    std::ranges::move(some, std::back_inserter(all));
  }
}

task<std::size_t> promote_all(store& in, system_time at) {
  std::size_t sum = 0;
  for (;;) {
    const auto promoted = co_await in.promote(at);
    REQUIRE_MESSAGE(promoted.has_value(), promoted.error().message);
    if (*promoted == 0) co_return sum;
    sum += *promoted;
  }
}

task<leased_machine> lease_one(store& from) {
  auto leased = co_await lease_some(from, "lane", 1);
  REQUIRE(leased.size() == 1);
  co_return std::move(leased.front());
}

namespace {

transition same(const leased_machine& from) {
  transition outcome;
  outcome.key = from.key;
  outcome.token = from.token;
  outcome.id = from.id;
  outcome.generation = from.generation;
  outcome.version = from.version;
  outcome.from = from.state;
  outcome.to = from.state;
  outcome.data = from.data;
  outcome.lane = from.lane;
  outcome.ran_in = from.lane;
  outcome.attempt = from.attempt;
  outcome.entered = from.entered;
  outcome.shape = from.shape;
  outcome.started = now();
  outcome.ended = now();
  return outcome;
}

}  // namespace

transition advance(const leased_machine& from, std::string to) {
  auto outcome = same(from);
  outcome.to = std::move(to);
  outcome.data = R"({"n":2})";
  return outcome;
}

transition retry(const leased_machine& from, system_time due) {
  auto outcome = same(from);
  outcome.outcome = outcome_kind::retried;
  outcome.error = "the other side is down";
  outcome.phase = phase::waiting;
  outcome.next_attempt = from.attempt + 1;
  outcome.due = due;
  return outcome;
}

transition finish(const leased_machine& from, phase how) {
  auto outcome = same(from);
  outcome.phase = how;
  if (how == phase::dead) {
    outcome.outcome = outcome_kind::died;
    outcome.error = "hopeless";
  } else {
    outcome.to = "last";
  }
  return outcome;
}

task<bool> record_one(store& to, transition outcome) {
  std::vector<transition> batch;
  batch.push_back(std::move(outcome));
  const auto accepted = co_await to.record(std::move(batch));
  REQUIRE_MESSAGE(accepted.has_value(), accepted.error().message);
  REQUIRE(accepted->size() == 1);
  co_return accepted->front();
}

std::vector<std::string> ids(const std::vector<leased_machine>& machines) {
  std::vector<std::string> names;
  for (const auto& each : machines) names.push_back(each.id);
  return names;
}

std::vector<std::string> ids(const std::vector<machine_view>& machines) {
  std::vector<std::string> names;
  for (const auto& each : machines) names.push_back(each.id);
  return names;
}

machine_view view_of(store& from, const std::string& id) {
  machine_filter filter;
  filter.id = id;
  auto found = from.query(filter, 2, "");
  REQUIRE_MESSAGE(found.has_value(), found.error().message);
  REQUIRE(found->size() == 1);
  return std::move(found->front());
}

}  // namespace wherry::test
