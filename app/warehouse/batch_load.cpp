// SPDX-License-Identifier: Apache-2.0
#include "warehouse/batch_load.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <stop_token>

#include "spool/blocking.hpp"
#include "warehouse/manifest.hpp"
#include "warehouse/object_rows.hpp"
#include "wherry/csp/scheduler.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry::app {
namespace {

constexpr std::string_view file_scheme = "file://";

// Objects that are read back from S3 at once, for PostgreSQL.
constexpr std::size_t fetches_at_once = 16;

load_error as_error(const load_failure& why) {
  switch (why.is) {
    case load_failure::kind::transient: return {load_error_kind::transient, why.message};
    case load_failure::kind::unreachable: return {load_error_kind::unreachable, why.message};
    case load_failure::kind::stopped: return {load_error_kind::stopped, why.message};
    case load_failure::kind::data: break;
  }
  return {why.object_is_gone ? load_error_kind::vanished : load_error_kind::permanent, why.message};
}

std::string in_utc(system_time when) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(when)));
}

// Names of their own: those of the report's steps are removed while its load may be under way.
spool_key fetched_key(const load_item& of) {
  // As a page: a report that is so far has room where downloads have none.
  return {of.id + " load", static_cast<std::uint64_t>(of.generation), spool_step::page};
}

spool_key scratch_key(const load_item& of) {
  return {of.id + " load", static_cast<std::uint64_t>(of.generation), spool_step::transform};
}

load_or_failure<std::pair<load_transaction, std::vector<known_load>>> begin_about(
    const std::vector<load_item>& reports, const load_target& to, const std::stop_token& stop) {
  auto made = load_transaction::begin(to, stop);
  if (!made) return std::unexpected(std::move(made.error()));
  auto known = made->find(reports);
  if (!known) return std::unexpected(std::move(known.error()));
  return std::pair{*std::move(made), *std::move(known)};
}

}  // namespace

void batch_load::portion::add(std::size_t number, const load_item& report, bool is_loaded) {
  const auto at = static_cast<std::ptrdiff_t>(is_loaded ? to_load.size() : active.size());
  active.insert(active.begin() + at, number);
  to_remember.insert(to_remember.begin() + at, report);
  if (is_loaded) to_load.push_back(report);
}

void batch_load::portion::remove_loaded(std::size_t i) {
  const auto at = static_cast<std::ptrdiff_t>(i);
  active.erase(active.begin() + at);
  to_remember.erase(to_remember.begin() + at);
  to_load.erase(to_load.begin() + at);
  paths.erase(paths.begin() + at);
}

batch_load::batch_load(load_parts& with, std::vector<load_item> batch)
    : with_(with),
      batch_(std::move(batch)),
      results_(batch_.size(), load_outcome{load_result::loaded}) {}

task<std::vector<load_outcome>> batch_load::run() {
  numbers all(batch_.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  portions_.push_back(std::move(all));
  while (!portions_.empty()) {
    auto some = std::move(portions_.back());
    portions_.pop_back();
    if (!some.empty()) co_await attempt(std::move(some));
  }
  co_return std::move(results_);
}

void batch_load::fail_all(const numbers& reports, const load_error& with) {
  for (const auto each : reports) results_[each] = std::unexpected(with);
}

// What is known already has its result now; the rest is what the transaction is about.
void batch_load::choose(const numbers& some, const std::vector<load_item>& reports,
                        const std::vector<known_load>& known) {
  now_ = {};
  const auto decided = decide(reports, known);
  for (std::size_t i = 0; i < some.size(); ++i) {
    results_[some[i]] = decided[i].result;
    if (decided[i].writes) {
      now_.add(some[i], reports[i], decided[i].result == load_result::loaded);
    }
  }
}

task<> batch_load::attempt(numbers some) {
  std::vector<load_item> reports;
  for (const auto each : some) reports.push_back(batch_[each]);
  auto first = co_await blocking(
      [&](const std::stop_token& stop) { return begin_about(reports, with_.target, stop); });
  if (!first) {
    fail_all(some, as_error(first.error().why));
    co_return;
  }
  auto& [transaction, known] = *first;
  choose(some, reports, known);
  if (is_redshift()) {
    co_await bring_manifest();
  } else {
    co_await bring_objects();
  }
  if (now_.active.empty()) co_return;
  const auto when = in_utc(scheduler::current().system_now());
  const auto stored = co_await blocking([&](const std::stop_token& stop) {
    const auto within = std::make_unique<load_transaction>(std::move(transaction));
    within->listen(stop);
    return store(*within, when);
  });
  co_await tidy();
  if (!stored) judge(stored.error());
}

task<> batch_load::bring_manifest() {
  if (!has_rows(now_.to_load)) co_return;
  auto manifest = manifest_of(now_.to_load);
  now_.manifest_url = manifest_url(with_.sink.url, manifest.name);
  const auto put = co_await with_.bucket.put(now_.manifest_url, std::move(manifest.text));
  if (put) co_return;
  fail_all(now_.active, put.error());
  now_.active.clear();
}

task<> batch_load::fetch_some() {
  for (auto i = next_++; i < now_.to_load.size(); i = next_++) {
    const auto& report = now_.to_load[i];
    if (report.rows > 0) got_[i] = co_await with_.bucket.fetch(report.url, fetched_key(report));
  }
}

task<> batch_load::bring_objects() {
  now_.paths.resize(now_.to_load.size());
  if (has_file_sink()) {
    for (std::size_t i = 0; i < now_.paths.size(); ++i) {
      const auto& url = now_.to_load[i].url;
      if (!url.empty()) now_.paths[i] = url.substr(file_scheme.size());
    }
    co_return;
  }
  got_.assign(now_.to_load.size(), std::nullopt);
  next_ = 0;
  co_await with_scope([this](scope& all) -> task<> {
    const auto fetchers = std::min(fetches_at_once, now_.to_load.size());
    for (std::size_t i = 0; i < fetchers; ++i) all.go(fetch_some());
    co_return;
  });
  const bool has_some = std::ranges::any_of(got_, [](const auto& each) { return each && *each; });
  numbers later;
  for (auto i = got_.size(); i-- > 0;) {
    if (!got_[i]) continue;  // without rows
    if (*got_[i]) {
      now_.paths[i] = with_.files.path_of(**got_[i]).native();
      continue;
    }
    // Those that are there make room for the others.
    if (has_some && got_[i]->error().kind == load_error_kind::full) later.push_back(now_.active[i]);
    results_[now_.active[i]] = std::unexpected(got_[i]->error());
    now_.remove_loaded(i);
  }
  if (!later.empty()) portions_.push_back(std::move(later));
}

std::expected<void, load_error> batch_load::read(const load_item& of,
                                                 const database_connection::receiver& into) const {
  const auto i = static_cast<std::size_t>(&of - now_.to_load.data());
  return read_rows(of, now_.paths[i],
                   {.format = with_.target.format,
                    .compression = with_.target.compression,
                    .scratch = with_.files.path_for(scratch_key(of))},
                   into);
}

load_or_failure<> batch_load::store(load_transaction& in, const std::string& now_utc) {
  if (!now_.to_load.empty()) {
    const auto read_here = [this](const load_item& of, const database_connection::receiver& into) {
      return read(of, into);
    };
    auto staged = is_redshift() ? in.stage(now_.to_load, now_.manifest_url)
                                : in.stage(now_.to_load, read_here);
    if (!staged) return staged;
    if (auto replaced = in.replace(now_.to_load); !replaced) return replaced;
  }
  const sql::load_stamp stamp{.batch = manifest_of(now_.to_load).name, .loaded_at = now_utc};
  if (auto remembered = in.remember(now_.to_remember, stamp); !remembered) return remembered;
  return in.commit();
}

// What follows from a transaction that failed: everybody's outcome, or who is tried again.
void batch_load::judge(const failed_load& failed) {
  if (failed.why.is != load_failure::kind::data) {
    return fail_all(now_.active, as_error(failed.why));
  }
  const auto loads = now_.to_load.size();
  if (failed.culprits.empty() && loads > 1) {
    const auto half = now_.active.begin() + static_cast<std::ptrdiff_t>(loads / 2);
    portions_.emplace_back(now_.active.begin(), half);
    portions_.emplace_back(half, now_.active.end());
    return;
  }
  auto rest = now_.active;
  if (failed.culprits.empty()) {  // it is alone
    results_[rest.front()] = std::unexpected(as_error(failed.why));
    rest.erase(rest.begin());
  }
  for (const auto& each : failed.culprits) {
    results_[now_.active[each.report]] = std::unexpected(each.error);
    std::erase(rest, now_.active[each.report]);
  }
  portions_.push_back(std::move(rest));
}

// What a load leaves besides rows. A manifest that stays does no harm: no other load has its name.
task<> batch_load::tidy() {
  if (!has_file_sink()) {
    for (const auto& each : now_.to_load) with_.files.remove(fetched_key(each));
  }
  if (now_.manifest_url.empty()) co_return;
  [[maybe_unused]] const auto removed = co_await with_.bucket.remove(now_.manifest_url);
}

}  // namespace wherry::app
