// SPDX-License-Identifier: Apache-2.0
#pragma once
// The SQL of a load, as texts. Pure: plain data in, one statement out.
//
// 1. All but COPY is in the subset that Amazon Redshift and PostgreSQL share: no ON CONFLICT, no
//    MERGE, no RETURNING, and never TRUNCATE, which commits in Redshift.
// 2. Names stand in double quotes. Texts stand in single quotes and hold no quote, backslash or
//    control character, which the two read differently: is_plain tells, and the spec sees to it.
// 3. The staging table has the transform's columns in the transform's order, with the types of the
//    target: COPY of Parquet goes by position and takes no list of columns.
// 4. Old rows go by the list of reports, not by what has been staged: an emptied day is deleted.
//    A table does not say by which import a row is there: so of a client and day it holds one's.
//
// Source: AWS, "COPY syntax", "COPY from Amazon S3", "COPY from columnar data formats",
// "Serializable isolation", "TRUNCATE"; PostgreSQL 15, "COPY".

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spec/spec.hpp"
#include "warehouse/load.hpp"

namespace wherry::app {

/// What is the same in all loads of an import. Requires: a spec that read_spec let through.
struct load_target {
  std::string import;
  app::warehouse warehouse;
  std::vector<std::string> columns;  ///< of the objects, in their order
  file_format format = file_format::csv;
  app::compression compression = app::compression::none;
  std::string region;  ///< of the bucket
};

/// Requires: the spec has a warehouse.
[[nodiscard]] load_target target_of(const spec& whole);

/// Tells whether a text may stand in single quotes as it is.
[[nodiscard]] bool is_plain(std::string_view text);

[[nodiscard]] std::string quoted_identifier(std::string_view name);
/// Requires: is_plain(text).
[[nodiscard]] std::string quoted_literal(std::string_view text);

/// "schema"."table" of the rows.
[[nodiscard]] std::string table_of(const load_target& to);

namespace sql {

/// Finds out whether there is a table of loads; makes it.
[[nodiscard]] std::string look_for_loads(const load_target& to);
[[nodiscard]] std::string create_loads(const load_target& to);

/// One loader at a time, over all processes: who waits here cannot be a cycle of Redshift's 1023.
[[nodiscard]] std::string lock_loads(const load_target& to);

/// import, client, day, sha256 and generation of what has been loaded of these clients and days,
/// also by other imports.
[[nodiscard]] std::string find_loads(const load_target& to, std::span<const load_item> reports);

[[nodiscard]] std::string create_stage(const load_target& to);
[[nodiscard]] std::string create_keys(const load_target& to);
/// Row i names report i.
[[nodiscard]] std::string fill_keys(std::span<const load_item> reports);

/// Redshift's COPY, of all objects that a manifest lists.
[[nodiscard]] std::string copy_by_manifest(const load_target& to, std::string_view manifest_url);
/// PostgreSQL's, of one CSV that the client sends.
[[nodiscard]] std::string copy_from_client(const load_target& to);

/// report, rows: how many staged rows belong to each report; and how many are staged at all.
[[nodiscard]] std::string count_by_report(const load_target& to);
[[nodiscard]] std::string count_all();

[[nodiscard]] std::string delete_old(const load_target& to);
[[nodiscard]] std::string insert_new(const load_target& to);

[[nodiscard]] std::string forget_loads(const load_target& to, std::span<const load_item> reports);

/// What is to be remembered of a load. `loaded_at`: UTC, 2025-01-31 23:59:59.
struct load_stamp {
  std::string batch;  ///< SHA-256 of its manifest
  std::string loaded_at;
};
[[nodiscard]] std::string remember_loads(const load_target& to, std::span<const load_item> reports,
                                         const load_stamp& stamp);

}  // namespace sql

}  // namespace wherry::app
