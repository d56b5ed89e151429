// SPDX-License-Identifier: Apache-2.0
// One thread, virtual time, a seeded order: every run can be repeated, to the byte.

#include <stdexcept>
#include <utility>

#include "wherry/csp/assert.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry {

virtual_scheduler::virtual_scheduler(std::uint64_t seed, system_time start)
    : start_(start), random_(seed * 0x9e3779b97f4a7c15 + 1) {}

virtual_scheduler::virtual_scheduler(choice_source choose, system_time start)
    : virtual_scheduler(1, start) {
  choose_ = std::move(choose);
}

virtual_scheduler::~virtual_scheduler() = default;

void virtual_scheduler::post(std::coroutine_handle<> ready) noexcept { ready_.push_back(ready); }

void virtual_scheduler::post_blocking(std::move_only_function<void()> work) {
  blocking_.push_back(std::move(work));
}

system_time virtual_scheduler::system_now() const noexcept {
  return start_ + std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
}

void virtual_scheduler::drive(const std::function<bool()>& done) {
  // The calling thread serves this scheduler for the while, also when it ends by an exception.
  struct serving {
    explicit serving(virtual_scheduler& self) : self_(self) {
      detail::this_thread = detail::thread_state{};
      detail::this_thread.serving = &self;
      detail::this_thread.worker = &self;
      detail::this_thread.random = self.random_;
    }
    serving(const serving&) = delete;
    serving& operator=(const serving&) = delete;
    ~serving() {
      self_.random_ = detail::this_thread.random;
      detail::this_thread = outer_;
    }
    virtual_scheduler& self_;
    detail::thread_state outer_ = detail::this_thread;
  };
  const serving guard(*this);
  while (!done()) run_one();
}

std::size_t virtual_scheduler::pick(std::size_t choices) {
  if (!choose_) return detail::draw() % choices;
  if (choices == 1) return 0;
  const std::size_t chosen = choose_(choices);
  WHERRY_ASSERT(chosen < choices, "a choice_source answers with a number below the one it gets");
  return chosen;
}

void virtual_scheduler::run_one() {
  const std::size_t choices = ready_.size() + blocking_.size();
  if (choices > 0) {
    const std::size_t next = pick(choices);
    if (next < ready_.size()) {
      const auto chosen = std::exchange(ready_[next], ready_.back());
      ready_.pop_back();
      chosen.resume();
    } else {
      auto chosen = std::move(blocking_[next - ready_.size()]);
      blocking_.erase(blocking_.begin() + static_cast<std::ptrdiff_t>(next - ready_.size()));
      chosen();
    }
    return;
  }
  if (timers_.earliest() == steady_time::max()) {
    throw std::logic_error("deadlock: no process can run, and no timer is pending to wake one");
  }
  now_ = std::max(now_, timers_.earliest());
  timers_.fire_due(now_);
}

}  // namespace wherry
