// SPDX-License-Identifier: Apache-2.0
// Routes and faults over cpp-httplib; see api.hpp.
#include "api.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <regex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace example {

using std::chrono::milliseconds;

namespace {

std::string gzip(const std::string& plain) {
  z_stream stream{};
  if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib has no memory for a stream");
  }
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  std::string input = plain;  // zlib 1.2 wants a pointer to mutable bytes
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::optional<std::chrono::sys_days> parse_day(const std::string& text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2u", &year, &month, &day) != 3) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                         std::chrono::day{day}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date};
}

}  // namespace

std::string statistics::sentence() const {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) parts.push_back(fmt::format("{} {}", counts_[i].load(), answer_names[i]));
  }
  return fmt::format("{}; at most {} in flight", fmt::join(parts, ", "), most_.load());
}

std::string statistics::json() const {
  std::string text = "{";
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    text += fmt::format("\"{}\":{},", answer_names[i], counts_[i].load());
  }
  return text +
         fmt::format("\"in_flight\":{},\"max_in_flight\":{}}}\n", in_flight_.load(), most_.load());
}

reporting_api::reporting_api(options chosen)
    : options_(std::move(chosen)), maker_(options_.making, options_.seed) {
  const std::filesystem::path data = options_.data;
  add("flights", std::make_unique<flights>(data));
  add("birdstrikes", std::make_unique<small_dataset>(birdstrikes(data)));
  add("weather", std::make_unique<small_dataset>(weather(data)));
  configure();
  route();
}

void reporting_api::run() {
  const int port = options_.port == 0 ? server_.bind_to_any_port(options_.host)
                   : server_.bind_to_port(options_.host, options_.port) ? options_.port
                                                                        : -1;
  if (port < 0) {
    throw std::runtime_error(fmt::format("cannot bind {}:{}: {}; choose another --port",
                                         options_.host, options_.port, std::strerror(errno)));
  }
  ::listen(listener_, 1024);  // the library asks for a backlog of 5: bursts would wait for a second
  std::vector<std::string> sizes;
  for (const auto& [name, set] : sets_) {
    sizes.push_back(fmt::format("{} {}", set.records->rows(), name));
  }
  fmt::print("listening on http://{}:{} ({})\n", options_.host, port, fmt::join(sizes, ", "));
  std::fflush(stdout);
  if (!options_.port_file.empty()) {
    const std::string unfinished = options_.port_file + ".new";  // whole or absent
    std::ofstream(unfinished) << port << "\n";
    std::filesystem::rename(unfinished, options_.port_file);
  }
  server_.listen_after_bind();
  fmt::print("answered {}\n", statistics_.sentence());
}

void reporting_api::stop() {
  stopping_ = true;
  server_.stop();
}

void reporting_api::add(const std::string& name, std::unique_ptr<dataset> records) {
  sets_[name] = {std::move(records), std::make_unique<token_bucket>(options_.rate)};
}

void reporting_api::configure() {
  server_.new_task_queue = [n = options_.connections] { return new httplib::ThreadPool(n); };
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
  using httplib::Request;
  using httplib::Response;
  server_.Get("/stats", [this](const Request&, Response& response) {
    response.set_content(statistics_.json(), "application/json");
  });
  route_made_reports();
  server_.Get("/requests", [this](const Request&, Response& response) {
    std::string list;
    for (const auto& [path, count] : requests_.all()) {
      fmt::format_to(std::back_inserter(list), "{}\"{}\":{}", list.empty() ? "" : ",", path, count);
    }
    response.set_content("{" + list + "}", "application/json");
  });
  server_.Get("/v1/endless/.*", [this](const Request& request, Response& response) {
    if (!options_.endless) return refuse(response, answer::not_found, "start it with --endless");
    if (authorized(request, response)) serve_endless(response);
  });
  server_.Get("/v1/([a-z]+)/clients", [this](const Request& request, Response& response) {
    if (authorized(request, response)) serve_clients(request, response);
  });
  server_.Get(R"(/v1/([a-z]+)/clients/([^/]+)/reports/(\d{4}-\d\d-\d\d)\.csv)",
              [this](const Request& request, Response& response) {
                if (authorized(request, response)) serve_report(request, response);
              });
}

void reporting_api::route_made_reports() {
  using httplib::Request;
  using httplib::Response;
  server_.Post("/v1/([a-z]+)/reports", [this](const Request& request, Response& response) {
    if (authorized(request, response)) serve_request(request, response);
  });
  server_.Get("/v1/([a-z]+)/reports/([a-z0-9-]+)",
              [this](const Request& request, Response& response) {
                if (authorized(request, response)) serve_progress(request, response);
              });
  server_.Get("/made/([0-9]+\\.csv)", [this](const Request& request, Response& response) {
    serve_made(request, response);
  });
}

bool reporting_api::authorized(const httplib::Request& request, httplib::Response& response) {
  if (options_.token.empty()) return true;
  if (request.get_header_value("Authorization") == "Bearer " + options_.token) return true;
  refuse(response, answer::unauthorized, "send Authorization: Bearer with a valid token");
  return false;
}

void reporting_api::refuse(httplib::Response& response, answer kind, std::string_view why) {
  static const std::map<answer, int> statuses{{answer::unavailable, 503},
                                              {answer::throttled, 429},
                                              {answer::unauthorized, 401},
                                              {answer::not_found, 404},
                                              {answer::bad_request, 400}};
  statistics_.count(kind);
  response.status = statuses.at(kind);
  response.set_content(fmt::format("{{\"error\":\"{}\",\"message\":\"{}\"}}\n",
                                   answer_names[static_cast<std::size_t>(kind)], why),
                       "application/json");
}

void reporting_api::serve_clients(const httplib::Request& request, httplib::Response& response) {
  const auto set = sets_.find(request.matches[1]);
  if (set == sets_.end()) return refuse(response, answer::not_found, "no such dataset");
  const dataset& records = *set->second.records;
  response.set_content(
      fmt::format("{{\"first_day\":\"{:%Y-%m-%d}\",\"last_day\":\"{:%Y-%m-%d}\","
                  "\"clients\":[\"{}\"]}}\n",
                  records.first_day(), records.last_day(), fmt::join(records.clients(), "\",\"")),
      "application/json");
}

void reporting_api::serve_report(const httplib::Request& request, httplib::Response& response) {
  const auto set = sets_.find(request.matches[1]);
  if (set == sets_.end()) return refuse(response, answer::not_found, "no such dataset");
  const std::string client = request.matches[2];
  if (!set->second.records->has(client)) {
    return refuse(response, answer::not_found, "no such client");
  }
  const auto day = parse_day(request.matches[3]);
  if (!day) return refuse(response, answer::bad_request, "no such day");
  serve_csv(request, response, request.path, set->second, client, *day);
}

// {"client":"ATL","day":"2001-01-02"}: taken apart by hand, since nothing else here reads JSON.
void reporting_api::serve_request(const httplib::Request& request, httplib::Response& response) {
  const auto text_of = [&](const std::string& name) {
    const auto at = request.body.find("\"" + name + "\":\"");
    if (at == request.body.npos) return std::string();
    const auto begin = at + name.size() + 4;
    return request.body.substr(begin, request.body.find('"', begin) - begin);
  };
  const std::string name = request.matches[1];
  const auto set = sets_.find(name);
  const auto client = text_of("client"), day = text_of("day");
  if (set == sets_.end() || !set->second.records->has(client) || !parse_day(day)) {
    return refuse(response, answer::bad_request, "send client and day of a dataset");
  }
  requests_.next("request " + client + "/" + day);
  const auto made =
      maker_.request("/v1/" + name + "/clients/" + client + "/reports/" + day + ".csv",
                     report_maker::clock::now());
  statistics_.count(answer::ok);
  response.status = made.is_duplicate ? 425 : 202;
  response.set_content(
      made.is_duplicate ? fmt::format("{{\"message\":\"duplicate of : {}\"}}\n", made.id)
                        : fmt::format("{{\"reportId\":\"{}\",\"status\":\"PENDING\"}}\n", made.id),
      "application/json");
}

void reporting_api::serve_progress(const httplib::Request& request, httplib::Response& response) {
  const std::string id = request.matches[2];
  const auto [is, link] = maker_.poll(id, report_maker::clock::now());
  if (is == report_maker::status::unknown) {
    return refuse(response, answer::not_found, "no such report");
  }
  static constexpr const char* names[] = {"", "PENDING", "COMPLETED", "FAILED"};
  const auto url =
      link.empty() ? std::string("null")
                   : fmt::format("\"http://{}/made/{}\"", request.get_header_value("Host"), link);
  response.set_content(fmt::format("{{\"reportId\":\"{}\",\"status\":\"{}\",\"url\":{}}}\n", id,
                                   names[static_cast<std::size_t>(is)], url),
                       "application/json");
}

// As S3 serves an address that was signed before: whoever knows it, but with no other credentials.
void reporting_api::serve_made(const httplib::Request& request, httplib::Response& response) {
  if (request.has_header("Authorization")) {
    return refuse(response, answer::bad_request, "only one way to sign in is allowed");
  }
  const auto path = maker_.at(request.matches[1], report_maker::clock::now());
  if (!path) {
    statistics_.count(answer::unauthorized);
    response.status = 403;
    return response.set_content(
        "<Error><Code>AccessDenied</Code><Message>Request has expired"
        "</Message></Error>\n",
        "application/xml");
  }
  // /v1/{dataset}/clients/{client}/reports/{day}.csv
  std::smatch parts;
  static const std::regex form("/v1/([a-z]+)/clients/([^/]+)/reports/([0-9-]+)\\.csv");
  std::regex_match(*path, parts, form);
  serve_csv(request, response, *path, sets_.at(parts[1]), parts[2], *parse_day(parts[3]));
}

void reporting_api::serve_csv(const httplib::Request& request, httplib::Response& response,
                              const std::string& path, const entry& set, const std::string& client,
                              std::chrono::sys_days day) {
  if (const auto seconds = set.bucket->wait(std::chrono::steady_clock::now())) {
    response.set_header("Retry-After", std::to_string(*seconds));
    return refuse(response, answer::throttled, "over the rate");
  }
  const fate fate = decide(options_.shares, options_.seed, path, requests_.next(path));
  statistics_.enter();
  std::this_thread::sleep_for(options_.latency * fate.latency_factor);
  if (fate.kind == answer::unavailable) {
    refuse(response, fate.kind, "try again later");
    return statistics_.leave();
  }
  std::string body = fate.kind == answer::empty ? std::string{}
                     : fate.kind == answer::malformed
                         ? "<html><body>Scheduled maintenance, \"back soon</body></html>\n"
                         : set.records->report(client, day);
  if (request.get_header_value("Accept-Encoding").find("gzip") != std::string::npos &&
      !body.empty()) {
    body = gzip(body);
    response.set_header("Content-Encoding", "gzip");
  }
  statistics_.count(fate.kind);
  send(response, std::move(body), fate.kind);
}

/// Sends the body as `kind` says: at once, in drips, or half of it before the connection closes.
void reporting_api::send(httplib::Response& response, std::string body, answer kind) {
  if (body.empty()) {
    response.set_content("", "text/csv");
    return statistics_.leave();
  }
  const auto whole = std::make_shared<const std::string>(std::move(body));
  const std::size_t size = whole->size();
  const std::size_t end = kind == answer::cut ? size / 2 : size;
  const std::size_t piece = kind == answer::slow ? size / 20 + 1 : size;
  response.set_content_provider(
      size, "text/csv",
      [this, whole, end, piece](std::size_t offset, std::size_t, httplib::DataSink& sink) {
        if (offset >= end) return false;  // closes the connection with the body unfinished
        if (piece < whole->size() && !stopping_) std::this_thread::sleep_for(milliseconds{200});
        return sink.write(whole->data() + offset, std::min(piece, end - offset));
      },
      [this](bool) { statistics_.leave(); });
}

void reporting_api::serve_endless(httplib::Response& response) {
  statistics_.enter();
  statistics_.count(answer::endless);
  response.set_content_provider(
      "text/csv",
      [this, lines = std::string(512, 'x') + "\n"](std::size_t, httplib::DataSink& sink) {
        std::this_thread::sleep_for(milliseconds{1});
        return !stopping_ && sink.write(lines.data(), lines.size());
      },
      [this](bool) { statistics_.leave(); });
}

}  // namespace example
