// SPDX-License-Identifier: Apache-2.0
#include "front.hpp"

#include "deflate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <vector>

namespace example {

using std::chrono::milliseconds;

std::string gzip(const std::string& plain) { return deflated(plain, 15 + 16); }

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

std::string tally::json() const {
  const std::lock_guard lock{mutex_};
  std::vector<std::string> parts;
  for (const auto& [what, number] : numbers_)
    parts.push_back(fmt::format("\"{}\":{}", what, number));
  return fmt::format("{{{}}}\n", fmt::join(parts, ","));
}

front::front(options given) : chosen(std::move(given)) {
  const std::filesystem::path data = chosen.data;
  sets_["flights"] = std::make_unique<example::flights>(data);
  sets_["birdstrikes"] = std::make_unique<small_dataset>(birdstrikes(data));
  sets_["weather"] = std::make_unique<small_dataset>(weather(data));
}

const dataset* front::records(const std::string& name) const {
  const auto found = sets_.find(name);
  return found == sets_.end() ? nullptr : found->second.get();
}

answer front::begin(const std::string& path) {
  const fate fate = decide(chosen.shares, chosen.seed, path, requests.next(path));
  statistics.enter();
  std::this_thread::sleep_for(chosen.latency * fate.latency_factor);
  return fate.kind;
}

void front::send(httplib::Response& response, std::string body, answer kind, const char* type) {
  statistics.count(kind);
  if (kind == answer::empty) body.clear();
  if (kind == answer::malformed) {
    body = "<html><body>Scheduled maintenance, \"back soon</body></html>\n";
  }
  if (body.empty()) {
    response.set_content("", type);
    return statistics.leave();
  }
  const auto whole = std::make_shared<const std::string>(std::move(body));
  const std::size_t size = whole->size();
  const std::size_t end = kind == answer::cut ? size / 2 : size;
  const std::size_t piece = kind == answer::slow ? size / 20 + 1 : size;
  response.set_content_provider(
      size, type,
      [this, whole, end, piece](std::size_t offset, std::size_t, httplib::DataSink& sink) {
        if (offset >= end) return false;  // closes the connection with the body unfinished
        if (piece < whole->size() && !stopping) std::this_thread::sleep_for(milliseconds{200});
        return sink.write(whole->data() + offset, std::min(piece, end - offset));
      },
      [this](bool) { statistics.leave(); });
}

void front::refuse(httplib::Response& response, answer kind, int status, const std::string& body,
                   const char* type) {
  statistics.count(kind);
  response.status = status;
  response.set_content(body, type);
  statistics.leave();
}

tally& front::tally_of(const std::string& behaviour) {
  const std::lock_guard lock{mutex_};
  return tallies_[behaviour];
}

}  // namespace example
