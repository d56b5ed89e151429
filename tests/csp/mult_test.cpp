// SPDX-License-Identifier: Apache-2.0
// Goal: each tap gets each value, in order, and nobody waits for one who has left; the same by
// topic. After core.async's tests of mult (ASYNC-127) and pub.

#include "wherry/csp/mult.hpp"

#include <stdexcept>
#include <string>

#include "subject.hpp"
#include "wherry/csp/pub.hpp"
#include "wherry/csp/reduce.hpp"
#include "wherry/csp/sequence.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;
using ints = std::vector<int>;

ints range(int count) {
  ints all;
  for (int value = 0; value < count; ++value) all.push_back(value);
  return all;
}

}  // namespace

TEST_SUITE("csp/mult") {
  TEST_CASE("every tap gets every value in order and closes with the source") {
    everywhere([]() -> task<> {
      channel<int> source;
      const mult all{source};
      std::vector<take_channel<ints>> had;
      for (const any_buffer buffer : {any_buffer{}, any_buffer{}, any_buffer{fixed{3}}}) {
        channel<int> tap{buffer};
        all.tap(tap);
        had.push_back(into(ints{}, tap));
      }
      onto(source, range(20));
      for (const auto& each : had) CHECK(co_await each.take() == range(20));
    });
  }

  TEST_CASE("every tap must accept a value before the next is taken") {
    over_seeds(many, []() -> task<> {
      channel<int> source;
      const mult all{source};
      channel<int> fast{fixed{9}};
      channel<int> slow;
      all.tap(fast);
      all.tap(slow);
      CHECK(co_await source.put(1));
      co_await settle();
      CHECK(fast.poll() == 1);
      CHECK_FALSE(source.offer(2));
      CHECK(co_await slow.take() == 1);
      co_await settle();
      CHECK(source.offer(2));
    });
  }

  TEST_CASE("taps may be taken from in any order") {
    over_seeds(many, []() -> task<> {
      channel<int> source;
      const mult all{source};
      channel<int> left;
      channel<int> right;
      all.tap(left);
      all.tap(right);
      onto(source, range(3));
      for (int value = 0; value < 3; ++value) {
        CHECK(co_await (value % 2 == 0 ? left : right).take() == value);
        CHECK(co_await (value % 2 == 0 ? right : left).take() == value);
      }
    });
  }

  TEST_CASE("without a tap values are dropped") {
    over_seeds(many, []() -> task<> {
      channel<int> source;
      const mult all{source};
      for (const int value : {1, 2, 3}) CHECK(co_await source.put(value));
      channel<int> late{fixed{1}};
      co_await settle();
      all.tap(late);
      CHECK(co_await source.put(4));
      CHECK(co_await late.take() == 4);
    });
  }

  TEST_CASE("a closed tap is removed and the others go on") {
    over_seeds(many, []() -> task<> {
      channel<int> source;
      const mult all{source};
      channel<int> closed;
      channel<int> open;
      all.tap(closed);
      all.tap(open);
      closed.close();
      onto(source, range(5));
      CHECK(co_await drain<int>(open) == range(5));
    });
  }

  TEST_CASE("an untapped channel gets no more and is waited for no longer and stays open") {
    over_seeds(many, []() -> task<> {
      channel<int> source;
      const mult all{source};
      channel<int> gone;
      channel<int> stays;
      all.tap(gone);
      all.tap(stays);
      CHECK(co_await source.put(1));
      co_await settle();  // its put waits on `gone`
      CHECK(co_await stays.take() == 1);
      all.untap(gone);
      CHECK(co_await source.put(2));
      CHECK(co_await stays.take() == 2);
      CHECK_FALSE(gone.poll());
      all.untap_all();
      source.close();
      co_await settle();
      for (const auto& each : {gone, stays}) {
        const auto taken = into(ints{}, take_n(1, each));
        CHECK(co_await each.put(9));
        CHECK(co_await taken.take() == ints{9});
      }
    });
  }

  TEST_CASE("a tap is left open if told so and one that comes too late is closed") {
    over_seeds(many, []() -> task<> {
      channel<int> source;
      const mult all{source};
      channel<int> kept{fixed{1}};
      all.tap(kept, {.closes = false});
      source.close();
      co_await settle();
      CHECK(kept.offer(1));
      channel<int> late;
      all.tap(late);
      CHECK_FALSE(co_await late.take());
    });
  }

  TEST_CASE("a cancelled mult closes its taps") {
    everywhere([]() -> task<> {
      channel<int> source;
      channel<int> left;
      channel<int> right;
      co_await with_scope([&](scope& all) -> task<> {
        const mult both{source, {.in = &all}};
        both.tap(left);
        both.tap(right);
        CHECK(co_await source.put(1));
        all.cancel();
      });
      CHECK_FALSE(co_await left.take());
      CHECK_FALSE(co_await right.take());
    });
  }
}

TEST_SUITE("csp/pub") {
  TEST_CASE("a subscriber gets the values of its topic and closes with the source") {
    everywhere([]() -> task<> {
      channel<int> source;
      const pub numbers{source, [](int value) { return value % 3; }};
      std::vector<take_channel<ints>> had;
      for (const int topic : {0, 1, 1}) {
        channel<int> reader;
        numbers.sub(topic, reader);
        had.push_back(into(ints{}, reader));
      }
      onto(source, range(9));  // nobody wants topic 2
      CHECK(co_await had[0].take() == ints{0, 3, 6});
      CHECK(co_await had[1].take() == ints{1, 4, 7});
      CHECK(co_await had[2].take() == ints{1, 4, 7});
    });
  }

  TEST_CASE("a subscriber of many topics gets them all") {
    over_seeds(many, []() -> task<> {
      channel<int> source;
      const pub numbers{source, [](int value) { return value % 3; }};
      channel<int> both{fixed{9}};
      numbers.sub(0, both, {.closes = false});
      numbers.sub(2, both, {.closes = false});
      co_await onto(source, range(6)).take();
      co_await settle();
      both.close();
      auto had = co_await drain<int>(both);
      std::ranges::sort(had);
      CHECK(had == ints{0, 2, 3, 5});
    });
  }

  TEST_CASE("with a buffer a slow topic does not hold up the others") {
    over_seeds(many, []() -> task<> {
      channel<int> source;
      const pub numbers{source, [](int value) { return value % 2; },
                        pub_options<int>{.buffer = [](int) { return fixed{5}; }}};
      channel<int> slow;
      channel<int> fast;
      numbers.sub(0, slow);
      numbers.sub(1, fast);
      onto(source, range(8));
      for (const int value : {1, 3, 5, 7}) CHECK(co_await fast.take() == value);
      for (const int value : {0, 2, 4, 6}) CHECK(co_await slow.take() == value);
    });
  }

  TEST_CASE("who unsubscribes is waited for no longer and its topic is dropped") {
    over_seeds(many, []() -> task<> {
      channel<int> source;
      const pub numbers{source, [](int value) { return value % 2; }};
      channel<int> gone;
      channel<int> stays;
      numbers.sub(0, gone);
      numbers.sub(1, stays);
      CHECK(co_await source.put(0));
      CHECK(co_await source.put(2));
      co_await settle();  // the topic's put waits on `gone`, the pub's on the topic
      numbers.unsub(0, gone);
      CHECK(co_await source.put(4));
      CHECK(co_await source.put(1));
      CHECK(co_await stays.take() == 1);
      CHECK_FALSE(gone.poll());
      numbers.unsub_all(1);
      numbers.unsub_all();
      CHECK(co_await source.put(1));
      CHECK(co_await source.put(3));
      co_await settle();
      channel<int> again;
      numbers.sub(1, again);
      CHECK(co_await source.put(5));
      CHECK(co_await again.take() == 5);
    });
  }

  TEST_CASE("subscribers of topics that had no value close too and who comes too late") {
    over_seeds(many, []() -> task<> {
      channel<int> source;
      const pub numbers{source, [](int value) { return std::to_string(value); }};
      channel<int> unheard;
      numbers.sub("9", unheard);
      source.close();
      CHECK_FALSE(co_await unheard.take());
      channel<int> late;
      numbers.sub("9", late);
      CHECK_FALSE(co_await late.take());
    });
  }

  TEST_CASE("a topic function that throws fails the scope and all subscribers close") {
    everywhere([]() -> task<> {
      channel<int> source;
      channel<int> reader;
      std::string text;
      try {
        co_await with_scope([&](scope& all) -> task<> {
          const pub numbers{source,
                            [](int value) -> int {
                              if (value == 2) throw std::runtime_error("two");
                              return 0;
                            },
                            pub_options<int>{.in = &all}};
          numbers.sub(0, reader);
          CHECK(co_await source.put(1));
          CHECK(co_await reader.take() == 1);
          CHECK(co_await source.put(2));
        });
      } catch (const std::runtime_error& error) {
        text = error.what();
      }
      CHECK(text == "two");
      CHECK_FALSE(co_await reader.take());
    });
  }
}
