// SPDX-License-Identifier: Apache-2.0
// The keys of [source]. A new key is a new line here.
#include "spec/auth_keys.hpp"
#include "spec/format_keys.hpp"
#include "spec/pages_keys.hpp"
#include "spec/sections.hpp"

namespace wherry::app::toml_file {
namespace {

constexpr auto required = need::required;
constexpr auto optional = need::optional;
constexpr auto secret_key = privacy::secret;

struct unit_word : any_text {
  static constexpr std::string_view wanted = R"(in = "seconds", "minutes" or "epoch")";
  static constexpr std::string_view schema =
      R"({"enum":["milliseconds","seconds","minutes","epoch"]})";
  static void read(reader& r, const value& from, wait_place::unit& to) {
    static constexpr std::string_view words[] = {"milliseconds", "seconds", "minutes", "epoch"};
    read_word(r, from, words, to);
  }
};

constexpr key<wait_place> wait_keys[] = {
    entry<header_name, &wait_place::header>("header", "The header that says it."),
    entry<one_line, &wait_place::json>("json", "Path of it in the JSON body, or in that header's."),
    entry<unit_word, &wait_place::in>("in", "Its unit; seconds by default."),
};

/// How long to wait: a duration, or where the answer says it.
struct wait_form {
  static constexpr unsigned takes = text | table;
  static constexpr std::string_view wanted =
      R"(wait = "5m", or { header = "X-RateLimit-Reset", in = "epoch" })";
  static constexpr std::string_view schema = R"({"type":["string","object"]})";
  static constexpr auto keys = infos<wait_keys>;
  static void read(reader& r, const value& from, answer_rule& to) {
    if (from.is == text) return duration::read(r, from, to.wait);
    read_table(r, from, to.wait_from.emplace(), wait_keys);
    if (from.find({"header"}) == nullptr && from.find({"json"}) == nullptr) {
      r.wrong(from.begin, "does not say where it stands", fmt::format("write {}", wanted));
    }
  }
};

constexpr key<answer_rule> rule_keys[] = {
    entry<number<100, 599>, &answer_rule::status>("status", "If the HTTP status is this."),
    entry<header_map, &answer_rule::headers>("header", "If the headers say this, by name."),
    entry<one_line, &answer_rule::body_contains>("contains", "If the body contains this."),
    entry<json_conditions, &answer_rule::json>("json",
                                               "If the JSON body says this, by dotted path."),
    entry<meaning_word, &answer_rule::is>("is", "What the answer means.", required),
    whole_entry<wait_form, answer_rule>(
        "wait", "How long to wait before the next try, or where the answer says it."),
};

struct rule_list {
  static constexpr unsigned takes = list;
  static constexpr std::string_view wanted = "a table [[source.on]] for each rule";
  static constexpr std::string_view schema = R"({"type":"array"})";
  static constexpr auto keys = infos<rule_keys>;
  static void read_one(reader& r, const value& from, answer_rule& to) {
    read_table(r, from, to, rule_keys);
    using is = answer_rule::meaning;
    const bool has_condition = from.find({"status"}) || from.find({"header"}) ||
                               from.find({"contains"}) || from.find({"json"});
    if (!has_condition) {
      r.wrong(from.begin, "has a rule without a condition, which every answer meets",
              "give it a status, header, contains or json");
    }
    const auto* wait = from.find({"wait"});
    const bool waits = to.is == is::pending || to.is == is::transient || to.is == is::throttled;
    if (wait != nullptr && from.find({"is"}) != nullptr && !waits) {
      r.wrong(wait->begin, "waits, but what it says does not",
              R"(take wait out, or write is = "throttled", "transient" or "pending")");
    }
  }
  static void read(reader& r, const value& from, std::vector<answer_rule>& to) {
    for (const auto& item : from.items) {
      if (item.is == table)
        read_one(r, item, to.emplace_back());
      else
        r.wrong(item.begin, fmt::format("holds {}", name_of(item.is)),
                fmt::format("write {}", wanted));
    }
  }
};

constexpr key<report_request> request_keys[] = {
    entry<source_url, &report_request::url>("url", "Where to POST to.", required),
    entry<json_body, &report_request::body>(
        "body", "JSON to send; {client} {account} {currency} {day} stand for its own."),
    entry<one_line, &report_request::id>("id",
                                         "Path of the report's id in the answer; id by default."),
    entry<id_frame, &report_request::duplicate>(
        "duplicate", "How an answer names the report that was made before."),
    entry<number<1, 100'000>, &report_request::slots>(
        "slots", "Reports of a lane that the API makes at a time; none: no limit."),
};

constexpr key<report_poll> poll_keys[] = {
    entry<poll_url, &report_poll::url>("url", "Where to ask; {report} is its id.", required),
    entry<poll_body, &report_poll::body>("body",
                                         "JSON to POST there; {report} is its id; none: a GET."),
    entry<duration, &report_poll::every>("every", "Time between two polls; 30s by default."),
    entry<json_conditions, &report_poll::ready>(
        "ready", "What the answer says of a report that is; none: once it has a link."),
    entry<json_conditions, &report_poll::failed>(
        "failed", "What it says of one that failed, and is requested anew."),
    entry<one_line, &report_poll::link>("link", "Path of the report's address in the answer."),
    entry<remote_url, &report_poll::download>(
        "download", "Address of a report that is ready, if the answer has none."),
    entry<duration, &report_poll::give_up>(
        "give_up", "When it is requested anew, if it does not become ready; 6h by default."),
};

constexpr key<source> source_keys[] = {
    entry<source_url, &source::url>(
        "url", "Address of a report; {client} {account} {currency} {day} stand for its own."),
    entry<json_body, &source::body>("body",
                                    "JSON to POST there, with the same placeholders; none: a GET."),
    entry<optional_table<request_keys, report_request>, &source::request>(
        "request", "How to ask for a report that takes the API a while; in place of url."),
    entry<optional_table<poll_keys, report_poll>, &source::poll>("poll",
                                                                 "How to ask whether it is ready."),
    entry<pages_form, &source::pages>("pages", "How a report comes in pages."),
    entry<split_form, &source::split>("split", "How one that is too large is asked for in parts."),
    whole_entry<auth_form, source>("auth", "How to sign in: one way, or a list of some by turns.",
                                   optional, secret_key),
    entry<header_templates, &source::headers>(
        "headers", "Headers to send; {client} {account} {currency} {day} stand for its own.",
        optional, secret_key),
    entry<limit_form, &source::limit>("limit", "How much the API can take."),
    entry<shared_limits, &source::shared>("shared", "More limits that each call falls under."),
    entry<rule_list, &source::on>("on", "What answers mean; the first rule that fits decides."),
    entry<format_form, &source::format>("format",
                                        "What the bytes of a report are; CSV by default."),
    entry<report_columns, &source::columns>(
        "columns", "Columns of the report; none: guessed for each report, if it is CSV."),
    entry<duration, &source::connect_timeout>("connect_timeout",
                                              "Time to connect; 10s by default."),
    entry<duration, &source::timeout>("timeout", "Time for the whole answer; 5m by default."),
    entry<size_text, &source::max_size_bytes>("max_size",
                                              "Most that a report may hold; 1GiB by default."),
};

}  // namespace

std::vector<key_info> source_form::keys() { return infos<source_keys>(); }

void source_form::read(reader& r, const value& from, source& to) {
  read_table(r, from, to, source_keys);
}

}  // namespace wherry::app::toml_file
