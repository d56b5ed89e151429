// SPDX-License-Identifier: Apache-2.0
// Routes and faults over cpp-httplib; see api.hpp.
#include "api.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <regex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace example {

namespace {

std::string error_body(answer kind, std::string_view why) {
  return fmt::format("{{\"error\":\"{}\",\"message\":\"{}\"}}\n",
                     answer_names[static_cast<std::size_t>(kind)], why);
}

}  // namespace

reporting_api::reporting_api(options chosen)
    : front_(std::move(chosen)),
      maker_(front_.chosen.making, front_.chosen.seed),
      behaviours_(make_behaviours(front_)) {
  for (const auto& [name, records] : front_.all_records()) {
    buckets_.try_emplace(name, front_.chosen.rate);
  }
  configure();
  route();
}

void reporting_api::run() {
  const auto& wanted = front_.chosen;
  const int port = wanted.port == 0 ? server_.bind_to_any_port(wanted.host)
                   : server_.bind_to_port(wanted.host, wanted.port) ? wanted.port
                                                                    : -1;
  if (port < 0) {
    throw std::runtime_error(fmt::format("cannot bind {}:{}: {}; choose another --port",
                                         wanted.host, wanted.port, std::strerror(errno)));
  }
  ::listen(listener_, 1024);  // the library asks for a backlog of 5: bursts would wait for a second
  std::vector<std::string> sizes;
  for (const auto& [name, records] : front_.all_records()) {
    sizes.push_back(fmt::format("{} {}", records->rows(), name));
  }
  fmt::print("listening on http://{}:{} ({})\n", wanted.host, port, fmt::join(sizes, ", "));
  std::fflush(stdout);
  if (!wanted.port_file.empty()) {
    const std::string unfinished = wanted.port_file + ".new";  // whole or absent
    std::ofstream(unfinished) << port << "\n";
    std::filesystem::rename(unfinished, wanted.port_file);
  }
  server_.listen_after_bind();
  fmt::print("answered {}\n", front_.statistics.sentence());
}

void reporting_api::stop() {
  front_.stopping = true;
  server_.stop();
}

void reporting_api::configure() {
  server_.new_task_queue = [n = front_.chosen.connections] { return new httplib::ThreadPool(n); };
  server_.set_keep_alive_max_count(1'000'000'000);
  server_.set_keep_alive_timeout(2);
  server_.set_tcp_nodelay(true);
  server_.set_socket_options([this](socket_t socket) {
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    listener_ = socket;
  });
}

void reporting_api::route() {
  route_counts();
  route_made_reports();
  for (const auto& each : behaviours_) each->route(server_);
  server_.Get("/v1/endless/.*", [this](const request& asked, response& to) {
    if (!front_.chosen.endless) return refuse(to, answer::not_found, "start it with --endless");
    if (authorized(asked, to)) serve_endless(to);
  });
  server_.Get("/v1/([a-z]+)/clients", [this](const request& asked, response& to) {
    if (authorized(asked, to)) serve_clients(asked, to);
  });
  server_.Get(R"(/v1/([a-z]+)/clients/([^/]+)/reports/(\d{4}-\d\d-\d\d)\.csv)",
              [this](const request& asked, response& to) {
                if (authorized(asked, to)) serve_report(asked, to);
              });
}

void reporting_api::route_counts() {
  server_.Get("/stats", [this](const request&, response& to) {
    to.set_content(front_.statistics.json(), "application/json");
  });
  server_.Get("/stats/([a-z-]+)", [this](const request& asked, response& to) {
    to.set_content(front_.tally_of(asked.matches[1]).json(), "application/json");
  });
  server_.Get("/requests", [this](const request&, response& to) {
    std::string list;
    for (const auto& [path, count] : front_.requests.all()) {
      fmt::format_to(std::back_inserter(list), "{}\"{}\":{}", list.empty() ? "" : ",", path, count);
    }
    to.set_content("{" + list + "}", "application/json");
  });
}

void reporting_api::route_made_reports() {
  server_.Post("/v1/([a-z]+)/reports", [this](const request& asked, response& to) {
    if (authorized(asked, to)) serve_request(asked, to);
  });
  server_.Get("/v1/([a-z]+)/reports/([a-z0-9-]+)", [this](const request& asked, response& to) {
    if (authorized(asked, to)) serve_progress(asked, to);
  });
  server_.Get("/made/([0-9]+\\.csv)",
              [this](const request& asked, response& to) { serve_made(asked, to); });
}

bool reporting_api::authorized(const request& asked, response& to) {
  if (front_.knows_bearer(asked)) return true;
  refuse(to, answer::unauthorized, "send Authorization: Bearer with a valid token");
  return false;
}

void reporting_api::refuse(response& to, answer kind, std::string_view why) {
  static const std::map<answer, int> statuses{{answer::unavailable, 503},
                                              {answer::throttled, 429},
                                              {answer::unauthorized, 401},
                                              {answer::not_found, 404},
                                              {answer::bad_request, 400}};
  front_.statistics.count(kind);
  to.status = statuses.at(kind);
  to.set_content(error_body(kind, why), "application/json");
}

void reporting_api::serve_clients(const request& asked, response& to) {
  const auto* const found = front_.records(asked.matches[1]);
  if (found == nullptr) return refuse(to, answer::not_found, "no such dataset");
  const dataset& records = *found;
  to.set_content(
      fmt::format("{{\"first_day\":\"{:%Y-%m-%d}\",\"last_day\":\"{:%Y-%m-%d}\","
                  "\"clients\":[\"{}\"]}}\n",
                  records.first_day(), records.last_day(), fmt::join(records.clients(), "\",\"")),
      "application/json");
}

void reporting_api::serve_report(const request& asked, response& to) {
  const auto* const records = front_.records(asked.matches[1]);
  if (records == nullptr) return refuse(to, answer::not_found, "no such dataset");
  const std::string client = asked.matches[2];
  if (!records->has(client)) {
    return refuse(to, answer::not_found, "no such client");
  }
  const auto day = parse_day(asked.matches[3]);
  if (!day) return refuse(to, answer::bad_request, "no such day");
  serve_csv(asked, to, asked.path, asked.matches[1], client, *day);
}

// {"client":"ATL","day":"2001-01-02"}: taken apart by hand, since nothing else here reads JSON.
void reporting_api::serve_request(const request& asked, response& to) {
  const auto text_of = [&](const std::string& name) {
    const auto at = asked.body.find("\"" + name + "\":\"");
    if (at == asked.body.npos) return std::string();
    const auto begin = at + name.size() + 4;
    return asked.body.substr(begin, asked.body.find('"', begin) - begin);
  };
  const std::string name = asked.matches[1];
  const auto* const records = front_.records(name);
  const auto client = text_of("client"), day = text_of("day");
  if (records == nullptr || !records->has(client) || !parse_day(day)) {
    return refuse(to, answer::bad_request, "send client and day of a dataset");
  }
  front_.requests.next("request " + client + "/" + day);
  const auto made =
      maker_.request("/v1/" + name + "/clients/" + client + "/reports/" + day + ".csv",
                     report_maker::clock::now());
  front_.statistics.count(answer::ok);
  to.status = made.is_duplicate ? 425 : 202;
  to.set_content(made.is_duplicate
                     ? fmt::format("{{\"message\":\"duplicate of : {}\"}}\n", made.id)
                     : fmt::format("{{\"reportId\":\"{}\",\"status\":\"PENDING\"}}\n", made.id),
                 "application/json");
}

void reporting_api::serve_progress(const request& asked, response& to) {
  const std::string id = asked.matches[2];
  const auto report = maker_.poll(id, report_maker::clock::now());
  const auto& link = report.link;
  if (report.is == report_maker::status::unknown) {
    return refuse(to, answer::not_found, "no such report");
  }
  static constexpr const char* names[] = {"", "PENDING", "COMPLETED", "FAILED", "EXPIRED"};
  const auto url = link.empty()
                       ? std::string("null")
                       : fmt::format("\"http://{}/made/{}\"", asked.get_header_value("Host"), link);
  to.set_content(fmt::format("{{\"reportId\":\"{}\",\"status\":\"{}\",\"url\":{}}}\n", id,
                             names[static_cast<std::size_t>(report.is)], url),
                 "application/json");
}

// As S3 serves an address that was signed before: whoever knows it, but with no other credentials.
void reporting_api::serve_made(const request& asked, response& to) {
  if (asked.has_header("Authorization")) {
    return refuse(to, answer::bad_request, "only one way to sign in is allowed");
  }
  const auto path = maker_.at(asked.matches[1], report_maker::clock::now());
  if (!path) {
    front_.statistics.count(answer::unauthorized);
    to.status = 403;
    return to.set_content(
        "<Error><Code>AccessDenied</Code><Message>Request has expired"
        "</Message></Error>\n",
        "application/xml");
  }
  // /v1/{dataset}/clients/{client}/reports/{day}.csv
  std::smatch parts;
  static const std::regex form("/v1/([a-z]+)/clients/([^/]+)/reports/([0-9-]+)\\.csv");
  std::regex_match(*path, parts, form);
  serve_csv(asked, to, *path, parts[1], parts[2], *parse_day(parts[3]));
}

void reporting_api::serve_csv(const request& asked, response& to, const std::string& path,
                              const std::string& dataset, const std::string& client,
                              std::chrono::sys_days day) {
  if (const auto seconds = buckets_.at(dataset).wait(std::chrono::steady_clock::now())) {
    to.set_header("Retry-After", std::to_string(*seconds));
    return refuse(to, answer::throttled, "over the rate");
  }
  const auto kind = front_.begin(path);
  if (kind == answer::unavailable) {
    return front_.refuse(to, kind, 503, error_body(kind, "try again later"));
  }
  auto body = front_.records(dataset)->report(client, day);
  const bool is_a_report = kind != answer::empty && kind != answer::malformed;
  if (is_a_report && asked.get_header_value("Accept-Encoding").find("gzip") != std::string::npos) {
    body = gzip(body);
    to.set_header("Content-Encoding", "gzip");
  }
  front_.send(to, std::move(body), kind, "text/csv");
}

void reporting_api::serve_endless(response& to) {
  front_.statistics.enter();
  front_.statistics.count(answer::endless);
  to.set_content_provider(
      "text/csv",
      [this, lines = std::string(512, 'x') + "\n"](std::size_t, httplib::DataSink& sink) {
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
        return !front_.stopping && sink.write(lines.data(), lines.size());
      },
      [this](bool) { front_.statistics.leave(); });
}

}  // namespace example
