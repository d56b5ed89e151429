// SPDX-License-Identifier: Apache-2.0
// Goal: never more reports of a lane are made at a time than it has slots, and no slot is lost.
// Method: what the engine would tell; the store is a value of the test's.
#include "report/slots.hpp"

#include <doctest/doctest.h>

#include "report/states.hpp"

namespace wherry::app {
namespace {

using namespace std::chrono_literals;
constexpr system_time began{std::chrono::days(20'000)};

transition step(std::string id, std::string_view from, std::string_view to,
                phase in = phase::ready) {
  transition made;
  made.id = std::move(id);
  made.from = from;
  made.to = to;
  made.phase = in;
  return made;
}

struct house {
  remote_slots::holders stored;
  remote_slots slots{2, 10min, [this] { return stored; }};
  bool take(const std::string& id, system_time at = began) { return slots.take("api", id, at); }
};

}  // namespace

TEST_SUITE("report/slots.hpp") {
  TEST_CASE("a report holds its slot from its request until it is pending no more") {
    house at;
    CHECK(at.take("a"));
    CHECK(at.take("b"));
    CHECK_FALSE(at.take("c"));
    CHECK(at.take("a"));
    CHECK(at.slots.take("other", "c", began));
    at.slots.heard(step("a", requestable::tag, pending::tag));
    at.slots.heard(step("a", pending::tag, pending::tag, phase::waiting));
    CHECK_FALSE(at.take("d"));
    at.slots.heard(step("a", pending::tag, transformable::tag));
    CHECK(at.take("d"));
  }

  TEST_CASE("a request that fails gives its slot back and so does a report that dies") {
    house at;
    CHECK(at.take("a"));
    CHECK(at.take("b"));
    at.slots.heard(step("a", requestable::tag, requestable::tag, phase::waiting));
    CHECK(at.take("c"));
    at.slots.heard(step("b", requestable::tag, pending::tag));
    at.slots.heard(step("b", pending::tag, pending::tag, phase::dead));
    CHECK(at.take("d"));
  }

  TEST_CASE("who was pending before the start holds a slot") {
    house at;
    at.stored["api"] = {"x", "y"};
    CHECK_FALSE(at.take("a"));
    CHECK(at.take("x"));
  }

  TEST_CASE("what people cancelled is found out and who is about to be pending stays") {
    house at;
    at.stored["api"] = {"x"};
    CHECK(at.take("a"));
    CHECK_FALSE(at.take("b"));
    at.stored.clear();  // x was cancelled
    CHECK_FALSE(at.take("b", began + 1s));
    CHECK(at.take("b", began + 31s));
    CHECK_FALSE(at.take("c", began + 62s));
  }

  TEST_CASE("a request that was cancelled while it was asking loses its slot in the end") {
    house at;
    CHECK(at.take("a"));
    CHECK(at.take("b"));
    CHECK_FALSE(at.take("c", began + 9min));
    CHECK(at.take("c", began + 11min));
  }
}

}  // namespace wherry::app
