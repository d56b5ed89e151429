// SPDX-License-Identifier: Apache-2.0
// The keys of a spec, all of them: name, form, field, sentence. A new key is a new line here.
#include "spec/auth_keys.hpp"
#include "spec/limits.hpp"
#include "spec/table.hpp"

namespace wherry::app::toml_file {
namespace {

constexpr auto required = need::required;
constexpr auto optional = need::optional;
constexpr auto secret_key = privacy::secret;

constexpr key<breaker> breaker_keys[] = {
    entry<number<1, 1'000'000>, &breaker::failures>("failures", "Failures in a row that open it.",
                                                    required),
    entry<duration, &breaker::open_for>("open_for",
                                        "How long it is open, doubled each time; 30s by default."),
    entry<duration, &breaker::longest>("longest", "How long at most; 10m by default."),
};

struct breaker_form : table_of<breaker_keys> {
  static constexpr std::string_view wanted =
      R"(breaker = { failures = 5, open_for = "30s", longest = "10m" })";
  static void read(reader& r, const value& from, breaker& to) {
    read_table(r, from, to, breaker_keys);
    check_times(r, from, to);
  }
};

constexpr key<limit> limit_keys[] = {
    entry<lane_name, &limit::lane>("lane",
                                   "Who shares the limit: a name per client, such as {account}."),
    whole_entry<rate_text, limit>("rate", "Calls per time; none: as many as there is room for."),
    entry<number<1, 100'000>, &limit::in_flight>("in_flight",
                                                 "Calls under way at once; 8 by default."),
    entry<quota_list, &limit::quotas>(
        "quotas", "Most calls in any window of some length; all of them hold at once."),
    entry<yes_or_no, &limit::adaptive>(
        "adaptive", "Find out how many of in_flight the other side bears; false by default."),
    entry<breaker_form, &limit::breaker>(
        "breaker", "Stop for a while after failures in a row; none by default."),
    entry<weight_number, &limit::weight>("weight",
                                         "Share of the window beside other lanes; 1 by default."),
};

constexpr key<answer_rule> rule_keys[] = {
    entry<number<100, 599>, &answer_rule::status>("status", "If the HTTP status is this."),
    entry<one_line, &answer_rule::body_contains>("contains", "If the body contains this."),
    entry<json_conditions, &answer_rule::json>("json",
                                               "If the JSON body says this, by dotted path."),
    entry<meaning_word, &answer_rule::is>("is", "What the answer means.", required),
    entry<duration, &answer_rule::wait>("wait", "How long to wait before the next try."),
};

struct rule_list {
  static constexpr unsigned takes = list;
  static constexpr std::string_view wanted = "a table [[source.on]] for each rule";
  static constexpr std::string_view schema = R"({"type":"array"})";
  static constexpr auto keys = infos<rule_keys>;
  static void read_one(reader& r, const value& from, answer_rule& to) {
    read_table(r, from, to, rule_keys);
    const bool has_condition =
        from.find({"status"}) || from.find({"contains"}) || from.find({"json"});
    if (!has_condition) {
      r.wrong(from.begin, "has a rule without a condition, which every answer meets",
              "give it a status, contains or json");
    }
    const auto* wait = from.find({"wait"});
    const bool waits =
        to.is == answer_rule::meaning::transient || to.is == answer_rule::meaning::throttled;
    if (wait != nullptr && from.find({"is"}) != nullptr && !waits) {
      r.wrong(wait->begin, "waits, but what it says is final",
              R"(take wait out, or write is = "throttled" or "transient")");
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
};

constexpr key<report_poll> poll_keys[] = {
    entry<remote_url, &report_poll::url>("url", "Where to ask; {report} is its id.", required),
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
    entry<optional_table<request_keys, report_request>, &source::request>(
        "request", "How to ask for a report that takes the API a while; in place of url."),
    entry<optional_table<poll_keys, report_poll>, &source::poll>("poll",
                                                                 "How to ask whether it is ready."),
    whole_entry<auth_form, source>("auth", "How to sign in: one way, or a list of some by turns.",
                                   optional, secret_key),
    entry<header_map, &source::headers>("headers", "Headers to send.", optional, secret_key),
    entry<table_of<limit_keys>, &source::limit>("limit", "How much the API can take."),
    entry<rule_list, &source::on>("on", "What answers mean; the first rule that fits decides."),
    entry<column_list, &source::columns>("columns",
                                         "Columns of the CSV; none: guessed for each report."),
    entry<duration, &source::connect_timeout>("connect_timeout",
                                              "Time to connect; 10s by default."),
    entry<duration, &source::timeout>("timeout", "Time for the whole answer; 5m by default."),
    entry<size_text, &source::max_size_bytes>("max_size",
                                              "Most that a report may hold; 1GiB by default."),
};

constexpr key<transform> transform_keys[] = {
    whole_entry<sql_text, transform>("sql",
                                     "SQL over the table report; none: select * from report."),
    entry<column_list, &transform::columns>("columns", "Name, order and type of what comes out.",
                                            required),
    entry<one_line, &transform::rates>("rates", "File of exchange rates, beside this file."),
    entry<number<1, 256>, &transform::threads>("threads", "Transforms at once; 2 by default."),
};

constexpr key<sink> sink_keys[] = {
    whole_entry<sink_url, sink>(
        "url",
        "Where objects go: file:///… or s3://…; the name ends in .csv .csv.gz .csv.zst .parquet.",
        required),
    entry<table_of<limit_keys>, &sink::limit>("limit", "How much the sink can take."),
    entry<endpoint_url, &sink::endpoint>("endpoint", "S3 server; AWS by default."),
    entry<one_line, &sink::region>("region", "S3 region; AWS_REGION, or us-east-1, by default."),
    entry<one_line, &sink::access_key>("access_key", "S3 key id; AWS_ACCESS_KEY_ID by default.",
                                       optional, secret_key),
    entry<one_line, &sink::secret_key>("secret_key", "S3 secret; AWS_SECRET_ACCESS_KEY by default.",
                                       optional, secret_key),
    entry<one_line, &sink::session_token>(
        "session_token", "S3 token; AWS_SESSION_TOKEN by default.", optional, secret_key),
    entry<yes_or_no, &sink::path_style>("path_style",
                                        "http://host/bucket/… instead of http://bucket.host/…."),
    entry<duration, &sink::timeout>("timeout", "Time for one object; 2m by default."),
};

constexpr key<retry> retry_keys[] = {
    entry<number<1, 1'000>, &retry::attempts>("attempts",
                                              "Tries before a report is dead; 12 by default."),
    entry<duration, &retry::first>("first",
                                   "Longest first delay, doubled each time; 500ms by default."),
    entry<duration, &retry::cap>("cap", "Longest delay; 1m by default."),
};

constexpr key<client> client_keys[] = {
    entry<id_text, &client::id>("id", "The client, {client} in addresses.", required),
    entry<one_line, &client::account>("account",
                                      "Its account at the API, {account}; by default its id."),
    entry<currency_code, &client::currency>("currency", "Its currency, {currency}."),
    entry<timezone_name, &client::timezone>(
        "timezone", "Its time zone; checked, and days are sent as they stand."),
};

struct client_list {
  static constexpr unsigned takes = list;
  static constexpr std::string_view wanted =
      R"(clients = ["acme", { id = "globex", currency = "EUR" }])";
  static constexpr std::string_view schema = R"({"type":"array","minItems":1})";
  static constexpr auto keys = infos<client_keys>;
  static constexpr bool items_or_text = true;
  // One client an item even where it is wrong, so that client i is item i of the file.
  static void read(reader& r, const value& from, std::vector<client>& to) {
    if (from.items.empty()) r.wrong(from.begin, "is empty", fmt::format("write {}", wanted));
    for (const auto& item : from.items) {
      auto& made = to.emplace_back();
      if (item.is == text) {
        id_text::read(r, item, made.id);
      } else if (item.is == table) {
        read_table(r, item, made, client_keys);
      } else {
        r.wrong(item.begin, fmt::format("holds {}", name_of(item.is)),
                fmt::format("write {}", wanted));
      }
      if (made.account.empty()) made.account = made.id;
      if (made.timezone.empty()) made.timezone = "UTC";
    }
  }
};

// These are keys of [import], and a struct of their own.
template <class Form, auto Field>
struct kept : Form {
  static void read(reader& r, const value& from, spec& to) {
    Form::read(r, from, to.retention.*Field);
  }
};

constexpr key<spec> import_keys[] = {
    entry<id_text, &spec::name>("name", "Name of the import; files are called after it.", required),
    entry<client_list, &spec::clients>("clients", "Whose reports: ids, or tables of id and more.",
                                       required),
    entry<store_url, &spec::store>("store", "Where progress is kept; sqlite:<name>.db by default."),
    entry<one_line, &spec::spool>("spool",
                                  "Directory for bytes under way; <name>.spool by default."),
    entry<size_text, &spec::spool_budget_bytes>("spool_budget",
                                                "Most the spool may hold; 4GiB by default."),
    entry<number<1, 1'000'000>, &spec::window>("window",
                                               "Reports in memory at once; 512 by default."),
    whole_entry<kept<keeping_time, &retention::keep_for>, spec>(
        "keep_for", "How long a completed report stays in the store; forever by default."),
    whole_entry<kept<keeping_time, &retention::history_for>, spec>(
        "history_for", "How long the history of a report that ended stays; 90d by default."),
    whole_entry<kept<number<2, 1'000'000'000>, &retention::history_lines>, spec>(
        "history_lines", "Most lines of history that a report keeps; 1000 by default."),
};

constexpr key<spec> root_keys[] = {
    whole_entry<table_of<import_keys>, spec>(
        "import", "What is imported, and where its state lives.", required),
    entry<table_of<source_keys>, &spec::source>("source", "Where reports come from.", required),
    entry<table_of<transform_keys>, &spec::transform>("transform", "How rows are converted.",
                                                      required),
    entry<table_of<sink_keys>, &spec::sink>("sink", "Where objects go.", required),
    entry<table_of<retry_keys>, &spec::retry>("retry", "How often a failed step is tried again."),
};

}  // namespace

std::vector<key_info> spec_keys() { return infos<root_keys>(); }

void read_all(reader& r, spec& to) { read_table(r, r.root(), to, root_keys); }

void report_unknown(reader& r, const member& stray, std::span<const std::string_view> known) {
  r.hide(stray.item);  // nobody knows what it is: it may be a secret under a misspelt name
  r.report(stray.at, fmt::format("unknown key {} {}", in_quotes(stray.name), r.table_name()),
           did_you_mean(stray.name, known, "known keys"));
}

void report_kind(reader& r, const value& from, const form_info& form) {
  r.wrong(from.begin, fmt::format("is {}", name_of(from.is)), fmt::format("write {}", form.wanted));
}

void report_missing(reader& r, const value& in, const key_info& key) {
  const reader::inside here{r, std::string{key.name}};
  const bool is_section = key.form.takes == table && r.table_name() == "at the top level";
  r.report(
      in.begin, fmt::format("missing key {} {}", in_quotes(key.name), r.table_name()),
      fmt::format("add {}: {}", is_section ? fmt::format("[{}]", key.name) : std::string{key.name},
                  key.doc));
}

}  // namespace wherry::app::toml_file
