// SPDX-License-Identifier: Apache-2.0
#include "warehouse/statements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "wherry/csp/assert.hpp"

namespace wherry::app {
namespace {

constexpr std::string_view stage = R"("wherry_stage")", keys = R"("wherry_keys")";

// Joins what `each` makes of every item.
template <class Items, class Each>
std::string joined(const Items& items, std::string_view between, Each each) {
  std::string text;
  for (const auto& item : items) {
    if (!text.empty()) text += between;
    text += each(item);
  }
  return text;
}

std::string columns_of(const load_target& to) {
  return joined(to.columns, ", ", quoted_identifier);
}

std::string in_schema(const load_target& to, std::string_view table) {
  if (to.warehouse.schema.empty()) return quoted_identifier(table);
  return quoted_identifier(to.warehouse.schema) + "." + quoted_identifier(table);
}

std::string loads_of(const load_target& to) { return in_schema(to, "wherry_loads"); }

// Which rows of the table of loads are about these clients and days, whoever has loaded them.
std::string are_about(const load_target& to, std::span<const load_item> reports) {
  return fmt::format(R"("table_name" = {} AND ({}))", quoted_literal(to.warehouse.table),
                     joined(reports, " OR ", [](const load_item& each) {
                       return fmt::format(R"(("client" = {} AND "day" = {}))",
                                          quoted_literal(each.client), quoted_literal(each.day));
                     }));
}

// "of"."client" = keys."client" AND "of"."day" = keys."day".
std::string matches_keys(const load_target& to, std::string_view of) {
  return fmt::format("{0}.{1} = {2}.{1} AND {0}.{3} = {2}.{3}", of,
                     quoted_identifier(to.warehouse.client), keys,
                     quoted_identifier(to.warehouse.day));
}

// CSV as csv_writer makes it: a header line, NULL as nothing, dates as ISO has them.
std::string csv_options(const load_target& to) {
  std::string options = "FORMAT AS CSV IGNOREHEADER 1 EMPTYASNULL";
  switch (to.compression) {
    case compression::none: break;
    case compression::gzip: options += " GZIP"; break;
    case compression::zstd: options += " ZSTD"; break;
  }
  options += " DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF";
  if (!to.region.empty()) options += " REGION " + quoted_literal(to.region);
  return options;
}

}  // namespace

load_target target_of(const spec& whole) {
  load_target to{.import = whole.name,
                 .warehouse = *whole.warehouse,
                 .columns = {},
                 .format = whole.sink.format,
                 .compression = whole.sink.compression,
                 .region = whole.sink.region};
  for (const auto& each : whole.transform.columns) to.columns.push_back(each.name);
  return to;
}

bool is_plain(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    return c == '\'' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
}

std::string quoted_identifier(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) {
    if (c == '"') text += c;
    text += c;
  }
  return text + '"';
}

std::string quoted_literal(std::string_view text) {
  WHERRY_ASSERT(is_plain(text), "what is quoted differently by different databases is refused");
  return fmt::format("'{}'", text);
}

std::string table_of(const load_target& to) { return in_schema(to, to.warehouse.table); }

namespace sql {

std::string look_for_loads(const load_target& to) {
  return fmt::format("SELECT 1 FROM {} WHERE 1 = 0", loads_of(to));
}

std::string create_loads(const load_target& to) {
  return fmt::format(R"(CREATE TABLE IF NOT EXISTS {} ("import" VARCHAR(128) NOT NULL, )"
                     R"("table_name" VARCHAR(128) NOT NULL, "client" VARCHAR(128) NOT NULL, )"
                     R"("day" DATE NOT NULL, "sha256" VARCHAR(64) NOT NULL, )"
                     R"("generation" BIGINT NOT NULL, "batch" VARCHAR(64) NOT NULL, )"
                     R"("row_count" BIGINT NOT NULL, "loaded_at" TIMESTAMP NOT NULL))",
                     loads_of(to));
}

std::string lock_loads(const load_target& to) { return "LOCK TABLE " + loads_of(to); }

std::string find_loads(const load_target& to, std::span<const load_item> reports) {
  return fmt::format(R"(SELECT "import", "client", CAST("day" AS VARCHAR), "sha256", )"
                     R"("generation" FROM {} WHERE {})",
                     loads_of(to), are_about(to, reports));
}

std::string create_stage(const load_target& to) {
  return fmt::format("CREATE TEMP TABLE {} AS SELECT {} FROM {} WHERE 1 = 0", stage, columns_of(to),
                     table_of(to));
}

std::string create_keys(const load_target& to) {
  return fmt::format(R"(CREATE TEMP TABLE {} AS SELECT {}, {}, 0 AS "wherry_report" FROM {} )"
                     "WHERE 1 = 0",
                     keys, quoted_identifier(to.warehouse.client),
                     quoted_identifier(to.warehouse.day), table_of(to));
}

std::string fill_keys(std::span<const load_item> reports) {
  std::size_t number = 0;
  return fmt::format("INSERT INTO {} VALUES {}", keys,
                     joined(reports, ", ", [&](const load_item& each) {
                       return fmt::format("({}, {}, {})", quoted_literal(each.client),
                                          quoted_literal(each.day), number++);
                     }));
}

std::string copy_by_manifest(const load_target& to, std::string_view manifest_url) {
  const auto& role = to.warehouse.iam_role;
  const auto head = fmt::format("FROM {} IAM_ROLE {} MANIFEST", quoted_literal(manifest_url),
                                role == "default" ? role : quoted_literal(role));
  if (to.format == file_format::parquet) {
    return fmt::format("COPY {} {} FORMAT AS PARQUET STATUPDATE OFF", stage, head);
  }
  return fmt::format("COPY {} ({}) {} {}", stage, columns_of(to), head, csv_options(to));
}

std::string copy_from_client(const load_target& to) {
  return fmt::format("COPY {} ({}) FROM STDIN WITH (FORMAT csv, HEADER true)", stage,
                     columns_of(to));
}

std::string count_by_report(const load_target& to) {
  return fmt::format(R"(SELECT {0}."wherry_report", COUNT({1}.{2}) FROM {0} LEFT JOIN {1} ON {3} )"
                     R"(GROUP BY {0}."wherry_report")",
                     keys, stage, quoted_identifier(to.warehouse.client), matches_keys(to, stage));
}

std::string count_all() { return fmt::format("SELECT COUNT(*) FROM {}", stage); }

std::string delete_old(const load_target& to) {
  return fmt::format("DELETE FROM {} USING {} WHERE {}", table_of(to), keys,
                     matches_keys(to, quoted_identifier(to.warehouse.table)));
}

std::string insert_new(const load_target& to) {
  return fmt::format("INSERT INTO {} ({}) SELECT {} FROM {}", table_of(to), columns_of(to),
                     columns_of(to), stage);
}

std::string forget_loads(const load_target& to, std::span<const load_item> reports) {
  return fmt::format(R"(DELETE FROM {} WHERE "import" = {} AND {})", loads_of(to),
                     quoted_literal(to.import), are_about(to, reports));
}

std::string remember_loads(const load_target& to, std::span<const load_item> reports,
                           const load_stamp& stamp) {
  return fmt::format(
      R"(INSERT INTO {} ("import", "table_name", "client", "day", "sha256", "generation", )"
      R"("batch", "row_count", "loaded_at") VALUES {})",
      loads_of(to), joined(reports, ", ", [&](const load_item& each) {
        return fmt::format("({}, {}, {}, {}, {}, {}, {}, {}, {})", quoted_literal(to.import),
                           quoted_literal(to.warehouse.table), quoted_literal(each.client),
                           quoted_literal(each.day), quoted_literal(each.sha256), each.generation,
                           quoted_literal(stamp.batch), each.rows, quoted_literal(stamp.loaded_at));
      }));
}

}  // namespace sql

}  // namespace wherry::app
