// SPDX-License-Identifier: Apache-2.0
// soak: random programs over channels, for as long as you like, each against a model or invariants.
//
//   soak --minutes 60            from a seed that differs each time, and is printed
//   soak --seconds 15 --from 1   the same seeds each time, for as long as time is left: for CI
//   soak --seed 4711             that seed; on threads again and again, for --seconds (10)
//
// Ends with 1 at the first fault and says how to replay it; so does a run that hangs, and one that
// dies of an assertion or a sanitizer.

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <random>
#include <string_view>
#include <thread>

#include "round.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#include <sanitizer/common_interface_defs.h>
#define WHERRY_SOAK_SANITIZED 1
#endif
#endif

extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "halt_on_error=1"; }

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;
using wherry::reference::run_round;
using wherry::reference::tally;

struct options {
  std::chrono::seconds time = 60s;
  std::optional<std::uint64_t> only;
  std::uint64_t from = std::random_device{}();
};

/// What a round says of itself when it does not come back.
struct {
  const char* program = "soak";
  std::atomic<std::uint64_t> seed = 0;
} running;

void print_replay() {
  std::fprintf(stderr, "replay: %s --seed %llu\n", running.program,
               static_cast<unsigned long long>(running.seed.load()));
}

[[noreturn]] void usage() {
  std::fputs("usage: soak [--minutes M | --seconds S] [--from SEED | --seed SEED]\n", stderr);
  std::exit(2);
}

options parse(int count, char** arguments) {
  options wanted;
  bool timed = false;
  for (int at = 1; at < count; at += 2) {
    if (at + 1 == count) usage();
    const std::string_view name = arguments[at];
    char* end = nullptr;
    const std::uint64_t number = std::strtoull(arguments[at + 1], &end, 10);
    if (end == arguments[at + 1] || *end != '\0') usage();
    if (name == "--minutes" || name == "--seconds") {
      wanted.time = std::chrono::seconds(name == "--minutes" ? number * 60 : number);
      timed = true;
    } else if (name == "--seed") {
      wanted.only = number;
    } else if (name == "--from") {
      wanted.from = number;
    } else {
      usage();
    }
  }
  if (wanted.only && !timed) wanted.time = 10s;
  return wanted;
}

/// Ends the program if a round has not come back for very long: with a lost wake-up it never will.
class watchdog {
 public:
  watchdog() : thread_([this](std::stop_token stop) { watch(stop); }) {}
  void round_ended() { rounds_.fetch_add(1); }

 private:
  static constexpr auto very_long = 120s;

  void watch(std::stop_token stop) {
    std::unique_lock guard(mutex_);
    for (long before = -1;;) {
      const long now = rounds_.load();
      if (now == before) {
        std::fputs("FAILED: a round hangs\n", stderr);
        print_replay();
        std::_Exit(1);
      }
      before = now;
      if (stopped_.wait_for(guard, stop, very_long, [&] { return stop.stop_requested(); })) return;
    }
  }

  std::atomic<long> rounds_ = 0;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

void print_progress(const tally& all, clock_type::duration passed, std::uint64_t seed) {
  fmt::print(
      "{:>5} s: {} programs, {} + {} crowds on threads ({} concurrent), {} networks, "
      "{} operations; seed {}\n",
      std::chrono::floor<std::chrono::seconds>(passed).count(), all.programs, all.small_crowds,
      all.large_crowds, all.concurrent, all.networks, all.operations, seed);
  std::fflush(stdout);
}

int soak(const options& wanted) {
  watchdog dog;
  tally all;
  const auto begin = clock_type::now();
  auto next_report = begin + 5s;
  std::uint64_t seed = wanted.only.value_or(wanted.from);
  fmt::print("soak: {} s from seed {}\n", wanted.time.count(), seed);
  for (;;) {
    running.seed = seed;
    const auto seen = run_round(seed, all);
    dog.round_ended();
    if (!seen.fault.empty()) {
      std::fflush(stdout);
      std::fprintf(stderr, "FAILED: %s\n", seen.fault.c_str());
      print_replay();
      return 1;
    }
    const auto now = clock_type::now();
    if (now - begin >= wanted.time || (wanted.only && seen.repeatable)) break;
    if (now >= next_report) {
      print_progress(all, now - begin, seed);
      next_report = now + 5s;
    }
    if (!wanted.only) ++seed;
  }
  print_progress(all, clock_type::now() - begin, seed);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  running.program = arguments[0];
  std::signal(SIGABRT, [](int) { print_replay(); });
#ifdef WHERRY_SOAK_SANITIZED
  __sanitizer_set_death_callback(print_replay);
#endif
  return soak(parse(count, arguments));
}
