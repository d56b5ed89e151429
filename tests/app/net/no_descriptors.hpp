// SPDX-License-Identifier: Apache-2.0
#pragma once
// A process that may open no further file: the limit is set to what is open.

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace wherry::app {

/// As long as it lives, every open, socket and accept of this process fails with EMFILE.
class no_descriptors {
 public:
  no_descriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);  // the lowest number that is free
    ::close(next);
    auto none = before_;
    none.rlim_cur = static_cast<rlim_t>(next);
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  no_descriptors(const no_descriptors&) = delete;
  no_descriptors& operator=(const no_descriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace wherry::app
