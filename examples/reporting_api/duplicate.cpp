// SPDX-License-Identifier: Apache-2.0
// /duplicate/, like the reporting API of Amazon Ads (version 3): a report that is asked for twice
// is answered 425 with the id of the one that is there; a finished one is a gzip file at an address
// that was signed before, is good for a while, and refuses any other credentials. Too many requests
// are 429 without a word of when to come back, and a poll may now and then be 401 for no reason.
#include "accounts.hpp"
#include "behaviours.hpp"
#include "flight_rows.hpp"

#include <fmt/format.h>

namespace example {
namespace {

namespace json = boost::json;
using clock = report_maker::clock;

std::string error(const char* code, const std::string& detail) {
  return json::serialize(json::object{{"code", code}, {"detail", detail}});
}

class duplicate final : public behaviour {
 public:
  explicit duplicate(front& shared)
      : front_(shared),
        seen_(shared.tally_of("duplicate")),
        reports_(shared.chosen.making, shared.chosen.seed),
        calls_(shared.chosen.behave.quota_window) {}

  void route(httplib::Server& server) override {
    using httplib::Request;
    using httplib::Response;
    server.Post("/duplicate/reporting/reports",
                [this](const Request& in, Response& out) { ask(in, out); });
    server.Get("/duplicate/reporting/reports/([a-z0-9-]+)",
               [this](const Request& in, Response& out) { poll(in, out); });
    server.Get("/duplicate/signed/([0-9]+)\\.json\\.gz",
               [this](const Request& in, Response& out) { download(in, out); });
  }

 private:
  bool is_refused(const httplib::Request& in, httplib::Response& out) {
    if (front_.knows_bearer(in)) return false;
    front_.refuse(out, answer::unauthorized, 401, error("401", "Unauthorized"));
    return true;
  }

  void ask(const httplib::Request& in, httplib::Response& out) {
    const auto body = json_of(in);
    auto profile = in.get_header_value("Amazon-Advertising-API-Scope");
    if (profile.empty()) profile = text_at(body, "/profileId");
    const asked_report of{profile, text_at(body, "/startDate"), {}};
    const auto kind = front_.begin("duplicate ask for " + of.name());
    if (is_refused(in, out)) return;
    if (!of.is_known(front_.flights())) {
      return front_.refuse(out, answer::bad_request, 400,
                           error("400", "Invalid Advertiser or Marketplace ID, or startDate"));
    }
    const auto now = clock::now();
    const int quota = front_.chosen.behave.quota;
    if (const int calls = calls_.add(of.client, now); quota > 0 && calls > quota) {
      seen_.add("throttled");
      if (calls > quota + 1) seen_.add("asked_while_throttled");
      return front_.refuse(out, answer::throttled, 429, error("429", "Too Many Requests"));
    }
    if (kind == answer::unavailable) {
      return front_.refuse(out, kind, 500, error("500", "Internal Server Error"));
    }
    front_.requests.next("request duplicate " + of.name());
    const auto made = reports_.request(of.name(), now);
    if (made.is_duplicate) {
      seen_.add("duplicates");
      return front_.refuse(out, answer::bad_request, 425,
                           error("425", "The Request is a duplicate of : " + made.id));
    }
    seen_.add("made");
    front_.send(out, json::serialize(json::object{{"reportId", made.id}, {"status", "PENDING"}}),
                kind, "application/json");
  }

  void poll(const httplib::Request& in, httplib::Response& out) {
    const std::string id = in.matches[1];
    const auto polled = "duplicate poll " + id;
    const auto kind = front_.begin(polled);
    if (is_refused(in, out)) return;
    if (share_of(hash_of(polled, front_.chosen.seed + front_.requests.next("401 " + polled))) <
        front_.chosen.behave.poll_401) {
      seen_.add("polls_refused");
      return front_.refuse(out, answer::unauthorized, 401, error("401", "Unauthorized"));
    }
    if (kind == answer::unavailable) {
      return front_.refuse(out, kind, 500, error("500", "Internal Server Error"));
    }
    const auto now = clock::now();
    const auto report = reports_.poll(id, now);
    if (report.is == report_maker::status::unknown) {
      return front_.refuse(out, answer::not_found, 404, error("404", "Report not found"));
    }
    static constexpr const char* names[] = {"", "PENDING", "COMPLETED", "FAILED", "FAILED"};
    json::object said{{"reportId", id}, {"status", names[static_cast<std::size_t>(report.is)]}};
    if (report.is == report_maker::status::pending && report.done > 0.5)
      said["status"] = "PROCESSING";
    said["url"] = nullptr;
    if (!report.link.empty()) {
      said["url"] =
          fmt::format("http://{}/duplicate/signed/{}.json.gz?X-Amz-Signature=0123456789abcdef",
                      in.get_header_value("Host"), report.link.substr(0, report.link.find('.')));
    }
    front_.send(out, json::serialize(said), kind, "application/json");
  }

  // S3's own answers, not the API's.
  void download(const httplib::Request& in, httplib::Response& out) {
    const auto refuse = [&](int status, const char* code, const char* message) {
      front_.refuse(
          out, status == 400 ? answer::bad_request : answer::unauthorized, status,
          fmt::format("<Error><Code>{}</Code><Message>{}</Message></Error>\n", code, message),
          "application/xml");
    };
    const auto name = reports_.at(in.matches[1].str() + ".csv", clock::now());
    const auto kind = front_.begin("duplicate download " + name.value_or("what has expired"));
    if (in.has_header("Authorization")) {
      seen_.add("credentials_at_the_link");
      return refuse(400, "InvalidArgument", "Only one auth mechanism allowed");
    }
    if (!name) {
      seen_.add("links_expired");
      return refuse(403, "AccessDenied", "Request has expired");
    }
    if (kind == answer::unavailable) return refuse(503, "SlowDown", "Reduce your request rate");
    const auto of = asked_report::from_name(*name);
    json::array rows;
    for (const auto& each : flight_rows(front_.flights(), of)) {
      rows.push_back({{"date", of.day},
                      {"departedAt", each.date},
                      {"destination", each.destination},
                      {"delay", json::parse(each.delay)},
                      {"distance", json::parse(each.distance)}});
    }
    front_.send(out, gzip(json::serialize(rows)), kind, "application/octet-stream");
  }

  front& front_;
  tally& seen_;
  report_maker reports_;
  window_count calls_;
};

}  // namespace

std::unique_ptr<behaviour> make_duplicate(front& shared) {
  return std::make_unique<duplicate>(shared);
}

}  // namespace example
