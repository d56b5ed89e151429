// SPDX-License-Identifier: Apache-2.0
#include "schema.hpp"

#include <fmt/format.h>

#include <array>

#include "wherry/csp/assert.hpp"

namespace wherry::sqlite {
namespace {

constexpr std::int64_t application_id = 0x57687279;  // "Whry"

/// Each brings a store from the number before its own (its place, from 1) to its own. An entry that
/// was released is never changed: a new number is added.
const std::array migrations{schema_1, schema_2, schema_3, schema_4};
constexpr std::int64_t newest = migrations.size();

}  // namespace

identity identify(database& file) {
  const auto id = file.value("PRAGMA application_id");
  const auto version = file.value("PRAGMA user_version");
  if (id == application_id) {
    if (version <= newest) return version < newest ? identity::older : identity::ours;
    throw database_failure(
        {store_error::kind::newer,
         fmt::format("{}: written by a newer Wherry (schema {}, this one knows {}): install "
                     "that version, or name another file",
                     file.file().string(), version, newest)});
  }
  if (id == 0 && version == 0 && file.value("SELECT count(*) FROM sqlite_schema") == 0) {
    return identity::empty;
  }
  throw database_failure(
      {store_error::kind::foreign,
       fmt::format("{}: a SQLite file of another program: name another file, or move this "
                   "one away",
                   file.file().string())});
}

void migrate(database& file) {
  // Before WAL: so the header with our id is in the file itself once the transaction ended.
  auto version = file.value("PRAGMA user_version");
  for (; version < newest; ++version) {
    const auto sql = fmt::format(
        "BEGIN EXCLUSIVE;{};PRAGMA application_id = {};"
        "PRAGMA user_version = {};COMMIT",
        migrations[static_cast<std::size_t>(version)], application_id, version + 1);
    file.run(sql.c_str());
  }
  statement journal(file, "PRAGMA journal_mode = WAL");
  if (!journal.next() || journal.text(0) != "wal") {
    throw database_failure(
        {store_error::kind::io,
         fmt::format("{}: its file system has no shared memory for SQLite's write-ahead "
                     "log: put the store on a local disk",
                     file.file().string())});
  }
}

void claim_purpose(database& file, const std::string& purpose) {
  statement(file, "UPDATE meta SET purpose = ?1 WHERE purpose = ''").with(purpose).run();
  statement kept(file, "SELECT purpose FROM meta");
  const bool found = kept.next();
  WHERRY_ASSERT(found, "meta has one row");
  if (kept.text(0) == purpose) return;
  throw database_failure({store_error::kind::foreign,
                          fmt::format("{}: a store for \"{}\", not for \"{}\": name another store",
                                      file.file().string(), kept.text(0), purpose)});
}

}  // namespace wherry::sqlite
