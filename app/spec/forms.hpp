// SPDX-License-Identifier: Apache-2.0
#pragma once
// Forms: what values of the spec look like. A form says which TOML kinds it takes, how to ask for
// it
// ("write a duration such as …"), its JSON Schema, and how to read it into a field. keys.cpp pairs
// forms with fields; nothing else knows a syntax. Internal to app/spec.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spec/reader.hpp"
#include "spec/words.hpp"

namespace wherry::app::toml_file {

/// Reads "30s": a whole number and ms, s, m, h or d; more than nothing, at most a year.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Reads "4GB" (10^9) or "4GiB" (2^30): a whole number and B, kB, MB, GB, TB, KiB, MiB, GiB, TiB.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// Reads "10/s", "600/min", "0.5/h" or "10000/day" into calls and per.
[[nodiscard]] bool parse_rate(std::string_view text, limit& to);

/// Reads a DuckDB scalar type into its one spelling, "DECIMAL(18, 6)" into "decimal(18,6)".
[[nodiscard]] std::optional<std::string> parse_column_type(std::string_view text);

/// Says what to write for a column type that parse_column_type refused.
[[nodiscard]] std::string column_type_remedy(std::string_view text);

/// A name for a client or an import: letters, digits, "-", "_", ".", beginning with one of the
/// first two, at most 100; so it fits a file name, an address and the id of a report.
[[nodiscard]] bool is_id(std::string_view text);
[[nodiscard]] bool is_currency(std::string_view text);
[[nodiscard]] bool is_timezone(std::string_view text);

/// Reads one of some words, whose places are the values of an enum. `known`: what an error lists
/// them as.
template <class Enum>
void read_word(reader& r, const value& from, std::span<const std::string_view> words, Enum& to,
               std::string_view known = "known") {
  const auto word = r.line(from);
  if (!word) return;
  const auto found = std::ranges::find(words, *word);
  if (found != words.end()) {
    to = static_cast<Enum>(found - words.begin());
  } else {
    r.wrong(from.begin, fmt::format("is {}", in_quotes(from.string)),
            did_you_mean(*word, words, known));
  }
}

struct any_text {
  static constexpr unsigned takes = text;
  static constexpr std::string_view wanted = R"(a string such as "text")";
  static constexpr std::string_view schema = R"({"type":"string"})";
  static void read(reader& r, const value& from, std::string& to);
};

struct sql_text : any_text {
  static void read(reader& r, const value& from, transform& to);
};

struct one_line : any_text {
  static void read(reader& r, const value& from, std::string& to);
  static void read(reader& r, const value& from, secret& to) { read(r, from, to.reveal); }
};

struct line_or_nothing : any_text {
  static void read(reader& r, const value& from, secret& to);
};

struct lane_name : any_text {
  static constexpr std::string_view wanted = R"(a lane such as "{account}")";
  static void read(reader& r, const value& from, std::string& to);
};

struct id_text : any_text {
  static constexpr std::string_view wanted = R"(a name such as "acme")";
  static void read(reader& r, const value& from, std::string& to);
};

struct currency_code : any_text {
  static constexpr std::string_view wanted = R"(a currency such as "EUR")";
  static void read(reader& r, const value& from, std::string& to);
};

struct timezone_name : any_text {
  static constexpr std::string_view wanted = R"(a time zone such as "Europe/Berlin")";
  static void read(reader& r, const value& from, std::string& to);
};

struct duration : any_text {
  static constexpr std::string_view wanted = R"(a duration such as "30s", "5m" or "500ms")";
  static constexpr std::string_view schema =
      R"({"type":"string","pattern":"^[0-9]+(ms|s|m|h|d)$|\\$\\{"})";
  static void read(reader& r, const value& from, std::chrono::milliseconds& to);
  static void read(reader& r, const value& from, std::optional<std::chrono::milliseconds>& to);
};

struct size_text : any_text {
  static constexpr std::string_view wanted = R"(a size such as "100MB" or "4GiB")";
  static constexpr std::string_view schema =
      R"({"type":"string","pattern":"^[0-9]+([kMGT]?B|[KMGT]iB)$|\\$\\{"})";
  static void read(reader& r, const value& from, std::uint64_t& to);
};

struct rate_text : any_text {
  static constexpr std::string_view wanted = R"(a rate such as "10/s", "600/min" or "1000/h")";
  static constexpr std::string_view schema =
      R"({"type":"string","pattern":"^[0-9.]+/(s|min|h|day)$|\\$\\{"})";
  static void read(reader& r, const value& from, limit& to);
};

struct yes_or_no {
  static constexpr unsigned takes = flag;
  static constexpr std::string_view wanted = "true or false";
  static constexpr std::string_view schema = R"({"type":"boolean"})";
  static void read(reader&, const value& from, bool& to) { to = from.boolean; }
};

/// A whole number within bounds, both included.
template <int Least, int Most>
struct number {
  static constexpr unsigned takes = whole;
  static constexpr std::string_view wanted = "a whole number";
  static constexpr std::string_view schema = R"({"type":"integer"})";
  static constexpr std::pair<int, int> bounds{Least, Most};
  template <class Field>
  static void read(reader& r, const value& from, Field& to) {
    if (from.integer >= Least && from.integer <= Most) {
      to = static_cast<int>(from.integer);
    } else {
      r.wrong(from.begin, fmt::format("is {}", from.integer),
              fmt::format("write a number from {} to {}", Least, Most));
    }
  }
};

/// HTTP headers by name.
struct header_map {
  static constexpr unsigned takes = table;
  static constexpr std::string_view wanted = R"(headers such as { Accept = "text/csv" })";
  static constexpr std::string_view schema =
      R"({"type":"object","additionalProperties":{"type":"string"}})";
  static void read(reader& r, const value& from, std::map<std::string, std::string>& to);
};

/// The same, whose values are templates of a report.
struct header_templates : header_map {
  static void read(reader& r, const value& from, std::map<std::string, std::string>& to);
};

/// The name of a header, as HTTP allows it.
struct header_name : any_text {
  static constexpr std::string_view wanted = R"(a header's name such as "X-Api-Key")";
  static void read(reader& r, const value& from, std::string& to);
};

/// Conditions on a JSON body: dotted paths and what must stand there.
struct json_conditions {
  static constexpr unsigned takes = table;
  static constexpr std::string_view wanted = "conditions such as { error.code = 40100 }";
  static constexpr std::string_view schema = R"({"type":"object","minProperties":1})";
  static void read(reader& r, const value& from, std::map<std::string, std::string>& to);
};

struct meaning_word : any_text {
  static constexpr std::string_view wanted = R"(what the answer means, such as "throttled")";
  static constexpr std::string_view schema =
      R"({"enum":["rows","empty","pending","transient","throttled","split","credentials",)"
      R"("permanent"]})";
  static void read(reader& r, const value& from, answer_rule::meaning& to);
};

/// An address of http or https.
struct web_url : any_text {
  static constexpr std::string_view wanted = R"(an address such as "https://host/accounts")";
  static void read(reader& r, const value& from, std::string& to);
};

/// Where reports come from: a template of an http or https address.
struct source_url : any_text {
  static constexpr std::string_view wanted =
      R"(an address such as "https://host/{client}/{day}.csv")";
  static void read(reader& r, const value& from, std::string& to);
};

/// An address or a body that asks for a report which the API makes may also say {report}.
struct poll_url : source_url {
  static constexpr std::string_view wanted =
      R"(an address such as "https://host/reports/{report}")";
  static void read(reader& r, const value& from, std::string& to);
};

/// An address of a report that the API makes: the same, and {report} in it.
struct remote_url : source_url {
  static constexpr std::string_view wanted =
      R"(an address such as "https://host/reports/{report}")";
  static void read(reader& r, const value& from, std::string& to);
};

/// A body of JSON: a table whose texts are templates, read as the JSON that it is.
struct json_body {
  static constexpr unsigned takes = table;
  static constexpr std::string_view wanted = R"(a body such as { date = "{day}" })";
  static constexpr std::string_view schema = R"({"type":"object"})";
  static void read(reader& r, const value& from, std::string& to);
};

/// The same, of a poll.
struct poll_body : json_body {
  static void read(reader& r, const value& from, std::string& to);
};

/// What an answer says around a report's id: a text with {report} in it.
struct id_frame : any_text {
  static constexpr std::string_view wanted = R"(a text such as "duplicate of : {report}")";
  static void read(reader& r, const value& from, std::string& to);
};

/// Where objects go: a template of a file or s3 address, whose name tells format and compression.
struct sink_url : any_text {
  static constexpr std::string_view wanted =
      R"(an address such as "s3://bucket/{day}/{client}.parquet")";
  static void read(reader& r, const value& from, sink& to);
};

/// The address of an S3 server: scheme, host and port.
struct endpoint_url : any_text {
  static constexpr std::string_view wanted = R"(an address such as "https://s3.example.com")";
  static void read(reader& r, const value& from, std::string& to);
};

struct store_url : any_text {
  static constexpr std::string_view wanted = R"(a store such as "sqlite:ads.db")";
  static void read(reader& r, const value& from, std::string& to);
};

}  // namespace wherry::app::toml_file
