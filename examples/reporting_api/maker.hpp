// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reports that are made on request, as large APIs do it: a request answers with an id, the report
// is ready a while later, and then lies at an address that anybody may read who knows it, until it
// expires. Asking again for a report that is being made, or lies there, is a duplicate; or, with an
// API that does not look, makes another one. Threads: any.

#include "faults.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace example {

struct making {
  std::chrono::milliseconds takes{500};        ///< from the request until it is ready
  std::chrono::milliseconds link_life{2'000};  ///< from the poll that tells the address
  double failed = 0;                           ///< share of requests whose report fails
  /// From when it is ready until it is thrown away; 0: never.
  std::chrono::milliseconds report_life{0};
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
    if (!known.empty() && !reports_.at(known).failed && !is_gone(reports_.at(known), now)) {
      return {known, true};
    }
    return {known = add(path, now), false};
  }

  /// Makes a report whether or not there is one. Empty: so many are being made already.
  std::string make_another(const std::string& path, std::size_t at_most, clock::time_point now) {
    const std::lock_guard lock(mutex_);
    return under_way(now) < at_most ? add(path, now) : std::string();
  }

  /// How many are being made.
  std::size_t at_once(clock::time_point now) {
    const std::lock_guard lock(mutex_);
    return under_way(now);
  }

  enum class status { unknown, pending, completed, failed, expired };
  struct progress {
    status is = status::unknown;
    std::string link{};  ///< the last part of its address
    std::string path{};  ///< what it is of
    double done = 0;     ///< 0 to 1: how much of it is made
  };
  progress poll(const std::string& id, clock::time_point now) {
    const std::lock_guard lock(mutex_);
    const auto found = reports_.find(id);
    if (found == reports_.end()) return {};
    const report& of = found->second;
    if (now < of.ready) {
      const std::chrono::duration<double> left = of.ready - now;
      return {status::pending, {}, of.path, 1 - left / std::chrono::duration<double>(how_.takes)};
    }
    if (of.failed) return {status::failed, {}, of.path, 1};
    if (is_gone(of, now)) return {status::expired, {}, of.path, 1};
    const auto link = std::to_string(draw(id + std::to_string(links_.size()))) + ".csv";
    links_[link] = {of.path, now + how_.link_life};
    return {status::completed, link, of.path, 1};
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

  [[nodiscard]] bool is_gone(const report& of, clock::time_point now) const {
    return how_.report_life.count() > 0 && now > of.ready + how_.report_life;
  }

  // Both need the lock.
  std::string add(const std::string& path, clock::time_point now) {
    const auto id =
        "r-" + std::to_string(reports_.size() + 1) + "-" + std::to_string(draw(path) % 100'000);
    reports_[id] = {path, now + how_.takes, share_of(draw(id)) < how_.failed};
    under_way_.insert(now + how_.takes);
    return id;
  }
  std::size_t under_way(clock::time_point now) {
    under_way_.erase(under_way_.begin(), under_way_.upper_bound(now));
    return under_way_.size();
  }

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
  std::multiset<clock::time_point> under_way_;  // when each will be ready
};

}  // namespace example
