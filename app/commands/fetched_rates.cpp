// SPDX-License-Identifier: Apache-2.0
#include "commands/fetched_rates.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "commands/output.hpp"
#include "net/origin.hpp"
#include "transform/rates.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {
namespace {

namespace fs = std::filesystem;
using std::chrono::system_clock;

constexpr std::uint64_t max_size_bytes = 32u << 20;  // the ECB's whole history has 8 MB

// Follows redirects, to other hosts too: the request holds no credentials that could go astray.
task<std::expected<std::string, std::string>> download(http_fetcher* client, std::string url) {
  for (int redirects = 0;; ++redirects) {
    http_request request;
    request.url = url;
    request.max_size_bytes = max_size_bytes;
    request.accept_compressed = true;
    request.timeout = std::chrono::minutes(1);  // nothing else begins before
    auto answer = co_await client->fetch(std::move(request));
    if (!answer) co_return std::unexpected(std::move(answer.error().message));
    if (sends_on(parse_origin(url), *answer) && redirects < redirects_limit) {
      url = answer->redirect_url;
      continue;
    }
    if (answer->status == 200) co_return std::move(answer->body);
    co_return std::unexpected(fmt::format("{} answered {}", place_of(url), answer->status));
  }
}

// Writes the new file beside the old one, reads it as rates, and gives it the name.
std::expected<void, std::string> keep(const std::string& text, const fs::path& path) {
  const fs::path fresh = fmt::format("{}.new-{}", path.string(), ::getpid());
  {
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file) {
      return std::unexpected(
          fmt::format("cannot write {}: {}", fresh.string(), std::strerror(errno)));
    }
  }
  std::error_code error;
  if (const auto read = rates::load(fresh.string()); !read) {
    fs::remove(fresh, error);
    return std::unexpected(read.error());
  }
  fs::rename(fresh, path, error);
  if (error)
    return std::unexpected(fmt::format("cannot write {}: {}", path.string(), error.message()));
  return {};
}

// How old the copy is; empty: there is none.
std::optional<system_clock::duration> age_of(const std::string& path,
                                             system_clock::time_point now) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) return std::nullopt;
  return now - system_clock::from_time_t(about.st_mtime);
}

}  // namespace

task<std::expected<std::optional<std::string>, std::string>> fetch_rates(
    http_fetcher* client, transform of, system_clock::time_point now) {
  if (of.rates_url.empty()) co_return std::nullopt;
  const auto& path = of.rates;
  auto body = co_await download(client, of.rates_url);
  auto kept = body ? keep(*body, path) : std::unexpected(std::move(body.error()));
  if (kept) co_return std::nullopt;
  const auto age = age_of(path, now);
  if (age && *age <= rates_good_for) {
    co_return fmt::format("the exchange rates could not be fetched: {}; those of {} h ago are used",
                          kept.error(), std::chrono::floor<std::chrono::hours>(*age).count());
  }
  co_return std::unexpected(fmt::format(
      "cannot fetch the exchange rates ([transform] rates): {}; {}. Correct the address, or put a "
      "file of rates beside the spec and name that",
      kept.error(),
      age ? fmt::format("the copy in {} is {} days old", path,
                        std::chrono::floor<std::chrono::days>(*age).count())
          : fmt::format("there is no copy in {}", path)));
}

std::expected<void, std::string> fetch_rates_first(const transform& of, http_fetcher* client) {
  if (of.rates_url.empty()) return {};
  std::optional<http_client> own;
  if (client == nullptr) client = &own.emplace();
  thread_scheduler scheduler({.threads = 1, .blocking_threads = 1});
  auto done = scheduler.run(fetch_rates(client, of, system_clock::now()));
  if (!done) return std::unexpected(std::move(done.error()));
  if (*done) complain(**done);
  return {};
}

}  // namespace wherry::app
