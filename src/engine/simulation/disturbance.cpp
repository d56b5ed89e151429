// SPDX-License-Identifier: Apache-2.0
#include "disturbance.hpp"

#include <stdexcept>
#include <utility>

#include "wherry/csp/sleep.hpp"

namespace wherry::detail {
namespace {

constexpr auto slow_call = std::chrono::seconds(2);
constexpr auto slow_run = std::chrono::minutes(1);
constexpr auto late_run = std::chrono::minutes(10);

store_error killed() { return {store_error::kind::io, "simulated: the process is gone"}; }

system_time calendar() { return scheduler::current().system_now(); }

/// Suspends for ever, or until cancelled.
task<> hang() { co_await channel<std::monostate>{}.take(); }

task<> sleep_below(chance& draws, duration limit) {
  co_await sleep_for(
      duration{static_cast<duration::rep>(draws.fraction() * static_cast<double>(limit.count()))});
}

}  // namespace

task<> disturbed_store::be_slow() {
  if (world_.strikes(world_.faults.slow_store)) co_await sleep_below(world_.draws, slow_call);
}

task<std::optional<store_error>> disturbed_store::before(std::string_view call) {
  if (world_.is_killed) co_return killed();
  co_await be_slow();
  if (world_.is_killed) co_return killed();
  if (world_.strikes(world_.faults.busy_store)) {
    world_.events.note("{} fails: the store is busy", call);
    co_return store_error{store_error::kind::busy, "simulated: the store is busy"};
  }
  if (world_.strikes(world_.faults.full_disk)) {
    world_.events.note("{} fails: the disk is full", call);
    co_return store_error{store_error::kind::full, "simulated: the disk is full"};
  }
  co_return std::nullopt;
}

task<std::optional<store_error>> disturbed_store::after(std::string_view call) {
  if (world_.is_killed) co_return killed();
  if (world_.strikes(world_.faults.lost_answer)) {
    world_.events.note("the answer to {} is lost", call);
    co_return store_error{store_error::kind::io, "simulated: the answer is lost"};
  }
  co_return std::nullopt;
}

task<std::expected<submit_report, store_error>> disturbed_store::submit(
    std::vector<submission> wanted) {
  if (auto failed = co_await before("submit")) co_return std::unexpected(std::move(*failed));
  world_.events.note("submit {} machines", wanted.size());
  world_.truth.submit_asked(wanted, calendar());
  auto answer = co_await inner().submit(wanted);
  if (auto failed = co_await after("submit")) co_return std::unexpected(std::move(*failed));
  if (answer) world_.truth.submit_answered(wanted);
  co_return answer;
}

task<std::expected<std::vector<leased_machine>, store_error>> disturbed_store::lease(
    std::string lane, std::size_t count, system_time expires) {
  if (world_.is_killed) co_return std::unexpected(killed());
  co_await be_slow();
  auto answer = co_await inner().lease(std::move(lane), count, expires);
  if (world_.is_killed) co_return std::unexpected(killed());
  if (!answer) co_return answer;
  for (const auto& each : *answer) {
    world_.events.note("lease {} version {} in {}, attempt {}, token {}", each.id, each.version,
                       each.state, each.attempt, each.token);
    world_.truth.leased(each, calendar());
    if (world_.strikes(world_.faults.lost_renewals)) unrenewed_.insert(each.token);
  }
  co_return answer;
}

task<std::expected<std::vector<bool>, store_error>> disturbed_store::record(
    std::vector<transition> outcomes) {
  if (auto failed = co_await before("record")) co_return std::unexpected(std::move(*failed));
  for (const auto& each : outcomes) {
    world_.events.note("record {} {} version {} from {} to {}, token {}", each.id,
                       to_string(each.outcome), each.version, each.from, each.to, each.token);
  }
  world_.truth.record_asked(outcomes);
  auto answer = co_await inner().record(outcomes);
  if (answer && !world_.is_killed && world_.strikes(world_.faults.repeated_record)) {
    const auto again = co_await inner().record(outcomes);
    if (again && !world_.is_killed) world_.truth.record_repeated(outcomes, *again);
  }
  if (auto failed = co_await after("record")) co_return std::unexpected(std::move(*failed));
  if (answer) {
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      world_.events.note("{} version {} is {}", outcomes[i].id, outcomes[i].version,
                         (*answer)[i] ? "recorded" : "refused");
    }
    world_.truth.record_answered(outcomes, *answer);
  }
  co_return answer;
}

void disturbed_store::release(const std::vector<leased_machine>& unused) {
  if (world_.is_killed) return;
  for (const auto& each : unused) world_.truth.released(each);
  inner().release(unused);
}

task<std::expected<std::size_t, store_error>> disturbed_store::promote(system_time now) {
  if (auto failed = co_await before("promote")) co_return std::unexpected(std::move(*failed));
  world_.truth.saw(now);
  auto answer = co_await inner().promote(now);
  if (auto failed = co_await after("promote")) co_return std::unexpected(std::move(*failed));
  if (answer) world_.events.note("promote {}", *answer);
  co_return answer;
}

void disturbed_store::renew(const std::vector<lease_id>& held, system_time expires) {
  if (world_.is_killed) return;
  auto reaching = held;
  std::erase_if(reaching, [&](const lease_id& each) { return unrenewed_.contains(each.token); });
  inner().renew(reaching, expires);
}

task<std::expected<std::vector<leased_machine>, store_error>> disturbed_store::reclaim(
    system_time now, system_time expires) {
  if (world_.is_killed) co_return std::unexpected(killed());
  auto answer = co_await inner().reclaim(now, expires);
  if (world_.is_killed) co_return std::unexpected(killed());
  if (!answer) co_return answer;
  for (const auto& each : *answer) {
    world_.events.note("take over the lease of {} version {}", each.id, each.version);
    world_.truth.reclaimed(each);
  }
  co_return answer;
}

task<std::expected<std::size_t, store_error>> disturbed_store::apply(control_request asked) {
  if (world_.is_killed) co_return std::unexpected(killed());
  if (asked.filter.lane) co_return co_await apply_to_lane(std::move(asked));
  const auto filter = asked.filter;
  world_.truth.command_asked(filter.id);
  auto answer = co_await inner().apply(asked);
  if (world_.is_killed) co_return std::unexpected(killed());
  const auto row = inner().query(filter, 1, {});
  if (!answer || !row || row->empty()) co_return answer;
  world_.events.note("{} {}: version {} {}", to_string(asked.verb), filter.id, row->front().version,
                     to_string(row->front().phase));
  world_.truth.command_answered(row->front());
  co_return answer;
}

task<std::expected<std::size_t, store_error>> disturbed_store::apply_to_lane(
    control_request asked) {
  const auto lane = *asked.filter.lane;
  const bool pauses = asked.verb == control_verb::pause;
  world_.events.note("{} {}", to_string(asked.verb), lane);
  world_.truth.changing(lane);
  auto answer = co_await inner().apply(std::move(asked));
  if (world_.is_killed) co_return std::unexpected(killed());
  if (answer && pauses) world_.truth.paused(lane);
  if (answer && !pauses) world_.truth.resumed(lane);
  co_return answer;
}

task<raw_outcome> disturbed_kind::run(stored_state now, step_context context) {
  if (world_.is_killed) co_await hang();
  ++world_.steps;
  world_.events.note("step {} in {}, attempt {}", context.id, now.tag, context.attempt);
  world_.truth.step_begins(context, now.data);
  struct ending {
    simulated_world& world;
    std::string id;
    ~ending() {
      if (!world.is_killed) world.truth.step_ends(id);
    }
  } const ending{world_, context.id};

  co_await hinder(context);
  auto said = co_await inner_.run(std::move(now), context);
  if (world_.strikes(world_.faults.failing_step)) {
    world_.events.note("step {} throws after its work", context.id);
    throw std::runtime_error("simulated: the step fails after its work");
  }
  if (world_.strikes(world_.faults.late_step)) co_await come_late(context);
  world_.events.note("step {} says {}", context.id, to_string(said.kind));
  co_return said;
}

task<> disturbed_kind::hinder(const step_context& context) {
  if (world_.strikes(world_.faults.slow_step)) co_await sleep_below(world_.draws, slow_run);
  if (world_.strikes(world_.faults.failing_step)) {
    world_.events.note("step {} throws before its work", context.id);
    throw std::runtime_error("simulated: the step fails before its work");
  }
  if (world_.strikes(world_.faults.hanging_step)) {
    world_.events.note("step {} hangs", context.id);
    co_await hang();
  }
}

// Beyond its time limit, whatever its state's is: what it says then comes too late.
task<> disturbed_kind::come_late(const step_context& context) {
  world_.events.note("step {} ignores its cancellation", context.id);
  const auto own = options_.policies.find(context.state);
  const auto& policy = own == options_.policies.end() ? options_.policy : own->second;
  const auto guard = co_await shield();
  co_await sleep_for(policy.time_limit);
  co_await sleep_below(world_.draws, late_run);
}

}  // namespace wherry::detail
