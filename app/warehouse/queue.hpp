// SPDX-License-Identifier: Apache-2.0
#pragma once
// load_queue: gathers reports into batches, one load at a time. What a report costs a warehouse is
// mostly the transaction, so what gathered meanwhile goes together.
//
// 1. Each report that is put in learns its own outcome, exactly once, unless its step was unwound.
// 2. One batch is carried out at a time, by a process that lives as long as there are reports: the
//    first of them starts it. It is none of the steps, so that a step that is unwound stops nobody.
// 3. A batch has no two reports of one (client, day): the second waits for the next batch.
// 4. It holds what steps wait for, no more; so the lane's limit bounds it.
//
// Threads: any.

#include <chrono>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "warehouse/load.hpp"
#include "wherry/csp/channel.hpp"
#include "wherry/csp/task.hpp"

namespace wherry::app {

using load_outcome = std::expected<load_result, load_error>;

class load_queue {
 public:
  struct limits {
    std::size_t batch = 200;             ///< most reports at once
    std::chrono::milliseconds linger{};  ///< how long a batch waits to be full
  };
  /// Loads a batch; an outcome for each report, in their order.
  using carrier = std::function<task<std::vector<load_outcome>>(std::vector<load_item>)>;

  load_queue(limits bounds, carrier carry_out);

  /// Suspends: until the report's batch has been carried out. Errors: load_error; `cancelled`: the
  /// report may be loaded all the same.
  [[nodiscard]] task<load_outcome> load(load_item item);

 private:
  struct waiting {
    load_item item;
    channel<load_outcome> answer;
  };
  using waiting_ptr = std::shared_ptr<waiting>;

  class place_in_line;
  class open_shop;
  task<> work();
  task<> gather();
  [[nodiscard]] std::vector<waiting_ptr> take_batch();
  [[nodiscard]] std::size_t size();
  [[nodiscard]] bool close_if_empty();

  const limits bounds_;
  const carrier carry_out_;
  const channel<std::monostate> arrived_;  // holds something if anything arrived lately

  std::mutex mutex_;  // of what follows; never held over a suspension
  std::deque<waiting_ptr> line_;
  bool is_open_ = false;  // a process works on it
};

}  // namespace wherry::app
