// SPDX-License-Identifier: Apache-2.0
#pragma once
// What stands around an engine in a simulation: between it and its store, and between it and the
// user's steps. It injects the faults, and tells the ledger what passes. After `kill` nothing
// passes any more: the process is gone, although its coroutines are still to be unwound.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "chance.hpp"
#include "journal.hpp"
#include "ledger.hpp"
#include "wherry/engine/forwarding_store.hpp"
#include "wherry/engine/raw_kind.hpp"
#include "wherry/engine/simulation.hpp"

namespace wherry::detail {

/// What the parts of a simulation share.
struct simulated_world {
  simulation_faults faults;  ///< those that this seed, and this life, has
  chance draws;
  ledger truth;
  journal events;
  bool is_killed = false;
  std::uint64_t injected = 0;
  std::uint64_t steps = 0;

  /// Whether a fault happens now.
  bool strikes(double likely) noexcept {
    if (!draws.happens(likely)) return false;
    ++injected;
    return true;
  }
};

class disturbed_store final : public forwarding_store {
 public:
  disturbed_store(store& inner, simulated_world& world) : forwarding_store(inner), world_(world) {}

  task<std::expected<submit_report, store_error>> submit(std::vector<submission> wanted) override;
  task<std::expected<std::vector<leased_machine>, store_error>> lease(std::string lane,
                                                                      std::size_t count,
                                                                      system_time expires) override;
  task<std::expected<std::vector<bool>, store_error>> record(
      std::vector<transition> outcomes) override;
  void release(const std::vector<leased_machine>& unused) override;
  task<std::expected<std::size_t, store_error>> promote(system_time now) override;
  void renew(const std::vector<lease_id>& held, system_time expires) override;
  task<std::expected<std::vector<leased_machine>, store_error>> reclaim(
      system_time now, system_time expires) override;
  task<std::expected<std::size_t, store_error>> apply(control_request asked) override;

 private:
  task<> be_slow();
  /// Waits, and says why the call is not to be made, if so.
  task<std::optional<store_error>> before(std::string_view call);
  /// Waits, and says why the answer is not to be given, if so.
  task<std::optional<store_error>> after(std::string_view call);
  task<std::expected<std::size_t, store_error>> apply_to_lane(control_request asked);

  simulated_world& world_;
  std::set<std::uint64_t> unrenewed_;  // tokens
};

class disturbed_kind final : public raw_kind {
 public:
  disturbed_kind(raw_kind& inner, simulated_world& world, const engine_options& options)
      : inner_(inner), world_(world), options_(options) {}

  task<raw_outcome> run(stored_state now, step_context context) override;
  [[nodiscard]] std::optional<raw_outcome> foreign(const stored_state& now) const override {
    return inner_.foreign(now);
  }

 private:
  task<> hinder(const step_context& context);
  task<> come_late(const step_context& context);

  raw_kind& inner_;
  simulated_world& world_;
  const engine_options& options_;
};

}  // namespace wherry::detail
