// SPDX-License-Identifier: Apache-2.0
#include "errand.hpp"

#include <stdlib.h>  // mkdtemp

#include <stdexcept>
#include <utility>

#include "wherry/csp/sleep.hpp"
#include "wherry/store/memory.hpp"
#include "wherry/store/sqlite.hpp"

namespace wherry::test {
namespace {

using namespace std::chrono_literals;

constexpr int machines = 14;

/// Errands differ by their number; each sort has one thing that it meets.
enum class sort { plain, throttled, sent_back, hopeless, paged, forgetful, early };
sort sort_of(int number) { return static_cast<sort>(number % 7); }

}  // namespace

task<errand::said> errand::step(asked now, step_context context) {
  co_await sleep_for(200ms);
  if (sort_of(now.number) == sort::throttled && context.attempt == 1 &&
      context.now().time_since_epoch() / 1min % 2 == 0) {
    co_return throttled{"come back in a minute", context.now() + 1min};
  }
  if (sort_of(now.number) == sort::early && context.now().time_since_epoch() / 1min % 2 == 0) {
    co_return postponed{"nobody is up yet", context.now() + 20s};
  }
  if (sort_of(now.number) == sort::hopeless) co_return permanent{"nobody has ever heard of it"};
  co_return fetched{now.number, 0};
}

task<errand::said> errand::step(fetched now, step_context context) {
  co_await sleep_for(50ms);
  if (sort_of(now.number) == sort::paged && now.page < 3) {
    co_return fetched{now.number, now.page + 1};
  }
  if (sort_of(now.number) == sort::sent_back && context.now().time_since_epoch() / 1min % 3 == 0) {
    co_return go_back<state>{asked{now.number}, "what was fetched is gone"};
  }
  co_return packed{now.number};
}

task<errand::said> errand::step(packed now, step_context context) {
  if (sort_of(now.number) == sort::forgetful && context.attempt < 3) {
    throw std::runtime_error("forgot where to go");
  }
  co_return delivered{now.number};
}

std::string errand::lane(const asked& now) const {
  return "road " + std::to_string(now.number % 3);
}

std::vector<engine<errand>::start> errands(int count) {
  std::vector<engine<errand>::start> all;
  for (int i = 0; i < count; ++i) {
    all.push_back({.id = "errand " + std::to_string(i), .first = asked{i}, .priority = i % 2});
    if (i % 4 == 3) all.back().due = virtual_scheduler::usual_start + 90s;
  }
  return all;
}

simulation_options options_for(std::uint64_t seed) {
  simulation_options options{.seed = seed, .disk = {}};
  options.engine.window = 6;
  options.engine.limits = [](std::string_view lane) {
    lane_limits limits{.in_flight = lane == "packed" ? 1u : 3u};
    if (lane == "road 0") limits.quotas = {{.calls = 6, .per = 1min}};
    if (lane == "road 1") limits.breaker = {.failures = 3, .open_for = 10s, .longest = 1min};
    limits.adaptive = lane == "road 2";
    return limits;
  };
  options.engine.policy = {.attempts = 6, .first = 1s, .cap = 30s, .time_limit = 2min};
  options.engine.rescue_every = 5s;
  return options;
}

simulation_directory::simulation_directory() {
  // In memory where there is such a place: nothing here must outlive the process.
  const std::filesystem::path memory = "/dev/shm";
  const auto base =
      std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
  auto name = (base / "wherry-simulation-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no directory at " + name);
  path_ = name;
}

simulation_directory::~simulation_directory() {
  std::error_code ignored;  // left behind, it harms nobody
  std::filesystem::remove_all(path_, ignored);
}

std::unique_ptr<simulated_disk> simulation_directory::make_disk() const {
  std::filesystem::remove_all(path_);
  std::filesystem::create_directory(path_);
  return simulated_sqlite_disk(path_);
}

simulation_result run_errands(std::uint64_t seed,
                              std::function<std::unique_ptr<simulated_disk>()> disk) {
  auto options = options_for(seed);
  options.disk = std::move(disk);
  return simulate<errand>(options, [] { return errand{}; }, errands(machines));
}

}  // namespace wherry::test
