// SPDX-License-Identifier: Apache-2.0
#include "clients/command_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {  // glibc 2.36 forgets to say so
#include <sys/pidfd.h>
}

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "spec/words.hpp"

namespace wherry::app {
namespace {

constexpr std::size_t shown_bytes = 500;  // of stderr

class descriptor {
 public:
  explicit descriptor(int number = -1) : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~descriptor() { close(); }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

struct pipe_pair {
  descriptor read, write;
  pipe_pair() {
    int both[2];
    if (::pipe2(both, O_CLOEXEC) != 0) return;
    read = descriptor(both[0]);
    write = descriptor(both[1]);
  }
};

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

// A started program; gone, with all that it started, when this goes.
class child {
 public:
  explicit child(pid_t id) : id_(id) {}
  ~child() {
    if (id_ > 0) end();
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  [[nodiscard]] pid_t id() const { return id_; }

  /// Ends it if it has not ended; the status of waitpid. The number of a process is its own until
  /// it is waited for.
  int end() {
    ::kill(-id_, SIGKILL);
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {}
    id_ = 0;
    return status;
  }

 private:
  pid_t id_;
};

std::expected<pid_t, int> start(const command_call& call, const pipe_pair& out,
                                const pipe_pair& err) {
  std::vector<char*> words;
  for (const auto& word : call.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, out.write.get(), 1);
  posix_spawn_file_actions_adddup2(&files, err.write.get(), 2);
  if (!call.directory.empty()) {
    posix_spawn_file_actions_addchdir_np(&files, call.directory.c_str());
  }
  posix_spawnattr_t how;
  posix_spawnattr_init(&how);
  sigset_t none, usual;
  sigemptyset(&none);
  sigemptyset(&usual);
  sigaddset(&usual, SIGPIPE);
  posix_spawnattr_setsigmask(&how, &none);
  posix_spawnattr_setsigdefault(&how, &usual);
  posix_spawnattr_setpgroup(&how, 0);
  posix_spawnattr_setflags(&how,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t id = 0;
  const int failed = ::posix_spawnp(&id, words[0], &files, &how, words.data(), environ);
  posix_spawnattr_destroy(&how);
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) return std::unexpected(failed);
  return id;
}

// Reads once what is there; closed: that was the end.
void take(descriptor& from, std::string& to) {
  char some[65536];
  const auto got = ::read(from.get(), some, sizeof some);
  if (got > 0) to.append(some, static_cast<std::size_t>(got));
  if (got == 0 || (got < 0 && errno != EINTR)) from.close();
}

class reading {
 public:
  reading(const command_call& call, pid_t id, descriptor out, descriptor err)
      : call_(call),
        out_(std::move(out)),
        err_(std::move(err)),
        running_(::pidfd_open(id, 0)),
        end_(std::chrono::steady_clock::now() + call.timeout) {
    const auto set = stop_set();
    signals_ = descriptor(::signalfd(-1, &set, SFD_CLOEXEC));
  }

  /// Until it has ended and all is read. What went wrong, or nothing.
  std::optional<command_error> run() {
    while (out_.get() >= 0 || err_.get() >= 0 || running_.get() >= 0) {
      using std::chrono::ceil, std::chrono::milliseconds;
      const auto left = ceil<milliseconds>(end_ - std::chrono::steady_clock::now());
      if (left.count() <= 0) {
        return command_error{false, fmt::format("has not ended within {} ms; raise `timeout`",
                                                call_.timeout.count())};
      }
      pollfd watched[] = {{out_.get(), POLLIN, 0},
                          {err_.get(), POLLIN, 0},
                          {signals_.get(), POLLIN, 0},
                          {running_.get(), POLLIN, 0}};
      const auto wait = std::min<std::int64_t>(left.count(), 60'000);
      if (::poll(watched, 4, static_cast<int>(wait)) <= 0) continue;
      if (watched[2].revents != 0) return command_error{true, "was stopped"};
      if (watched[0].revents != 0) take(out_, said);
      if (watched[1].revents != 0) take(err_, complained);
      if (watched[3].revents != 0) running_.close();
      if (said.size() > call_.most_bytes) {
        return command_error{
            false, fmt::format("has printed over {} MiB; print less", call_.most_bytes >> 20)};
      }
      if (complained.size() > shown_bytes) complained.erase(0, complained.size() - shown_bytes);
    }
    return std::nullopt;
  }

  std::string said;
  std::string complained;  // the end of it

 private:
  const command_call& call_;
  descriptor out_, err_, running_, signals_;
  const std::chrono::steady_clock::time_point end_;
};

// One line that no terminal takes for more.
std::string shown(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return text.empty() ? "it says nothing on stderr" : text;
}

}  // namespace

std::expected<std::string, command_error> output_of(const command_call& call) {
  pipe_pair out, err;
  const auto id = start(call, out, err);
  if (!id) {
    return std::unexpected(command_error{
        false, fmt::format("cannot be run: {}; give the path of a program that may be run",
                           std::strerror(id.error()))});
  }
  child running{*id};
  out.write.close();
  err.write.close();
  reading from{call, running.id(), std::move(out.read), std::move(err.read)};
  if (auto wrong = from.run()) return std::unexpected(*std::move(wrong));
  const int status = running.end();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::move(from.said);
  return std::unexpected(command_error{
      false, fmt::format("ended with {} {}: {}", WIFEXITED(status) ? "status" : "signal",
                         WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
                         shown(std::move(from.complained)))});
}

}  // namespace wherry::app
