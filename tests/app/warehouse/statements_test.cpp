// SPDX-License-Identifier: Apache-2.0
// Goal: statements are what the databases document, and name what they must. Method: whole texts;
// and Redshift's COPY, which nothing here can run, against its documented grammar, written down
// below as a table of its own (copy_grammar.hpp), for all formats.
#include "warehouse/statements.hpp"

#include <doctest/doctest.h>

#include "copy_grammar.hpp"
#include "reports.hpp"

namespace wherry::app {
namespace {

using namespace testing;

const std::vector<load_item> two = {report_of("acme"), report_of("globex", 0)};

load_target in_format(file_format format, compression codec = compression::none) {
  auto to = redshift_target();
  to.format = format;
  to.compression = codec;
  return to;
}

}  // namespace

TEST_SUITE("warehouse/statements.hpp") {
  TEST_CASE("COPY of every format is of Redshift's documented grammar") {
    const auto url = "s3://bucket/_wherry/manifests/ab.json";
    for (const auto& to :
         {in_format(file_format::csv), in_format(file_format::csv, compression::gzip),
          in_format(file_format::csv, compression::zstd), in_format(file_format::parquet)}) {
      const auto statement = sql::copy_by_manifest(to, url);
      CHECK_MESSAGE(copy_mistake(statement).empty(), statement, ": ", copy_mistake(statement));
    }
    auto by_default = in_format(file_format::parquet);
    by_default.warehouse.iam_role = "default";
    CHECK(copy_mistake(sql::copy_by_manifest(by_default, url)).empty());
    auto anywhere = in_format(file_format::csv);
    anywhere.region.clear();
    CHECK(copy_mistake(sql::copy_by_manifest(anywhere, url)).empty());
  }

  TEST_CASE("the grammar knows what is no COPY") {
    for (const auto& [wrong, why] : std::vector<std::pair<std::string, std::string>>{
             {"COPY t FROM 's3://b/m' MANIFEST", "authorization"},
             {"COPY t FROM b IAM_ROLE default", "data source"},
             {"COPY t FROM 's3://b/m' IAM_ROLE 'arn:x' FORMAT AS CSV GZIP ZSTD",
              "compressed twice"},
             {"COPY t FROM 's3://b/m' IAM_ROLE default CSV CSV", "twice"},
             {"COPY t FROM 's3://b/m' IAM_ROLE default FORMAT AS PARQUET GZIP", "columnar"},
             {"COPY t FROM 's3://b/m' IAM_ROLE default FORMAT AS PARQUET REGION 'eu-west-1'",
              "columnar"},
             {"COPY t (a) FROM 's3://b/m' IAM_ROLE default FORMAT AS PARQUET", "columnar"},
             {"COPY t FROM 's3://b/m' IAM_ROLE default FORMAT AS CSV HEADER", "HEADER"},
             {"COPY t FROM 's3://b/m' IAM_ROLE default IGNOREHEADER one", "IGNOREHEADER"},
             {"COPY t FROM 's3://b/m' IAM_ROLE default FORMAT AS CSV ESCAPE", "CSV"}}) {
      CHECK_MESSAGE(copy_mistake(wrong).contains(why), wrong, ": ", copy_mistake(wrong));
    }
  }

  TEST_CASE("COPY says all that a CSV of ours needs") {
    CHECK(sql::copy_by_manifest(in_format(file_format::csv, compression::gzip), "s3://b/m.json") ==
          R"(COPY "wherry_stage" ("client", "day", "cost ""net""") FROM 's3://b/m.json' )"
          "IAM_ROLE 'arn:aws:iam::123456789012:role/copy' MANIFEST FORMAT AS CSV IGNOREHEADER 1 "
          "EMPTYASNULL GZIP DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF "
          "REGION 'eu-west-1'");
    CHECK(sql::copy_by_manifest(in_format(file_format::parquet), "s3://b/m.json") ==
          R"(COPY "wherry_stage" FROM 's3://b/m.json' )"
          "IAM_ROLE 'arn:aws:iam::123456789012:role/copy' MANIFEST FORMAT AS PARQUET "
          "STATUPDATE OFF");
    CHECK(sql::copy_from_client(postgresql_target()) ==
          R"(COPY "wherry_stage" ("client", "day", "cost ""net""") FROM STDIN WITH )"
          "(FORMAT csv, HEADER true)");
  }

  TEST_CASE("old rows go by the list of reports") {
    const auto to = redshift_target();
    CHECK(sql::create_keys(to) ==
          R"(CREATE TEMP TABLE "wherry_keys" AS SELECT "client", "day", 0 AS "wherry_report" )"
          R"(FROM "public"."ads_daily" WHERE 1 = 0)");
    CHECK(sql::fill_keys(two) == R"(INSERT INTO "wherry_keys" VALUES ('acme', '2025-01-31', 0), )"
                                 R"(('globex', '2025-01-31', 1))");
    CHECK(sql::delete_old(to) == R"(DELETE FROM "public"."ads_daily" USING "wherry_keys" WHERE )"
                                 R"("ads_daily"."client" = "wherry_keys"."client" AND )"
                                 R"("ads_daily"."day" = "wherry_keys"."day")");
    CHECK(sql::insert_new(to) ==
          R"(INSERT INTO "public"."ads_daily" ("client", "day", "cost ""net""") )"
          R"(SELECT "client", "day", "cost ""net""" FROM "wherry_stage")");
  }

  TEST_CASE("columns of other names find a report's rows") {
    auto to = redshift_target();
    to.warehouse.client = "account";
    to.warehouse.day = "date";
    CHECK(sql::delete_old(to).contains(R"("ads_daily"."account" = "wherry_keys"."account")"));
    CHECK(sql::count_by_report(to).contains(R"("wherry_stage"."date" = "wherry_keys"."date")"));
    // The table of loads keeps its own.
    CHECK(sql::find_loads(to, two).contains(R"("client" = 'acme' AND "day" = '2025-01-31')"));
  }

  TEST_CASE(
      "what is remembered of a load names import, table, report, hash, generation and batch") {
    const auto to = postgresql_target();
    CHECK(sql::remember_loads(to, {two.data(), 1},
                              {.batch = "ba", .loaded_at = "2025-02-01 03:04:05"}) ==
          R"(INSERT INTO "public"."wherry_loads" ("import", "table_name", "client", "day", )"
          R"("sha256", "generation", "batch", "row_count", "loaded_at") VALUES ('ads', )"
          R"('ads_daily', 'acme', '2025-01-31', 'aa', 1, 'ba', 3, '2025-02-01 03:04:05'))");
    CHECK(sql::forget_loads(to, two) ==
          R"(DELETE FROM "public"."wherry_loads" WHERE "import" = 'ads' AND )"
          R"("table_name" = 'ads_daily' AND (("client" = 'acme' AND "day" = '2025-01-31') OR )"
          R"(("client" = 'globex' AND "day" = '2025-01-31')))");
  }

  TEST_CASE("a table without a schema is left to the server's search path") {
    auto to = postgresql_target();
    to.warehouse.schema.clear();
    CHECK(table_of(to) == R"("ads_daily")");
    CHECK(sql::lock_loads(to) == R"(LOCK TABLE "wherry_loads")");
  }

  TEST_CASE("texts that databases read differently are not quoted") {
    CHECK(is_plain("arn:aws:iam::1:role/a-b_c.d@e"));
    for (const auto* each : {"it's", "back\\slash", "line\nbreak", "del\x7f"}) {
      CHECK_FALSE(is_plain(each));
    }
  }
}

}  // namespace wherry::app
