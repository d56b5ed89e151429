// SPDX-License-Identifier: Apache-2.0
#include "live_state.hpp"

#include <algorithm>

#include "wherry/csp/assert.hpp"

namespace wherry::sqlite {

void live_state::load_count(phase in, std::string state, std::int64_t count) {
  if (count > 0) counts_.by.emplace(std::pair{in, std::move(state)}, count);
}

void live_state::load_lane(std::string lane, std::int64_t ready) {
  lanes_[std::move(lane)].ready = ready;
  signal_.offer(std::monostate{});
}

void live_state::load_pause(std::string lane) { paused_.insert(std::move(lane)); }

void live_state::set_paused(const std::string& lane, bool is_paused) {
  const std::lock_guard guard(mutex_);
  if (is_paused) {
    paused_.insert(lane);
  } else if (paused_.erase(lane) > 0) {
    signal_.offer(std::monostate{});
  }
}

void live_state::apply(std::vector<effect>& effects) {
  const std::lock_guard guard(mutex_);
  for (auto& each : effects) {
    if (each.before) leave(each);
    if (each.after) arrive(each);
  }
}

void live_state::leave(const effect& change) {
  const auto& from = *change.before;
  const auto counted = counts_.by.find({from.phase, from.state});
  WHERRY_ASSERT(counted != counts_.by.end(), "every machine is counted");
  if (--counted->second == 0) counts_.by.erase(counted);

  if (from.phase != phase::ready) return;
  if (watch_ && watch_->lane == from.lane) watch_->moved.insert(change.key);
  const auto lane = lanes_.find(from.lane);
  WHERRY_ASSERT(lane != lanes_.end() && lane->second.ready > 0,
                "the lane of a ready machine is known");
  --lane->second.ready;
  const auto lease = leases_.find(change.key);
  // A command keeps the generation; what newly begins one was not ready before.
  if (lease != leases_.end() && lease->second.generation == change.generation &&
      lease->second.version == change.version_before) {
    if (change.new_priority) {  // the run goes on
      lease->second.priority = *change.new_priority;
      lease->second.stands = *change.after;
    } else {
      leases_.erase(lease);
      --lane->second.leased;
    }
  } else if (lease == leases_.end()) {
    lane->second.ahead.remove(from.at);
    weigh(lane->second);
  }
  drop_if_idle(lane);
}

void live_state::arrive(effect& change) {
  const auto& to = *change.after;
  ++counts_.by[{to.phase, to.state}];
  if (to.phase == phase::cancelled) signal_.offer(std::monostate{});  // perhaps the last that ran
  if (to.phase != phase::ready) return;
  auto& lane = lane_of(to.lane);
  ++lane.ready;
  if (leases_.contains(change.key)) return;  // a query saw it before us, and it was leased
  became_free(to.lane, change.key, to.at);
  if (change.contents) {
    lane.ahead.offer(to.at, std::move(*change.contents));
  } else {
    lane.ahead.rewind(to.at);
  }
  weigh(lane);
  signal_.offer(std::monostate{});
}

std::vector<std::string> live_state::ready_lanes() {
  const std::lock_guard guard(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, lane] : lanes_) {
    if (lane.ready > lane.leased && !paused_.contains(name)) names.push_back(name);
  }
  return names;
}

machine_counts live_state::counts() {
  const std::lock_guard guard(mutex_);
  return counts_;
}

void live_state::set_next_due(std::optional<system_time> due) {
  const std::lock_guard guard(mutex_);
  const bool earlier = due && (!next_due_ || *due < *next_due_);
  next_due_ = due;
  if (earlier) signal_.offer(std::monostate{});  // whoever sleeps until the old one must hear
}

std::optional<system_time> live_state::next_due() {
  const std::lock_guard guard(mutex_);
  return next_due_;
}

bool live_state::wants_refill(const std::string& lane, std::size_t count) {
  const std::lock_guard guard(mutex_);
  const auto found = lanes_.find(lane);
  return found != lanes_.end() && !found->second.ahead.complete() &&
         found->second.ahead.size() < count && !paused_.contains(lane);
}

std::optional<refill_plan> live_state::begin_refill(const std::string& lane, std::size_t count) {
  const std::lock_guard guard(mutex_);
  const auto found = lanes_.find(lane);
  if (found == lanes_.end()) return std::nullopt;
  const auto& ahead = found->second.ahead;
  if (ahead.complete() || ahead.size() >= count) return std::nullopt;
  // With more lanes than may stay warm, what is read beyond the lease would be thrown away.
  const auto wanted =
      lanes_.size() > warm_limit ? count : std::max(2 * count, read_ahead::least_read);
  refill_plan plan{
      .lane = lane, .from = ahead.bound(), .room = wanted - ahead.size(), .leased = {}};
  for (const auto& [key, lease] : leases_) {
    if (lease.stands.at >= plan.from && lease.stands.lane == lane) plan.leased.push_back(key);
  }
  std::ranges::sort(plan.leased);
  watch_ = refill_watch{.lane = lane, .moved = {}, .missed_at = turn::highest()};
  return plan;
}

void live_state::end_refill(const refill_plan& plan, found_rows found) {
  const std::lock_guard guard(mutex_);
  const auto watched = std::exchange(watch_, std::nullopt);
  const auto lane = lanes_.find(plan.lane);
  if (lane == lanes_.end() || lane->second.ahead.bound() != plan.from) {
    signal_.offer(std::monostate{});  // the read-ahead is another one now: ask again
    return;
  }
  if (watched->missed_at < found.bound) {
    found.bound = watched->missed_at;
    signal_.offer(std::monostate{});
  }
  std::erase_if(found.rows, [&](const free_row& row) {
    return row.at >= found.bound || watched->moved.contains(row.at.key) ||
           leases_.contains(row.at.key);
  });
  // The query may have seen two moves that are not applied yet: a machine that stands here already
  // stands there no more.
  std::set<std::int64_t> seen;
  for (const auto& row : found.rows) seen.insert(row.at.key);
  lane->second.ahead.remove_all(seen);
  lane->second.ahead.extend(std::move(found.rows), found.bound);
  touch(lane->second);
  weigh(lane->second);
}

// To be called before its row is offered to the read-ahead.
void live_state::became_free(const std::string& lane, std::int64_t key, turn at) {
  if (!watch_ || watch_->lane != lane) return;
  watch_->moved.insert(key);
  if (at >= lanes_.at(lane).ahead.bound()) watch_->missed_at = std::min(watch_->missed_at, at);
}

std::vector<leased_machine> live_state::lease(const std::string& lane, std::size_t count,
                                              system_time expires) {
  const std::lock_guard guard(mutex_);
  std::vector<leased_machine> leased;
  const auto found = lanes_.find(lane);
  if (found == lanes_.end() || paused_.contains(lane)) return leased;
  auto& from = found->second;
  while (leased.size() < count && from.ahead.size() > 0) {
    auto [at, machine] = from.ahead.pop();
    machine.token = next_token_++;
    ++from.leased;
    const bool fresh =
        leases_
            .emplace(machine.key, lease_entry{.token = machine.token,
                                              .generation = machine.generation,
                                              .version = machine.version,
                                              .priority = machine.priority,
                                              .deadline = machine.deadline,
                                              .stands = {phase::ready, machine.state, lane, at},
                                              .expires = expires})
            .second;
    WHERRY_ASSERT(fresh, "a row of a read-ahead has no lease");
    leased.push_back(std::move(machine));
  }
  if (from.is_warm) touch(from);
  weigh(from);
  return leased;
}

void live_state::release(const std::vector<leased_machine>& unused) {
  const std::lock_guard guard(mutex_);
  for (const auto& each : unused) {
    const auto lease = leases_.find(each.key);
    if (lease == leases_.end() || lease->second.token != each.token || lease->second.committing) {
      continue;
    }
    const auto& stands = lease->second.stands;
    became_free(stands.lane, each.key, stands.at);
    auto& lane = lanes_.at(stands.lane);
    lane.ahead.offer(stands.at, leased_machine(each));
    weigh(lane);
    end_lease(lease);
  }
}

void live_state::renew(const std::vector<lease_id>& held, system_time expires) {
  const std::lock_guard guard(mutex_);
  for (const auto& [key, token] : held) {
    const auto lease = leases_.find(key);
    if (lease != leases_.end() && lease->second.token == token) lease->second.expires = expires;
  }
}

std::vector<live_state::lost_lease> live_state::reclaim(system_time now, system_time expires) {
  const std::lock_guard guard(mutex_);
  std::vector<lost_lease> lost;
  for (auto& [key, lease] : leases_) {
    if (lease.expires > now || lease.committing) continue;
    lease.token = next_token_++;
    lease.expires = expires;
    lost.push_back({{key, lease.token}, lease.generation, lease.version});
  }
  return lost;
}

void live_state::end_lease(leases::iterator lease) {
  const auto lane = lanes_.find(lease->second.stands.lane);
  --lane->second.leased;
  drop_if_idle(lane);
  signal_.offer(std::monostate{});
  leases_.erase(lease);
}

std::vector<std::optional<live_state::claim>> live_state::begin_commit(
    const std::vector<transition>& outcomes) {
  const std::lock_guard guard(mutex_);
  std::vector<std::optional<claim>> claims(outcomes.size());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto& outcome = outcomes[i];
    const auto lease = leases_.find(outcome.key);
    if (lease == leases_.end()) continue;
    auto& held = lease->second;
    if (held.token != outcome.token || held.generation != outcome.generation ||
        held.version != outcome.version || held.committing) {
      continue;
    }
    held.committing = true;
    claims[i] = claim{held.stands, held.priority, held.deadline};
  }
  return claims;
}

void live_state::abort_commit(const transition& outcome) {
  const std::lock_guard guard(mutex_);
  const auto lease = leases_.find(outcome.key);
  if (lease == leases_.end() || lease->second.token != outcome.token) return;
  lease->second.committing = false;
}

live_state::lane_entry& live_state::lane_of(const std::string& name) {
  const auto [found, is_new] = lanes_.try_emplace(name);
  if (is_new && warm_.size() < warm_limit) {
    found->second.ahead.begin_complete();
    touch(found->second);
  }
  return found->second;
}

// Makes it the lane used last; if there are too many, the one unused for longest is forgotten.
void live_state::touch(lane_entry& lane) {
  if (lane.is_warm) {
    warm_.splice(warm_.begin(), warm_, lane.warm);
    return;
  }
  warm_.push_front(&lane);
  lane.warm = warm_.begin();
  lane.is_warm = true;
  if (warm_.size() > warm_limit) chill_oldest();
}

void live_state::chill_oldest() {
  auto& oldest = *warm_.back();
  warm_.pop_back();
  oldest.is_warm = false;
  oldest.ahead.chill();
  warm_bytes_ -= std::exchange(oldest.counted, 0);
}

// Counts the bytes of a read-ahead that has changed. If all are too many, those go that were unused
// for longest; this one is never the last to go, so that a lease finds what was read for it.
void live_state::weigh(lane_entry& lane) {
  warm_bytes_ += lane.ahead.bytes() - lane.counted;
  lane.counted = lane.ahead.bytes();
  while (warm_bytes_ > warm_byte_limit && warm_.size() > 1 && warm_.back() != &lane) chill_oldest();
}

void live_state::drop_if_idle(lanes::iterator lane) {
  if (lane->second.ready > 0 || lane->second.leased > 0) return;
  if (lane->second.is_warm) warm_.erase(lane->second.warm);
  warm_bytes_ -= lane->second.counted;
  lanes_.erase(lane);
}

}  // namespace wherry::sqlite
