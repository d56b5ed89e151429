// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reports that are made on request, as large APIs do it: a request answers with an id, the report
// is ready a while later, and then lies at an address that anybody may read who knows it, until it
// expires. Asking again for a report that is being made, or lies there, is a duplicate. Threads:
// any.

#include "faults.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace example {

struct making {
  std::chrono::milliseconds takes{500};        ///< from the request until it is ready
  std::chrono::milliseconds link_life{2'000};  ///< from the poll that tells the address
  double failed = 0;                           ///< share of requests whose report fails
};

class report_maker {
 public:
  using clock = std::chrono::steady_clock;

  explicit report_maker(making how, std::uint64_t seed) : how_(how), seed_(seed) {}

  struct requested {
    std::string id;
    bool is_duplicate = false;
  };
  requested request(const std::string& path, clock::time_point now) {
    const std::lock_guard lock(mutex_);
    auto& known = by_path_[path];
    if (!known.empty() && !reports_.at(known).failed) return {known, true};
    known = "r-" + std::to_string(reports_.size() + 1) + "-" + std::to_string(draw(path) % 100'000);
    const bool failed = share_of(draw(known)) < how_.failed;
    reports_[known] = {path, now + how_.takes, failed};
    return {known, false};
  }

  enum class status { unknown, pending, completed, failed };
  struct progress {
    status is = status::unknown;
    std::string link;  ///< the last part of its address
  };
  progress poll(const std::string& id, clock::time_point now) {
    const std::lock_guard lock(mutex_);
    const auto found = reports_.find(id);
    if (found == reports_.end()) return {};
    if (now < found->second.ready) return {status::pending, {}};
    if (found->second.failed) return {status::failed, {}};
    const auto link = std::to_string(draw(id + std::to_string(links_.size()))) + ".csv";
    links_[link] = {found->second.path, now + how_.link_life};
    return {status::completed, link};
  }

  /// The path whose report lies there; empty: none does any more.
  std::optional<std::string> at(const std::string& link, clock::time_point now) {
    const std::lock_guard lock(mutex_);
    const auto found = links_.find(link);
    if (found == links_.end() || now > found->second.expires) return std::nullopt;
    return found->second.path;
  }

 private:
  struct report {
    std::string path;
    clock::time_point ready;
    bool failed = false;
  };
  struct link {
    std::string path;
    clock::time_point expires;
  };

  [[nodiscard]] std::uint64_t draw(const std::string& of) const {
    const auto state = hash_of(of, seed_);
    return state ^ (state >> 29U);
  }

  const making how_;
  const std::uint64_t seed_;
  std::mutex mutex_;
  std::map<std::string, report> reports_;       // by id
  std::map<std::string, std::string> by_path_;  // the id of the newest
  std::map<std::string, link> links_;
};

}  // namespace example
