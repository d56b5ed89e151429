// SPDX-License-Identifier: Apache-2.0
// Goal: no process outlives its scope, a failure reaches whoever joins, and cancellation ends every
// wait but a shielded one.

#include "wherry/csp/scope.hpp"

#include <stdexcept>
#include <string>

#include "subject.hpp"
#include "wherry/csp/select.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

task<> wait_forever(counted, std::atomic<int>* unwound) {
  channel<int> never;
  try {
    co_await never.take();
  } catch (const cancelled&) {
    unwound->fetch_add(1);
    throw;
  }
}
task<> fail_after(duration how_long, std::string text) {
  co_await pause(how_long);
  throw std::runtime_error(text);
}
task<> count_after(duration how_long, std::atomic<int>* ended) {
  co_await pause(how_long);
  ended->fetch_add(1);
}

/// Scopes in scopes, each with a process that waits for ever.
task<> nest(int levels, std::atomic<int>* unwound) {
  co_await with_scope([&](scope& all) -> task<> {
    all.go(wait_forever(counted{}, unwound));
    if (levels > 1) co_await nest(levels - 1, unwound);
    co_await channel<int>{}.take();
  });
}

}  // namespace

TEST_SUITE("csp/scope") {
  TEST_CASE("join waits for all processes") {
    everywhere([]() -> task<> {
      std::atomic<int> ended = 0;
      scope all;
      for (int each = 0; each < 10; ++each)
        all.go(count_after(std::chrono::microseconds(each), &ended));
      co_await all.join();
      CHECK(ended == 10);
      co_await all.join();  // an empty scope is joined at once
    });
  }

  TEST_CASE("the first failure cancels the others and is rethrown") {
    everywhere([]() -> task<> {
      std::atomic<int> unwound = 0;
      std::string text;
      try {
        co_await with_scope([&](scope& all) -> task<> {
          for (int each = 0; each < 5; ++each) all.go(wait_forever(counted{each}, &unwound));
          all.go(fail_after(20us, "first"));
          all.go(fail_after(1h, "second"));
          co_return;
        });
      } catch (const std::runtime_error& error) {
        text = error.what();
      }
      CHECK(text == "first");
      CHECK(unwound <= 5);  // on threads some may not have begun to wait
      CHECK(counted::alive() == 0);
    });
  }

  TEST_CASE("a scope that was cancelled joins without an error") {
    everywhere([]() -> task<> {
      std::atomic<int> unwound = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int each = 0; each < 5; ++each) all.go(wait_forever(counted{each}, &unwound));
        all.cancel();
        CHECK(all.is_cancelled());
        co_return;
      });
      CHECK(unwound == 5);  // each began, and unwound at its first wait
    });
  }

  TEST_CASE("a process started in a cancelled scope unwinds at its first wait") {
    over_seeds(many, []() -> task<> {
      bool began = false;
      bool went_on = false;
      co_await with_scope([&](scope& all) -> task<> {
        all.cancel();
        all.go([](bool* first, bool* second) -> task<> {
          *first = true;
          co_await pause(1ms);
          *second = true;
        }(&began, &went_on));
        co_return;
      });
      CHECK(began);
      CHECK_FALSE(went_on);
    });
  }

  TEST_CASE("what needs no wait goes on in a cancelled process") {
    over_seeds(many, []() -> task<> {
      channel<int> one{fixed{1}};
      bool taken = false;
      co_await with_scope([&](scope& all) -> task<> {
        all.cancel();
        all.go([](channel<int> line, bool* had) -> task<> {
          CHECK(co_await line.put(1));
          *had = co_await line.take() == 1;
        }(one, &taken));
        co_return;
      });
      CHECK(taken);
    });
  }

  TEST_CASE("cancellation goes through nested scopes to the innermost wait") {
    everywhere([]() -> task<> {
      std::atomic<int> unwound = 0;
      co_await with_scope([&](scope& all) -> task<> {
        all.go(nest(5, &unwound));
        co_await pause(100us);
        all.cancel();
      });
      CHECK(unwound <= 5);
      CHECK(counted::alive() == 0);
    });
    over_seeds(many, []() -> task<> {
      std::atomic<int> unwound = 0;
      co_await with_scope([&](scope& all) -> task<> {
        all.go(nest(5, &unwound));
        co_await settle();
        all.cancel();
      });
      CHECK(unwound == 5);
    });
  }

  TEST_CASE("a failure deep inside comes out through all scopes") {
    everywhere([]() -> task<> {
      std::string text;
      try {
        co_await with_scope([](scope& outer) -> task<> {
          outer.go(with_scope([](scope& inner) -> task<> {
            inner.go(fail_after(10us, "deep"));
            co_return;
          }));
          co_await channel<int>{}.take();
        });
      } catch (const std::runtime_error& error) {
        text = error.what();
      }
      CHECK(text == "deep");
    });
  }

  TEST_CASE("a shielded wait is not cut short and the next one is") {
    everywhere([]() -> task<> {
      std::atomic<int> cleaned = 0;
      std::atomic<int> went_on = 0;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](std::atomic<int>* first, std::atomic<int>* second) -> task<> {
          bool told = false;
          try {
            co_await channel<int>{}.take();
          } catch (const cancelled&) {
            told = true;
          }
          if (told) {
            const auto guard = co_await shield();
            co_await pause(50us);
            first->fetch_add(1);
          }
          co_await channel<int>{}.take();
          second->fetch_add(1);
        }(&cleaned, &went_on));
        co_await pause(10us);
        all.cancel();
        all.cancel();
      });
      CHECK(cleaned == 1);
      CHECK(went_on == 0);
    });
  }

  TEST_CASE("shields nest") {
    over_seeds(many, []() -> task<> {
      bool kept = false;
      co_await with_scope([&](scope& all) -> task<> {
        all.cancel();
        all.go([](bool* reached) -> task<> {
          auto outer = co_await shield();
          {
            const auto inner = co_await shield();
            co_await settle();
          }
          co_await settle();
          const auto moved = std::move(outer);
          co_await settle();
          *reached = true;
        }(&kept));
        co_return;
      });
      CHECK(kept);
    });
  }

  TEST_CASE("a cancelled joiner waits for its children all the same") {
    over_seeds(many, []() -> task<> {
      bool child_ended = false;
      bool joined = false;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](bool* child, bool* parent) -> task<> {
          scope mine;
          mine.go([](bool* ended) -> task<> {
            const auto guard = co_await shield();
            co_await pause(1h);
            *ended = true;
          }(child));
          try {
            co_await mine.join();
          } catch (const cancelled&) {
            CHECK(*child);
            *parent = true;
            throw;
          }
        }(&child_ended, &joined));
        co_await settle();
        all.cancel();
      });
      CHECK(joined);
    });
  }

  TEST_CASE("processes start processes in the scope that is being joined") {
    everywhere([]() -> task<> {
      std::atomic<int> ended = 0;
      struct tree {
        static task<> grow(scope* all, int levels, std::atomic<int>* count) {
          if (levels > 0) {
            all->go(grow(all, levels - 1, count));
            all->go(grow(all, levels - 1, count));
          }
          co_await pause(1us);
          count->fetch_add(1);
        }
      };
      co_await with_scope([&](scope& all) -> task<> {
        all.go(tree::grow(&all, 5, &ended));
        co_return;
      });
      CHECK(ended == 63);
    });
  }

  TEST_CASE("scopes end on one thread while they are joined and cancelled on others") {
    on_threads(30, []() -> task<> {
      co_await with_scope([](scope& outer) -> task<> {
        for (int each = 0; each < 20; ++each) {
          outer.go([]() -> task<> {
            co_await with_scope([](scope& inner) -> task<> {
              for (int child = 0; child < 3; ++child) {
                inner.go([]() -> task<> { co_await pause(3us); }());
              }
              co_await pause(3us);
              inner.cancel();
            });
          }());
        }
        co_await pause(5us);
        outer.cancel();
      });
    });
  }
}
