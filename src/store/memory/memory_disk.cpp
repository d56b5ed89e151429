// SPDX-License-Identifier: Apache-2.0
// A disk for simulations that loses nothing but its process: the machines stay in memory, the
// leases of a process that has gone are given back. A write at which it fails is done or not.

#include <optional>
#include <utility>

#include "wherry/engine/forwarding_store.hpp"
#include "wherry/store/memory.hpp"

namespace wherry {
namespace {

class memory_disk final : public simulated_disk {
 public:
  std::expected<std::unique_ptr<store>, store_error> open() override {
    return std::make_unique<process>(*this);
  }
  void fail_at(std::size_t write) override {
    writes_left_ = write - 1;
    is_done_ = write % 2 == 0;
  }
  bool has_failed() const noexcept override { return failed_; }
  void restart(bool, std::uint64_t) override {
    kept_->release(std::exchange(leased_, {}));
    writes_left_.reset();
    failed_ = false;
  }

 private:
  /// The store as one process has it.
  class process final : public forwarding_store {
   public:
    explicit process(memory_disk& disk) : forwarding_store(*disk.kept_), disk_(disk) {}

    task<std::expected<submit_report, store_error>> submit(
        std::vector<submission> wanted) override {
      return disk_.write(inner().submit(std::move(wanted)));
    }
    task<std::expected<std::vector<bool>, store_error>> record(
        std::vector<transition> outcomes) override {
      return disk_.write(inner().record(std::move(outcomes)));
    }
    task<std::expected<std::size_t, store_error>> promote(system_time now) override {
      return disk_.write(inner().promote(now));
    }
    task<std::expected<std::size_t, store_error>> apply(control_request asked) override {
      return disk_.write(inner().apply(std::move(asked)));
    }
    task<std::expected<std::vector<leased_machine>, store_error>> lease(
        std::string lane, std::size_t count, system_time expires) override {
      return disk_.remember(inner().lease(std::move(lane), count, expires));
    }
    task<std::expected<std::vector<leased_machine>, store_error>> reclaim(
        system_time now, system_time expires) override {
      return disk_.remember(inner().reclaim(now, expires));
    }

   private:
    memory_disk& disk_;
  };

  template <class T>
  task<std::expected<T, store_error>> write(task<std::expected<T, store_error>> what) {
    const auto error = std::unexpected(store_error{store_error::kind::io, "the disk has failed"});
    if (failed_) co_return error;
    if (writes_left_ && (*writes_left_)-- == 0) {
      failed_ = true;
      if (is_done_) static_cast<void>(co_await std::move(what));
      co_return error;
    }
    co_return co_await std::move(what);
  }

  task<std::expected<std::vector<leased_machine>, store_error>> remember(
      task<std::expected<std::vector<leased_machine>, store_error>> what) {
    auto leased = co_await std::move(what);
    if (leased) leased_.insert(leased_.end(), leased->begin(), leased->end());
    co_return leased;
  }

  std::unique_ptr<store> kept_ = open_memory_store();
  std::vector<leased_machine> leased_;  // by this process, also those that are recorded
  std::optional<std::size_t> writes_left_;
  bool is_done_ = false;  // the write at which it fails
  bool failed_ = false;
};

}  // namespace

std::unique_ptr<simulated_disk> simulated_memory_disk() { return std::make_unique<memory_disk>(); }

}  // namespace wherry
