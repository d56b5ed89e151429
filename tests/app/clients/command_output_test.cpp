// SPDX-License-Identifier: Apache-2.0
// Goal: a command's output is all of it or an error that says what to do, and nothing of it goes on
// running. Method: real programs; whether one has ended is seen by a pipe that it holds open.
#include "clients/command_output.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "../scratch.hpp"

namespace wherry::app {
namespace {

using namespace std::chrono_literals;

command_call shell(std::string script) { return {.words = {"/bin/sh", "-c", std::move(script)}}; }

std::string error_of(const command_call& call) {
  const auto got = output_of(call);
  return got ? "" : got.error().message;
}

}  // namespace

TEST_SUITE("clients/command_output.hpp") {
  TEST_CASE("what a program prints is given, whole") {
    CHECK(output_of(shell("printf 'a\\nb'")).value() == "a\nb");
    CHECK(output_of(shell("head -c 3000000 /dev/zero")).value().size() == 3'000'000);
    CHECK(output_of({.words = {"echo", "$HOME", "a b", ";"}}).value() == "$HOME a b ;\n");
  }

  TEST_CASE("it runs where it is told to, and reads nothing") {
    const testing::scratch at;
    auto call = shell("pwd; cat");
    call.directory = at.path.native();
    CHECK(output_of(call).value() == at.path.native() + "\n");
  }

  TEST_CASE("a program that fails is told with its status and the end of what it complained of") {
    CHECK(error_of(shell("echo some; echo 'no \033[31mlogin' >&2; exit 3")) ==
          "ended with status 3: no  [31mlogin");
    CHECK(error_of(shell("exit 1")) == "ended with status 1: it says nothing on stderr");
    CHECK(error_of(shell("kill -9 $$")).starts_with("ended with signal 9"));
    CHECK(error_of(shell("yes x | head -c 100000 >&2; echo end >&2; exit 1")).ends_with("end"));
  }

  TEST_CASE("a program that is not there, or may not be run, is told") {
    CHECK(
        error_of({.words = {"/no/such"}}).starts_with("cannot be run: No such file or directory"));
    CHECK(error_of({.words = {"/etc/passwd"}}).starts_with("cannot be run: Permission denied"));
  }

  TEST_CASE("too much, or for too long, is ended with all that it started") {
    int both[2];
    REQUIRE(::pipe2(both, 0) == 0);  // inherited: open as long as anybody of them lives
    auto call = shell("sleep 1000 & exec 1>&- 2>&-; sleep 1000");
    call.timeout = 50ms;
    CHECK(error_of(call) == "has not ended within 50 ms; raise `timeout`");
    ::close(both[1]);
    char byte = 0;
    CHECK(::read(both[0], &byte, 1) == 0);
    ::close(both[0]);
    call = {.words = {"yes"}, .most_bytes = 1u << 20};
    CHECK(error_of(call) == "has printed over 1 MiB; print less");
  }

  TEST_CASE("a signal to us ends it, and stays pending") {
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    ::kill(::getpid(), SIGTERM);
    const auto got = output_of({.words = {"sleep", "1000"}});
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().stopped);
    int taken = 0;
    sigwait(&set, &taken);
    CHECK(taken == SIGTERM);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
}
}  // namespace wherry::app
