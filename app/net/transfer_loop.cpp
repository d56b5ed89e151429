// SPDX-License-Identifier: Apache-2.0
#include "net/transfer_loop.hpp"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include "wherry/csp/assert.hpp"

namespace wherry::app {
namespace {

constexpr std::size_t events_per_turn = 256;
constexpr std::size_t idle_handles_limit = 1024;

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error{errno, std::generic_category(), what};
  return result;
}

// Once a process, and never undone: libraries loaded beside us may use libcurl too.
void initialise_libcurl() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) throw std::runtime_error{curl_easy_strerror(result)};
}

}  // namespace

struct transfer_loop::callbacks {
  static int on_socket(CURL*, curl_socket_t socket, int interest, void* self,
                       void* known) noexcept {
    auto& loop = *static_cast<transfer_loop*>(self);
    loop.watch(socket, interest, known != nullptr);
    if (interest != CURL_POLL_REMOVE && known == nullptr) {
      curl_multi_assign(loop.multi_, socket, self);  // any mark: this socket is in the epoll set
    }
    return 0;
  }

  static int on_timer(CURLM*, long after_ms, void* self) noexcept {
    auto& timer = static_cast<transfer_loop*>(self)->timer_;
    if (after_ms < 0) {
      timer.reset();
    } else {
      timer = std::chrono::steady_clock::now() + std::chrono::milliseconds{after_ms};
    }
    return 0;
  }
};

transfer_loop::transfer_loop(http_client_options options) : options_(std::move(options)) {
  initialise_libcurl();
  epoll_ = checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  wake_up_ = checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  epoll_event event{.events = EPOLLIN, .data = {.fd = wake_up_}};
  checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_up_, &event), "epoll_ctl");
  multi_ = curl_multi_init();
  WHERRY_ASSERT(multi_ != nullptr, "libcurl has no memory for a multi handle");
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &callbacks::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &callbacks::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, long{options_.idle_connections});
  // Signals go to other threads; and OpenSSL's writes must not end the process by SIGPIPE.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread{[this] { run(); }};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

transfer_loop::~transfer_loop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  eventfd_write(wake_up_, 1);
  thread_.join();
  for (void* easy : idle_handles_) curl_easy_cleanup(easy);
  curl_multi_cleanup(multi_);
  ::close(wake_up_);
  ::close(epoll_);
}

void transfer_loop::start(std::shared_ptr<transfer> what) { give({std::move(what), false}); }

void transfer_loop::abort(std::shared_ptr<transfer> what) { give({std::move(what), true}); }

void transfer_loop::give(order next) {
  bool wake = false;
  {
    const std::lock_guard lock{mutex_};
    orders_.push_back(std::move(next));
    wake = std::exchange(asleep_, false);
  }
  if (wake) eventfd_write(wake_up_, 1);
}

void transfer_loop::run() {
  pthread_setname_np(pthread_self(), "wherry-net");
  while (take_orders()) wait_and_work();
  for (auto& [easy, what] : running_) {
    curl_multi_remove_handle(multi_, easy);
    curl_easy_cleanup(easy);
    what->stop();
  }
  running_.clear();
}

// False: the loop is to stop. Orders that came before are carried out or stopped all the same.
bool transfer_loop::take_orders() {
  bool stopping = false;
  {
    const std::lock_guard lock{mutex_};
    taken_.swap(orders_);
    stopping = stopping_;
    asleep_ = taken_.empty() && !stopping;
  }
  for (auto& each : taken_) {
    if (each.is_abort) {
      drop(*each.what);
    } else if (stopping) {
      each.what->stop();
    } else {
      begin(std::move(each.what));
    }
  }
  taken_.clear();
  return !stopping;
}

void transfer_loop::begin(std::shared_ptr<transfer> what) {
  void* const easy = take_handle();
  if (auto ready = what->prepare(easy); !ready) {
    give_handle_back(easy);
    what->easy = nullptr;
    what->done.offer(std::unexpected(std::move(ready.error())));
    return;
  }
  if (!options_.extra_certificates.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options_.extra_certificates.c_str());
  }
  running_.emplace(easy, std::move(what));
  const auto added = curl_multi_add_handle(multi_, easy);
  WHERRY_ASSERT(added == CURLM_OK, "a fresh handle can always be added");
}

void transfer_loop::drop(transfer& what) {
  const auto found = running_.find(what.easy);
  if (found == running_.end()) return;  // it had ended by itself
  curl_multi_remove_handle(multi_, found->first);
  give_handle_back(found->first);
  what.easy = nullptr;
  what.stop();
  running_.erase(found);
}

int transfer_loop::wait_limit_ms() const {
  if (!timer_) return -1;
  const auto left = *timer_ - std::chrono::steady_clock::now();
  if (left <= left.zero()) return 0;
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
}

void transfer_loop::wait_and_work() {
  bool may_sleep = false;
  {
    const std::lock_guard lock{mutex_};
    may_sleep = orders_.empty();
    asleep_ = may_sleep;
  }
  std::array<epoll_event, events_per_turn> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                               may_sleep ? wait_limit_ms() : 0);
  WHERRY_ASSERT(count >= 0 || errno == EINTR, "epoll_wait failed");
  int still_running = 0;
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == wake_up_) {
      eventfd_t ignored = 0;
      eventfd_read(wake_up_, &ignored);
      continue;
    }
    const unsigned mask = ((event.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0u) |
                          ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0u) |
                          ((event.events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0u);
    curl_multi_socket_action(multi_, event.data.fd, static_cast<int>(mask), &still_running);
  }
  if (timer_ && *timer_ <= std::chrono::steady_clock::now()) {
    timer_.reset();
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &still_running);
  }
  collect_finished();
}

void transfer_loop::watch(int socket, int interest, bool is_known) {
  if (interest == CURL_POLL_REMOVE) {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr);  // fails if it is closed already: as well
    return;
  }
  epoll_event event{.events = ((interest & CURL_POLL_IN) != 0 ? EPOLLIN : 0u) |
                              ((interest & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0u),
                    .data = {.fd = socket}};
  const int how = is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  WHERRY_ASSERT(epoll_ctl(epoll_, how, socket, &event) == 0, "libcurl's socket cannot be watched");
}

void transfer_loop::collect_finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    void* const easy = message->easy_handle;  // the message is void once the handle is removed
    const CURLcode result = message->data.result;
    curl_multi_remove_handle(multi_, easy);
    auto found = running_.extract(easy);
    WHERRY_ASSERT(!found.empty(), "libcurl finished a transfer that is not ours");
    found.mapped()->finish(result);
    found.mapped()->easy = nullptr;
    give_handle_back(easy);
  }
}

void* transfer_loop::take_handle() {
  if (!idle_handles_.empty()) {
    void* const easy = idle_handles_.back();
    idle_handles_.pop_back();
    return easy;
  }
  void* const easy = curl_easy_init();
  WHERRY_ASSERT(easy != nullptr, "libcurl has no memory for a handle");
  return easy;
}

void transfer_loop::give_handle_back(void* easy) {
  if (idle_handles_.size() == idle_handles_limit) {
    curl_easy_cleanup(easy);
    return;
  }
  curl_easy_reset(easy);
  idle_handles_.push_back(easy);
}

}  // namespace wherry::app
