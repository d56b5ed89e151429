// SPDX-License-Identifier: Apache-2.0
// Goal: our CSV reader and writer agree with an independent implementation. Method: random tables,
// hostile in their quoting, written by us and read by DuckDB's read_csv, and the other way round;
// the seed is printed and can be set with WHERRY_SEED.
#include <random>

#include <doctest/doctest.h>
#include <duckdb.h>
#include <fmt/format.h>

#include "fixture.hpp"

using namespace wherry::app;
using namespace wherry::app::testing;

namespace {

const std::vector<column> columns{{"t", "varchar"},       {"i", "bigint"},         {"d", "double"},
                                  {"m", "decimal(18,6)"}, {"w", "decimal(38,10)"}, {"day", "date"},
                                  {"b", "boolean"}};

class generator {
 public:
  explicit generator(std::uint64_t seed) : random_(seed) {}

  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }

  // Text of pieces that matter to CSV, quoted as it must be; sometimes where it need not.
  std::string text() {
    constexpr const char* pieces[] = {
        "a", ",", "\"", "\n", "\r\n", " ", "ü", "東", "0", "|", "x longer piece of text"};
    std::string value;
    for (unsigned i = 0, length = 1 + below(8); i < length; ++i)
      value += pieces[below(std::size(pieces))];
    const bool must = value.find_first_of(",\"\n\r") != std::string::npos;
    if (!must && below(2) == 0) return value;
    std::string quoted = "\"";
    for (const char c : value) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
  }

  std::string row() {
    std::string line = below(8) == 0 ? "" : text();
    const auto number = static_cast<std::int64_t>(random_());
    line += ',' + (below(8) == 0 ? "" : std::to_string(number));
    line += ',' + (below(8) == 0 ? "" : fmt::format("{}", static_cast<double>(number) * 1e-7));
    line +=
        ',' +
        (below(8) == 0 ? "" : fmt::format("{}.{:06}", number % 1'000'000'000, below(1'000'000)));
    line += ',' + (below(8) == 0 ? "" : fmt::format("{}.{:010}", number, below(1'000'000'000)));
    line += ',' + (below(8) == 0 ? ""
                                 : fmt::format("{:04}-{:02}-{:02}", 1 + below(9999), 1 + below(12),
                                               1 + below(28)));
    line += ',' + std::string(below(8) == 0 ? "" : below(2) == 0 ? "true" : "false");
    return line;
  }

  std::string report(unsigned rows) {
    std::string text = below(2) == 0 ? "\xEF\xBB\xBF" : "";
    text += "t,i,d,m,w,day,b\n";
    for (unsigned i = 0; i < rows; ++i)
      text += row() + (i + 1 == rows && below(2) == 0 ? "" : "\n");
    return text;
  }

 private:
  std::mt19937_64 random_;
};

std::uint64_t seed() {
  if (const char* given = std::getenv("WHERRY_SEED")) return std::strtoull(given, nullptr, 10);
  return 20010312;
}

// The rows of a CSV file as DuckDB reads them, as one text.
std::string as_duckdb_reads(const std::string& path) {
  std::string types;
  for (const auto& one : columns)
    types += fmt::format("{}'{}': '{}'", types.empty() ? "" : ", ", one.name, one.type);
  const auto sql = fmt::format(
      "select coalesce(string_agg(coalesce(t, 'NULL') || '|' || coalesce(i::varchar, '-') || '|' "
      "|| coalesce(d::varchar, '-') "
      "|| '|' || coalesce(m::varchar, '-') || '|' || coalesce(w::varchar, '-') || '|' || "
      "coalesce(day::varchar, '-') || '|' || "
      "coalesce(b::varchar, '-'), chr(30)), '') from read_csv('{}', auto_detect = false, header = "
      "true, delim = ',', "
      "quote = '\"', escape = '\"', new_line = '\\n', allow_quoted_nulls = false, columns = "
      "{{{}}})",
      path, types);
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  duckdb_result result;
  REQUIRE(duckdb_open(nullptr, &database) == DuckDBSuccess);
  REQUIRE(duckdb_connect(database, &connection) == DuckDBSuccess);
  const auto state = duckdb_query(connection, sql.c_str(), &result);
  REQUIRE_MESSAGE(state == DuckDBSuccess, duckdb_result_error(&result));
  char* value = duckdb_value_varchar(&result, 0, 0);
  std::string text = value;
  duckdb_free(value);
  duckdb_destroy_result(&result);
  duckdb_disconnect(&connection);
  duckdb_close(&database);
  return text;
}

}  // namespace

TEST_SUITE("csv round trip") {
  TEST_CASE("what we read and write is what DuckDB reads") {
    const auto first = seed();
    CAPTURE(first);
    const scratch place;
    const auto copy = setup{.source = columns}.opened();
    for (std::uint64_t round = 0; round < 60; ++round) {
      CAPTURE(round);
      generator random(first + round);
      const auto input = place.write("in.csv", random.report(1 + random.below(120)));
      const auto done = copy->run({"acme", "2001-03-12", input, place.file("out.csv")});
      REQUIRE_MESSAGE(done, (done ? "" : done.error().message));
      CHECK(as_duckdb_reads(place.file("out.csv")) == as_duckdb_reads(input));
    }
  }

  TEST_CASE("our own output comes out of us unchanged") {
    const auto first = seed();
    CAPTURE(first);
    const scratch place;
    const auto copy = setup{.source = columns}.opened();
    for (std::uint64_t round = 0; round < 60; ++round) {
      generator random(first + round);
      REQUIRE(copy->run(random.report(1 + random.below(120)), place.file("once")));
      const auto once = content(place.file("once"));
      REQUIRE(copy->run(once, place.file("twice")));
      CHECK(content(place.file("twice")) == once);
    }
  }

  TEST_CASE("a report of many chunks keeps every row in order") {
    const scratch place;
    generator random(seed());
    const auto input = place.write("in.csv", random.report(20'000));
    CHECK(std::filesystem::file_size(input) > 1u << 20);  // so large that it is mapped
    REQUIRE(setup{.source = columns}.opened()->run(
        {"acme", "2001-03-12", input, place.file("out.csv")}));
    CHECK(as_duckdb_reads(place.file("out.csv")) == as_duckdb_reads(input));
  }
}
