// SPDX-License-Identifier: Apache-2.0
// /error-code/, like the Marketing API of TikTok: the report is the answer, page by page, and every
// answer is HTTP 200; what has happened is a code in its body: 0 is well, 40100 too many calls,
// 40002 a mistake in the question, 40105 a wrong token, 50002 its own trouble.
#include "accounts.hpp"
#include "behaviours.hpp"
#include "flight_rows.hpp"

#include <fmt/format.h>

namespace example {
namespace {

namespace json = boost::json;
using clock = std::chrono::steady_clock;

std::string said(int code, const char* message, json::object data = {}) {
  return json::serialize(json::object{{"code", code},
                                      {"message", message},
                                      {"request_id", "20010102063000"},
                                      {"data", std::move(data)}});
}

class error_code final : public behaviour {
 public:
  explicit error_code(front& shared)
      : front_(shared),
        seen_(shared.tally_of("error-code")),
        calls_(shared.chosen.behave.quota_window) {}

  void route(httplib::Server& server) override {
    server.Get("/error-code/open_api/v1.3/report/integrated/get/",
               [this](const httplib::Request& in, httplib::Response& out) { serve(in, out); });
  }

 private:
  void serve(const httplib::Request& in, httplib::Response& out) {
    const asked_report of{
        in.get_param_value("advertiser_id"), in.get_param_value("start_date"), {}};
    const auto page = number_of(in, "page", 1);
    const auto size = number_of(in, "page_size", front_.chosen.behave.page_size);
    const auto kind = front_.begin(fmt::format("error-code {} page {}", of.name(), page));
    const auto refuse = [&](answer as, int code, const char* message) {
      front_.refuse(out, as, 200, said(code, message));
    };
    if (!front_.knows(in.get_header_value("Access-Token"))) {
      return refuse(answer::unauthorized, 40105, "Access token is incorrect or has been revoked.");
    }
    if (!of.is_known(front_.flights()) || page == 0 || size == 0) {
      return refuse(answer::bad_request, 40002, "advertiser_id, start_date or page: invalid value");
    }
    const int quota = front_.chosen.behave.quota;
    if (const int calls = calls_.add("all", clock::now()); quota > 0 && calls > quota) {
      seen_.add("throttled");
      if (calls > quota + 1) seen_.add("asked_while_throttled");
      return refuse(answer::throttled, 40100, "Too many requests. Please retry in some time.");
    }
    if (kind == answer::unavailable) return refuse(kind, 50002, "Internal error. Please retry.");
    const flight_rows all(front_.flights(), of);
    json::array list;
    for (const auto& each : all.page((page - 1) * size, size)) {
      list.push_back(
          {{"dimensions", {{"departed_at", each.date}, {"destination", each.destination}}},
           {"metrics", {{"delay", each.delay}, {"distance", each.distance}}}});
    }
    front_.send(out,
                said(0, "OK",
                     {{"list", std::move(list)},
                      {"page_info",
                       {{"page", page},
                        {"page_size", size},
                        {"total_number", all.size()},
                        {"total_page", (all.size() + size - 1) / size}}}}),
                kind, "application/json");
  }

  front& front_;
  tally& seen_;
  window_count calls_;  // of the app, whoever the advertiser is
};

}  // namespace

std::unique_ptr<behaviour> make_error_code(front& shared) {
  return std::make_unique<error_code>(shared);
}

}  // namespace example
