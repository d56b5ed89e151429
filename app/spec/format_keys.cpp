// SPDX-License-Identifier: Apache-2.0
#include "spec/format_keys.hpp"

#include <array>
#include <set>

#include "spec/spelling.hpp"

namespace wherry::app::toml_file {
namespace {

constexpr auto required = need::required;

struct sql_type : any_text {
  static constexpr std::string_view wanted = R"(its SQL type, such as "varchar")";
  static void read(reader& r, const value& from, std::string& to) {
    const auto words = r.line(from);
    if (!words) return;
    if (auto type = parse_column_type(*words)) {
      to = *std::move(type);
    } else {
      r.wrong(from.begin, fmt::format("has an unknown type {}", in_quotes(from.string)),
              column_type_remedy(*words));
    }
  }
};

constexpr key<column> column_keys[] = {
    entry<sql_type, &column::type>("type", "Its SQL type.", required),
    entry<one_line, &column::path>("path", "Its header in CSV, its dotted path in JSON; its name."),
    entry<yes_or_no, &column::optional>(
        "optional", "Whether a report may lack it, which makes it NULL; false by default."),
};

// Reads one column but its name.
using column_reader = void (*)(reader& r, const value& from, column& to);

void read_type(reader& r, const value& from, column& to) {
  if (from.is == text) {
    sql_type::read(r, from, to.type);
  } else {
    r.wrong(from.begin, fmt::format("is {}", name_of(from.is)),
            fmt::format("write {}", sql_type::wanted));
  }
}

void read_place(reader& r, const value& from, column& to) {
  if (from.is == table) {
    read_table(r, from, to, column_keys);
  } else {
    read_type(r, from, to);
  }
}

void read_columns(reader& r, const value& from, column_reader read_one, std::vector<column>& to) {
  if (from.members.empty()) {
    r.wrong(from.begin, "is empty", fmt::format("write {}", column_list::wanted));
  }
  std::set<std::string> seen;
  for (const auto& member : from.members) {
    const reader::inside here{r, member.name};
    if (member.name.empty()) r.wrong(member.at, "has an empty name", "name the column");
    if (!seen.insert(in_lower_case(member.name)).second) {
      r.wrong(member.at, "is there twice: SQL does not tell upper case from lower case",
              "rename or remove one");
    }
    column made{.name = member.name, .type = {}};
    read_one(r, member.item, made);
    if (!made.type.empty()) to.push_back(std::move(made));
  }
}

struct type_word : any_text {
  static constexpr std::string_view wanted = R"(type = "csv", "tsv", "json" or "jsonl")";
  static constexpr std::string_view schema = R"({"enum":["csv","tsv","json","jsonl"]})";
  static void read(reader& r, const value& from, report_format::kind& to) {
    static constexpr std::string_view words[] = {"csv", "tsv", "json", "jsonl"};
    read_word(r, from, words, to, "known words");
  }
};

struct encoding_word : any_text {
  static constexpr std::string_view wanted = R"(encoding = "utf-8" or "windows-1252")";
  static constexpr std::string_view schema =
      R"({"enum":["utf-8","utf-16","utf-16le","utf-16be","latin-1","windows-1252"]})";
  static void read(reader& r, const value& from, report_format::encoding& to) {
    static constexpr std::string_view words[] = {"utf-8",    "utf-16",  "utf-16le",
                                                 "utf-16be", "latin-1", "windows-1252"};
    read_word(r, from, words, to, "known words");
  }
};

struct packing_word : any_text {
  static constexpr std::string_view wanted = R"(packed = "auto", "none", "gzip" or "zip")";
  static constexpr std::string_view schema = R"({"enum":["auto","none","gzip","zip"]})";
  static void read(reader& r, const value& from, report_format::packing& to) {
    static constexpr std::string_view words[] = {"auto", "none", "gzip", "zip"};
    read_word(r, from, words, to, "known words");
  }
};

bool may_stand_between(char c) {
  const auto byte = static_cast<unsigned char>(c);
  const bool is_word =
      (byte >= '0' && byte <= '9') || ((byte | 0x20u) >= 'a' && (byte | 0x20u) <= 'z');
  return c == '\t' || (byte > 0x20 && byte < 0x7F && !is_word);
}

/// One character of ASCII that is no part of a word.
struct one_character : any_text {
  static constexpr std::string_view wanted = R"(one character, such as ";")";
  static constexpr std::string_view schema = R"({"type":"string","maxLength":1})";
  static void read(reader& r, const value& from, char& to) {
    const auto words = r.text(from);
    if (!words) return;
    if (words->size() == 1 && may_stand_between(words->front())) {
      to = words->front();
    } else {
      r.wrong(from.begin, "is not one mark of ASCII", R"(write one, such as ";" or "\t" or "|")");
    }
  }
};

struct quote_character : one_character {
  static constexpr std::string_view wanted = R"(quote = "'", or "" if there is none)";
  static void read(reader& r, const value& from, char& to) {
    if (from.string.empty()) {
      to = '\0';
    } else {
      one_character::read(r, from, to);
    }
  }
};

/// How many rows at the end are totals, or how they begin.
struct totals_text {
  static constexpr unsigned takes = text | whole;
  static constexpr std::string_view wanted = R"(totals = 1, or how they begin: totals = "Total")";
  static constexpr std::string_view schema =
      R"({"anyOf":[{"type":"integer","minimum":1,"maximum":1000},{"type":"string"}]})";
  static void read(reader& r, const value& from, report_format& to) {
    if (from.is == whole) {
      number<1, 1'000>::read(r, from, to.totals);
    } else {
      one_line::read(r, from, to.totals_begin);
    }
  }
};

constexpr key<report_format> format_keys[] = {
    entry<type_word, &report_format::type>("type", "csv by default; tsv, json, jsonl."),
    entry<one_character, &report_format::delimiter>(
        "delimiter", "What stands between fields; a comma, of tsv a tab, by default."),
    entry<quote_character, &report_format::quote>("quote",
                                                  R"(What stands around a field; " by default.)"),
    entry<one_character, &report_format::escape>(
        "escape", "What stands before a quote within quotes; by default it is doubled."),
    entry<number<0, 10'000>, &report_format::skip>("skip",
                                                   "Lines before the header; 0 by default."),
    entry<yes_or_no, &report_format::header>(
        "header", "Whether a line names the columns; true by default. Else they come in order."),
    whole_entry<totals_text, report_format>(
        "totals", "How many rows at the end are totals, or how they begin; none by default."),
    entry<encoding_word, &report_format::text>("encoding", "utf-8 by default."),
    entry<one_line, &report_format::rows>(
        "rows", "Dotted path of the array of rows in JSON; the document itself by default."),
    entry<yes_or_no, &report_format::rows_optional>(
        "rows_optional", "Whether JSON may lack that array, and has no rows then; false."),
    entry<packing_word, &report_format::packed>("packed",
                                                "auto by default: gzip and zip are seen."),
    entry<one_line, &report_format::member>("member",
                                            "Which file of a zip, as *.csv; the only one."),
};

// Keys that say nothing of reports of another type are a misunderstanding.
void check_keys(reader& r, const value& from, const report_format& is) {
  const bool is_json =
      is.type == report_format::kind::json || is.type == report_format::kind::jsonl;
  const auto refuse = [&](std::string_view name, std::string_view of) {
    if (const auto* found = from.find({name})) {
      const reader::inside here{r, std::string{name}};
      r.wrong(found->begin, fmt::format("is a key of {}", of), "remove it, or correct type");
    }
  };
  if (is_json) {
    for (const auto* name : {"delimiter", "quote", "escape", "skip", "header", "totals"}) {
      refuse(name, "csv and tsv");
    }
  }
  if (is.type != report_format::kind::json) {
    for (const auto* name : {"rows", "rows_optional"}) refuse(name, "json");
  }
  if (is.rows_optional && is.rows.empty()) {
    const reader::inside here{r, "rows_optional"};
    r.wrong(from.begin, "says that an array may be missing, and not which",
            R"(add rows = "data.list", its path)");
  }
  if (is.escape != '\0' && is.quote == '\0') {
    const reader::inside here{r, "escape"};
    r.wrong(from.find({"escape"})->begin, "has no quotes to escape", "remove it, or write a quote");
  }
  const char between = is.delimiter != '\0'                  ? is.delimiter
                       : is.type == report_format::kind::tsv ? '\t'
                                                             : ',';
  if (between == is.quote || between == is.escape) {
    const reader::inside here{r, "delimiter"};
    r.wrong(from.begin, "is also quote or escape", "write three different characters");
  }
  if (!is.member.empty() &&
      (is.packed == report_format::packing::none || is.packed == report_format::packing::gzip)) {
    const reader::inside here{r, "member"};
    r.wrong(from.find({"member"})->begin, "is a key of zip",
            R"(write packed = "zip" or remove it)");
  }
}

}  // namespace

void column_list::read(reader& r, const value& from, std::vector<column>& to) {
  read_columns(r, from, read_type, to);
}

void report_columns::read(reader& r, const value& from, std::vector<column>& to) {
  read_columns(r, from, read_place, to);
  std::set<std::string> places;
  for (const auto& one : to) {
    if (places.insert(one.path.empty() ? one.name : one.path).second) continue;
    r.wrong(from.begin,
            fmt::format("has two columns at {}", in_quotes(one.path.empty() ? one.name : one.path)),
            "correct the path of one, or remove it");
  }
}

std::vector<key_info> format_form::keys() { return infos<format_keys>(); }

void format_form::read(reader& r, const value& from, report_format& to) {
  read_table(r, from, to, format_keys);
  check_keys(r, from, to);
}

void check_format(reader& r, const spec& whole) {
  const auto& format = whole.source.format;
  if (!whole.source.columns.empty() || r.root().find({"source", "columns"}) != nullptr) return;
  const reader::inside source{r, "source"}, columns{r, "columns"};
  const auto need = [&](std::string_view what) {
    r.wrong(r.place_of({"source", "format"}), fmt::format("is missing, and {} needs it", what),
            R"(add columns = { day = "date", clicks = "bigint" } to [source])");
  };
  using kind = report_format::kind;
  if (format.type == kind::json || format.type == kind::jsonl) return need("JSON");
  if (!format.header) return need("a report without a header");
  if (format.totals != 0 || !format.totals_begin.empty()) return need("a report with totals");
  if (whole.transform.bad_rows) return need("quarantine");
}

}  // namespace wherry::app::toml_file
