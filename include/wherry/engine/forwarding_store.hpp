// SPDX-License-Identifier: Apache-2.0
#pragma once
// A store in front of another: passes on whatever it is asked. The base of those that watch or
// disturb the one behind.

#include <string>
#include <utility>
#include <vector>

#include "wherry/engine/store.hpp"

namespace wherry {

class forwarding_store : public store {
 public:
  /// Requires: `inner` outlives it.
  explicit forwarding_store(store& inner) : inner_(inner) {}

  task<std::expected<submit_report, store_error>> submit(std::vector<submission> wanted) override {
    return inner_.submit(std::move(wanted));
  }
  std::vector<std::string> ready_lanes() override { return inner_.ready_lanes(); }
  task<std::expected<std::vector<leased_machine>, store_error>> lease(
      std::string lane, std::size_t count, system_time expires) override {
    return inner_.lease(std::move(lane), count, expires);
  }
  task<std::expected<std::vector<bool>, store_error>> record(
      std::vector<transition> outcomes) override {
    return inner_.record(std::move(outcomes));
  }
  void release(const std::vector<leased_machine>& unused) override { inner_.release(unused); }
  task<std::expected<std::size_t, store_error>> promote(system_time now) override {
    return inner_.promote(now);
  }
  std::optional<system_time> next_due() override { return inner_.next_due(); }
  void renew(const std::vector<lease_id>& held, system_time expires) override {
    inner_.renew(held, expires);
  }
  task<std::expected<std::vector<leased_machine>, store_error>> reclaim(
      system_time now, system_time expires) override {
    return inner_.reclaim(now, expires);
  }
  task<std::expected<inbox_progress, store_error>> step_inbox() override {
    return inner_.step_inbox();
  }
  task<std::expected<bool, store_error>> tidy(system_time now) override { return inner_.tidy(now); }
  std::vector<lane_state> lane_states() override { return inner_.lane_states(); }
  channel<std::monostate> ready_signal() override { return inner_.ready_signal(); }
  task<std::expected<std::size_t, store_error>> apply(control_request asked) override {
    return inner_.apply(std::move(asked));
  }
  std::expected<machine_counts, store_error> count() override { return inner_.count(); }
  std::expected<std::vector<machine_view>, store_error> query(const machine_filter& filter,
                                                              std::size_t limit,
                                                              std::string after_id) override {
    return inner_.query(filter, limit, std::move(after_id));
  }
  std::expected<std::vector<history_entry>, store_error> history(std::string_view id) override {
    return inner_.history(id);
  }

 protected:
  [[nodiscard]] store& inner() noexcept { return inner_; }

 private:
  store& inner_;
};

}  // namespace wherry
