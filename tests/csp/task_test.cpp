// SPDX-License-Identifier: Apache-2.0
// Goal: a task is lazy, hands back result or exception, nests without growing the stack, and holds
// its parameters no longer than itself.

#include "wherry/csp/task.hpp"

#include <memory>
#include <stdexcept>
#include <string>

#include "subject.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

task<int> twice(int number) { co_return 2 * number; }
task<> note(bool* ran) {
  *ran = true;
  co_return;
}
task<> hold(counted) { co_return; }
task<counted> pass(counted value) { co_return std::move(value); }
task<> fail(std::string text) {
  throw std::runtime_error(text);
  co_return;
}
task<int> depth(int levels) { co_return levels == 0 ? 0 : 1 + co_await depth(levels - 1); }

}  // namespace

TEST_SUITE("csp/task") {
  TEST_CASE("a task runs when it is awaited and not before") {
    over_seeds(1, []() -> task<> {
      bool ran = false;
      auto lazy = note(&ran);
      CHECK_FALSE(ran);
      co_await std::move(lazy);
      CHECK(ran);
      CHECK(co_await twice(21) == 42);
    });
  }

  TEST_CASE("a task that is never awaited releases its parameters and does not run") {
    bool ran = false;
    {
      const auto unused = hold(counted{1});
      const auto idle = note(&ran);
      CHECK(counted::alive() == 1);
    }
    CHECK(counted::alive() == 0);
    CHECK_FALSE(ran);
  }

  TEST_CASE("a result that can only be moved is handed through") {
    over_seeds(1, []() -> task<> {
      const counted value = co_await pass(counted{7});
      CHECK(value.id() == 7);
      CHECK(counted::alive() == 1);
    });
  }

  TEST_CASE("an exception comes out where the task is awaited") {
    over_seeds(1, []() -> task<> {
      std::string text;
      try {
        co_await fail("no such day");
      } catch (const std::runtime_error& error) {
        text = error.what();
      }
      CHECK(text == "no such day");
    });
  }

  TEST_CASE("a task moved onto another swaps with it") {
    over_seeds(1, []() -> task<> {
      auto first = twice(1);
      auto second = twice(2);
      first = std::move(second);
      CHECK(co_await std::move(first) == 4);
    });
  }

  // Both need symmetric transfer: a call in its place would overflow the stack.
  TEST_CASE("tasks nest a hundred thousand deep") {
    over_seeds(1, []() -> task<> { CHECK(co_await depth(100'000) == 100'000); });
  }

  TEST_CASE("a million tasks one after another leave the stack as it is") {
    over_seeds(1, []() -> task<> {
      long sum = 0;
      for (int number = 0; number < 1'000'000; ++number) sum += co_await twice(1);
      CHECK(sum == 2'000'000);
    });
  }
}
