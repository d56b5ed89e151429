// SPDX-License-Identifier: Apache-2.0
// Goal: what is loaded, whose rows are wrong, and what an error means, are decided by what is given
// alone.
#include "warehouse/decide.hpp"

#include <doctest/doctest.h>

#include "reports.hpp"
#include "warehouse/connection.hpp"

namespace wherry::app {
namespace {

using namespace testing;
using failure_kind = load_failure::kind;

load_decision decision(const load_item& report, const known_load& known) {
  return decide({&report, 1}, {&known, 1}).front();
}

load_failure meant(load_phase in, const std::string& state, const std::string& message = "said") {
  return explain(in, {state, message}, "table t");
}

}  // namespace

TEST_SUITE("warehouse/decide.hpp") {
  TEST_CASE("an older generation never replaces a newer one") {
    const auto late = report_of("acme", 3, "old bytes", 1);
    CHECK(decision(late, {"acme", "2025-01-31", "new bytes", 2}) ==
          load_decision{load_result::superseded, false});
  }

  TEST_CASE("the same bytes are loaded once, and their line takes the newest generation") {
    const known_load known{"acme", "2025-01-31", "bytes", 2};
    CHECK(decision(report_of("acme", 3, "bytes", 2), known) ==
          load_decision{load_result::unchanged, false});
    CHECK(decision(report_of("acme", 3, "bytes", 3), known) ==
          load_decision{load_result::unchanged, true});
    CHECK(decision(report_of("acme", 3, "bytes", 1), known) ==
          load_decision{load_result::unchanged, false});
  }

  TEST_CASE("other bytes of the same or a newer generation are loaded") {
    const known_load known{"acme", "2025-01-31", "bytes", 2};
    CHECK(decision(report_of("acme", 3, "others", 2), known) == load_decision{});
    CHECK(decision(report_of("acme", 3, "others", 3), known) == load_decision{});
    CHECK(decision(report_of("acme", 0, "", 3), known) == load_decision{});
  }

  TEST_CASE("what is known of another report says nothing") {
    CHECK(decision(report_of("acme", 3, "bytes", 1), {"globex", "2025-01-31", "bytes", 9}) ==
          load_decision{});
    CHECK(decision(report_of("acme", 3, "bytes", 1), {"acme", "2025-01-30", "bytes", 9}) ==
          load_decision{});
  }

  TEST_CASE("a report whose rows are not under its own client and day is named") {
    const std::vector<load_item> reports = {report_of("acme", 3), report_of("globex", 5),
                                            report_of("hooli", 0)};
    const std::vector<std::uint64_t> right = {3, 5, 0}, wrong = {2, 6, 0};
    CHECK(compare_rows(reports, right).empty());
    const auto found = compare_rows(reports, wrong);
    REQUIRE(found.size() == 1);
    CHECK(found[0].report == 0);
    CHECK(found[0].message.contains("of the 3 rows of the report 2 have its client \"acme\""));
  }

  TEST_CASE("what concerns every report stops all, with the remedy") {
    for (const auto& [in, state, remedy] :
         std::vector<std::tuple<load_phase, std::string, std::string>>{
             {load_phase::connect, "28P01", "check user and password"},
             {load_phase::connect, "3D000", "correct the database"},
             {load_phase::prepare, "42P01", "`warehouse.table`"},
             {load_phase::prepare, "42703", "add the column"},
             {load_phase::replace, "42501", "SELECT, INSERT and DELETE"},
             {load_phase::loads, "42501", "CREATE"}}) {
      const auto failure = meant(in, state);
      CHECK_MESSAGE(failure.is == failure_kind::stopped, state);
      CHECK_MESSAGE(failure.message.contains(remedy), failure.message);
      CHECK(failure.message.starts_with("table t: said; "));
    }
    CHECK(meant(load_phase::copy, "XX000", "S3ServiceException:Access Denied,Error AccessDenied")
              .is == failure_kind::stopped);
  }

  TEST_CASE("what passes is tried again") {
    CHECK(meant(load_phase::commit, "40001").is == failure_kind::transient);
    CHECK(meant(load_phase::replace, "40P01").is == failure_kind::transient);
    CHECK(meant(load_phase::replace, "XX000", "1023 (Serializable isolation violation on table)")
              .is == failure_kind::transient);
    CHECK(meant(load_phase::copy, "57014").is == failure_kind::transient);
    CHECK(meant(load_phase::loads, "23505").is == failure_kind::transient);
    CHECK(meant(load_phase::connect, "").is == failure_kind::unreachable);
    CHECK(meant(load_phase::connect, "53300").is == failure_kind::unreachable);
    CHECK(meant(load_phase::replace, "57P01").is == failure_kind::unreachable);
    CHECK(meant(load_phase::copy, "25P03").is == failure_kind::unreachable);
    CHECK(meant(load_phase::loads, "25006").is == failure_kind::unreachable);
    CHECK(meant(load_phase::commit, "").message.contains("stays once"));
  }

  TEST_CASE("an error of rows blames one of the reports") {
    CHECK(meant(load_phase::copy, "22P02").is == failure_kind::data);
    CHECK(meant(load_phase::copy, "XX000", "Load into table failed").is == failure_kind::data);
    CHECK(meant(load_phase::replace, "23514").is == failure_kind::data);
    CHECK(meant(load_phase::prepare, "22001").is == failure_kind::data);
    CHECK(meant(load_phase::loads, "22001").is == failure_kind::data);
    CHECK_FALSE(meant(load_phase::copy, "22P02").object_is_gone);
    CHECK(meant(load_phase::copy, "XX000", "S3ServiceException:NoSuchKey").object_is_gone);
  }

  TEST_CASE("words of a refused connection tell what libpq does not") {
    CHECK(state_of_refusal(R"(FATAL:  password authentication failed for user "x")") == "28000");
    CHECK(state_of_refusal(R"(FATAL:  database "x" does not exist)") == "3D000");
    CHECK(state_of_refusal("FATAL:  sorry, too many clients already") == "53300");
    CHECK(state_of_refusal("FATAL:  the database system is starting up") == "57P03");
    CHECK(state_of_refusal(R"(invalid integer value "x" for connection option "port")") == "28000");
    CHECK(state_of_refusal("Connection refused").empty());
  }
}

}  // namespace wherry::app
