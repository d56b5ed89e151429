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

void live_state::apply(std::vector<effect>& effects) {
  const std::lock_guard guard(mutex_);
  for (auto& each : effects) {
    if (each.before) leave(each);
    arrive(each);
  }
}

void live_state::leave(const effect& change) {
  const auto& from = *change.before;
  const auto counted = counts_.by.find({from.phase, from.state});
  WHERRY_ASSERT(counted != counts_.by.end(), "every machine is counted");
  if (--counted->second == 0) counts_.by.erase(counted);

  if (from.phase == phase::waiting && due_known_ && next_due_ &&
      to_ms(*next_due_) >= from.at.due_ms) {
    due_known_ = false;
  }
  if (from.phase != phase::ready) return;
  const auto lane = lanes_.find(from.lane);
  WHERRY_ASSERT(lane != lanes_.end() && lane->second.ready > 0,
                "the lane of a ready machine is known");
  --lane->second.ready;
  const auto lease = leases_.find(change.key);
  if (lease != leases_.end() && lease->second.version == change.version_before) {
    leases_.erase(lease);
    --lane->second.leased;
  } else if (lease == leases_.end()) {
    lane->second.ahead.remove(from.at);
  }
  drop_if_idle(lane);
}

void live_state::arrive(effect& change) {
  const auto& to = change.after;
  ++counts_.by[{to.phase, to.state}];
  if (to.phase == phase::waiting) {
    const auto due = from_ms(to.at.due_ms);
    const bool earliest = !due_known_ || !next_due_ || due < *next_due_;
    if (due_known_ && earliest) next_due_ = due;
    if (earliest) signal_.offer(std::monostate{});  // whoever sleeps until the old one must hear
  }
  if (to.phase != phase::ready) return;
  auto& lane = lane_of(to.lane);
  ++lane.ready;
  if (leases_.contains(change.key)) return;  // a query saw it before us, and it was leased
  if (change.contents) {
    lane.ahead.offer(to.at, std::move(*change.contents));
  } else {
    lane.ahead.rewind(to.at);
  }
  signal_.offer(std::monostate{});
}

std::vector<std::string> live_state::ready_lanes() {
  const std::lock_guard guard(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, lane] : lanes_) {
    if (lane.ready > lane.leased) names.push_back(name);
  }
  return names;
}

machine_counts live_state::counts() {
  const std::lock_guard guard(mutex_);
  return counts_;
}

std::optional<std::optional<system_time>> live_state::known_due() {
  const std::lock_guard guard(mutex_);
  if (!due_known_) return std::nullopt;
  return std::make_optional(next_due_);
}

bool live_state::wants_refill(const std::string& lane, std::size_t count) {
  const std::lock_guard guard(mutex_);
  const auto found = lanes_.find(lane);
  return found != lanes_.end() && !found->second.ahead.complete() &&
         found->second.ahead.size() < count;
}

void live_state::refill(const std::string& lane, std::size_t count, row_source& from) {
  const std::lock_guard guard(mutex_);
  const auto found = lanes_.find(lane);
  if (found == lanes_.end()) return;
  auto& ahead = found->second.ahead;
  if (ahead.complete() || ahead.size() >= count) return;
  // With more lanes than may stay warm, what is read beyond the lease would be thrown away.
  const auto wanted = lanes_.size() > warm_limit ? count : std::max(count, read_ahead::row_limit);
  const auto room = wanted - ahead.size();

  std::vector<free_row> rows;
  std::size_t bytes = 0;
  auto bound = turn::highest();
  from.start(lane, ahead.bound());
  while (const auto at = from.next()) {
    if (leases_.contains(at->key)) continue;
    if (rows.size() == room || bytes > read_ahead::byte_limit) {
      bound = *at;
      break;
    }
    rows.push_back({*at, from.contents()});
    bytes += read_ahead::weight(rows.back().contents);
  }
  ahead.extend(std::move(rows), bound);
  touch(found->second);
}

std::vector<leased_machine> live_state::lease(const std::string& lane, std::size_t count,
                                              system_time expires) {
  const std::lock_guard guard(mutex_);
  std::vector<leased_machine> leased;
  const auto found = lanes_.find(lane);
  if (found == lanes_.end()) return leased;
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
                                              .stands = {phase::ready, machine.state, lane, at},
                                              .expires = expires})
            .second;
    WHERRY_ASSERT(fresh, "a row of a read-ahead has no lease");
    leased.push_back(std::move(machine));
  }
  if (from.is_warm) touch(from);
  return leased;
}

void live_state::release(const std::vector<leased_machine>& unused) {
  const std::lock_guard guard(mutex_);
  for (const auto& each : unused) {
    const auto lease = leases_.find(each.key);
    if (lease == leases_.end() || lease->second.token != each.token || lease->second.committing) {
      continue;
    }
    lanes_.at(lease->second.stands.lane).ahead.offer(lease->second.stands.at, leased_machine(each));
    end_lease(lease);
  }
}

std::size_t live_state::reclaim(system_time now) {
  const std::lock_guard guard(mutex_);
  std::size_t reclaimed = 0;
  for (auto lease = leases_.begin(); lease != leases_.end();) {
    if (lease->second.expires > now || lease->second.committing) {
      ++lease;
      continue;
    }
    lanes_.at(lease->second.stands.lane).ahead.rewind(lease->second.stands.at);
    lease = end_lease(lease);
    ++reclaimed;
  }
  return reclaimed;
}

live_state::leases::iterator live_state::end_lease(leases::iterator lease) {
  const auto lane = lanes_.find(lease->second.stands.lane);
  --lane->second.leased;
  drop_if_idle(lane);
  signal_.offer(std::monostate{});
  return leases_.erase(lease);
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
    claims[i] = claim{held.stands, held.priority};
  }
  return claims;
}

void live_state::abort_commit(const std::vector<transition>& outcomes) {
  const std::lock_guard guard(mutex_);
  for (const auto& outcome : outcomes) {
    const auto lease = leases_.find(outcome.key);
    if (lease != leases_.end() && lease->second.token == outcome.token) {
      lease->second.committing = false;
    }
  }
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
  if (warm_.size() > warm_limit) {
    auto& oldest = *warm_.back();
    warm_.pop_back();
    oldest.is_warm = false;
    oldest.ahead.chill();
  }
}

void live_state::drop_if_idle(lanes::iterator lane) {
  if (lane->second.ready > 0 || lane->second.leased > 0) return;
  if (lane->second.is_warm) warm_.erase(lane->second.warm);
  lanes_.erase(lane);
}

}  // namespace wherry::sqlite
