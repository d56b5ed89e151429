// SPDX-License-Identifier: Apache-2.0
// Millions of machines, submitted and run: how fast at the start and at the end, how much memory
// and disk. Progress goes to stderr.

#include <atomic>

#include "plant.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/csp/sleep.hpp"

namespace enginebench {
namespace {

using namespace wherry;
using namespace std::chrono_literals;

constexpr double mega = 1e6;

double megabytes_on_disk(const std::filesystem::path& file) {
  double sum = 0;
  for (const char* const end : {"", "-wal", "-shm"}) {
    std::error_code absent;
    const auto size = std::filesystem::file_size(file.string() + end, absent);
    if (!absent) sum += static_cast<double>(size) / mega;
  }
  return sum;
}

void tell(const settings& of, const char* what, double done, double wanted, double per_second) {
  std::fprintf(stderr, "%s %.1f %%, %.0f/s, resident %.0f MB, disk %.0f MB\n", what,
               100 * done / wanted, per_second, resident_bytes() / mega,
               megabytes_on_disk(of.store));
}

task<> submit_all(haul_engine& all, const settings& of) {
  const stopwatch submitting;
  double told = 0;
  constexpr std::int64_t chunk = 50 * submitted_at_once;
  for (std::int64_t at = 0; at < of.machines; at += chunk) {
    const auto end = std::min(at + chunk, of.machines);
    co_await submit(all, at, end);
    if (submitting.seconds() < told + 10 && end < of.machines) continue;
    told = submitting.seconds();
    tell(of, "submitted", static_cast<double>(end), static_cast<double>(of.machines),
         static_cast<double>(end) / told);
  }
  print("submitted_per_second", static_cast<double>(of.machines) / submitting.seconds());
}

/// Watches a run: the rate over its first and its last tenth.
task<> watch(haul_engine& all, const settings& of, const std::atomic<bool>& over) {
  const auto wanted = static_cast<double>(of.machines) * steps;
  const stopwatch running;
  double tenth = 0, ninth = 0, told = 0, told_done = 0;  // seconds; 0: not there yet
  for (;;) {
    const auto done = static_cast<double>(all.progress().transitions);
    const double at = running.seconds();
    if (tenth == 0 && done >= wanted / 10) tenth = at / done;
    if (ninth == 0 && done >= wanted * 9 / 10) ninth = at - (done - wanted * 9 / 10) * at / done;
    if (over) break;
    if (at >= told + 10) {
      tell(of, "run", done, wanted, (done - told_done) / (at - told));
      told = at;
      told_done = done;
    }
    co_await sleep_for(20ms);
  }
  const double seconds = running.seconds();
  print("seconds", seconds);
  print("start_per_second", 1 / tenth);
  print("end_per_second", wanted / 10 / (seconds - ninth));
}

task<> submit_and_run(store& where, const settings& of) {
  haul_engine all{where, {.lanes = of.lanes}, options_of(of)};
  co_await submit_all(all, of);
  std::atomic<bool> over = false;
  co_await with_scope([&](scope& around) -> task<> {
    around.go(watch(all, of, over));
    co_await run_engine(all, run_until::drained);
    over = true;
  });
}

}  // namespace

void scale(const settings& of) {
  {
    const auto where = open_store(of);
    thread_scheduler scheduler({.threads = of.threads, .blocking_threads = 1});
    scheduler.run(submit_and_run(*where, of));
    print("peak_mb", peak_resident_bytes() / mega);  // before anybody else opens the file
  }
  print("disk_mb", megabytes_on_disk(of.store));
  require_completed(of);
}

}  // namespace enginebench
