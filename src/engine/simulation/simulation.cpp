// SPDX-License-Identifier: Apache-2.0
// The lives of a simulation, one after the other.

#include "wherry/engine/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

#include "disturbance.hpp"
#include "wherry/csp/assert.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/csp/sleep.hpp"

namespace wherry::detail {
namespace {

constexpr auto tick = std::chrono::seconds(10);
constexpr auto longest_jump = std::chrono::hours(1);
constexpr std::size_t page = 1'000;

duration seconds(double count) { return duration{static_cast<duration::rep>(count * 1e9)}; }

/// How a life is to end.
struct fate {
  bool power_cut = false;
  std::optional<duration> crash_after{};  ///< the process
  std::optional<std::size_t> disk_fails_at{};
  std::optional<duration> stop_after{};
};

/// Each fault is there for one seed in two: then it often meets others, and often does not.
simulation_faults drawn_from(simulation_faults all, chance& draws) {
  for (double* each :
       {&all.crash, &all.stop, &all.busy_store, &all.full_disk, &all.lost_answer,
        &all.repeated_record, &all.slow_store, &all.lost_renewals, &all.slow_step,
        &all.failing_step, &all.hanging_step, &all.late_step, &all.clock_jump, &all.command}) {
    if (draws.happens(0.5)) *each = 0;
  }
  return all;
}

class simulation {
 public:
  simulation(const simulation_options& options, virtual_scheduler& home,
             std::function<std::unique_ptr<raw_kind>()> make_kind, std::vector<submission> wanted)
      : options_(options),
        home_(home),
        make_kind_(std::move(make_kind)),
        wanted_(std::move(wanted)),
        world_{.faults = {}, .draws = chance(options.seed), .truth = {}, .events = {}},
        disk_(options.disk()) {}

  task<> run();
  [[nodiscard]] simulation_result result() const;
  void violate(std::string what) { world_.truth.violate(std::move(what)); }

 private:
  fate draw_fate(const simulation_faults& faults, bool is_last);
  task<> live(fate how);
  task<> work(engine_core& core, scope& life);
  task<> submit_all(engine_core& core, channel<std::monostate> done);
  task<> change_weather(const engine_core& core, scope& life);
  task<> command_now_and_then(store& through);
  task<> resume_lanes(store& through);
  void kill(scope& life);
  task<> kill_after(duration wait, scope& life);
  task<> stop_after(duration wait, engine_core& core);
  [[nodiscard]] std::vector<machine_view> rows(store& from);
  task<> check_end();
  void check_outside(const std::vector<machine_view>& machines) {
    if (!options_.check) return;
    if (auto wrong = options_.check(machines); !wrong.empty()) violate(std::move(wrong));
  }
  [[nodiscard]] bool is_over() const {
    return !world_.truth.violation().empty() || (submitted_ && world_.truth.all_ended());
  }

  const simulation_options& options_;
  virtual_scheduler& home_;
  std::function<std::unique_ptr<raw_kind>()> make_kind_;
  const std::vector<submission> wanted_;
  simulated_world world_;
  std::unique_ptr<simulated_disk> disk_;
  bool submitted_ = false;  // all, and answered
  std::uint64_t lives_ = 0;
  std::uint64_t crashes_ = 0;
};

task<> simulation::run() {
  const auto faults = drawn_from(options_.faults, world_.draws);
  const auto lives = 1 + world_.draws.below(static_cast<std::uint64_t>(options_.lives));
  while (!is_over()) {
    const bool is_last = ++lives_ >= lives;
    world_.faults = faults;
    if (is_last) {
      world_.faults.busy_store = world_.faults.full_disk = world_.faults.lost_answer = 0;
    }
    const auto how = draw_fate(faults, is_last);
    world_.is_killed = false;
    co_await live(how);
    disk_->restart(how.power_cut, world_.draws.draw());
    if (lives_ > 2 * lives) violate("it does not end, although nothing ends its lives any more");
    co_await sleep_for(seconds(world_.draws.magnitude(0.01, 100)));
  }
  if (world_.truth.violation().empty()) co_await check_end();
}

fate simulation::draw_fate(const simulation_faults& faults, bool is_last) {
  fate how;
  auto& draws = world_.draws;
  if (is_last) return how;
  if (draws.happens(faults.crash)) {
    how.power_cut = draws.happens(0.7);
    if (how.power_cut && draws.happens(0.7)) {
      how.disk_fails_at = static_cast<std::size_t>(draws.magnitude(1, 2'000));
    } else {
      how.crash_after = seconds(draws.magnitude(0.001, 1'000));
    }
  } else if (draws.happens(faults.stop)) {
    how.stop_after = seconds(draws.magnitude(0.001, 1'000));
  }
  return how;
}

task<> simulation::live(fate how) {
  world_.events.note("life {} begins", lives_);
  if (how.disk_fails_at) disk_->fail_at(*how.disk_fails_at);
  auto opened = disk_->open();
  if (!opened) {
    if (!disk_->has_failed()) violate("the store does not open: " + opened.error().message);
    co_return;
  }
  const auto all = rows(**opened);
  world_.truth.opened(all);
  check_outside(all);
  disturbed_store disturbed(**opened, world_);
  const auto kind = make_kind_();
  disturbed_kind spied(*kind, world_, options_.engine);
  engine_core core(disturbed, spied, options_.engine);
  co_await with_scope([&](scope& life) -> task<> {
    life.go(change_weather(core, life));
    life.go(command_now_and_then(disturbed));
    if (how.crash_after) life.go(kill_after(*how.crash_after, life));
    if (how.stop_after) life.go(stop_after(*how.stop_after, core));
    co_await resume_lanes(disturbed);
    co_await work(core, life);
  });
}

// What a process does that runs an import: it asks for all machines, and runs until none is left.
task<> simulation::work(engine_core& core, scope& life) {
  channel<std::monostate> submitted;
  life.go(submit_all(core, submitted));
  bool all_are_in = world_.draws.happens(0.5);
  if (all_are_in) co_await submitted.take();
  for (;;) {
    const auto end = co_await core.run(run_until::drained);
    if (!end) world_.events.note("the engine ends: {}", end.error().message);
    if (!end || core.is_stopping() || all_are_in) break;
    co_await submitted.take();
    all_are_in = true;
  }
  if (disk_->has_failed()) co_return kill(life);
  co_await submitted.take();
  life.cancel();
}

task<> simulation::submit_all(engine_core& core, channel<std::monostate> done) {
  bool all = true;
  const auto part = 1 + world_.draws.below(wanted_.size() + 1);
  for (std::size_t first = 0; first < wanted_.size(); first += part) {
    const auto last = std::min<std::size_t>(first + part, wanted_.size());
    const auto begin = wanted_.begin();
    const auto answer = co_await core.submit(
        {begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(last)});
    all = all && answer.has_value();
  }
  if (all) submitted_ = true;
  done.close();
}

task<> simulation::change_weather(const engine_core& core, scope& life) {
  for (;;) {
    co_await sleep_for(tick);
    world_.truth.saw(home_.system_now());
    if (!core.is_stopping()) {
      world_.truth.audit(home_.system_now(), home_.now(), options_.engine);
    }
    if (home_.now().time_since_epoch() > options_.limit) {
      violate("not all machines have come to an end within the time that was given");
    }
    if (!world_.truth.violation().empty()) co_return kill(life);
    if (world_.strikes(world_.faults.clock_jump)) {
      const auto by = std::chrono::milliseconds(static_cast<std::int64_t>(
          world_.draws.magnitude(1, longest_jump / std::chrono::milliseconds(1))));
      const bool back = world_.draws.happens(0.5);
      world_.events.note("the calendar leaps {} by {} ms", back ? "back" : "ahead", by.count());
      home_.shift_calendar(back ? -by : by);
    }
  }
}

task<> simulation::command_now_and_then(store& through) {
  if (wanted_.empty()) co_return;
  auto& draws = world_.draws;
  for (;;) {
    co_await sleep_for(tick);
    if (!world_.strikes(world_.faults.command)) continue;
    const auto& any = wanted_[draws.below(wanted_.size())];
    switch (draws.below(5)) {
      case 0:
        static_cast<void>(co_await through.control(control_verb::cancel, {.id = any.id}));
        break;
      case 1:
        static_cast<void>(
            co_await through.apply({.verb = control_verb::prioritize,
                                    .filter = {.id = any.id},
                                    .priority = static_cast<std::int32_t>(draws.below(3))}));
        break;
      case 2:
        static_cast<void>(co_await through.control(control_verb::pause, {.lane = any.lane}));
        co_await sleep_for(seconds(draws.magnitude(1, 600)));
        static_cast<void>(co_await through.control(control_verb::resume, {.lane = any.lane}));
        break;
      default: static_cast<void>(co_await through.control(control_verb::redrive, {.id = any.id}));
    }
  }
}

// Who finds a lane paused, by a process that is gone, resumes it.
task<> simulation::resume_lanes(store& through) {
  for (const auto& each : through.lane_states()) {
    if (!each.paused) continue;
    static_cast<void>(co_await through.control(control_verb::resume, {.lane = each.lane}));
  }
}

void simulation::kill(scope& life) {
  if (world_.is_killed) return;
  world_.events.note("life {} ends by force", lives_);
  world_.is_killed = true;
  ++crashes_;
  life.cancel();
}

task<> simulation::kill_after(duration wait, scope& life) {
  co_await sleep_for(wait);
  kill(life);
}

task<> simulation::stop_after(duration wait, engine_core& core) {
  co_await sleep_for(wait);
  world_.events.note("stop");
  core.stop();
}

std::vector<machine_view> simulation::rows(store& from) {
  std::vector<machine_view> all;
  for (;;) {
    auto more = from.query({}, page, all.empty() ? std::string() : all.back().id);
    if (!more) {
      violate("the store cannot be read: " + more.error().message);
      return all;
    }
    const bool is_end = more->size() < page;
    std::ranges::move(*more, std::back_inserter(all));
    if (is_end) return all;
  }
}

task<> simulation::check_end() {
  auto opened = disk_->open();
  if (!opened) co_return violate("the store does not open: " + opened.error().message);
  auto& from = **opened;
  const auto all = rows(from);
  world_.truth.closed(all, [&](const std::string& id) {
    auto lines = from.history(id);
    if (!lines) violate("the history cannot be read: " + lines.error().message);
    return lines ? std::move(*lines) : std::vector<history_entry>{};
  });
  check_outside(all);
  const auto counts = from.count();
  if (!counts || counts->all() != static_cast<std::int64_t>(all.size()) ||
      counts->unfinished() != 0) {
    violate("the counts do not agree with the machines");
  }
}

simulation_result simulation::result() const {
  return {.seed = options_.seed,
          .violation = world_.truth.violation(),
          .trace = world_.events.last(),
          .fingerprint = world_.events.fingerprint(),
          .lives = lives_,
          .crashes = crashes_,
          .steps = world_.steps,
          .faults = world_.injected,
          .commits = world_.truth.commits(),
          .refused = world_.truth.refused(),
          .virtual_time = home_.now().time_since_epoch()};
}

}  // namespace

simulation_result simulate(const simulation_options& options,
                           std::function<std::unique_ptr<raw_kind>()> make_kind,
                           std::vector<submission> wanted) {
  WHERRY_ASSERT(options.disk != nullptr, "a simulation needs a disk: see simulated_memory_disk");
  virtual_scheduler home(options.seed);
  simulation all(options, home, std::move(make_kind), std::move(wanted));
  try {
    home.run(all.run());
  } catch (const std::logic_error& stuck) {
    all.violate(stuck.what());
  }
  return all.result();
}

}  // namespace wherry::detail

namespace wherry {

std::string simulation_result::to_string() const {
  std::string text;
  for (const auto& each : trace) text += each + "\n";
  return text + fmt::format("seed {}: {}\n", seed, held() ? "all held" : violation);
}

}  // namespace wherry
