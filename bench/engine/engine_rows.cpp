// SPDX-License-Identifier: Apache-2.0
// The rows that the engine runs: throughput, memory of what waits, latency.

#include "plant.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/csp/sleep.hpp"

namespace enginebench {
namespace {

using namespace wherry;

/// Runs `body` on a scheduler as the row wants it.
void on_threads(const settings& of, task<> body) {
  thread_scheduler scheduler({.threads = of.threads, .blocking_threads = 1});
  scheduler.run(std::move(body));
}

haul kind_of(const settings& of, timetable* times = nullptr) {
  return {.lanes = of.lanes, .failing_percent = of.failing_percent, .times = times};
}

task<> submit_and_run(store& where, const settings& of) {
  haul_engine all{where, kind_of(of), options_of(of)};
  const stopwatch submitting;
  co_await submit(all, 0, of.machines);
  print("submitted_per_second", static_cast<double>(of.machines) / submitting.seconds());

  const double cpu = cpu_seconds();
  const stopwatch running;
  co_await run_engine(all, run_until::drained);
  const double seconds = running.seconds();
  print("seconds", seconds);
  print("cpu_seconds", cpu_seconds() - cpu);
  const auto progress = all.progress();
  require(progress.completed == static_cast<std::uint64_t>(of.machines), "the engine's count");
}

/// Memory of an engine that is up and has nothing to run yet, with ever more machines that wait.
task<> wait_and_weigh(store& where, const settings& of) {
  haul_engine all{where, kind_of(of), options_of(of)};
  const auto tomorrow = scheduler::current().system_now() + std::chrono::hours(24);
  co_await with_scope([&](scope& around) -> task<> {
    around.go(run_engine(all, run_until::stopped));
    // What the first machines cost, everything costs: pages, pools, threads.
    const std::int64_t few = submitted_at_once;
    co_await submit(all, 0, few, tomorrow);
    const double before = resident_bytes();
    const stopwatch submitting;
    co_await submit(all, few, of.machines, tomorrow);
    const double seconds = submitting.seconds();
    co_await sleep_for(std::chrono::seconds(2));  // the rescuer has been by
    const auto more = static_cast<double>(of.machines - few);
    print("resident_bytes_per_machine", std::max(0.0, resident_bytes() - before) / more);
    print("resident_bytes", resident_bytes());
    print("submitted_per_second", more / seconds);
    all.stop();
  });
  const auto counts = where.count();
  require(counts && counts->in(phase::waiting) == of.machines, "not all machines wait");
}

/// Submits all machines due at an even rate from two seconds after the last was submitted.
task<> submit_evenly(haul_engine& to, const settings& of, timetable& times) {
  // A submit of all takes a part of this; if it takes longer, the first are late, and it shows.
  const auto submitting = std::chrono::seconds(2 + of.machines / 20'000);
  const auto begin = scheduler::current().system_now() + submitting;
  constexpr std::int64_t chunk = 1'000;
  for (std::int64_t at = 0; at < of.machines; at += chunk) {
    auto some = hauls(at, std::min(at + chunk, of.machines));
    for (std::size_t i = 0; i < some.size(); ++i) {
      const double after =
          static_cast<double>(at + static_cast<std::int64_t>(i)) / of.machines_per_second;
      some[i].due = begin + std::chrono::milliseconds(static_cast<std::int64_t>(after * 1e3));
      times.due_us[static_cast<std::size_t>(at) + i] =
          some[i].due.time_since_epoch().count() * 1'000;
    }
    const auto done = co_await to.submit(std::move(some));
    require(done.has_value(), done ? std::string() : done.error().message);
  }
  require(scheduler::current().system_now() < begin, "submitting took longer than was allowed");
}

void print_delays(const char* name, std::vector<std::int64_t>& us) {
  if (us.empty()) return;
  const std::string prefix = name;
  print((prefix + "_starts").c_str(), static_cast<double>(us.size()));
  print((prefix + "_p50_ms").c_str(), quantile(us, 0.5) / 1e3);
  print((prefix + "_p99_ms").c_str(), quantile(us, 0.99) / 1e3);
}

void print_delays(const timetable& times) {
  std::vector<std::int64_t> waited, followed, retried, all;
  for (const auto& machine : times.delays) {
    for (const auto& each : machine) {
      (each.retried ? retried : each.step == 0 ? waited : followed).push_back(each.us);
      all.push_back(each.us);
    }
  }
  print_delays("waited", waited);
  print_delays("followed", followed);
  print_delays("retried", retried);
  print_delays("all", all);
}

}  // namespace

void run(const settings& of) {
  {
    const auto where = open_store(of);
    on_threads(of, submit_and_run(*where, of));
  }
  require_completed(of);
}

void waiting(const settings& of) {
  const auto where = open_store(of);
  on_threads(of, wait_and_weigh(*where, of));
}

void latency(const settings& wanted) {
  auto of = wanted;
  require(of.machines_per_second > 0, "latency needs rate=MACHINES_PER_SECOND");
  of.machines = static_cast<std::int64_t>(of.machines_per_second * of.seconds);
  timetable times;
  times.due_us.resize(static_cast<std::size_t>(of.machines));
  times.delays.resize(static_cast<std::size_t>(of.machines));
  {
    const auto where = open_store(of);
    on_threads(of, [](store& in, const settings& row, timetable& kept) -> task<> {
      haul_engine all{in, kind_of(row, &kept), options_of(row)};
      co_await submit_evenly(all, row, kept);
      co_await run_engine(all, run_until::drained);
    }(*where, of, times));
  }
  print("machines", static_cast<double>(of.machines));
  require_completed(of);
  print_delays(times);
}

}  // namespace enginebench
