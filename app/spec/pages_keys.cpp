// SPDX-License-Identifier: Apache-2.0
#include "spec/pages_keys.hpp"

#include <set>

#include "spec/template.hpp"

namespace wherry::app::toml_file {
namespace {

using way = report_pages::way;
constexpr auto required = need::required;

constexpr key<report_pages> link_keys[] = {
    entry<one_line, &report_pages::json>("json", "Path of the next page's address in the answer."),
    entry<header_name, &report_pages::header>("header", "The header that says it, such as Link."),
};

struct link_form : table_of<link_keys> {
  static constexpr std::string_view wanted = R"(next = { json = "paging.next" })";
  static void read(reader& r, const value& from, report_pages& to) {
    read_table(r, from, to, link_keys);
    if (from.members.size() != 1) {
      r.wrong(from.begin, "does not say one place where the address stands",
              fmt::format("write {}, or {{ header = \"Link\" }}", wanted));
    }
  }
};

struct counting_word : any_text {
  static constexpr std::string_view wanted = R"(by = "page" or "offset")";
  static constexpr std::string_view schema = R"({"enum":["offset","page"]})";
  static void read(reader& r, const value& from, way& to) {
    static constexpr std::string_view words[] = {"offset", "page"};
    int place = 0;
    read_word(r, from, words, place);
    to = place == 0 ? way::offset : way::page;
  }
};

constexpr key<report_pages> pages_keys[] = {
    whole_entry<link_form, report_pages>("next", "Where the address of the next page stands."),
    entry<one_line, &report_pages::json>("cursor", "Or path of what {cursor} stands for then."),
    entry<counting_word, &report_pages::by>("by", "Or what counts: {page} or {offset}."),
    entry<source_url, &report_pages::url>("url", "Address of the later pages; as the first."),
    entry<number<0, 1'000'000>, &report_pages::first>("first", "The first {page}; 1 by default."),
    entry<number<1, 10'000'000>, &report_pages::size>(
        "size", "Rows of a full page, {size}: a shorter one is the last."),
    entry<one_line, &report_pages::last>("last", "Path of the number of the last page."),
    entry<one_line, &report_pages::more>("more", "Path of whether there are more."),
    entry<number<2, report_pages::most_pages>, &report_pages::most>(
        "most", "Most pages of a report; 4000."),
};

/// Values as texts, each once.
struct value_list {
  static constexpr unsigned takes = list;
  static constexpr std::string_view wanted = R"(values = ["search", "display"])";
  static constexpr std::string_view schema =
      R"({"type":"array","minItems":2,"items":{"type":["string","integer"]}})";
  static void read(reader& r, const value& from, std::vector<std::string>& to) {
    std::set<std::string> seen;
    for (const auto& item : from.items) {
      std::optional<std::string> made;
      if (item.is == whole) {
        made = fmt::format("{}", item.integer);
      } else if (item.is == text) {
        made = r.line(item);
      } else {
        r.wrong(item.begin, fmt::format("holds {}", name_of(item.is)),
                fmt::format("write {}", wanted));
      }
      if (!made) continue;
      if (!seen.insert(*made).second) {
        r.wrong(item.begin, fmt::format("holds {} twice", in_quotes(*made)), "remove one");
      }
      to.push_back(*std::move(made));
    }
    if (from.items.size() < 2) {
      r.wrong(from.begin, "holds less than two values, which cannot be split",
              fmt::format("write {}", wanted));
    }
  }
};

constexpr key<report_split> split_keys[] = {
    entry<value_list, &report_split::values>("values", "What {part} is made of, in order.",
                                             required),
    entry<any_text, &report_split::join>("join", "What stands between two of them; \",\"."),
};

}  // namespace

std::vector<key_info> pages_form::keys() { return infos<pages_keys>(); }

void pages_form::read(reader& r, const value& from, std::optional<report_pages>& to) {
  auto& made = to.emplace();
  read_table(r, from, made, pages_keys);
  int ways = 0;
  for (const auto* each : {"next", "cursor", "by"}) ways += from.find({each}) != nullptr ? 1 : 0;
  if (ways != 1) {
    r.wrong(from.begin,
            ways == 0 ? "does not say how the next page is asked for"
                      : "says in more than one way how the next page is asked for",
            R"(write one of next = { json = "…" }, cursor = "…", by = "page" and by = "offset")");
    return;
  }
  if (from.find({"cursor"}) != nullptr) made.by = way::cursor;
  const bool counts = made.by == way::offset || made.by == way::page;
  if (counts && made.size == 0 && made.last.empty() && made.more.empty()) {
    r.wrong(from.begin, "does not say which page is the last",
            "write size = 500, the rows of a full page, or last or more, their path in the answer");
  }
  if (!made.last.empty() && made.by != way::page) {
    r.wrong(from.begin, "has the number of the last page, but only by = \"page\" counts pages",
            "write more, the path of whether there are more, in place of last");
  }
}

std::vector<key_info> split_form::keys() { return infos<split_keys>(); }

void split_form::read(reader& r, const value& from, std::optional<report_split>& to) {
  read_table(r, from, to.emplace(), split_keys);
}

namespace {

/// What asks for reports, with the key of [source] that says it.
struct asking {
  const char* key;
  std::string_view text;

  [[nodiscard]] bool has(std::string_view name) const {
    return text.contains(fmt::format("{{{}}}", name));
  }
};

std::vector<asking> all_that_ask(const source& from) {
  std::vector<asking> all{{"url", from.url}, {"body", from.body}};
  if (from.request) {
    all.push_back({"request", from.request->url});
    all.push_back({"request", from.request->body});
  }
  if (from.poll) {
    all.push_back({"poll", from.poll->url});
    all.push_back({"poll", from.poll->body});
    all.push_back({"poll", from.poll->download});
  }
  if (from.pages) all.push_back({"pages", from.pages->url});
  return all;
}

}  // namespace

void check_pages(reader& r, const spec& whole) {
  const auto& from = whole.source;
  const auto all = all_that_ask(from);
  const auto is_asked_for = [&](std::string_view name) {
    return std::ranges::any_of(all, [&](const asking& each) { return each.has(name); });
  };
  const reader::inside source{r, "source"};
  const auto wrong = [&](const char* key, std::string_view what, std::string remedy) {
    const reader::inside here{r, key};
    r.wrong(r.place_of({"source", key}), what, std::move(remedy));
  };
  if (from.pages) {
    static constexpr std::string_view counted[] = {"", "cursor", "offset", "page"};
    const auto name = counted[static_cast<std::size_t>(from.pages->by)];
    if (!name.empty() && !is_asked_for(name)) {
      wrong("pages", fmt::format("counts pages, but nothing asks for {{{}}}", name),
            fmt::format("put {{{}}} into the url or body of [source], or into the url of "
                        "[source.pages]",
                        name));
    }
    if (from.format.totals > 0) {
      wrong("pages", "and a number of totals are both there",
            "whether each page has them cannot be told: write how they begin, totals = \"Total\"");
    }
  }
  using packing = report_format::packing;
  using encoding = report_format::encoding;
  const auto packed = from.format.packed;
  const auto text = from.format.text;
  if ((from.pages || from.split) &&
      (packed == packing::gzip || packed == packing::zip || text == encoding::utf_16 ||
       text == encoding::utf_16le || text == encoding::utf_16be)) {
    wrong("format", "is packed or UTF-16, and the report comes in several answers",
          "they are put together as plain text: let the API send them plain, as UTF-8, or by "
          "Content-Encoding");
  }
  if (from.split && !is_asked_for("part")) {
    wrong("split", "splits reports, but nothing asks for {part}",
          "put {part} into the url or body of [source], or the body of [source.request]");
  }
  const auto lacks = [&](std::string_view name, bool is_there, std::string_view table) {
    const auto asks = std::ranges::find_if(all, [&](const asking& each) { return each.has(name); });
    if (is_there || asks == all.end()) return;
    wrong(asks->key, fmt::format("asks for {{{}}}, which nothing says", name),
          fmt::format("add [source.{}]", table));
  };
  lacks("part", from.split.has_value(), "split");
  for (const auto* name : {"cursor", "offset", "page", "size"}) {
    lacks(name, from.pages.has_value(), "pages");
  }
}

}  // namespace wherry::app::toml_file
