// SPDX-License-Identifier: Apache-2.0
#pragma once
// A disk that is really full: a tmpfs of a few pages, mounted where only a child process sees it.
// As root that needs a mount namespace, otherwise a user namespace too; where neither may be made
// the test says so and checks nothing.

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <string>

namespace wherry::app {

enum class full_disk_outcome { passed, failed, unavailable };

/// Runs `body` in a child process whose `at` is a file system of `size_bytes`; true means passed.
inline full_disk_outcome on_small_disk(const std::filesystem::path& at, std::size_t size_bytes,
                                       const std::function<bool()>& body) {
  constexpr int passed = 0, failed = 1, unavailable = 2;
  const pid_t child = ::fork();
  if (child == 0) {
    const int spaces = CLONE_NEWNS | (::geteuid() == 0 ? 0 : CLONE_NEWUSER);
    const auto options = "size=" + std::to_string(size_bytes);
    if (::unshare(spaces) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", at.c_str(), "tmpfs", 0, options.c_str()) != 0) {
      ::_exit(unavailable);
    }
    bool good = false;
    try {
      good = body();
    } catch (const std::exception& wrong) {
      std::fprintf(stderr, "on the small disk: %s\n", wrong.what());
    }
    ::_exit(good ? passed : failed);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
    return full_disk_outcome::failed;
  }
  return WEXITSTATUS(status) == passed        ? full_disk_outcome::passed
         : WEXITSTATUS(status) == unavailable ? full_disk_outcome::unavailable
                                              : full_disk_outcome::failed;
}

}  // namespace wherry::app
