// SPDX-License-Identifier: Apache-2.0
// Goal: puts meet takes in order, within the bound, and a closed channel lets out what is inside.
// Scenes after the behaviour of core.async's channel tests and Go's TestChan.

#include "wherry/csp/channel.hpp"

#include <string>
#include <vector>

#include "subject.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

task<> take_into(channel<int> from, std::vector<int>* all) {
  while (const auto value = co_await from.take()) all->push_back(*value);
}
task<> note_end(channel<int> from, int* ended) {
  CHECK_FALSE(co_await from.take());
  ++*ended;
}
task<> put_and_count(channel<int> to, int value, int* accepted) {
  if (co_await to.put(value)) ++*accepted;
}

std::vector<int> range(int count) {
  std::vector<int> numbers;
  for (int number = 0; number < count; ++number) numbers.push_back(number);
  return numbers;
}

channel<int> make(std::size_t size) {
  return size == 0 ? channel<int>{} : channel<int>{fixed{size}};
}

}  // namespace

TEST_SUITE("csp/channel") {
  TEST_CASE("a put waits for its take and a take for its put") {
    over_seeds(many, []() -> task<> {
      channel<int> meeting;
      int accepted = 0;
      co_await with_scope([&](scope& all) -> task<> {
        all.go(put_and_count(meeting, 5, &accepted));
        co_await settle();
        CHECK(accepted == 0);
        CHECK(co_await meeting.take() == 5);
        co_await settle();
        CHECK(accepted == 1);
      });
    });
  }

  TEST_CASE("values arrive in the order of their puts whatever the buffer") {
    for (const std::size_t size : {0U, 1U, 2U, 7U, 100U}) {
      CAPTURE(size);
      everywhere([size]() -> task<> {
        const auto line = make(size);
        std::vector<int> had;
        co_await with_scope([&](scope& all) -> task<> {
          all.go(take_into(line, &had));
          co_await put_range(line, 0, 50);
          line.close();
        });
        CHECK(had == range(50));
      });
    }
  }

  TEST_CASE("waiting puts and waiting takes are served first come first served") {
    over_seeds(many, []() -> task<> {
      channel<int> line;
      int accepted = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int value = 0; value < 5; ++value) {
          all.go(put_and_count(line, value, &accepted));
          co_await settle();
        }
        for (int value = 0; value < 5; ++value) CHECK(co_await line.take() == value);
        std::vector<std::optional<int>> had(5);
        for (std::size_t taker = 0; taker < 5; ++taker) {
          all.go([](channel<int> from, std::optional<int>* into) -> task<> {
            *into = co_await from.take();
          }(line, &had[taker]));
          co_await settle();
        }
        for (int value = 0; value < 5; ++value) CHECK(line.offer(value));
        co_await settle();
        for (int taker = 0; taker < 5; ++taker)
          CHECK(had[static_cast<std::size_t>(taker)] == taker);
      });
      CHECK(accepted == 5);
    });
  }

  TEST_CASE("a buffer holds as many values as it says and then puts wait") {
    over_seeds(many, []() -> task<> {
      channel<int> three{fixed{3}};
      int accepted = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int value = 0; value < 5; ++value) {
          all.go(put_and_count(three, value, &accepted));
          co_await settle();
        }
        CHECK(accepted == 3);
        CHECK_FALSE(three.offer(9));
        for (int value = 0; value < 5; ++value) CHECK(co_await three.take() == value);
        CHECK_FALSE(three.poll());
      });
      CHECK(accepted == 5);
    });
  }

  TEST_CASE("offer and poll never wait and leave no waiter") {
    over_seeds(many, []() -> task<> {
      channel<int> meeting;
      CHECK_FALSE(meeting.offer(1));
      CHECK_FALSE(meeting.poll());
      CHECK_FALSE(meeting.offer(2));
      channel<int> one{fixed{1}};
      CHECK(one.offer(1));
      CHECK_FALSE(one.offer(2));
      CHECK(one.poll() == 1);
      CHECK_FALSE(one.poll());
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<int> from) -> task<> { CHECK(co_await from.take() == 3); }(meeting));
        all.go([](channel<int> to) -> task<> { CHECK(co_await to.put(4)); }(one));
        co_await settle();
        CHECK(meeting.offer(3));
        CHECK(one.poll() == 4);
      });
    });
  }

  TEST_CASE("an offer moves its value only when it is accepted") {
    channel<counted> one{fixed{1}};
    counted first{1};
    counted second{2};
    CHECK(one.offer(std::move(first)));
    CHECK_FALSE(one.offer(std::move(second)));
    CHECK_FALSE(first.holds());
    CHECK(second.id() == 2);
    one.close();
    CHECK_FALSE(one.offer(std::move(second)));
    CHECK(second.id() == 2);
  }

  TEST_CASE("closing wakes every parked take empty") {
    everywhere([]() -> task<> {
      channel<int> quiet;
      std::atomic<int> ended = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int taker = 0; taker < 20; ++taker) {
          all.go([](channel<int> from, std::atomic<int>* count) -> task<> {
            CHECK_FALSE(co_await from.take());
            count->fetch_add(1);
          }(quiet, &ended));
        }
        co_await pause(10us);
        quiet.close();
        quiet.close();
      });
      CHECK(ended == 20);
      CHECK_FALSE(co_await quiet.take());
      CHECK_FALSE(quiet.poll());
    });
  }

  TEST_CASE("a closed channel lets out what is buffered and what is parked and takes nothing in") {
    over_seeds(many, []() -> task<> {
      channel<int> two{fixed{2}};
      int accepted = 0;
      co_await with_scope([&](scope& all) -> task<> {
        for (int value = 0; value < 4; ++value) {
          all.go(put_and_count(two, value, &accepted));
          co_await settle();
        }
        two.close();
        co_await settle();
        CHECK(accepted == 2);
        CHECK_FALSE(co_await two.put(8));
        CHECK_FALSE(two.offer(9));
        for (int value = 0; value < 4; ++value) CHECK(co_await two.take() == value);
        CHECK_FALSE(co_await two.take());
      });
      CHECK(accepted == 4);
    });
  }

  TEST_CASE("a put on a closed channel is refused and the value stays with the caller") {
    over_seeds(1, []() -> task<> {
      channel<counted> closed;
      closed.close();
      counted mine{3};
      CHECK_FALSE(co_await closed.put(std::move(mine)));
      CHECK(mine.id() == 3);
    });
  }

  TEST_CASE("a put moves its value when it commits and not before") {
    over_seeds(many, []() -> task<> {
      channel<counted> meeting;
      counted mine{3};
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<counted> to, counted* value) -> task<> {
          CHECK(co_await to.put(std::move(*value)));
        }(meeting, &mine));
        co_await settle();
        CHECK(mine.id() == 3);
        const auto had = co_await meeting.take();
        CHECK(had->id() == 3);
        CHECK_FALSE(mine.holds());
      });
    });
  }

  TEST_CASE("a cancelled put gives its value back") {
    over_seeds(many, []() -> task<> {
      channel<counted> meeting;
      counted mine{3};
      bool unwound = false;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<counted> to, counted* value, bool* seen) -> task<> {
          try {
            co_await to.put(std::move(*value));
          } catch (const cancelled&) {
            *seen = true;
            throw;
          }
        }(meeting, &mine, &unwound));
        co_await settle();
        all.cancel();
      });
      CHECK(unwound);
      CHECK(mine.id() == 3);
      CHECK_FALSE(meeting.poll());
    });
  }

  TEST_CASE("a cancelled take loses nothing and the next taker gets the value") {
    over_seeds(many, []() -> task<> {
      channel<counted> meeting;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<counted> from) -> task<> {
          co_await from.take();
          FAIL_CHECK("took although it was cancelled");
        }(meeting));
        co_await settle();
        all.cancel();
      });
      counted mine{1};
      CHECK_FALSE(meeting.offer(std::move(mine)));
      CHECK(mine.id() == 1);
    });
  }

  TEST_CASE("when cancel and commit race a value is with exactly one of both") {
    const auto scene = []() -> task<> {
      channel<counted> meeting;
      counted mine{1};
      std::atomic<int> delivered = 0;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<counted> to, counted* value) -> task<> {
          co_await to.put(std::move(*value));
        }(meeting, &mine));
        all.go([](channel<counted> from, std::atomic<int>* had) -> task<> {
          const auto value = co_await from.take();
          had->fetch_add(value && value->id() == 1);
        }(meeting, &delivered));
        all.go([](scope* whole) -> task<> {
          whole->cancel();
          co_return;
        }(&all));
        co_return;
      });
      CHECK(delivered + (mine.holds() ? 1 : 0) == 1);
    };
    over_seeds(many, scene);
    on_threads(500, scene);
  }

  TEST_CASE("the 1025th waiter is refused with a remedy and the channel stays usable") {
    over_seeds(3, []() -> task<> {
      channel<int> meeting;
      int ended = 0;
      std::string text;
      co_await with_scope([&](scope& all) -> task<> {
        for (int taker = 0; taker < 1024; ++taker) all.go(note_end(meeting, &ended));
        co_await settle();
        try {
          co_await meeting.take();
        } catch (const too_many_waiters& error) {
          text = error.what();
        }
        meeting.close();
      });
      CHECK(ended == 1024);
      CHECK(text.contains("give it a buffer"));
      channel<int> puts;
      int accepted = 0;
      counted mine{1};
      co_await with_scope([&](scope& all) -> task<> {
        for (int value = 0; value < 1024; ++value) all.go(put_and_count(puts, 1, &accepted));
        co_await settle();
        CHECK_THROWS_AS(co_await puts.put(2), too_many_waiters);
        for (int value = 0; value < 1024; ++value) CHECK(co_await puts.take() == 1);
      });
      CHECK(accepted == 1024);
      CHECK_FALSE(puts.poll());
    });
  }

  TEST_CASE("a channel that goes with values inside destroys them") {
    {
      channel<counted> three{fixed{3}};
      for (int id = 0; id < 3; ++id) CHECK(three.offer(counted{id}));
      CHECK(three.poll()->id() == 0);
      CHECK(three.offer(counted{3}));  // the ring has wrapped
      CHECK(counted::alive() == 3);
    }
    CHECK(counted::alive() == 0);
  }

  TEST_CASE("a channel carries channels and copies of a handle are the same channel") {
    everywhere([]() -> task<> {
      channel<channel<int>> requests;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<channel<int>> from) -> task<> {
          while (const auto reply = co_await from.take()) CHECK(co_await reply->put(42));
        }(requests));
        for (int round = 0; round < 10; ++round) {
          channel<int> reply;
          CHECK(co_await requests.put(reply));
          CHECK(co_await reply.take() == 42);
        }
        requests.close();
      });
      const auto same = requests;
      CHECK(same == requests);
      CHECK_FALSE(same == channel<channel<int>>{});
    });
  }

  TEST_CASE("many putters and takers on several threads exchange each value once") {
    for (const std::size_t size : {0U, 1U, 64U}) {
      CAPTURE(size);
      on_threads(3, [size]() -> task<> {
        const auto line = make(size);
        std::atomic<long> sum = 0;
        std::atomic<int> count = 0;
        co_await with_scope([&](scope& all) -> task<> {
          for (int taker = 0; taker < 8; ++taker) all.go(add_all(line, &sum, &count));
          co_await with_scope([&](scope& putters) -> task<> {
            for (int putter = 0; putter < 8; ++putter) {
              putters.go(put_range(line, putter * 1'000, 1'000));
            }
            co_return;
          });
          line.close();
        });
        CHECK(count == 8'000);
        CHECK(sum == 8'000L * 7'999 / 2);
      });
    }
  }
}
