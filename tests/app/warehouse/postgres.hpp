// SPDX-License-Identifier: Apache-2.0
#pragma once
// The real PostgreSQL that the ctest fixture has started, and a schema of one's own in it.

#include <doctest/doctest.h>
#include <stdlib.h>

#include <fstream>
#include <map>
#include <string>

#include "warehouse/connection.hpp"

namespace wherry::app::testing {

using namespace std::chrono_literals;

inline std::map<std::string, std::string> server_variables() {
  const char* const file = ::getenv("POSTGRES_ENV_FILE");
  REQUIRE_MESSAGE(file != nullptr,
                  "POSTGRES_ENV_FILE must name what tools/postgres/start.sh wrote");
  std::ifstream lines{file};
  REQUIRE_MESSAGE(lines.good(), "no PostgreSQL was started: ", std::string{file}, " is missing");
  std::map<std::string, std::string> found;
  for (std::string line; std::getline(lines, line);) {
    const auto begin = std::string_view{"export "}.size(), equals = line.find('=');
    REQUIRE(equals != line.npos);
    found[line.substr(begin, equals - begin)] = line.substr(equals + 1);
  }
  return found;
}

inline secret server_url(const std::string& password = "") {
  auto with = server_variables();
  return {"postgres://" + with["PG_USER"] + ":" +
          (password.empty() ? with["PG_PASSWORD"] : password) + "@" + with["PG_HOST"] + ":" +
          with["PG_PORT"] + "/" + with["PG_DATABASE"]};
}

inline database_connection connect() {
  auto made = database_connection::open(server_url(), 60s, {});
  REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().message));
  return std::move(*made);
}

inline database_rows run(database_connection& with, const std::string& sql) {
  auto rows = with.run(sql);
  REQUIRE_MESSAGE(rows.has_value(), (rows ? "" : rows.error().message));
  return *std::move(rows);
}

}  // namespace wherry::app::testing
