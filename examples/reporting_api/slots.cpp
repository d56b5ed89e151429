// SPDX-License-Identifier: Apache-2.0
// /slots/, like the Reporting service of Microsoft Advertising: so many reports are made at once,
// and a request beyond them is refused with code 207, ConcurrentRequestOverLimit; a report that is
// asked for twice is made twice. A finished one is a zip file with a CSV in it, with lines of title
// before the header and of totals and copyright after the rows; one without rows has no address.
#include "behaviours.hpp"
#include "flight_rows.hpp"
#include "zip.hpp"

#include <fmt/format.h>

namespace example {
namespace {

namespace json = boost::json;
using clock = report_maker::clock;

std::string error(int code, const char* name, const char* message) {
  return json::serialize(json::object{
      {"TrackingId", "3f0c2a"},
      {"OperationErrors",
       json::array{json::object{{"Code", code}, {"ErrorCode", name}, {"Message", message}}}}});
}

class slots final : public behaviour {
 public:
  explicit slots(front& shared)
      : front_(shared),
        seen_(shared.tally_of("slots")),
        reports_(shared.chosen.making, shared.chosen.seed) {}

  void route(httplib::Server& server) override {
    using httplib::Request;
    using httplib::Response;
    server.Post("/slots/Reporting/v13/GenerateReport/Submit",
                [this](const Request& in, Response& out) { ask(in, out); });
    server.Post("/slots/Reporting/v13/GenerateReport/Poll",
                [this](const Request& in, Response& out) {
                  poll(in, out, text_at(json_of(in), "/ReportRequestId"));
                });
    server.Get("/slots/Reporting/v13/GenerateReport/Poll/([a-z0-9-]+)",
               [this](const Request& in, Response& out) { poll(in, out, in.matches[1]); });
    server.Get("/slots/signed/([0-9]+)\\.zip",
               [this](const Request& in, Response& out) { download(in, out); });
  }

 private:
  bool is_refused(const httplib::Request& in, httplib::Response& out) {
    if (front_.knows_bearer(in)) return false;
    front_.refuse(out, answer::unauthorized, 401,
                  error(105, "InvalidCredentials", "Authentication failed."));
    return true;
  }

  void ask(const httplib::Request& in, httplib::Response& out) {
    const auto body = json_of(in);
    const asked_report of{text_at(body, "/ReportRequest/Scope/AccountIds/0"),
                          text_at(body, "/ReportRequest/Time/CustomDateRangeStart"),
                          {}};
    const auto kind = front_.begin("slots ask for " + of.name());
    if (is_refused(in, out)) return;
    if (!of.is_known(front_.flights())) {
      return front_.refuse(out, answer::bad_request, 400,
                           error(2011, "ReportingServiceInvalidReportTime", "No such report."));
    }
    if (kind == answer::unavailable) {
      return front_.refuse(out, kind, 500, error(0, "InternalError", "An internal error."));
    }
    const auto now = clock::now();
    const auto id =
        reports_.make_another(of.name(), static_cast<std::size_t>(front_.chosen.behave.slots), now);
    if (id.empty()) {
      seen_.add("refused");
      return front_.refuse(out, answer::throttled, 400,
                           error(207, "ConcurrentRequestOverLimit",
                                 "You have exceeded the limit for the number of concurrent "
                                 "operations."));
    }
    front_.requests.next("request slots " + of.name());
    seen_.add("made");
    seen_.most("most_made_at_once", static_cast<std::int64_t>(reports_.at_once(now)));
    front_.send(out, json::serialize(json::object{{"ReportRequestId", id}}), kind,
                "application/json");
  }

  void poll(const httplib::Request& in, httplib::Response& out, const std::string& id) {
    const auto kind = front_.begin("slots poll " + id);
    if (is_refused(in, out)) return;
    if (kind == answer::unavailable) {
      return front_.refuse(out, kind, 500, error(0, "InternalError", "An internal error."));
    }
    const auto report = reports_.poll(id, clock::now());
    if (report.is == report_maker::status::unknown) {
      return front_.refuse(out, answer::bad_request, 400,
                           error(2100, "ReportingServiceInvalidReportId", "No such report."));
    }
    static constexpr const char* names[] = {"", "Pending", "Success", "Error", "Error"};
    json::object status{{"Status", names[static_cast<std::size_t>(report.is)]},
                        {"ReportDownloadUrl", nullptr}};
    if (!report.link.empty() &&
        flight_rows(front_.flights(), asked_report::from_name(report.path)).size() > 0) {
      status["ReportDownloadUrl"] =
          fmt::format("http://{}/slots/signed/{}.zip?sig=0123456789abcdef",
                      in.get_header_value("Host"), report.link.substr(0, report.link.find('.')));
    }
    front_.send(out, json::serialize(json::object{{"ReportRequestStatus", std::move(status)}}),
                kind, "application/json");
  }

  void download(const httplib::Request& in, httplib::Response& out) {
    const auto name = reports_.at(in.matches[1].str() + ".csv", clock::now());
    const auto kind = front_.begin("slots download " + name.value_or("what has expired"));
    if (in.has_header("Authorization")) {
      seen_.add("credentials_at_the_link");
      return front_.refuse(out, answer::bad_request, 400, "<Error>AuthenticationFailed</Error>\n",
                           "application/xml");
    }
    if (!name) {
      seen_.add("links_expired");
      return front_.refuse(out, answer::unauthorized, 403, "<Error>AuthenticationFailed</Error>\n",
                           "application/xml");
    }
    if (kind == answer::unavailable) {
      return front_.refuse(out, kind, 503, "<Error>ServerBusy</Error>\n", "application/xml");
    }
    const auto of = asked_report::from_name(*name);
    front_.send(out, zip_of(of.client + "-" + of.day + ".csv", csv_of(of)), kind,
                "application/zip");
  }

  // A byte order mark, titles, the header, the rows, the total of miles, and whose it is.
  std::string csv_of(const asked_report& of) const {
    const flight_rows all(front_.flights(), of);
    std::string csv = fmt::format(
        "\xEF\xBB\xBF\"Report Name: Flights of {}\"\n\"Report Time: {}\"\n"
        "\"Rows: {}\"\n\n\"DepartedAt\",\"Destination\",\"Delay\",\"Distance\"\n",
        of.client, of.day, all.size());
    std::int64_t miles = 0;
    for (const auto& each : all) {
      fmt::format_to(std::back_inserter(csv), "\"{}\",\"{}\",\"{}\",\"{}\"\n", each.date,
                     each.destination, each.delay, each.distance);
      miles += std::strtol(each.distance.data(), nullptr, 10);
    }
    return csv +
           fmt::format("\"Total\",\"-\",\"-\",\"{}\"\n\"©2001 Flights\",\"\",\"\",\"\"\n", miles);
  }

  front& front_;
  tally& seen_;
  report_maker reports_;
};

}  // namespace

std::unique_ptr<behaviour> make_slots(front& shared) { return std::make_unique<slots>(shared); }

}  // namespace example
