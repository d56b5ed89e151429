// SPDX-License-Identifier: Apache-2.0
#include "commands/signals.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace wherry::app {
namespace {

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

int checked(int descriptor, const char* what) {
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), what);
  return descriptor;
}

}  // namespace

void block_stop_signals() {
  const sigset_t set = stop_set();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

stop_signals::stop_signals(std::function<void()> on_first)
    : signals_([] {
        const sigset_t set = stop_set();
        return checked(::signalfd(-1, &set, SFD_CLOEXEC), "signalfd");
      }()),
      end_(checked(::eventfd(0, EFD_CLOEXEC), "eventfd")),
      listener_([this, first = std::move(on_first)] {
        for (bool asked = false;;) {
          pollfd watched[] = {{signals_, POLLIN, 0}, {end_, POLLIN, 0}};
          if (::poll(watched, 2, -1) < 0) continue;
          if (watched[1].revents != 0) return;
          signalfd_siginfo info;
          if (::read(signals_, &info, sizeof info) != sizeof info) continue;
          if (asked) ::_exit(128 + static_cast<int>(info.ssi_signo));
          asked = true;
          first();
        }
      }) {}

stop_signals::~stop_signals() {
  const std::uint64_t one = 1;
  while (::write(end_, &one, sizeof one) < 0 && errno == EINTR) {}
  listener_.join();
  ::close(signals_);
  ::close(end_);
}

}  // namespace wherry::app
