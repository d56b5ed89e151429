// SPDX-License-Identifier: Apache-2.0
// Goal: counts, queries and histories tell exactly what happened.
#include "subject.hpp"

using namespace wherry;
using namespace wherry::test;
using namespace std::chrono_literals;

TEST_SUITE("store.hpp: views") {
  TEST_CASE("counts follow every move by phase and state") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a"), item("b"), item("c"), item("d"), item("e")});
      const auto leased = co_await lease_some(subject, "lane", 4);
      REQUIRE(leased.size() == 4);
      const auto accepted = co_await subject.record(
          {advance(leased[0], "second"), retry(leased[1], now() + 1h),
           finish(leased[2], phase::completed), finish(leased[3], phase::dead)});
      REQUIRE(accepted.has_value());
      const auto counts = subject.count();
      REQUIRE(counts.has_value());
      const std::map<std::pair<phase, std::string>, std::int64_t> expected{
          {{phase::ready, "first"}, 1},
          {{phase::ready, "second"}, 1},
          {{phase::waiting, "first"}, 1},
          {{phase::completed, "last"}, 1},
          {{phase::dead, "first"}, 1}};
      CHECK((counts->by == expected));
      CHECK(counts->unfinished() == 3);
      CHECK(counts->all() == 5);
    });
  }

  TEST_CASE("a query pages by id through all that match") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("b/2"), item("a"), item("b/10"), item("c"), item("b/1")});
      CHECK(ids(*subject.query({}, 2, "")) == strings{"a", "b/1"});
      CHECK(ids(*subject.query({}, 2, "b/1")) == strings{"b/10", "b/2"});
      CHECK(ids(*subject.query({}, 2, "b/2")) == strings{"c"});
      CHECK(ids(*subject.query({}, 2, "c")).empty());
      machine_filter filter;
      filter.id_prefix = "b/";
      CHECK(ids(*subject.query(filter, 9, "")) == strings{"b/1", "b/10", "b/2"});
      CHECK(ids(*subject.query(filter, 9, "b/1")) == strings{"b/10", "b/2"});
      CHECK(ids(*subject.query(filter, 9, "a")) == strings{"b/1", "b/10", "b/2"});
      CHECK(ids(*subject.query(filter, 9, "zz")).empty());
    });
  }

  TEST_CASE("a query selects by phase and state and id") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a"), item("b"), item("c")});
      CHECK(co_await record_one(subject, advance(co_await lease_one(subject), "second")));
      CHECK(co_await record_one(subject, finish(co_await lease_one(subject), phase::dead)));
      machine_filter filter;
      filter.phase = phase::dead;
      CHECK(ids(*subject.query(filter, 9, "")).size() == 1);
      filter.phase = phase::ready;
      CHECK(ids(*subject.query(filter, 9, "")).size() == 2);
      filter.state = "second";
      CHECK(ids(*subject.query(filter, 9, "")).size() <= 1);
      filter = {};
      filter.id = "b";
      CHECK(ids(*subject.query(filter, 9, "")) == strings{"b"});
      filter.id_prefix = "c";
      CHECK(ids(*subject.query(filter, 9, "")).empty());
    });
  }

  TEST_CASE("the few of a phase among many of another are found in order of id") {
    on_every_store([](store& subject) -> task<> {
      for (const bool few_wait : {true, false}) {
        const std::string name = few_wait ? "w" : "r";
        std::vector<submission> all;
        for (int i = 0; i < 300; ++i) {
          all.push_back(item(name + std::to_string(1'000 + i)));
          if ((i % 100 == 7) == few_wait) all.back().due = now() + 1h * (300 - i);
        }
        co_await submit_new(subject, std::move(all));
        machine_filter filter{.phase = few_wait ? phase::waiting : phase::ready};
        const strings found{name + "1007", name + "1107", name + "1207"};
        CHECK(ids(*subject.query(filter, 9, "")) == found);
        CHECK(ids(*subject.query(filter, 2, "")) == strings{found[0], found[1]});
        CHECK(ids(*subject.query(filter, 9, found[0])) == strings{found[1], found[2]});
        filter.id_prefix = name + "11";
        CHECK(ids(*subject.query(filter, 9, "")) == strings{found[1]});
        filter.state = "second";
        CHECK(subject.query(filter, 9, "")->empty());
        // The others are none of the few.
        const auto changed = co_await subject.control(control_verb::cancel, {});
        CHECK(changed == 300u);
      }
    });
  }

  TEST_CASE("history tells each version once from the oldest on") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      auto first = retry(co_await lease_one(subject), now() + 1h);
      first.started = first.ended - 5s;
      CHECK(co_await record_one(subject, first));
      CHECK(co_await subject.promote(now() + 2h) == 1u);
      CHECK(co_await record_one(subject, finish(co_await lease_one(subject), phase::dead)));
      CHECK(co_await subject.control(control_verb::redrive, {}) == 1u);
      CHECK(co_await record_one(subject, advance(co_await lease_one(subject), "second")));
      const auto lines = subject.history("a");
      REQUIRE(lines.has_value());
      REQUIRE(lines->size() == 4);
      for (std::size_t i = 0; i < 4; ++i) {
        CHECK((*lines)[i].version == static_cast<std::int64_t>(i) + 1);
        CHECK((*lines)[i].generation == 1);
      }
      CHECK((*lines)[0].outcome == outcome_kind::retried);
      CHECK((*lines)[0].phase == phase::waiting);
      CHECK((*lines)[0].attempt == 1);
      CHECK((*lines)[0].error == "the other side is down");
      CHECK((*lines)[0].started == first.started);
      CHECK((*lines)[0].ended == first.ended);
      CHECK((*lines)[1].outcome == outcome_kind::died);
      CHECK((*lines)[1].attempt == 2);
      CHECK((*lines)[2].outcome == outcome_kind::redriven);
      CHECK((*lines)[2].phase == phase::ready);
      CHECK((*lines)[3].from == "first");
      CHECK((*lines)[3].to == "second");
      CHECK(subject.history("nobody")->empty());
    });
  }

  TEST_CASE("a long error is cut between two characters") {
    on_every_store([](store& subject) -> task<> {
      co_await submit_new(subject, {item("a")});
      auto outcome = finish(co_await lease_one(subject), phase::dead);
      outcome.error = "x";
      while (outcome.error.size() < 3 * error_size_limit) outcome.error += "\u20ac";
      CHECK(co_await record_one(subject, outcome));
      const auto kept = view_of(subject, "a").error;
      CHECK(kept.size() == 1'999);
      CHECK(outcome.error.starts_with(kept));
      CHECK(subject.history("a")->front().error == kept);
    });
  }

  TEST_CASE("texts come back byte for byte") {
    on_every_store([](store& subject) -> task<> {
      auto odd = item("o'dd \u00fc\t\n\"%_");
      odd.data = R"({"s":"'; drop table machines; --"})";
      odd.lane = "l'ane";
      odd.state = "st\u00e4te";
      co_await submit_new(subject, {odd});
      const auto leased = co_await lease_some(subject, odd.lane, 1);
      REQUIRE(leased.size() == 1);
      CHECK(leased.front().id == odd.id);
      CHECK(leased.front().data == odd.data);
      CHECK(view_of(subject, odd.id).state == odd.state);
      machine_filter filter;
      filter.state = odd.state;
      filter.id_prefix = "o'dd";
      CHECK(ids(*subject.query(filter, 9, "")) == strings{odd.id});
    });
  }
}
