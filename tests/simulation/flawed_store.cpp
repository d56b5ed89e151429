// SPDX-License-Identifier: Apache-2.0
#include "flawed_store.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "wherry/engine/forwarding_store.hpp"

namespace wherry::test {
namespace {

using leases = std::expected<std::vector<leased_machine>, store_error>;
using answers = std::expected<std::vector<bool>, store_error>;

/// Owns the store in front of which it stands.
class owning_store : public forwarding_store {
 public:
  explicit owning_store(std::unique_ptr<store> inner)
      : forwarding_store(*inner), owned_(std::move(inner)) {}

 private:
  std::unique_ptr<store> owned_;
};

/// Answers that a machine went on before that is durable, and gives out its next step; only with
/// the outcome of that one both are committed.
class late_store final : public owning_store {
 public:
  using owning_store::owning_store;

  std::vector<std::string> ready_lanes() override {
    auto lanes = inner().ready_lanes();
    for (const auto& [lane, offered] : offers_) {
      if (std::ranges::find(lanes, lane) == lanes.end()) lanes.push_back(lane);
    }
    return lanes;
  }

  task<leases> lease(std::string lane, std::size_t count, system_time expires) override {
    const auto found = offers_.find(lane);
    if (found == offers_.end()) return inner().lease(std::move(lane), count, expires);
    return give_out(offers_.extract(found).mapped());
  }

  task<answers> record(std::vector<transition> outcomes) override {
    std::vector<bool> accepted;
    for (auto& each : outcomes) {
      auto one = co_await record_one(std::move(each));
      if (!one) co_return std::unexpected(one.error());
      accepted.push_back(*one);
    }
    co_return accepted;
  }

 private:
  static task<leases> give_out(leased_machine machine) {
    std::vector<leased_machine> one;
    one.push_back(std::move(machine));
    co_return one;
  }

  task<std::expected<bool, store_error>> record_one(transition outcome) {
    // Said once already: that far it is sound.
    if (!answered_.emplace(outcome.key, outcome.version).second) co_return false;
    const auto before = late_.find(outcome.token);
    if (before != late_.end()) {
      auto first = late_.extract(before).mapped();
      const auto lane = first.lane;
      auto done = co_await inner().record({std::move(first)});
      if (!done) co_return std::unexpected(done.error());
      for (bool found = false; !found;) {
        auto again = co_await inner().lease(lane, 1, system_time::max());
        if (!again) co_return std::unexpected(again.error());
        if (again->empty()) co_return false;
        found = again->front().key == outcome.key;
        if (found) {
          outcome.token = again->front().token;
        } else {
          others_.push_back(again->front());
        }
      }
      inner().release(std::exchange(others_, {}));
    } else if (outcome.outcome == outcome_kind::advanced && outcome.phase == phase::ready &&
               !offers_.contains(outcome.lane)) {
      offer(std::move(outcome));
      co_return true;
    }
    auto done = co_await inner().record({std::move(outcome)});
    if (!done) co_return std::unexpected(done.error());
    co_return done->front();
  }

  void offer(transition outcome) {
    leased_machine next{.key = outcome.key,
                        .token = ++last_token_,
                        .id = outcome.id,
                        .generation = outcome.generation,
                        .version = outcome.version + 1,
                        .state = outcome.to,
                        .data = outcome.data,
                        .lane = outcome.lane,
                        .rank = outcome.rank,
                        .setbacks = outcome.setbacks,
                        .entered = outcome.entered};
    const auto lane = outcome.lane;
    late_.emplace(next.token, std::move(outcome));
    offers_.emplace(lane, std::move(next));
    inner().ready_signal().offer({});
  }

  std::map<std::string, leased_machine> offers_;  // by lane
  std::map<std::uint64_t, transition> late_;      // by the token of the next step
  std::vector<leased_machine> others_;
  std::set<std::pair<std::int64_t, std::int64_t>> answered_;  // key and version, in this life
  std::uint64_t last_token_ = std::uint64_t{1} << 40;
};

/// Takes any outcome as if it came from the newest lease.
class unfenced_store final : public owning_store {
 public:
  using owning_store::owning_store;

  task<leases> lease(std::string lane, std::size_t count, system_time expires) override {
    return remember(inner().lease(std::move(lane), count, expires));
  }
  task<leases> reclaim(system_time now, system_time expires) override {
    return remember(inner().reclaim(now, expires));
  }
  task<answers> record(std::vector<transition> outcomes) override {
    for (auto& each : outcomes) {
      const auto& newest = newest_[each.key];
      each.token = newest.token;
      each.version = newest.version;
    }
    return inner().record(std::move(outcomes));
  }

 private:
  task<leases> remember(task<leases> what) {
    auto leased = co_await std::move(what);
    if (leased) {
      for (const auto& each : *leased) newest_[each.key] = each;
    }
    co_return leased;
  }

  std::map<std::int64_t, leased_machine> newest_;
};

class counting_store final : public owning_store {
 public:
  using owning_store::owning_store;
  task<answers> record(std::vector<transition> outcomes) override {
    for (auto& each : outcomes) {
      if (each.outcome == outcome_kind::throttled) ++each.next_attempt;
    }
    return inner().record(std::move(outcomes));
  }
};

/// Knows the due times that it was told of itself, and no others.
class forgetful_store final : public owning_store {
 public:
  using owning_store::owning_store;

  task<std::expected<submit_report, store_error>> submit(std::vector<submission> wanted) override {
    auto dues = std::vector<system_time>{};
    for (const auto& each : wanted) dues.push_back(each.due);
    auto report = co_await inner().submit(std::move(wanted));
    if (report && report->added > 0) dues_.insert(dues.begin(), dues.end());
    co_return report;
  }
  task<answers> record(std::vector<transition> outcomes) override {
    for (const auto& each : outcomes) {
      if (each.phase == phase::waiting) dues_.insert(each.due);
    }
    return inner().record(std::move(outcomes));
  }
  task<std::expected<std::size_t, store_error>> promote(system_time now) override {
    dues_.erase(dues_.begin(), dues_.upper_bound(now));
    return inner().promote(now);
  }
  std::optional<system_time> next_due() override {
    return dues_.empty() ? std::nullopt : std::optional(*dues_.begin());
  }

 private:
  std::multiset<system_time> dues_;
};

class flawed_disk final : public simulated_disk {
 public:
  flawed_disk(std::unique_ptr<simulated_disk> sound, flaw which)
      : sound_(std::move(sound)), flaw_(which) {}

  std::expected<std::unique_ptr<store>, store_error> open() override {
    auto opened = sound_->open();
    if (!opened) return opened;
    switch (flaw_) {
      case flaw::commits_late: return std::make_unique<late_store>(std::move(*opened));
      case flaw::does_not_fence: return std::make_unique<unfenced_store>(std::move(*opened));
      case flaw::counts_throttling: return std::make_unique<counting_store>(std::move(*opened));
      case flaw::forgets_its_timers: return std::make_unique<forgetful_store>(std::move(*opened));
    }
    return opened;
  }
  void fail_at(std::size_t write) override { sound_->fail_at(write); }
  bool has_failed() const noexcept override { return sound_->has_failed(); }
  void restart(bool power_cut, std::uint64_t random) override {
    sound_->restart(power_cut, random);
  }

 private:
  std::unique_ptr<simulated_disk> sound_;
  flaw flaw_;
};

}  // namespace

std::unique_ptr<simulated_disk> flawed(std::unique_ptr<simulated_disk> sound, flaw which) {
  return std::make_unique<flawed_disk>(std::move(sound), which);
}

}  // namespace wherry::test
