// SPDX-License-Identifier: Apache-2.0
// The keys of [transform]. A new key is a new line here.
#include <array>
#include <charconv>
#include <set>

#include "spec/format_keys.hpp"
#include "spec/sections.hpp"
#include "spec/spelling.hpp"

namespace wherry::app::toml_file {
namespace {

constexpr auto required = need::required;

/// A file that is known by its ending.
struct table_file : any_text {
  static constexpr std::string_view wanted = R"(a file such as "campaigns.csv")";
  static void read(reader& r, const value& from, std::string& to) {
    static constexpr std::array<std::string_view, 7> endings{
        ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".jsonl", ".jsonl.gz"};
    const auto words = r.line(from);
    if (!words) return;
    const auto ends = [&](std::string_view ending) { return words->ends_with(ending); };
    if (std::ranges::any_of(endings, ends)) {
      to = *words;
    } else {
      r.wrong(from.begin, "has a name that tells no format",
              "end it with .csv .tsv .jsonl, these with .gz, or .parquet");
    }
  }
};

constexpr key<lookup_table> table_keys[] = {
    entry<table_file, &lookup_table::file>(
        "file", "A CSV, TSV, JSON lines or Parquet file, beside this file.", required),
    entry<column_list, &lookup_table::columns>(
        "columns", "Columns that it must have, with their types; whatever it has by default."),
};

bool is_table_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && name.size() <= 60 && is_letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

/// Lookup tables by name.
struct table_list {
  static constexpr unsigned takes = table;
  static constexpr std::string_view wanted =
      R"(tables = { campaigns = { file = "campaigns.csv" } })";
  static constexpr std::string_view schema =
      R"({"type":"object","additionalProperties":{"type":"object","required":["file"],)"
      R"("additionalProperties":false,"properties":{"file":{"type":"string"},)"
      R"("columns":{"type":"object","minProperties":1,"additionalProperties":{"type":"string"}})"
      R"(}}})";
  static void read(reader& r, const value& from, std::vector<lookup_table>& to) {
    for (const auto& member : from.members) {
      const reader::inside here{r, member.name};
      if (!is_table_name(member.name) || member.name == "report") {
        r.wrong(member.at, "is no name for a table",
                "write lower case letters, digits and _, and not report");
      } else if (member.item.is != table) {
        r.wrong(member.item.begin, fmt::format("is {}", name_of(member.item.is)),
                R"(write { file = "campaigns.csv" })");
      } else {
        lookup_table made{.name = member.name, .file = {}, .columns = {}};
        read_table(r, member.item, made, table_keys);
        to.push_back(std::move(made));
      }
    }
  }
};

/// A path beside the spec, or an address.
struct rates_place : any_text {
  static constexpr std::string_view wanted =
      R"(a file such as "eurofxref-hist.csv", or its address)";
  static void read(reader& r, const value& from, transform& to) {
    auto words = r.line(from);
    if (!words) return;
    const auto colon = words->find("://");
    if (colon == words->npos) {
      to.rates = *std::move(words);
      return;
    }
    const auto scheme = words->substr(0, colon);
    if ((scheme != "https" && scheme != "http") || words->size() == colon + 3) {
      r.wrong(from.begin, "is no address that can be fetched",
              R"(write "https://…", or the path of a file)");
    } else {
      to.rates_url = *std::move(words);
    }
  }
};

/// How many rows may be put aside: "1%" of a report, or a number.
struct allowance {
  static constexpr unsigned takes = text | whole;
  static constexpr std::string_view wanted = R"(a share such as "1%", or a number of rows)";
  static constexpr std::string_view schema = R"({"anyOf":[{"type":"integer","minimum":1},)"
                                             R"({"type":"string","pattern":"^[0-9.]+%$|\\$\\{"}]})";
  static void read(reader& r, const value& from, quarantine& to) {
    if (from.is == whole) {
      number<1, 1'000'000'000>::read(r, from, to.rows);
      return;
    }
    const auto words = r.line(from);
    if (!words) return;
    double percent = 0;
    const char* const end = words->data() + words->size();
    const auto [stop, error] =
        std::from_chars(words->data(), end, percent, std::chars_format::fixed);
    const bool is_share = error == std::errc{} && std::string_view(stop, end) == "%";
    if (is_share && percent > 0 && percent <= 100) {
      to.share = percent / 100;
    } else {
      r.wrong(from.begin, fmt::format("is {}", in_quotes(from.string)),
              R"(write a share from above 0 to 100, such as "1%" or "0.5%")");
    }
  }
};

/// "fail", or up to how many rows are put aside.
struct bad_rows_form {
  static constexpr unsigned takes = text | table;
  static constexpr std::string_view wanted = R"(bad_rows = "fail" or { quarantine = "1%" })";
  static constexpr std::string_view schema =
      R"({"anyOf":[{"const":"fail"},{"type":"object","required":["quarantine"],)"
      R"("additionalProperties":false,"properties":{"quarantine":{"anyOf":[)"
      R"({"type":"integer","minimum":1},{"type":"string","pattern":"^[0-9.]+%$|\\$\\{"}]}}}]})";
  static void read(reader& r, const value& from, std::optional<quarantine>& to);
};

struct quarantine_key {
  quarantine up_to;
};
constexpr key<quarantine_key> quarantine_keys[] = {
    entry<allowance, &quarantine_key::up_to>(
        "quarantine", "How many rows may be put aside: a share, or a number.", required),
};

void bad_rows_form::read(reader& r, const value& from, std::optional<quarantine>& to) {
  if (from.is == table) {
    quarantine_key made;
    read_table(r, from, made, quarantine_keys);
    to = made.up_to;
    return;
  }
  const auto word = r.line(from);
  if (word && *word != "fail") {
    r.wrong(from.begin, fmt::format("is {}", in_quotes(from.string)),
            fmt::format("write {}", wanted));
  }
}

constexpr key<transform> transform_keys[] = {
    whole_entry<sql_text, transform>("sql",
                                     "SQL over the table report; none: select * from report."),
    entry<column_list, &transform::columns>("columns", "Name, order and type of what comes out.",
                                            required),
    entry<table_list, &transform::tables>("tables",
                                          "Files that the SQL can look things up in, by name."),
    whole_entry<rates_place, transform>(
        "rates", "File of exchange rates, beside this file, or the address to fetch it from."),
    entry<bad_rows_form, &transform::bad_rows>(
        "bad_rows", "What to do with rows that cannot be read: fail, or put some aside."),
    entry<number<1, 256>, &transform::threads>("threads", "Transforms at once; 2 by default."),
};

}  // namespace

std::vector<key_info> transform_form::keys() { return infos<transform_keys>(); }

void transform_form::read(reader& r, const value& from, transform& to) {
  read_table(r, from, to, transform_keys);
}

}  // namespace wherry::app::toml_file
