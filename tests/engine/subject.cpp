// SPDX-License-Identifier: Apache-2.0
#include "subject.hpp"

#include <algorithm>
#include <cstdlib>

namespace wherry::test {
namespace {

void raise_to(std::atomic<std::size_t>& most, std::size_t value) {
  auto seen = most.load();
  while (seen < value && !most.compare_exchange_weak(seen, value)) {}
}

std::unexpected<store_error> injected(std::string_view write) {
  return std::unexpected(
      store_error{store_error::kind::full, "no space for " + std::string(write)});
}

}  // namespace

starts machines(int count, int lanes) {
  starts wanted;
  for (int i = 0; i < count; ++i) {
    const auto lane = lanes == 1 ? std::string("lane") : "lane " + std::to_string(i % lanes);
    wanted.push_back({.id = std::to_string(i), .first = first{i, lane}});
  }
  return wanted;
}

task<> watched_store::delay() {
  if (is_slow) co_await pause_below(4ms);
}

task<std::expected<submit_report, store_error>> watched_store::submit(
    std::vector<submission> wanted) {
  co_await delay();
  co_return co_await inner().submit(std::move(wanted));
}

std::vector<std::string> watched_store::ready_lanes() {
  ++rounds;
  return inner().ready_lanes();
}

task<std::expected<std::vector<leased_machine>, store_error>> watched_store::lease(
    std::string lane, std::size_t count, system_time expires) {
  ++lease_calls;
  if (sees_lease) sees_lease(lane);
  if (fails_now("lease")) co_return injected("lease");
  auto given = co_await inner().lease(std::move(lane), count, expires);
  if (given) raise_to(leased_most, leased += given->size());
  co_await delay();
  co_return given;
}

task<std::expected<std::vector<bool>, store_error>> watched_store::record(
    std::vector<transition> outcomes) {
  const auto count = outcomes.size();
  struct under_way {
    std::atomic<std::size_t>& calls;
    ~under_way() { --calls; }
  } const call{recording};
  const auto now_recording = ++recording;
  auto most = recording_most.load();
  while (most < now_recording && !recording_most.compare_exchange_weak(most, now_recording)) {}
  co_await delay();
  const bool failed = fails_now("record");
  if (failed && !fails_after) co_return injected("record");
  auto accepted = co_await inner().record(std::move(outcomes));
  leased -= count;
  co_await delay();
  if (failed) co_return injected("record");
  co_return accepted;
}

void watched_store::release(const std::vector<leased_machine>& unused) {
  leased -= unused.size();
  inner().release(unused);
}

task<std::expected<bool, store_error>> watched_store::tidy(system_time) {
  co_return on_tidy ? on_tidy() : false;
}

task<std::expected<std::size_t, store_error>> watched_store::promote(system_time now) {
  ++promotions;
  if (promote_takes > duration::zero()) co_await pause(promote_takes);
  co_await delay();
  if (fails_now("promote")) co_return injected("promote");
  co_return co_await inner().promote(now);
}

task<std::expected<std::vector<leased_machine>, store_error>> watched_store::reclaim(
    system_time now, system_time expires) {
  auto lost = co_await inner().reclaim(now, expires);
  if (lost) reclaimed += lost->size();
  co_return lost;
}

task<std::expected<inbox_progress, store_error>> watched_store::step_inbox() {
  if (fails_now("step_inbox")) co_return injected("step_inbox");
  co_return co_await inner().step_inbox();
}

void over_seeds(int count, const std::function<task<>()>& body) {
  const char* const wanted = std::getenv("WHERRY_SEED");
  const std::uint64_t only = wanted == nullptr ? 0 : std::strtoull(wanted, nullptr, 10);
  const std::uint64_t begin = only == 0 ? 1 : only;
  const std::uint64_t end = only == 0 ? begin + static_cast<std::uint64_t>(count) : only + 1;
  for (std::uint64_t seed = begin; seed < end; ++seed) {
    INFO("WHERRY_SEED=", seed);
    virtual_scheduler home{seed};
    home.run(body());
  }
}

void on_threads(int threads, const std::function<task<>()>& body) {
  thread_scheduler home{{.threads = threads}};
  home.run(body());
}

task<> pause(duration how_long) { co_await timeout(how_long).take(); }

task<> pause_below(std::chrono::milliseconds limit) {
  const auto drawn = detail::draw() % static_cast<std::uint64_t>(limit.count());
  co_await timeout(std::chrono::milliseconds(drawn)).take();
}

system_time now() { return scheduler::current().system_now(); }

task<> run_all(scripted_engine& subject, starts wanted) {
  const auto count = wanted.size();
  const auto report = co_await subject.submit(std::move(wanted));
  REQUIRE(report);
  CHECK(report->added == count);
  co_await run_well(subject, run_until::drained);
}

task<> run_well(scripted_engine& subject, run_until until) {
  const auto ended = co_await subject.run(until);
  CHECK_MESSAGE(ended.has_value(), (ended ? std::string() : ended.error().message));
}

machine_view view_of(store& from, const std::string& id) {
  const auto found = from.query({.id = id}, 1, "");
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  return found->front();
}

std::vector<history_entry> history_of(store& from, const std::string& id) {
  auto found = from.history(id);
  REQUIRE(found);
  return std::move(*found);
}

std::int64_t count_in(store& from, phase wanted) {
  const auto counts = from.count();
  REQUIRE(counts);
  return counts->in(wanted);
}

void check_whole(store& from, std::int64_t machines) {
  const auto views = from.query({}, 1'000'000, "");
  REQUIRE(views);
  CHECK(std::ssize(*views) == machines);
  for (const auto& each : *views) {
    CAPTURE(each.id);
    CHECK(is_finished(each.phase));
    std::map<std::int64_t, std::int64_t> versions;  // last version of each generation
    const auto history = history_of(from, each.id);
    for (const auto& entry : history) {
      CHECK(entry.version == (versions[entry.generation] += entry.runs));
    }
    REQUIRE_FALSE(history.empty());
    CHECK(history.back().version == each.version);
    CHECK(history.back().phase == each.phase);
  }
}

}  // namespace wherry::test
