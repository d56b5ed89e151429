// SPDX-License-Identifier: Apache-2.0
// /expiring/, like the Retail Media reports of Criteo: a finished report lies at the API for a
// while and is then expired, which its status says and its address answers by 410; it has to be
// asked for again. A report is cut off, without an error, after so many rows. Too many calls are
// 429, with the time at which the next is allowed in x-ratelimit-reset, in seconds since 1970.
#include "accounts.hpp"
#include "behaviours.hpp"
#include "flight_rows.hpp"

#include <fmt/format.h>

namespace example {
namespace {

namespace json = boost::json;
using clock = report_maker::clock;

std::string error(const char* type, const char* code, const char* title) {
  return json::serialize(json::object{
      {"errors", json::array{json::object{
                     {"traceId", "9f1c"}, {"type", type}, {"code", code}, {"title", title}}}}});
}

class expiring final : public behaviour {
 public:
  explicit expiring(front& shared)
      : front_(shared),
        seen_(shared.tally_of("expiring")),
        reports_(how_of(shared), shared.chosen.seed),
        calls_(shared.chosen.behave.quota_window) {}

  void route(httplib::Server& server) override {
    using httplib::Request;
    using httplib::Response;
    server.Post("/expiring/2025-01/retail-media/reports/flights",
                [this](const Request& in, Response& out) { ask(in, out); });
    server.Get("/expiring/2025-01/retail-media/reports/([a-z0-9-]+)/status",
               [this](const Request& in, Response& out) { poll(in, out); });
    server.Get("/expiring/2025-01/retail-media/reports/([a-z0-9-]+)/output",
               [this](const Request& in, Response& out) { download(in, out); });
  }

 private:
  static making how_of(const front& shared) {
    auto how = shared.chosen.making;
    how.report_life = shared.chosen.behave.report_life;
    return how;
  }

  // What every call goes through. Empty: it has been refused.
  std::optional<answer> admit(const httplib::Request& in, httplib::Response& out,
                              const std::string& what) {
    const auto kind = front_.begin("expiring " + what);
    if (!front_.knows_bearer(in)) {
      front_.refuse(out, answer::unauthorized, 401,
                    error("authorization", "authorization-token-invalid", "Token is invalid"));
      return std::nullopt;
    }
    const auto now = clock::now();
    const int quota = front_.chosen.behave.quota;
    if (const int calls = calls_.add("all", now); quota > 0 && calls > quota) {
      seen_.add("throttled");
      if (calls > quota + 1) seen_.add("asked_while_throttled");
      const auto at = std::chrono::ceil<std::chrono::seconds>(std::chrono::system_clock::now() +
                                                              calls_.left("all", now));
      out.set_header("x-ratelimit-limit", std::to_string(quota));
      out.set_header("x-ratelimit-remaining", "0");
      out.set_header("x-ratelimit-reset", std::to_string(at.time_since_epoch().count()));
      front_.refuse(out, answer::throttled, 429,
                    error("quota", "too-many-requests", "Too many requests"));
      return std::nullopt;
    }
    if (kind == answer::unavailable) {
      front_.refuse(out, kind, 503, error("availability", "unavailable", "Try again later"));
      return std::nullopt;
    }
    return kind;
  }

  void ask(const httplib::Request& in, httplib::Response& out) {
    const auto body = json_of(in);
    const asked_report of{text_at(body, "/data/attributes/accountId"),
                          text_at(body, "/data/attributes/startDate"),
                          text_at(body, "/data/attributes/hours")};
    const auto kind = admit(in, out, "ask for " + of.name());
    if (!kind) return;
    if (!of.is_known(front_.flights())) {
      return front_.refuse(out, answer::bad_request, 400,
                           error("validation", "invalid-value", "accountId or startDate"));
    }
    front_.requests.next("request expiring " + of.name());
    seen_.add("made");
    const auto id = reports_.make_another(of.name(), SIZE_MAX, clock::now());
    front_.send(out, json::serialize(of_report(id, "pending", 0)), *kind, "application/json");
  }

  static json::object of_report(const std::string& id, const char* status, std::size_t rows) {
    return {{"data",
             {{"id", id},
              {"type", "StatusResponse"},
              {"attributes", {{"status", status}, {"rowCount", rows}}}}}};
  }

  void poll(const httplib::Request& in, httplib::Response& out) {
    using is = report_maker::status;
    const std::string id = in.matches[1];
    const auto kind = admit(in, out, "poll " + id);
    if (!kind) return;
    const auto report = reports_.poll(id, clock::now());
    if (report.is == is::unknown) {
      return front_.refuse(out, answer::not_found, 404,
                           error("validation", "report-not-found", "No such report"));
    }
    static constexpr const char* names[] = {"", "pending", "success", "failure", "expired"};
    if (report.is == is::expired) seen_.add("expired");
    const auto rows =
        report.is == is::completed ? rows_there(asked_report::from_name(report.path)) : 0;
    front_.send(out,
                json::serialize(of_report(id, names[static_cast<std::size_t>(report.is)], rows)),
                *kind, "application/json");
  }

  void download(const httplib::Request& in, httplib::Response& out) {
    const std::string id = in.matches[1];
    const auto report = reports_.poll(id, clock::now());
    const auto kind = admit(in, out, "output " + report.path);
    if (!kind) return;
    if (report.is != report_maker::status::completed) {
      seen_.add("downloads_of_nothing");
      return front_.refuse(out, answer::not_found, 410,
                           error("validation", "report-expired", "The report is not there"));
    }
    flight_rows all(front_.flights(), asked_report::from_name(report.path));
    if (all.size() > front_.chosen.behave.most_rows) seen_.add("cut_short");
    all.cut_to(front_.chosen.behave.most_rows);
    json::array rows;
    for (const auto& each : all) {
      rows.push_back({{"departedAt", each.date},
                      {"destination", each.destination},
                      {"delay", json::parse(each.delay)},
                      {"distance", json::parse(each.distance)}});
    }
    front_.send(out, json::serialize(json::object{{"rows", std::move(rows)}}), *kind,
                "application/json");
  }

  // How many rows there are of a report: the first, if it has too many.
  [[nodiscard]] std::size_t rows_there(const asked_report& of) const {
    return std::min(flight_rows(front_.flights(), of).size(), front_.chosen.behave.most_rows);
  }

  front& front_;
  tally& seen_;
  report_maker reports_;
  window_count calls_;  // of the app, whoever the account is
};

}  // namespace

std::unique_ptr<behaviour> make_expiring(front& shared) {
  return std::make_unique<expiring>(shared);
}

}  // namespace example
