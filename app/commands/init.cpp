// SPDX-License-Identifier: Apache-2.0
// `wherry init`: a spec to start from.

#include "spec/init.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "commands/commands.hpp"
#include "commands/output.hpp"

namespace wherry::app {

int write_starting_spec(const std::filesystem::path& to) {
  const int file = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) {
    tell("wherry: cannot write {}: {}{}\n", to.string(), std::strerror(errno),
         errno == EEXIST ? "; name another file, or move it away" : "");
    return mistake_made;
  }
  const std::string_view text = starting_spec();
  const bool whole = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  ::close(file);
  if (!whole) {
    tell("wherry: cannot write {}: {}\n", to.string(), std::strerror(error));
    return mistake_made;
  }
  say("{} is there: edit it, then  wherry check {}\n", to.string(), to.string());
  return all_well;
}

}  // namespace wherry::app
