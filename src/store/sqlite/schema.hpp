// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whose file it is, and which schema it has: application_id says the first, user_version the
// second.

#include "database.hpp"

namespace wherry::sqlite {

/// Texts of schema.sql, schema_2.sql, schema_3.sql and schema_4.sql.
extern const char* const schema_1;
extern const char* const schema_2;
extern const char* const schema_3;
extern const char* const schema_4;

enum class identity : std::uint8_t {
  empty,
  older,  ///< ours, of a schema before the newest: `migrate` brings it up to date
  ours
};

/// Tells a new file from a store. Errors: throws database_failure; foreign, newer, corrupt.
[[nodiscard]] identity identify(database& file);

/// Brings the schema to the newest number and the journal to WAL. Requires: the caller owns it.
void migrate(database& file);

/// Keeps `purpose` if the store has none yet. Requires: the caller owns it, purpose is not empty.
/// Errors: throws database_failure; foreign: it has another one.
void claim_purpose(database& file, const std::string& purpose);

}  // namespace wherry::sqlite
