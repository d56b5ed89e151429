// SPDX-License-Identifier: Apache-2.0
// /sync-quota/ and /error-quota/, like the Data API of Google Analytics 4 (runReport): the report
// is the answer, by offset and limit, and each answer says how much of its quotas a property has
// left. Two quotas, each under its own prefix:
//   /sync-quota/   tokens of a window; beyond them 429 RESOURCE_EXHAUSTED, without Retry-After
//   /error-quota/  server errors (5xx) of a window; after so many everything is refused the same
//                  way until the window ends, so that a client that hammers an API which is down
//                  goes on being refused when it is up again. Each property is down once.
// As there, `rows` is missing from a report that has none, and numbers are texts.
#include "accounts.hpp"
#include "behaviours.hpp"
#include "flight_rows.hpp"

#include <fmt/format.h>

namespace example {
namespace {

namespace json = boost::json;
using clock = std::chrono::steady_clock;

json::array headers(std::initializer_list<const char*> names) {
  json::array all;
  for (const auto* name : names) all.push_back({{"name", name}});
  return all;
}

json::array values(std::initializer_list<std::string_view> texts) {
  json::array all;
  for (const auto text : texts) all.push_back({{"value", text}});
  return all;
}

std::string error(int code, const char* status, const std::string& message) {
  return json::serialize(
      json::object{{"error", {{"code", code}, {"message", message}, {"status", status}}}});
}

enum class quota { tokens, errors };

class property_api final : public behaviour {
 public:
  property_api(front& shared, std::string name, quota limited)
      : front_(shared),
        name_(std::move(name)),
        limited_(limited),
        seen_(shared.tally_of(name_)),
        tokens_(shared.chosen.behave.quota_window),
        errors_(shared.chosen.behave.quota_window) {}

  void route(httplib::Server& server) override {
    const auto path = "/" + name_ + "/v1beta/properties/([^/:]+):runReport";
    server.Get(path, [this](const httplib::Request& request, httplib::Response& response) {
      const auto day = request.get_param_value("date");
      serve(request, response, {request.matches[1], day, {}}, number_of(request, "offset", 0),
            number_of(request, "limit", front_.chosen.behave.page_size));
    });
    server.Post(path, [this](const httplib::Request& request, httplib::Response& response) {
      const auto body = json_of(request);
      const auto number = [&](const char* pointer, std::size_t otherwise) {
        const auto text = text_at(body, pointer);
        return text.empty() ? otherwise : std::strtoul(text.c_str(), nullptr, 10);
      };
      const auto day = text_at(body, "/dateRanges/0/startDate");
      serve(request, response, {request.matches[1], day, {}}, number("/offset", 0),
            number("/limit", front_.chosen.behave.page_size));
    });
  }

 private:
  void serve(const httplib::Request& request, httplib::Response& response, const asked_report& of,
             std::size_t offset, std::size_t limit) {
    const auto kind = front_.begin(name_ + " " + of.name() + " from " + std::to_string(offset));
    const auto now = clock::now();
    if (!front_.knows_bearer(request)) {
      return front_.refuse(
          response, answer::unauthorized, 401,
          error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."));
    }
    if (!of.is_known(front_.flights())) {
      return front_.refuse(response, answer::bad_request, 400,
                           error(400, "INVALID_ARGUMENT", "No such property, or no such date."));
    }
    const int under_way = at_once_.enter(of.client);
    seen_.most("most_at_once", under_way);
    if (const auto why = refusal(of.client, under_way, now); !why.empty()) {
      front_.refuse(response, answer::throttled, 429, error(429, "RESOURCE_EXHAUSTED", why));
    } else if (kind == answer::unavailable || is_down(of.client, now)) {
      count_error(of.client, now);
      front_.refuse(response, answer::unavailable, 503,
                    error(503, "UNAVAILABLE", "The service is currently unavailable."));
    } else {
      front_.send(response, report(of, offset, limit, now), kind, "application/json");
    }
    at_once_.leave(of.client);
  }

  // Why an account is refused; empty: it is not.
  std::string refusal(const std::string& account, int under_way, clock::time_point now) {
    const auto& how = front_.chosen.behave;
    if (limited_ == quota::errors) {
      if (errors_.seen(account, now) < how.error_quota) return {};
      seen_.add("refused_for_errors");
      return "Exhausted server errors per project per hour for a property.";
    }
    if (under_way > how.concurrent) {
      seen_.add("refused_for_concurrency");
      return "Exhausted concurrent requests quota for a property.";
    }
    const int used = tokens_.add(account, now);
    if (how.quota == 0 || used <= how.quota) return {};
    seen_.add("throttled");
    if (used > how.quota + 1) seen_.add("asked_while_throttled");
    return "Exhausted property tokens for a project per hour.";
  }

  void count_error(const std::string& account, clock::time_point now) {
    seen_.add("server_errors");
    const int errors = errors_.add(account, now);
    seen_.most("most_server_errors_of_a_window", errors);
    if (errors == front_.chosen.behave.error_quota) seen_.add("error_quota_exhausted");
  }

  // Each account is down once, for a while, after so many requests.
  bool is_down(const std::string& account, clock::time_point now) {
    const auto& how = front_.chosen.behave;
    if (limited_ != quota::errors || how.outage.count() == 0) return false;
    const std::lock_guard lock{mutex_};
    auto& of = outages_[account];
    if (++of.requests <= how.outage_after) return false;
    if (of.ends == clock::time_point{}) of.ends = now + how.outage;
    return now < of.ends;
  }

  std::string report(const asked_report& of, std::size_t offset, std::size_t limit,
                     clock::time_point now) {
    const flight_rows all(front_.flights(), of);
    json::object said{{"dimensionHeaders", headers({"dateHourMinute", "destination"})},
                      {"metricHeaders", headers({"delay", "distance"})}};
    json::array rows;
    for (const auto& each : all.page(offset, limit)) {
      rows.push_back({{"dimensionValues", values({each.date, each.destination})},
                      {"metricValues", values({each.delay, each.distance})}});
    }
    if (!rows.empty()) said["rows"] = std::move(rows);
    said["rowCount"] = all.size();
    said["propertyQuota"] = {
        {"tokensPerHour", left_of(front_.chosen.behave.quota, tokens_.seen(of.client, now))},
        {"serverErrorsPerProjectPerHour",
         left_of(front_.chosen.behave.error_quota, errors_.seen(of.client, now))}};
    said["kind"] = "analyticsData#runReport";
    return json::serialize(said);
  }

  static json::object left_of(int all, int used) {
    return {{"consumed", used}, {"remaining", std::max(0, all - used)}};
  }

  struct outage {
    int requests = 0;
    clock::time_point ends{};
  };

  front& front_;
  const std::string name_;
  const quota limited_;
  tally& seen_;
  window_count tokens_;
  window_count errors_;
  calls_at_once at_once_;
  std::mutex mutex_;
  std::map<std::string, outage> outages_;
};

}  // namespace

std::unique_ptr<behaviour> make_sync_quota(front& shared) {
  return std::make_unique<property_api>(shared, "sync-quota", quota::tokens);
}

std::unique_ptr<behaviour> make_error_quota(front& shared) {
  return std::make_unique<property_api>(shared, "error-quota", quota::errors);
}

}  // namespace example
