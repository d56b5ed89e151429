// SPDX-License-Identifier: Apache-2.0
// Goal: a connection gives rows and errors as they are, never waits longer than it may, and tells
// no password. Method: the real PostgreSQL of the fixture.
#include "warehouse/connection.hpp"

#include <thread>

#include "postgres.hpp"

namespace wherry::app {

using namespace testing;

TEST_SUITE("warehouse/connection.hpp") {
  TEST_CASE("rows come as texts and NULL as nothing") {
    auto with = connect();
    CHECK(run(with, "SELECT 1, 'two', NULL, CAST('2025-01-31' AS date)") ==
          database_rows{{"1", "two", "", "2025-01-31"}});
    CHECK(run(with, "CREATE TEMP TABLE t (a int)").empty());
  }

  TEST_CASE("an error has its state, its detail and no line break, and the connection goes on") {
    auto with = connect();
    const auto wrong = with.run("SELECT no_such_column");
    REQUIRE_FALSE(wrong.has_value());
    CHECK(wrong.error().state == "42703");
    CHECK(wrong.error().message == R"(column "no_such_column" does not exist)");
    run(with, "CREATE TEMP TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)");
    const auto twice = with.run("INSERT INTO t VALUES (1)");
    REQUIRE_FALSE(twice.has_value());
    CHECK(twice.error().state == "23505");
    CHECK(twice.error().message.contains("(Key (a)=(1) already exists.)"));
  }

  TEST_CASE("a copy takes what it is given, whole or not at all") {
    auto with = connect();
    run(with, "CREATE TEMP TABLE t (a int, b text)");
    const std::string sql = "COPY t FROM STDIN WITH (FORMAT csv, HEADER true)";
    const auto feed_good = [](const database_connection::receiver& into) {
      return into("a,b\n1,x") && into("\n2,\n");
    };
    CHECK(with.copy(sql, feed_good).has_value());
    CHECK(run(with, "SELECT a, b IS NULL FROM t ORDER BY 1") ==
          database_rows{{"1", "f"}, {"2", "t"}});
    const auto stopped = with.copy(sql, [](const database_connection::receiver& into) {
      into("a,b\n3,x\n");
      return false;
    });
    CHECK_FALSE(stopped.has_value());
    const auto wrong = with.copy(sql, [](const database_connection::receiver& into) {
      return into("a,b\n3,x\nno number,y\n");
    });
    REQUIRE_FALSE(wrong.has_value());
    CHECK(wrong.error().state == "22P02");
    CHECK(wrong.error().message.contains("line 3, column a"));
    CHECK_FALSE(with.copy("COPY no_such_table FROM STDIN", feed_good).has_value());
    CHECK(run(with, "SELECT count(*) FROM t") == database_rows{{"2"}});
  }

  TEST_CASE("a copy larger than every buffer arrives") {
    auto with = connect();
    run(with, "CREATE TEMP TABLE t (a text)");
    const std::string line(9'999, 'x');
    const auto done =
        with.copy("COPY t FROM STDIN", [&](const database_connection::receiver& into) {
          for (int i = 0; i < 3'000; ++i) {
            if (!into(line + "\n")) return false;
          }
          return true;
        });
    CHECK(done.has_value());
    CHECK(run(with, "SELECT sum(length(a)) FROM t") == database_rows{{"29997000"}});
  }

  TEST_CASE("a wrong password is told without it") {
    const auto made = database_connection::open(server_url("not-the-password"), 60s, {});
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().state == "28000");
    CHECK_FALSE(made.error().message.contains("not-the-password"));
  }

  TEST_CASE("an address that cannot be taken apart is told without it") {
    for (const auto* url : {"postgres://u:S3cret50%off@h/d", "postgres://u:S3cret@[::1/d",
                            "postgres://u:12/4?S3cret@h/d", "postgres://u:p@h/d?S3cret=1"}) {
      const auto made = database_connection::open({url}, 60s, {});
      REQUIRE_FALSE(made.has_value());
      CHECK(made.error().state == "28000");
      CHECK_FALSE(made.error().message.contains("S3cret"));
      CHECK(made.error().message.contains("percent-encode"));
    }
  }

  TEST_CASE("nobody there is an error without a state") {
    const auto made = database_connection::open({"postgres://u:p@127.0.0.1:1/d"}, 60s, {});
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().state.empty());
    CHECK(made.error().message.contains("127.0.0.1"));
  }

  TEST_CASE("what is asked to stop stops, and its server's session ends") {
    std::stop_source stop;
    auto with = connect();
    with.listen(stop.get_token());
    const auto me = run(with, "SELECT pg_backend_pid()")[0][0];
    auto other = connect();
    std::jthread stopper([&] {
      const auto waits =
          "SELECT 1 FROM pg_stat_activity WHERE pid = " + me + " AND wait_event = 'PgSleep'";
      while (run(other, waits).empty()) std::this_thread::yield();
      stop.request_stop();
    });
    const auto slept = with.run("SELECT pg_sleep(3600)");
    REQUIRE_FALSE(slept.has_value());
    CHECK(slept.error().message == "interrupted");
  }

  TEST_CASE("a server that does not answer is waited for no longer than the limit") {
    auto made = database_connection::open(server_url(), -10s + 1ms, {});  // and its patience: 1 ms
    if (made) {
      const auto slept = made->run("SELECT pg_sleep(3600)");
      REQUIRE_FALSE(slept.has_value());
      CHECK(slept.error().message.contains("did not answer in time"));
    } else {
      CHECK(made.error().message.contains("did not answer in time"));
    }
  }
}

}  // namespace wherry::app
