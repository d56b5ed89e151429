// SPDX-License-Identifier: Apache-2.0
// Goal: whatever bad an engine on the durable store is given, it is told clearly, all other
// machines complete, and the machine that was hit is there, and completes once the cause is mended.
// Files that are damaged or not ours: bad_file_test.cpp. A disk that is full: full_disk_test.cpp.
// Method: engines under virtual time; what is bad is written into the file with SQL, as any tool
// could.
#include <fstream>
#include <map>
#include <sstream>

#include "engine_subject.hpp"
#include "wherry/store/sqlite_upkeep.hpp"

using namespace wherry;
using namespace wherry::test;

namespace {

constexpr std::uint64_t seed = 4;

/// A store with ten parcels, "p/0" to "p/9", none of them begun.
void make_store(const std::filesystem::path& file) {
  on_virtual_time(file, seed, [](store& on) -> task<> {
    parcel_engine subject{on, {}, {}};
    co_await submit_all(subject, some(10));
  });
}

/// All but "p/3" have completed; that is a dead letter, whose error has these words.
void check_only_third_is_dead(store& on, std::initializer_list<const char*> words) {
  CHECK(on.count()->in(phase::completed) == 9);
  CHECK(ids_in(on, phase::dead) == strings{"p/3"});
  const auto error = view_of(on, "p/3").error;
  for (const auto* each : words) CHECK_MESSAGE(error.find(each) != std::string::npos, error);
}

void damage_pages_with(const std::filesystem::path& file, const std::string& text) {
  std::ostringstream read;
  read << std::ifstream(file, std::ios::binary).rdbuf();
  auto bytes = read.str();
  int damaged = 0;
  for (std::size_t page = 4'096; page < bytes.size(); page += 4'096) {
    if (bytes.substr(page, 4'096).find(text) == std::string::npos) continue;
    ++damaged;
    for (std::size_t i = page; i < page + 4'096; ++i) bytes[i] = static_cast<char>(i * 7);
  }
  REQUIRE(damaged > 0);
  std::ofstream(file, std::ios::binary) << bytes;
}

}  // namespace

TEST_SUITE("sqlite.hpp: bad input") {
  TEST_CASE("a state that cannot be read is a dead letter and no other machine hears of it") {
    struct bad {
      const char* data;
      const char* told;
    };
    for (const auto& [data, told] :
         {bad{"{\"lane\":\"la", "incomplete JSON"}, bad{"{}", "lane: missing"},
          bad{"{\"lane\":7}", "lane: wanted a string"}, bad{"no JSON at all", "syntax error"}}) {
      CAPTURE(data);
      const scratch_directory directory;
      const auto file = directory / "store.db";
      make_store(file);
      const auto set_data = [&](const std::string& to) {
        run_sql(file, ("UPDATE machines SET data = '" + to + "' WHERE id = 'p/3'").c_str());
      };
      set_data(data);
      on_virtual_time(file, seed, [&](store& on) -> task<> {
        co_await run_out(on, {});
        check_only_third_is_dead(
            on, {"the stored state \"packed\" cannot be read", told, "mend its data"});
        CHECK_MESSAGE(view_of(on, "p/3").data == data, "it stays as it was, for who mends it");
      });
      set_data("{\"lane\":\"lane\"}");
      on_virtual_time(file, seed, [](store& on) -> task<> {
        CHECK(co_await on.control(control_verb::redrive, {.id = "p/3"}) == 1u);
        co_await run_out(on, {});
        CHECK(on.count()->in(phase::completed) == 10);
      });
      check_consistent(file);
    }
  }

  TEST_CASE("a shape that no program has written is told and no other machine hears of it") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file);
    run_sql(file,
            "PRAGMA ignore_check_constraints = ON;"
            "UPDATE machines SET shape = 4294967295 WHERE id = 'p/3'");
    on_virtual_time(file, seed, [&](store& on) -> task<> {
      parcel_engine subject{on, {}, {}};
      std::string told;
      subject.on_left_alone([&](const left_alone& each) { told = each.id + ": " + each.why; });
      CHECK((co_await subject.run()).has_value());
      CHECK_MESSAGE(told.starts_with("p/3: its state \"packed\" is of shape 2147483647"), told);
      CHECK(on.count()->in(phase::completed) == 9);
      CHECK(view_of(on, "p/3").version == 0);
    });
  }

  TEST_CASE("a machine in a state that is not known is left alone for the program that knows it") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file);
    const auto set_state = [&](const std::string& from, const std::string& to, const char* in) {
      const auto quoted = [](const std::string& text) { return "'" + text + "'"; };
      run_sql(file, ("UPDATE machines SET state = " + quoted(to) + " WHERE id = 'p/3';" +
                     "UPDATE counts SET n = n - 1 WHERE phase = " + quoted(in) +
                     " AND state = " + quoted(from) + "; INSERT INTO counts VALUES (" + quoted(in) +
                     ", " + quoted(to) + ", 1) ON CONFLICT (phase, state) DO UPDATE SET n = n + 1")
                        .c_str());
    };
    set_state("packed", "weighed", "ready");
    on_virtual_time(file, seed, [](store& on) -> task<> {
      parcel_engine subject{on, {}, {}};
      std::string told;
      subject.on_left_alone([&](const left_alone& each) { told = each.id + ": " + each.why; });
      CHECK((co_await subject.run()).has_value());
      CHECK_MESSAGE(told.starts_with("p/3: this program has no state \"weighed\""), told);
      CHECK(on.count()->in(phase::completed) == 9);
      CHECK(view_of(on, "p/3").phase == phase::ready);
      CHECK(view_of(on, "p/3").version == 0);
    });
    set_state("weighed", "packed", "ready");
    on_virtual_time(file, seed, [](store& on) -> task<> {
      co_await run_out(on, {});
      CHECK(on.count()->in(phase::completed) == 10);
    });
    check_consistent(file);
  }

  TEST_CASE("a row whose phase is unknown is told and never shown as another") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    make_store(file);
    run_sql(file,
            "PRAGMA ignore_check_constraints = ON;"
            "UPDATE machines SET phase = 'lost' WHERE id = 'p/3'");
    const auto beside = inspect_sqlite_store(file);
    REQUIRE_MESSAGE(beside.has_value(), beside.error().message);
    const auto seen = (*beside)->query({}, 99, "");
    REQUIRE_FALSE(seen.has_value());
    CHECK(seen.error().what == store_error::kind::corrupt);
    CHECK(seen.error().message.find("store.db: the unknown phase \"lost\"") != std::string::npos);
    CHECK_MESSAGE((*beside)->query({.id = "p/4"}, 1, "")->size() == 1, "the others are shown");
  }

  TEST_CASE("a state twice as large as allowed is a dead letter in the state before it") {
    over_seeds(3, [](store& on, std::filesystem::path) -> task<> {
      parcel_engine first{on, {}, {}};
      co_await submit_all(first, some(10));
      co_await run_out(on, {.on_packed = [](packed now, step_context run) -> task<said> {
                              const auto size = run.id == "p/3" ? 2 * data_size_limit : 10;
                              co_return carried{now.lane, std::string(size, 'x')};
                            },
                            .on_carried = {}});
      check_only_third_is_dead(on, {"machine p/3", "2097", "at most 1048576 are kept",
                                    "put the bulk into a file and its name into the state"});
      CHECK(view_of(on, "p/3").state == "packed");
      CHECK(view_of(on, "p/3").data == "{\"lane\":\"lane\"}");
      CHECK(co_await on.control(control_verb::redrive, {.id = "p/3"}) == 1u);
      co_await run_out(on, {});
      CHECK(on.count()->in(phase::completed) == 10);
    });
  }

  TEST_CASE("a submission that breaks a limit is refused by name and those before it are whole") {
    over_seeds(3, [](store& on, std::filesystem::path) -> task<> {
      parcel_engine subject{on, {}, {}};
      co_await submit_all(subject, some(10));
      auto more = some(3, "q");
      more[1].first = carried{"lane", std::string(2 * data_size_limit, 'x')};
      const auto report = co_await subject.submit(std::move(more));
      REQUIRE_FALSE(report.has_value());
      CHECK(report.error().what == store_error::kind::refused);
      CHECK(report.error().message.find("machine q/1") != std::string::npos);
      CHECK(report.error().message.find("put the bulk into a file") != std::string::npos);
      CHECK_MESSAGE(on.count()->all() == 10, "none of that call, all of the one before");
      co_await run_out(on, {});
      CHECK(on.count()->in(phase::completed) == 10);
    });
  }

  TEST_CASE("an id that is submitted twice is one machine and as it was the first time") {
    over_seeds(10, [](store& on, std::filesystem::path) -> task<> {
      std::map<std::string, int> runs;
      parcel_engine subject{on,
                            {.on_packed = [&](packed now, step_context run) -> task<said> {
                               ++runs[run.id];
                               co_return carried{now.lane, now.lane};
                             },
                             .on_carried = {}},
                            {}};
      const parcels twice{{.id = "a", .first = packed{"one"}},
                          {.id = "a", .first = packed{"other"}, .priority = 9}};
      const auto report = co_await subject.submit(twice);
      REQUIRE(report.has_value());
      CHECK(report->added == 1);
      CHECK(report->known == 1);
      co_await with_scope([&](scope& all) -> task<> {
        for (int i = 0; i < 8; ++i) {
          all.go([](parcel_engine& to) -> task<> {
            CHECK((co_await to.submit(some(10))).has_value());
          }(subject));
        }
        all.go(run_well(subject, run_until::drained));
        co_return;
      });
      co_await run_well(subject, run_until::drained);  // what came when it had just drained
      const auto late = co_await subject.submit(some(10));
      REQUIRE(late.has_value());
      CHECK(late->known == 10);
      CHECK_MESSAGE(late->completed == 10, "it says what became of them");
      CHECK(runs.size() == 11);
      for (const auto& [id, count] : runs) CHECK_MESSAGE(count == 1, id);
      CHECK(view_of(on, "a").data == "{\"note\":\"one\"}");
    });
  }

  TEST_CASE("a command for an id that nobody knows does nothing and says so") {
    over_seeds(5, [](store& on, std::filesystem::path file) -> task<> {
      parcel_engine subject{on,
                            {.on_packed = [](packed now, step_context run) -> task<said> {
                               co_await sleep_for(5s);
                               if (run.id == "p/3") co_return permanent{"no such address"};
                               co_return carried{now.lane, ""};
                             },
                             .on_carried = {}},
                            {}};
      co_await submit_all(subject, some(10));
      const std::vector verbs{control_verb::redrive, control_verb::cancel,
                              control_verb::prioritize};
      co_await with_scope([&](scope& all) -> task<> {
        all.go(run_well(subject, run_until::drained));
        co_await sleep_for(1s);
        for (const auto verb : verbs) {
          CHECK(co_await on.apply({.verb = verb, .filter = {.id = "p/"}, .priority = 3}) == 0u);
          ask_beside(file, {.verb = verb, .filter = {.id = "nobody"}, .priority = 3});
        }
      });
      CHECK(read_sql(file, "SELECT count(*) FROM inbox") == strings{"0"});
      CHECK(on.query({.id = "nobody"}, 1, "")->empty());
      CHECK(on.history("nobody")->empty());
      check_only_third_is_dead(on, {"no such address"});
      CHECK(on.query({.id = "p/1"}, 1, "")->front().priority == 0);
    });
  }

  TEST_CASE("a damaged page ends the run with its name and a copy of before has every machine") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    on_virtual_time(file, seed, [](store& on) -> task<> {
      parcel_engine subject{on, {}, {}};
      co_await submit_all(subject, some(2'000, "sound"));
      co_await submit_all(subject, some(500, "hit"));
    });
    REQUIRE(backup_sqlite_store(file, directory / "copy.db").has_value());
    damage_pages_with(file, "hit/250");
    on_virtual_time(file, seed, [&](store& on) -> task<> {
      parcel_engine subject{on, {}, {.window = 16}};
      const auto ended = co_await subject.run();
      REQUIRE_FALSE(ended.has_value());
      CHECK(ended.error().what == store_error::kind::corrupt);
      for (const auto* each : {"store.db: damaged", "restore it from a copy", ".recover"}) {
        CHECK_MESSAGE(ended.error().message.find(each) != std::string::npos, ended.error().message);
      }
      CHECK_MESSAGE(subject.progress().completed > 0, "what is before it goes on");
    });
    on_virtual_time(directory / "copy.db", seed, [](store& on) -> task<> {
      co_await run_out(on, {});
      CHECK(on.count()->in(phase::completed) == 2'500);
    });
    check_consistent(directory / "copy.db");
  }
}
