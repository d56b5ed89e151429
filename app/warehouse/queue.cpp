// SPDX-License-Identifier: Apache-2.0
#include "warehouse/queue.hpp"

#include <algorithm>
#include <exception>
#include <set>
#include <string>
#include <utility>

#include "wherry/csp/assert.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/select.hpp"
#include "wherry/csp/timeout.hpp"

namespace wherry::app {

// Leaves the line with the step that waits in it.
class load_queue::place_in_line {
 public:
  place_in_line(load_queue& in, waiting_ptr who) : in_(in), who_(std::move(who)) {}
  ~place_in_line() {
    const std::lock_guard lock{in_.mutex_};
    std::erase(in_.line_, who_);
  }
  place_in_line(const place_in_line&) = delete;
  place_in_line& operator=(const place_in_line&) = delete;

 private:
  load_queue& in_;
  const waiting_ptr who_;
};

// However the working process ends, nobody goes on waiting for it: who is left without an answer
// finds the channel closed, and whoever comes next starts another process.
class load_queue::open_shop {
 public:
  explicit open_shop(load_queue& of) : of_(of) {}
  ~open_shop() {
    const std::lock_guard lock{of_.mutex_};
    if (is_closed) return;
    of_.is_open_ = false;
    for (const auto& each : std::exchange(of_.line_, {})) each->answer.close();
    for (const auto& each : batch) each->answer.close();
  }
  open_shop(const open_shop&) = delete;
  open_shop& operator=(const open_shop&) = delete;

  std::vector<waiting_ptr> batch;
  bool is_closed = false;

 private:
  load_queue& of_;
};

load_queue::load_queue(limits bounds, carrier carry_out)
    : bounds_(bounds), carry_out_(std::move(carry_out)), arrived_(sliding{1}) {}

task<load_outcome> load_queue::load(load_item item) {
  const auto mine = std::make_shared<waiting>(std::move(item), channel<load_outcome>{fixed{1}});
  bool is_first = false;
  {
    const std::lock_guard lock{mutex_};
    line_.push_back(mine);
    is_first = !std::exchange(is_open_, true);
  }
  const place_in_line leave{*this, mine};
  if (is_first) go(work());
  arrived_.offer(std::monostate{});
  auto answer = co_await mine->answer.take();
  if (answer) co_return *std::move(answer);
  co_return std::unexpected(load_error{load_error_kind::transient, "the load was ended"});
}

std::size_t load_queue::size() {
  const std::lock_guard lock{mutex_};
  return line_.size();
}

bool load_queue::close_if_empty() {
  const std::lock_guard lock{mutex_};
  if (line_.empty()) is_open_ = false;
  return line_.empty();
}

std::vector<load_queue::waiting_ptr> load_queue::take_batch() {
  const std::lock_guard lock{mutex_};
  std::vector<waiting_ptr> batch;
  std::set<std::pair<std::string, std::string>> known;
  std::erase_if(line_, [&](const waiting_ptr& each) {
    if (batch.size() == bounds_.batch) return false;
    if (!known.emplace(each->item.client, each->item.day).second) return false;
    batch.push_back(each);
    return true;
  });
  return batch;
}

task<> load_queue::gather() {
  const auto over = timeout(bounds_.linger);
  while (size() < bounds_.batch) {
    const auto chosen = co_await select(priority, over.take(), arrived_.take());
    if (chosen.index() == 0) co_return;
  }
}

task<> load_queue::work() {
  open_shop shop{*this};
  for (;;) {
    co_await gather();
    shop.batch = take_batch();
    if (shop.batch.empty()) {
      shop.is_closed = close_if_empty();
      if (shop.is_closed) co_return;
      continue;
    }
    std::vector<load_item> items;
    for (const auto& each : shop.batch) items.push_back(each->item);
    std::vector<load_outcome> outcomes;
    try {
      outcomes = co_await carry_out_(std::move(items));
    } catch (const std::exception& thrown) {
      outcomes.assign(shop.batch.size(),
                      std::unexpected(load_error{load_error_kind::transient, thrown.what()}));
    }
    WHERRY_ASSERT(outcomes.size() == shop.batch.size(), "an outcome for each report");
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      shop.batch[i]->answer.offer(std::move(outcomes[i]));
      shop.batch[i]->answer.close();
    }
    shop.batch.clear();
  }
}

}  // namespace wherry::app
