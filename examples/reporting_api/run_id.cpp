// SPDX-License-Identifier: Apache-2.0
// /run-id/, like the Ads Insights API of Meta: a report is asked for and has a run id, the run says
// how far it is, and its rows are read page by page. Or they are asked for directly, which is
// refused by HTTP 500 where there are too many. Too many calls are HTTP 400 with a code, and a
// header that says in minutes when to come back.
//
// Two things that trip clients, as there: a run may say "Job Completed" while its percentage is
// below 100, and its rows are then refused (code 2601); and an account without rows is skipped.
#include "accounts.hpp"
#include "behaviours.hpp"
#include "flight_rows.hpp"

#include <fmt/format.h>

namespace example {
namespace {

namespace json = boost::json;
using clock = report_maker::clock;

struct graph_error {
  int code;
  int subcode;
  const char* message;
};

std::string error(const graph_error& of) {
  return json::serialize(json::object{{"error",
                                       {{"message", of.message},
                                        {"type", "OAuthException"},
                                        {"code", of.code},
                                        {"error_subcode", of.subcode},
                                        {"fbtrace_id", "AbCdEf"}}}});
}

constexpr graph_error too_many_calls{80004, 2446079,
                                     "(#80004) There have been too many calls to this ad-account. "
                                     "Wait a bit and try again."};
constexpr graph_error too_much_data{
    1, 99, "Please reduce the amount of data you're asking for, then retry your request"};
constexpr graph_error not_loaded{2601, 1815107, "Loading Async Ads Insights report failed"};
constexpr graph_error bad_token{190, 460, "Error validating access token: log in again"};
constexpr graph_error unknown_object{100, 33, "Unsupported request: the object does not exist"};
constexpr graph_error try_again{2, 0, "An unexpected error has occurred. Retry your request later"};

class run_id final : public behaviour {
 public:
  explicit run_id(front& shared)
      : front_(shared),
        seen_(shared.tally_of("run-id")),
        runs_(shared.chosen.making, shared.chosen.seed),
        calls_(shared.chosen.behave.quota_window) {}

  void route(httplib::Server& server) override {
    using httplib::Request;
    using httplib::Response;
    server.Post("/run-id/v19.0/act_([^/]+)/insights", [this](const Request& in, Response& out) {
      const auto body = json_of(in);
      const asked_report of{in.matches[1], text_at(body, "/time_range/since"), {}};
      const auto kind = admit(in, out, of, "ask for " + of.name());
      if (kind) ask(out, of, *kind);
    });
    server.Get("/run-id/v19.0/act_([^/]+)/insights", [this](const Request& in, Response& out) {
      const asked_report of{in.matches[1], in.get_param_value("since"),
                            in.get_param_value("hours")};
      const auto kind = admit(in, out, of, "read " + of.name() + " " + in.get_param_value("after"));
      if (kind) serve_rows(in, out, of, *kind);
    });
    server.Get("/run-id/v19.0/([a-z0-9-]+)", [this](const Request& in, Response& out) {
      const auto run = runs_.poll(in.matches[1], clock::now());
      const auto kind = admit(in, out, report_of(run), "poll " + in.matches[1].str());
      if (kind) serve_progress(out, in.matches[1], run, *kind);
    });
    server.Get("/run-id/v19.0/([a-z0-9-]+)/insights", [this](const Request& in, Response& out) {
      const auto run = runs_.poll(in.matches[1], clock::now());
      const auto of = report_of(run);
      const auto kind = admit(in, out, of, "page " + of.name() + " " + in.get_param_value("after"));
      if (!kind) return;
      if (run.is != report_maker::status::completed) {
        seen_.add("read_before_it_was_ready");
        return front_.refuse(out, answer::bad_request, 400, error(not_loaded));
      }
      serve_rows(in, out, of, *kind);
    });
  }

 private:
  static asked_report report_of(const report_maker::progress& run) {
    return run.path.empty() ? asked_report{} : asked_report::from_name(run.path);
  }

  // What every call goes through: the token, whether there is such a thing, the account's calls,
  // and chance. Empty: it has been refused.
  std::optional<answer> admit(const httplib::Request& in, httplib::Response& out,
                              const asked_report& of, const std::string& what) {
    const auto kind = front_.begin("run-id " + what);
    if (!front_.knows(in.get_param_value("access_token")) && !front_.knows_bearer(in)) {
      front_.refuse(out, answer::unauthorized, 400, error(bad_token));
      return std::nullopt;
    }
    if (!of.is_known(front_.flights())) {
      front_.refuse(out, answer::bad_request, 400, error(unknown_object));
      return std::nullopt;
    }
    const auto now = clock::now();
    const int quota = front_.chosen.behave.quota;
    const int calls = calls_.add(of.client, now);
    const bool is_throttled = quota > 0 && calls > quota;
    out.set_header("x-business-use-case-usage", usage(of.client, calls, is_throttled, now));
    if (is_throttled) {
      seen_.add("throttled");
      if (calls > quota + 1) seen_.add("asked_while_throttled");
      front_.refuse(out, answer::throttled, 400, error(too_many_calls));
      return std::nullopt;
    }
    if (kind == answer::unavailable) {
      front_.refuse(out, kind, 500, error(try_again));
      return std::nullopt;
    }
    return kind;
  }

  // Whole minutes there; a window of seconds is said as a fraction, so that tests need not wait.
  std::string usage(const std::string& account, int calls, bool is_throttled,
                    clock::time_point now) {
    const int quota = front_.chosen.behave.quota;
    const double minutes =
        is_throttled
            ? std::chrono::duration<double, std::ratio<60>>(calls_.left(account, now)).count()
            : 0;
    return fmt::format(
        "{{\"{}\":[{{\"type\":\"ads_insights\",\"call_count\":{},\"total_cputime\":1,"
        "\"total_time\":1,\"estimated_time_to_regain_access\":{:.4f}}}]}}",
        account, quota == 0 ? 0 : std::min(100, calls * 100 / quota), minutes);
  }

  void ask(httplib::Response& out, const asked_report& of, answer kind) {
    front_.requests.next("request run-id " + of.name());
    const auto id = runs_.make_another(of.name(), SIZE_MAX, clock::now());
    seen_.add("made");
    front_.send(out, json::serialize(json::object{{"report_run_id", id}}), kind,
                "application/json");
  }

  void serve_progress(httplib::Response& out, const std::string& id,
                      const report_maker::progress& run, answer kind) {
    using is = report_maker::status;
    int percent = static_cast<int>(run.done * 100);
    const char* status = percent == 0   ? "Job Started"
                         : percent < 80 ? "Job Running"
                                        : "Job Completed";  // and yet it is not
    if (run.is == is::failed) status = "Job Failed";
    if (run.is == is::completed) {
      percent = 100;
      status = flight_rows(front_.flights(), report_of(run)).size() > 0 ? "Job Completed"
                                                                        : "Job Skipped";
    }
    front_.send(out,
                json::serialize(json::object{{"id", id},
                                             {"account_id", report_of(run).client},
                                             {"async_status", status},
                                             {"async_percent_completion", percent}}),
                kind, "application/json");
  }

  void serve_rows(const httplib::Request& in, httplib::Response& out, const asked_report& of,
                  answer kind) {
    const flight_rows all(front_.flights(), of);
    if (all.size() > front_.chosen.behave.most_rows) {
      seen_.add("asked_for_too_much");
      return front_.refuse(out, answer::unavailable, 500, error(too_much_data));
    }
    const auto first = number_of(in, "after", 0);
    const auto size = std::min(number_of(in, "limit", front_.chosen.behave.page_size),
                               front_.chosen.behave.page_size);
    json::array data;
    for (const auto& each : all.page(first, size)) {
      data.push_back({{"account_id", of.client},
                      {"date_start", of.day},
                      {"departed_at", each.date},
                      {"destination", each.destination},
                      {"delay", each.delay},
                      {"distance", each.distance}});
    }
    json::object said;
    if (!data.empty()) {
      const auto next = first + data.size();
      json::object paging{
          {"cursors", {{"before", std::to_string(first)}, {"after", std::to_string(next)}}}};
      // As there, the address of the next page has the token in it.
      if (next < all.size()) {
        paging["next"] =
            fmt::format("http://{}{}?access_token={}&since={}&hours={}&limit={}&after={}",
                        in.get_header_value("Host"), in.path, front_.chosen.token, of.day, of.hours,
                        size, next);
      }
      said["paging"] = std::move(paging);
    }
    said["data"] = std::move(data);
    front_.send(out, json::serialize(said), kind, "application/json");
  }

  front& front_;
  tally& seen_;
  report_maker runs_;
  window_count calls_;
};

}  // namespace

std::unique_ptr<behaviour> make_run_id(front& shared) { return std::make_unique<run_id>(shared); }

}  // namespace example
