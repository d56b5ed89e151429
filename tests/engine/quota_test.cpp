// SPDX-License-Identifier: Apache-2.0
// Goal: a quota holds in every window of its length, wherever it begins, and gives nearly all that
// it promises; a clock that jumps neither breaks it nor stops the lane for longer than the window.
// Method: greedy callers against a list of all calls; real time and the clock are two numbers.

#include "wherry/engine/quota.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

namespace {

using namespace std::chrono_literals;
using wherry::quota;
using wherry::system_time;
using wherry::detail::quota_window;

constexpr system_time start{std::chrono::days(20'000) + 12'345ms};

/// The most calls within any half-open window of that length.
std::int64_t most_within(const std::vector<system_time>& calls, std::chrono::milliseconds per) {
  std::int64_t most = 0;
  std::size_t begin = 0;
  for (std::size_t end = 0; end < calls.size(); ++end) {
    while (calls[end] - calls[begin] >= per) ++begin;
    most = std::max(most, static_cast<std::int64_t>(end - begin) + 1);
  }
  return most;
}

bool try_spend(quota_window& window, system_time now) {
  if (!window.allows(now)) return false;
  window.spend(now);
  return true;
}

}  // namespace

TEST_SUITE("engine/quota") {
  TEST_CASE("no window of its length has more calls than the quota wherever it begins") {
    for (const quota limit : {quota{1, 1s}, quota{7, 1s}, quota{100, 1min}, quota{3, 7ms},
                              quota{5, 61ms}, quota{10, 1ms}, quota{50, 1h}}) {
      for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(limit.calls);
        CAPTURE(limit.per.count());
        CAPTURE(seed);
        std::mt19937 random(seed);
        quota_window subject(limit);
        std::vector<system_time> calls;
        auto now = start;
        while (calls.size() < 2'000 && now < start + limit.per * 50) {
          while (random() % 4 != 0 && try_spend(subject, now)) calls.push_back(now);
          now += limit.per * (random() % 50) / 500 + 1ms;
        }
        CHECK(most_within(calls, limit.per) <= limit.calls);
      }
    }
  }

  TEST_CASE("whoever always waits until the time that is named has nearly the whole quota") {
    for (const quota limit : {quota{10, 1s}, quota{1'000, 1min}, quota{100, 24h}}) {
      CAPTURE(limit.per.count());
      quota_window subject(limit);
      auto now = start;
      std::int64_t had = 0;
      const auto end = start + limit.per * 20;
      while (now < end) {
        while (try_spend(subject, now)) ++had;
        const auto next = subject.next_call(now);
        REQUIRE(next > now);
        REQUIRE(next <= now + limit.per + limit.per / 30 + 2ms);
        now = next;
      }
      CHECK(had >= limit.calls * 19);
      CHECK(had <= limit.calls * 20);
    }
  }

  TEST_CASE("a call that was given back can be made again and one that has aged out cannot") {
    quota_window subject({2, 1min});
    subject.spend(start);
    subject.spend(start + 10s);
    CHECK_FALSE(subject.allows(start + 20s));
    subject.give_back(start);
    CHECK(try_spend(subject, start + 20s));
    CHECK_FALSE(subject.allows(start + 20s));
    CHECK(subject.allows(start + 75s));
    subject.spend(start + 75s);
    subject.give_back(start - 1h);
    subject.give_back(start + 10s);
    subject.give_back(start + 40s);
    CHECK_FALSE(subject.allows(start + 75s));
  }

  TEST_CASE("a clock that is set back keeps what was spent and delays nobody beyond the window") {
    for (const auto leap : {1ms, 500ms, 1'001ms, 30'000ms, 3'600'000ms}) {
      CAPTURE(leap.count());
      quota_window subject({3, 1min});
      for (int i = 0; i < 3; ++i) subject.spend(start);
      const auto back = start - leap;
      CHECK_FALSE(subject.allows(back));
      const auto next = subject.next_call(back);
      CHECK(next > back + 59s);
      CHECK(next <= back + 62s);
      CHECK(subject.allows(next));
    }
  }

  TEST_CASE("a quota holds in the time that passed whatever the clock says of it") {
    for (std::uint32_t seed = 1; seed <= 200; ++seed) {
      CAPTURE(seed);
      std::mt19937 random(seed);
      quota_window subject({5, 1s});
      std::vector<system_time> calls;
      auto real = start;
      std::chrono::milliseconds off{0};
      for (int i = 0; i < 2'000; ++i) {
        real += std::chrono::milliseconds(random() % 60);
        // Only back: a leap forward is time that passed, as far as anyone can tell.
        if (random() % 50 == 0) off -= std::chrono::milliseconds(random() % 3'000);
        while (try_spend(subject, real + off)) calls.push_back(real);
      }
      CHECK(most_within(calls, 1s) <= 5);
      CHECK(calls.size() > 20);
    }
  }

  TEST_CASE("it is empty when its last call has aged out") {
    quota_window subject({9, 1min});
    CHECK(subject.empty_at() == system_time{});
    subject.spend(start);
    subject.spend(start + 5s);
    CHECK(subject.empty_at() > start + 65s);
    CHECK(subject.empty_at() <= start + 67s);
    CHECK(subject.allows(start + 10min));
    CHECK(subject.empty_at() == system_time{});
  }

  TEST_CASE("windows come back from their text with every count where it was") {
    std::vector<quota_window> before{quota_window({5, 1s}), quota_window({50, 24h}),
                                     quota_window({9, 1min})};
    for (auto now = start; now < start + 900ms; now += 300ms) {
      before[0].spend(now);
      before[1].spend(now + 2h);
    }
    const auto text = wherry::detail::keep(before);
    CHECK_MESSAGE(text.find("60000") == text.npos, "a window without calls takes no room");
    std::vector<quota_window> after{quota_window({9, 1min}), quota_window({50, 24h}),
                                    quota_window({5, 1s})};
    wherry::detail::restore(after, text);
    CHECK(after[0].empty_at() == system_time{});
    CHECK(after[1].empty_at() == before[1].empty_at());
    CHECK(after[2].empty_at() == before[0].empty_at());
    for (int i = 0; i < 47; ++i) CHECK(try_spend(after[1], start + 3h));
    CHECK_FALSE(after[1].allows(start + 3h));
    CHECK(after[1].next_call(start + 3h) == before[1].empty_at());
  }

  TEST_CASE("a text is bounded whatever was spent") {
    std::vector<quota_window> full{quota_window({1'000'000, 1s}), quota_window({1'000'000, 24h})};
    for (int i = 0; i < 100'000; ++i) {
      full[0].spend(start + i * 20ms);
      full[1].spend(start + i * 1s);
    }
    CHECK(wherry::detail::keep(full).size() < 1'500);
  }

  TEST_CASE("a text that is none of ours or that has other windows changes nothing") {
    for (const auto* text : {"", "x", "{}", R"({"windows":3})", R"({"windows":[{"per_ms":60000}]})",
                             R"({"windows":[{"per_ms":1000,"newest":3,"spent":[4]}]})",
                             R"({"windows":[{"per_ms":60000,"newest":3,"spent":[-4]}]})"}) {
      CAPTURE(text);
      std::vector<quota_window> subject{quota_window({2, 1min})};
      wherry::detail::restore(subject, text);
      CHECK(subject[0].empty_at() == system_time{});
      CHECK(try_spend(subject[0], start));
    }
  }

  TEST_CASE("quotas at the edge of what numbers hold do no harm") {
    quota_window none({-5, -3ms});
    CHECK(none.limit() == quota{1, 1ms});
    CHECK(try_spend(none, start));
    quota_window endless({INT64_MAX, std::chrono::milliseconds::max()});
    CHECK(try_spend(endless, start));
    CHECK(try_spend(endless, system_time{-1ms}));
    CHECK(try_spend(endless, start));
  }
}
