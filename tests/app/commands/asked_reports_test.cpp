// SPDX-License-Identifier: Apache-2.0
// Goal: a call's result is that of the reports it asked for, whatever else its store holds.
// Method: a store in memory with machines in all phases, of this call and of others.
#include "commands/asked_reports.hpp"

#include <doctest/doctest.h>

#include "wherry/store/memory.hpp"

using namespace wherry;
using namespace wherry::app;

namespace {

const std::vector<client> clients{
    {.id = "acme", .account = "acme", .currency = {}, .timezone = "UTC"},
    {.id = "globex", .account = "7", .currency = {}, .timezone = "UTC"}};

asked_reports asked_for(const char* from, const char* to, std::vector<std::string> who = {}) {
  return {backlog::make({from, to, std::move(who)}, clients).value(), clients};
}

// Submits machines with these ids and ends them all in `phase`.
task<> put_in(store& where, std::vector<std::string> ids, phase in) {
  std::vector<submission> wanted;
  for (auto& id : ids) {
    submission& each = wanted.emplace_back();
    each.id = std::move(id);
    each.state = "first";
    each.data = "{}";
  }
  const std::size_t count = wanted.size();
  REQUIRE(co_await where.submit(std::move(wanted)));
  const auto now = scheduler::current().system_now();
  const auto leased = co_await where.lease("", count, now + std::chrono::hours(1));
  REQUIRE(leased);
  std::vector<transition> ends;
  for (const auto& machine : *leased) {
    transition& each = ends.emplace_back();
    each.key = machine.key;
    each.token = machine.token;
    each.id = machine.id;
    each.version = machine.version;
    each.from = each.to = "first";
    each.data = "{}";
    each.error = "its error";
    each.phase = in;
  }
  REQUIRE(co_await where.record(std::move(ends)));
}

}  // namespace

TEST_SUITE("commands/asked_reports.hpp") {
  TEST_CASE("reports are those of the range and of the clients") {
    const auto asked = asked_for("2025-01-30", "2025-01-31", {"globex"});
    CHECK(asked.size() == 2);
    CHECK(asked.id_of(0) == "globex/2025-01-31");
    CHECK(asked.client_of(1).account == "7");
    CHECK(asked.day_of(1) == "2025-01-30");
    CHECK(asked.contains("globex/2025-01-30"));
    CHECK_FALSE(asked.contains("globex/2025-02-01"));
    CHECK_FALSE(asked.contains("acme/2025-01-30"));
    CHECK_FALSE(asked.contains("stranger/2025-01-30"));
    CHECK_FALSE(asked.contains("no report"));
  }

  TEST_CASE("the dead letters of other calls are not counted") {
    virtual_scheduler{1}.run([]() -> task<> {
      const auto where = open_memory_store();
      co_await put_in(*where, {"acme/2025-01-01", "acme/2025-01-31", "globex/2025-01-31"},
                      phase::dead);
      co_await put_in(*where, {"acme/2025-01-30"}, phase::completed);
      co_await put_in(*where, {"globex/2025-01-30", "globex/2024-01-30"}, phase::cancelled);
      const auto found = find_not_completed(*where, asked_for("2025-01-30", "2025-01-31"));
      REQUIRE(found);
      CHECK(found->dead == 2);
      CHECK(found->cancelled == 1);
      REQUIRE(found->first_dead.size() == 2);
      CHECK(found->first_dead[0].id == "acme/2025-01-31");
      CHECK(found->first_dead[0].error == "its error");
    }());
  }

  TEST_CASE("all dead letters are counted and only the first are kept") {
    virtual_scheduler{1}.run([]() -> task<> {
      const auto where = open_memory_store();
      const auto asked = asked_for("2020-01-01", "2024-12-31");
      std::vector<std::string> ids;
      for (std::size_t i = 0; i < asked.size(); ++i) ids.push_back(asked.id_of(i));
      co_await put_in(*where, std::move(ids), phase::dead);
      const auto found = find_not_completed(*where, asked);
      REQUIRE(found);
      CHECK(found->dead == asked.size());
      CHECK(found->first_dead.size() == not_completed::kept);
    }());
  }
}
