// SPDX-License-Identifier: Apache-2.0
// Goal: a mix hears whom it should: mute takes and drops, pause does not take, solo outdoes both.
// After core.async's tests of mix (ASYNC-145).

#include "wherry/csp/mix.hpp"

#include <algorithm>

#include "subject.hpp"
#include "wherry/csp/sequence.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;
using ints = std::vector<int>;

/// A desk with two inputs.
struct scene {
  channel<int> out{fixed{64}};
  mix<int> desk{out};
  channel<int> a;
  channel<int> b;
  scene() { desk.admix(a), desk.admix(b); }

  /// Whether the input takes a value, and then whether it is heard.
  task<std::string> try_one(channel<int> input) {
    co_await settle();
    const bool taken = input.offer(7);
    co_await settle();
    const bool heard = out.poll() == 7;
    co_return std::string(taken ? "taken" : "left") + (heard ? ", heard" : "");
  }
};

}  // namespace

TEST_SUITE("csp/mix") {
  TEST_CASE("a mix gives the values of all its inputs and does not close its end") {
    everywhere([]() -> task<> {
      channel<int> out;
      const mix desk{out};
      for (int input = 0; input < 3; ++input) {
        desk.admix(to_channel(ints{input, input + 10, input + 20}));
      }
      auto had = co_await drain(take_n(9, out));
      std::ranges::sort(had);
      CHECK(had == ints{0, 1, 2, 10, 11, 12, 20, 21, 22});
      CHECK_FALSE(out.poll());
      desk.admix(to_channel(ints{5}));
      CHECK(co_await out.take() == 5);
    });
  }

  TEST_CASE("an input that is muted is taken from and not heard") {
    over_seeds(many, []() -> task<> {
      scene at;
      at.desk.toggle(at.a, {.mute = true});
      CHECK(co_await at.try_one(at.a) == "taken");
      CHECK(co_await at.try_one(at.b) == "taken, heard");
      at.desk.toggle(at.a, {.mute = false});
      CHECK(co_await at.try_one(at.a) == "taken, heard");
    });
  }

  TEST_CASE("an input that is paused is not taken from") {
    over_seeds(many, []() -> task<> {
      scene at;
      at.desk.toggle(at.a, {.mute = true, .pause = true});
      CHECK(co_await at.try_one(at.a) == "left");
      at.desk.toggle(at.a, {.pause = false});
      CHECK(co_await at.try_one(at.a) == "taken");
    });
  }

  TEST_CASE("while one is soloed the others are muted or paused as the mode says") {
    over_seeds(many, []() -> task<> {
      scene at;
      at.desk.toggle(at.a, {.mute = true, .pause = true, .solo = true});
      CHECK(co_await at.try_one(at.a) == "taken, heard");
      CHECK(co_await at.try_one(at.b) == "taken");
      at.desk.solo_mode(solo_others::paused);
      CHECK(co_await at.try_one(at.b) == "left");
      CHECK(co_await at.try_one(at.a) == "taken, heard");
      at.desk.toggle(at.a, {.solo = false});
      CHECK(co_await at.try_one(at.a) == "left");
      CHECK(co_await at.try_one(at.b) == "taken, heard");
    });
  }

  TEST_CASE("a soloed input that leaves lets the others be heard again") {
    over_seeds(many, []() -> task<> {
      scene at;
      at.desk.toggle(at.a, {.solo = true});
      CHECK(co_await at.try_one(at.b) == "taken");
      at.desk.unmix(at.a);
      CHECK(co_await at.try_one(at.a) == "left");
      CHECK(co_await at.try_one(at.b) == "taken, heard");
      at.desk.toggle(at.b, {.solo = true});
      at.b.close();  // an input that ends is removed
      at.desk.admix(at.a);
      CHECK(co_await at.try_one(at.a) == "taken, heard");
    });
  }

  TEST_CASE(
      "toggle adds an input with its toggles and admix of one that is there changes nothing") {
    over_seeds(many, []() -> task<> {
      scene at;
      channel<int> c;
      at.desk.toggle(c, {.pause = true});
      at.desk.admix(c);
      CHECK(co_await at.try_one(c) == "left");
      at.desk.toggle(c, {.pause = false});
      CHECK(co_await at.try_one(c) == "taken, heard");
    });
  }

  TEST_CASE("unmix_all leaves nobody and a mix whose end is closed lets go of its inputs") {
    over_seeds(many, []() -> task<> {
      scene at;
      at.desk.unmix_all();
      CHECK(co_await at.try_one(at.a) == "left");
      at.desk.admix(at.a);
      at.desk.admix(at.b);
      at.out.close();
      CHECK(co_await at.try_one(at.a) == "taken");
      CHECK(co_await at.try_one(at.a) == "left");
      CHECK(co_await at.try_one(at.b) == "left");
    });
  }

  TEST_CASE("two thousand inputs mix") {
    over_seeds(1, []() -> task<> {
      channel<int> out;
      const mix desk{out};
      for (int value = 0; value < 2'048; ++value) desk.admix(to_channel(ints{value}));
      co_await settle();
      auto had = co_await drain(take_n(2'048, out));
      std::ranges::sort(had);
      for (int value = 0; value < 2'048; ++value) {
        CHECK(had[static_cast<std::size_t>(value)] == value);
      }
    });
  }

  TEST_CASE("inputs come and go and are toggled on several threads and no value is doubled") {
    on_threads(10, []() -> task<> {
      channel<int> out;
      std::atomic<long> sum = 0;
      std::atomic<int> count = 0;
      co_await with_scope([&](scope& all) -> task<> {
        const mix desk{out, {.in = &all}};
        std::vector<channel<int>> inputs(4);
        all.go(add_all(out, &sum, &count));
        co_await with_scope([&](scope& putters) -> task<> {
          for (const auto& input : inputs) {
            desk.admix(input);
            putters.go(put_range(input, 0, 100));
          }
          for (int round = 0; round < 50; ++round) {
            for (const auto& input : inputs) desk.toggle(input, {.pause = true});
            for (const auto& input : inputs) desk.toggle(input, {.pause = false});
            co_await pause(1us);
          }
        });
        while (count < 400) co_await pause(1us);
        all.cancel();
      });
      CHECK(sum == 4L * 100 * 99 / 2);
    });
  }
}
