// SPDX-License-Identifier: Apache-2.0
#include "transform/parquet_rows.hpp"

#include <fmt/format.h>

#include "transform/database.hpp"

namespace wherry::app {

// An instance of its own a call: no SQL of anybody's runs in it, and loads are few.
std::expected<void, transform_error> write_parquet_as_csv(const std::filesystem::path& parquet,
                                                          const std::filesystem::path& csv) {
  auto database = open_database({.directory = {}, .memory_limit = "256MB"});
  if (!database) return std::unexpected(std::move(database.error()));
  auto connection = connect(database->get());
  if (!connection) return std::unexpected(std::move(connection.error()));
  // A time with a zone must not read otherwise on another host.
  auto zone = query(connection->get(), "SET timezone = 'UTC'", transform_error::kind::sql);
  if (!zone) return std::unexpected(std::move(zone.error()));
  const auto done = query(connection->get(),
                          fmt::format("COPY (SELECT * FROM read_parquet({})) TO {} (FORMAT csv, "
                                      "HEADER true, DELIMITER ',', NULLSTR '')",
                                      quoted_text(parquet.native()), quoted_text(csv.native())),
                          transform_error::kind::data);
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace wherry::app
