// SPDX-License-Identifier: Apache-2.0
#pragma once
// transfer_loop: the one thread on which all transfers run: libcurl's multi handle over epoll. Work
// per turn is in proportion to the sockets that have something to say, not to the transfers in
// flight (curl_multi_poll looks at all of them each turn). Internal to app/net.
//
// 1. Only the thread touches libcurl. Others leave orders in `orders_` under `mutex_`.
// 2. `asleep_` is true from before the thread waits until somebody wakes it: of many orders that
//    come while it sleeps only the first costs a write to the eventfd.
// 3. Every transfer given to `start` is finished or stopped exactly once.

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "net/transfer.hpp"

namespace wherry::app {

class transfer_loop {
 public:
  explicit transfer_loop(http_client_options options);
  /// Stops what is under way and joins the thread.
  ~transfer_loop();
  transfer_loop(const transfer_loop&) = delete;
  transfer_loop& operator=(const transfer_loop&) = delete;

  /// Begins a transfer. Threads: any.
  void start(std::shared_ptr<transfer> what);

  /// Stops a transfer, unless it has ended. Threads: any.
  void abort(std::shared_ptr<transfer> what);

 private:
  struct order {
    std::shared_ptr<transfer> what;
    bool is_abort = false;
  };
  struct callbacks;  // the C functions that libcurl calls
  using time_point = std::chrono::steady_clock::time_point;

  void give(order next);
  void run();
  bool take_orders();
  void begin(std::shared_ptr<transfer> what);
  void drop(transfer& what);
  void wait_and_work();
  void watch(int socket, int interest, bool is_known);
  void collect_finished();
  void* take_handle();
  void give_handle_back(void* easy);
  [[nodiscard]] int wait_limit_ms() const;

  const http_client_options options_;
  int epoll_ = -1;
  int wake_up_ = -1;
  void* multi_ = nullptr;  // CURLM*
  std::optional<time_point> timer_;
  std::unordered_map<void*, std::shared_ptr<transfer>> running_;  // by easy handle
  std::vector<void*> idle_handles_;
  std::vector<order> taken_;

  std::mutex mutex_;
  std::vector<order> orders_;
  bool asleep_ = false;
  bool stopping_ = false;

  std::thread thread_;  // last: starts when all else is there
};

}  // namespace wherry::app
