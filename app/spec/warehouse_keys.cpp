// SPDX-License-Identifier: Apache-2.0
#include "spec/warehouse_keys.hpp"

#include <algorithm>
#include <ranges>
#include <string>

namespace wherry::app::toml_file {
namespace {

constexpr auto required = need::required;
constexpr auto secret_key = privacy::secret;

// Whether libpq takes what stands after "postgres://" apart as it was meant. A password that is not
// percent-encoded is cut at its @, / or %, and errors would name the pieces: as a host, a port, a
// parameter.
bool is_encoded(std::string_view rest) {
  for (auto at = rest.find('%'); at != rest.npos; at = rest.find('%', at + 1)) {
    const auto code = rest.substr(at + 1, 2);
    const bool is_code = code.size() == 2 && code != "00" &&
                         code.find_first_not_of("0123456789abcdefABCDEF") == code.npos;
    if (!is_code) return false;
  }
  if (const auto at = rest.find('@'); at < rest.find('/')) rest.remove_prefix(at + 1);
  if (rest.contains('@')) return false;
  rest = rest.substr(0, rest.find_first_of("/?"));
  return std::ranges::all_of(rest | std::views::split(','), [](const auto& each) {
    std::string_view host{each.begin(), each.end()};
    if (host.starts_with('[')) {
      const auto end = host.find(']');
      if (end == host.npos) return false;
      host.remove_prefix(end + 1);
      if (!host.empty() && host.front() != ':') return false;
    }
    const auto colon = host.find(':');
    return colon == host.npos || host.find_first_not_of("0123456789", colon + 1) == host.npos;
  });
}

// An address of libpq's form. What libpq itself makes of it is seen when it connects.
template <warehouse::kind Kind>
struct database_url : any_text {
  static constexpr std::string_view wanted =
      R"(an address such as "postgres://${USER}:${PASSWORD}@host:5432/database")";
  static void read(reader& r, const value& from, warehouse& to) {
    to.is = Kind;
    auto url = r.line(from);
    if (!url) return;
    if (!url->starts_with("postgres://") && !url->starts_with("postgresql://")) {
      r.wrong(from.begin, "is no address of a database", fmt::format("write {}", wanted));
      return;
    }
    if (!is_encoded(std::string_view{*url}.substr(url->find("//") + 2))) {
      r.wrong(from.begin, "cannot be taken apart",
              "write it as postgres://user:password@host:5432/database, and percent-encode what "
              "user and password have besides letters and digits: %40 for @, %2F for /, %25 for %");
      return;
    }
    to.url.reveal = *std::move(url);
  }
};

// What stands unquoted in SQL, here and in Redshift: quoted all the same.
bool is_name(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto goes_on = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '$'; };
  return !text.empty() && text.size() <= 63 && is_letter(text.front()) &&
         std::ranges::all_of(text, goes_on);
}

struct table_name : any_text {
  static constexpr std::string_view wanted = R"(a table such as "public.ads")";
  static void read(reader& r, const value& from, warehouse& to) {
    const auto text = r.line(from);
    if (!text) return;
    const auto dot = text->find('.');
    const auto schema = dot == text->npos ? std::string{} : text->substr(0, dot);
    const auto table = dot == text->npos ? *text : text->substr(dot + 1);
    if ((dot == text->npos || is_name(schema)) && is_name(table)) {
      to.schema = schema;
      to.table = table;
    } else {
      r.wrong(from.begin, fmt::format("is {}", in_quotes(from.string)),
              "write schema.table: letters, digits, _ and $, at most 63 of each");
    }
  }
};

// It stands in the text of COPY: so nothing that could end or change a text there.
struct role_name : any_text {
  static constexpr std::string_view wanted =
      R"(a role such as "arn:aws:iam::123456789012:role/copy", or "default")";
  static void read(reader& r, const value& from, std::string& to) {
    auto text = r.line(from);
    if (!text) return;
    const bool fits = std::ranges::all_of(*text, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view{":/+=,.@_-"}.contains(c);
    });
    if (fits && (*text == "default" || text->starts_with("arn:"))) {
      to = *std::move(text);
    } else {
      r.wrong(from.begin, fmt::format("is {}", in_quotes(from.string)),
              fmt::format("write {}", wanted));
    }
  }
};

constexpr key<warehouse> warehouse_keys[] = {
    whole_entry<database_url<warehouse::kind::redshift>, warehouse>(
        "redshift", "Address of an Amazon Redshift database.", need::optional, secret_key),
    whole_entry<database_url<warehouse::kind::postgresql>, warehouse>(
        "postgresql", "Address of a PostgreSQL database, in place of redshift.", need::optional,
        secret_key),
    whole_entry<table_name, warehouse>("table", "Table that rows are loaded into, with its schema.",
                                       required),
    entry<role_name, &warehouse::iam_role>(
        "iam_role", "Role by which Redshift reads the sink's bucket, or default."),
    entry<number<1, 10'000>, &warehouse::batch>("batch",
                                                "Most reports in one load; 200 by default."),
    entry<duration, &warehouse::linger>("linger",
                                        "How long a load waits for more reports; 2s by default."),
    entry<duration, &warehouse::timeout>("timeout", "Time for one load; 10m by default."),
    entry<one_line, &warehouse::client>("client",
                                        "Column that says whose row it is; client by default."),
    entry<one_line, &warehouse::day>("day", "Column that says of which day; day by default."),
};

void check_address(reader& r, const spec& whole) {
  const auto is_there = [&](const char* key) {
    return r.root().find({"warehouse", key}) != nullptr;
  };
  const auto wrong = [&](const char* key, std::string_view what, std::string_view remedy) {
    const reader::inside here{r, key};
    r.wrong(r.place_of({"warehouse", key}), what, std::string{remedy});
  };
  if (is_there("redshift") && is_there("postgresql")) {
    wrong("redshift", "and postgresql are both there", "rows go into one warehouse: remove one");
    return;
  }
  if (!is_there("redshift") && !is_there("postgresql")) {
    wrong("postgresql", "is missing, and so is redshift",
          R"(write postgresql = "${DATABASE_URL}", or redshift)");
    return;
  }
  if (!is_there("redshift")) {
    if (is_there("iam_role")) {
      wrong("iam_role", "is there, but only Redshift has roles", "remove it");
    }
    return;
  }
  if (!is_there("iam_role")) {
    wrong("iam_role", "is missing", fmt::format("write {}", role_name::wanted));
  }
  if (whole.sink.url.starts_with("file:")) {
    wrong("redshift", "reads from S3, and the sink writes files",
          R"(write an address "s3://…" as url of [sink])");
  }
}

// A row is found again by the values of these two columns, so they must come out of the transform.
void check_columns(reader& r, const spec& whole) {
  const auto& columns = whole.transform.columns;
  if (columns.empty()) return;  // that is told already
  const auto& to = *whole.warehouse;
  for (const auto& [key, name] : {std::pair{"client", &to.client}, std::pair{"day", &to.day}}) {
    if (std::ranges::find(columns, *name, &column::name) != columns.end()) continue;
    const reader::inside here{r, key};
    r.wrong(r.place_of({"warehouse", key}),
            fmt::format("is {}, which is no column of [transform]", in_quotes(*name)),
            fmt::format(
                "let the sql make it and write it into columns, or name another: {} = \"…\"", key));
  }
  if (to.client == to.day) {
    const reader::inside here{r, "day"};
    r.wrong(r.place_of({"warehouse", "day"}), "is the column of client, too", "name another");
  }
}

}  // namespace

std::vector<key_info> warehouse_form::keys() { return infos<warehouse_keys>(); }

void warehouse_form::read(reader& r, const value& from, std::optional<warehouse>& to) {
  read_table(r, from, to.emplace(), warehouse_keys);
}

void check_warehouse(reader& r, const spec& whole) {
  if (!whole.warehouse) return;
  const reader::inside warehouse{r, "warehouse"};
  if (whole.sink.format == file_format::json_lines) {
    r.report(r.place_of({"warehouse"}), "[warehouse] loads no JSON lines, of which the sink is",
             "let url of [sink] end with .parquet or .csv");
  }
  check_address(r, whole);
  check_columns(r, whole);
  if (whole.warehouse->batch > whole.window) {
    const reader::inside here{r, "batch"};
    r.wrong(r.place_of({"warehouse", "batch"}),
            fmt::format("is {}, more than the {} reports of window", whole.warehouse->batch,
                        whole.window),
            fmt::format("write at most {}, or a larger window in [import]", whole.window));
  }
}

}  // namespace wherry::app::toml_file
