// SPDX-License-Identifier: Apache-2.0
// The steps of a report; how it is collected from pages and parts is in collect.cpp.

#include "report/report.hpp"

#include <utility>

#include "report/collected.hpp"
#include "report/outcomes.hpp"
#include "spec/day.hpp"
#include "spec/template.hpp"
#include "spool/blocking.hpp"

namespace wherry::app {
namespace {

constexpr std::uint64_t in_memory_limit_bytes = 4 << 20;
/// When a slot is looked for again, at the latest.
constexpr std::chrono::milliseconds slot_wait = std::chrono::seconds(10);

outcome<report_state> not_ready(const pending& now, const report_poll& how, system_time at) {
  const auto since = at - system_time(std::chrono::milliseconds(now.requested_ms));
  if (since < how.give_up) {
    return postponed{"the API still makes the report", at + how.every};
  }
  return go_back<report_state>{requestable{now.client, now.day, now.so_far},
                               "the API has not made the report in " +
                                   std::to_string(since / std::chrono::minutes(1)) +
                                   " min: it is requested anew (`source.poll.give_up`)"};
}

}  // namespace

report::report(report_parts parts) : parts_(parts) {
  policies_ = policies_of(parts_.spec);
  for (const auto& each : parts_.spec.clients) clients_.emplace(each.id, &each);
}

const client* report::find_client(const std::string& id) const {
  const auto found = clients_.find(id);
  return found == clients_.end() ? nullptr : found->second;
}

spool_key downloaded_key(const std::string& id, std::int64_t generation) {
  return {id, static_cast<std::uint64_t>(generation), spool_step::download};
}

spool_key transformed_key(const std::string& id, std::int64_t generation) {
  return {id, static_cast<std::uint64_t>(generation), spool_step::transform};
}

spool_key rejected_key(const std::string& id, std::int64_t generation) {
  return {id, static_cast<std::uint64_t>(generation), spool_step::reject};
}

spool_key page_key(const std::string& id, std::int64_t generation, std::size_t number) {
  return {id, static_cast<std::uint64_t>(generation), spool_step::page, number};
}

spool_key joined_key(const std::string& id, std::int64_t generation) {
  return {id, static_cast<std::uint64_t>(generation), spool_step::joined};
}

std::vector<spool_file> files_of(const report::state& of) {
  struct finder {
    std::vector<spool_file> operator()(const requestable& at) const { return at.so_far.pages; }
    std::vector<spool_file> operator()(const pending& at) const { return at.so_far.pages; }
    std::vector<spool_file> operator()(const downloadable&) const { return {}; }
    std::vector<spool_file> operator()(const downloading& at) const { return at.so_far.pages; }
    std::vector<spool_file> operator()(const transformable& at) const { return {at.downloaded}; }
    std::vector<spool_file> operator()(const uploadable& at) const {
      if (at.rejected.name.empty()) return {at.transformed};
      return {at.transformed, at.rejected};
    }
    std::vector<spool_file> operator()(const loadable&) const { return {}; }
    std::vector<spool_file> operator()(const completed&) const { return {}; }
  };
  return std::visit(finder{}, of);
}

void remove_downloads(spool& from, const std::string& id, std::int64_t generation) noexcept {
  from.remove(downloaded_key(id, generation));
  from.remove(joined_key(id, generation));
  for (std::size_t i = 1; from.remove(page_key(id, generation, i)); ++i) {}
}

void remove_files(spool& from, const std::string& id, std::int64_t generation) noexcept {
  remove_downloads(from, id, generation);
  from.remove(transformed_key(id, generation));
  from.remove(rejected_key(id, generation));
}

// Should this outcome not be recorded, the same step runs again, finds nothing and goes back.
report::said report::settled(said outcome, const step_context& context) const {
  const auto policy = policies_.find(context.state);
  const bool is_last = policy != policies_.end() && context.attempt >= policy->second.attempts;
  const auto& what = outcome.get();
  if (std::holds_alternative<permanent>(what) || std::holds_alternative<go_back<state>>(what) ||
      (is_last && std::holds_alternative<transient>(what))) {
    remove_files(parts_.spool, context.id, context.generation);
  }
  return outcome;
}

void report::name_the_remote_report(state_json& old) {
  if (old.tag == transformable::tag || old.tag == uploadable::tag) old.data["report"] = "";
}

void report::begin_without_pages(state_json& old) {
  if (old.tag != requestable::tag && old.tag != pending::tag) return;
  old.data["so_far"] = boost::json::value_from(collected{});
}

void report::count_rejected_rows(state_json& old) {
  if (old.tag == uploadable::tag) {
    old.data["rejected"] = boost::json::value_from(spool_file{});
  }
  if (old.tag == uploadable::tag || old.tag == completed::tag) old.data["rejected_rows"] = 0;
}

report::state report::first(const app::spec& of, std::string client, std::string day) {
  if (of.source.request) return requestable{std::move(client), std::move(day)};
  return downloadable{std::move(client), std::move(day)};
}

template <class Later>
report::state report::again(const Later& now, const step_context& context) const {
  // Of a report in parts only the last one's id is known.
  if (now.report.empty() || parts_.spec.source.split) {
    return first(parts_.spec, now.client, now.day);
  }
  return pending{now.client, now.day, now.report, context.now().time_since_epoch().count()};
}

template report::state report::again(const downloading& now, const step_context& context) const;
template report::state report::again(const transformable& now, const step_context& context) const;

task<report::said> report::step(requestable now, step_context context) {
  const client* const of = find_client(now.client);
  const auto on = parse_day(now.day);
  if (of == nullptr || !on) co_return settled(unknown_report(now.client, now.day), context);
  if (!parts_.spec.source.request || !parts_.spec.source.poll)
    co_return downloadable{now.client, now.day};

  const auto api = source_lane(now.client);
  context.expect_open(api);  // else those without a slot wait for ever, and the run with them
  if (parts_.slots != nullptr && !parts_.slots->take(api, context.id, context.now())) {
    co_return throttled{
        "the API makes as many reports as `source.request.slots` says; this one waits for a slot",
        context.now() + std::min(parts_.spec.source.poll->every, slot_wait)};
  }
  if (context.lane != api) co_await context.call_in(api);
  co_await pay_shared(*of, context);
  auto asked =
      co_await parts_.source.request(*of, *on, part_text(parts_.spec.source.split, now.so_far));
  if (!asked) {
    co_return co_await without_rows({now.client, now.day, {}, {}, now.so_far}, asked.error(),
                                    context);
  }
  co_return pending{now.client, now.day, *std::move(asked),
                    context.now().time_since_epoch().count(), std::move(now.so_far)};
}

task<report::said> report::step(pending now, step_context context) {
  const client* const of = find_client(now.client);
  const auto on = parse_day(now.day);
  if (of == nullptr || !on) co_return settled(unknown_report(now.client, now.day), context);
  const requestable anew{now.client, now.day, now.so_far};
  if (!parts_.spec.source.poll) {
    co_return go_back<state>{first(parts_.spec, now.client, now.day),
                             "the spec has no [source.poll] any more"};
  }
  auto writer = std::optional(
      parts_.spool.write(downloaded_key(context.id, context.generation), form_of_rows()));
  if (const auto& full = writer->refusal()) co_return outcome_of(*full, now, context.now());

  co_await pay_shared(*of, context);
  auto seen = co_await parts_.source.poll(*of, *on, now.report);
  if (!seen) {
    co_return co_await without_rows({now.client, now.day, now.report, {}, now.so_far}, seen.error(),
                                    context);
  }
  if (seen->now == remote_progress::is::gone) co_return go_back<state>{anew, std::move(seen->why)};
  if (seen->now == remote_progress::is::not_ready) {
    co_return not_ready(now, *parts_.spec.source.poll, context.now());
  }
  co_await context.call();
  co_await pay_shared(*of, context);
  if (comes_in_pieces()) {
    writer.reset();  // the page reserves its own room
    co_return co_await collect(*of, *on, {now.client, now.day, now.report, {}, now.so_far},
                               std::move(seen->place), context);
  }
  auto fetched = co_await parts_.source.fetch(std::move(seen->place), *writer);
  if (!fetched) {
    co_return co_await without_rows({now.client, now.day, now.report, {}, {}}, fetched.error(),
                                    context);
  }
  co_return transformable{now.client, now.day, std::move(fetched->file), now.report};
}

task<report::said> report::step(downloadable now, step_context context) {
  const client* const of = find_client(now.client);
  const auto on = parse_day(now.day);
  if (of == nullptr || !on) co_return settled(unknown_report(now.client, now.day), context);

  if (comes_in_pieces()) {
    co_return co_await collect(*of, *on, {now.client, now.day, {}, {}, {}}, std::nullopt, context);
  }
  auto writer = parts_.spool.write(downloaded_key(context.id, context.generation), form_of_rows());
  if (const auto& full = writer.refusal()) {
    co_return outcome_of(*full, std::move(now), context.now());
  }
  co_await pay_shared(*of, context);
  auto fetched = co_await parts_.source.fetch(*of, *on, writer);
  if (!fetched) {
    co_return co_await without_rows({now.client, now.day, {}, {}, {}}, fetched.error(), context);
  }
  co_return transformable{now.client, now.day, std::move(fetched->file), {}};
}

task<report::said> report::step(transformable now, step_context context) {
  const client* const of = find_client(now.client);
  const auto on = parse_day(now.day);
  if (of == nullptr || !on) co_return settled(unknown_report(now.client, now.day), context);

  // With pages and the file of them all, downloads may hold all of the spool: then one has to give.
  const auto is_stuck = [this](const spool_error& error) {
    return error.kind == spool_error_kind::full && comes_in_pieces();
  };
  if (const auto full = parts_.spool.refuses(spool_step::transform)) {
    if (is_stuck(*full)) {
      co_return make_way(now, now.downloaded.size_bytes, full->message, context);
    }
    co_return outcome_of(*full, again(now, context), context.now());
  }
  auto next =
      co_await blocking([&](const std::stop_token& stop) { return convert(now, context, stop); });
  if (next) co_return std::move(*next);
  if (const auto* spool = std::get_if<spool_error>(&next.error())) {
    if (is_stuck(*spool)) {
      co_return make_way(now, now.downloaded.size_bytes, spool->message, context);
    }
    co_return settled(outcome_of(*spool, again(now, context), context.now()), context);
  }
  co_return settled(outcome_of(std::get<transform_error>(next.error()), again(now, context)),
                    context);
}

// What the SQL and its errors know of the report, and where its files go.
transform_job report::job_of(const transformable& now, const step_context& context) const {
  auto& spool = parts_.spool;
  transform_job job{.client = now.client,
                    .day = now.day,
                    .input = spool.path_of(now.downloaded),
                    .output = spool.path_for(transformed_key(context.id, context.generation)),
                    .returned_bytes = spool::small_bytes};
  if (parts_.spec.transform.bad_rows) {
    job.rejected = spool.path_for(rejected_key(context.id, context.generation));
  }
  if (const client* const of = find_client(now.client)) {
    job.account = of->account;
    job.currency = of->currency;
    job.timezone = of->timezone;
  }
  return job;
}

// DuckDB reads files only, if it is to guess their columns.
spool_form report::form_of_rows() const {
  return parts_.spec.source.columns.empty() ? spool_form::own_file : spool_form::any;
}

report::conversion report::convert(const transformable& now, const step_context& context,
                                   const std::stop_token& stop) {
  auto& spool = parts_.spool;
  auto result = run_transform(now, job_of(now, context), stop);
  if (!result) return std::unexpected(std::move(result.error()));
  const auto key = transformed_key(context.id, context.generation);
  auto written = result->output ? spool.store(key, *result->output) : spool.adopt(key);
  if (!written) return std::unexpected(std::move(written.error()));
  uploadable next{now.client,          now.day,   std::move(*written), result->rows_out,
                  parts_.spec.version, now.report};
  if (result->rejected_rows == 0) return next;
  auto rejected = spool.adopt(rejected_key(context.id, context.generation));
  if (!rejected) return std::unexpected(std::move(rejected.error()));
  next.rejected = std::move(*rejected);
  next.rejected_rows = result->rejected_rows;
  return next;
}

// A small report is verified and read in one pass; a large one, or one whose columns DuckDB is to
// guess, is verified first and then read where it lies.
std::expected<transform_result, report::conversion_error> report::run_transform(
    const transformable& now, const transform_job& job, const std::stop_token& stop) {
  auto& spool = parts_.spool;
  const auto said = [](auto result) -> std::expected<transform_result, conversion_error> {
    if (!result) return std::unexpected(std::move(result.error()));
    return *result;
  };
  if (!parts_.spec.source.columns.empty() && now.downloaded.size_bytes <= in_memory_limit_bytes) {
    auto text = spool.read(now.downloaded);
    if (!text) return std::unexpected(std::move(text.error()));
    return said(parts_.transformer.run(*text, job, stop));
  }
  if (!spool::has_path(now.downloaded)) {
    return std::unexpected(spool_error{spool_error_kind::damaged,
                                       "the spec has no `columns` in [source] any more, and this "
                                       "report was downloaded for one that had"});
  }
  auto intact =
      spool.read_pieces(now.downloaded, [&](std::string_view) { return !stop.stop_requested(); });
  if (!intact) return std::unexpected(std::move(intact.error()));
  return said(parts_.transformer.run(job, stop));
}

task<report::said> report::step(uploadable now, step_context context) {
  const client* const of = find_client(now.client);
  const auto on = parse_day(now.day);
  if (of == nullptr || !on) co_return settled(unknown_report(now.client, now.day), context);

  // That this state is durable means that the download is not needed any more.
  if (comes_in_pieces()) {
    remove_downloads(parts_.spool, context.id, context.generation);
  } else {
    parts_.spool.remove(downloaded_key(context.id, context.generation));
  }
  const bool is_again = context.generation > 1;
  const auto pay = [&context] { return context.call(); };
  // Those first: an object that is there says that what was put aside of it is there as well.
  if (!now.rejected.name.empty()) {
    auto aside = co_await parts_.sink.put({.of = *of,
                                           .on = *on,
                                           .file = now.rejected,
                                           .role = object_role::rejected,
                                           .spec = now.spec,
                                           .rows_sha256 = now.transformed.sha256,
                                           .may_be_there = is_again,
                                           .pay = pay});
    if (!aside) {
      co_return settled(outcome_of(aside.error(), again(now, context), context.now()), context);
    }
    co_await context.call();
  }
  auto stored = co_await parts_.sink.put({.of = *of,
                                          .on = *on,
                                          .file = now.transformed,
                                          .spec = now.spec,
                                          .may_be_there = is_again,
                                          .pay = pay});
  if (!stored) {
    co_return settled(outcome_of(stored.error(), again(now, context), context.now()), context);
  }
  if (parts_.loader != nullptr) {
    co_return loadable{.client = std::move(now.client),
                       .day = std::move(now.day),
                       .url = std::move(stored->url),
                       .size_bytes = stored->size_bytes,
                       .sha256 = std::move(stored->sha256),
                       .rows = now.rows,
                       .spec = std::move(now.spec),
                       .report = std::move(now.report),
                       .rejected_rows = now.rejected_rows};
  }
  co_return completed{std::move(stored->url),    stored->size_bytes,
                      std::move(stored->sha256), now.rows,
                      std::move(now.spec),       now.rejected_rows};
}

task<report::said> report::step(loadable now, step_context context) {
  const auto done = [&] {
    return completed{now.url, now.size_bytes, now.sha256, now.rows, now.spec, now.rejected_rows};
  };
  if (parts_.loader == nullptr) co_return done();  // the spec has no warehouse any more
  auto loaded = co_await parts_.loader->load({.id = context.id,
                                              .generation = context.generation,
                                              .client = now.client,
                                              .day = now.day,
                                              .url = now.url,
                                              .size_bytes = now.size_bytes,
                                              .sha256 = now.sha256,
                                              .rows = now.rows});
  if (loaded) {
    // A worker that was superseded may say so too, but cannot commit it.
    if (*loaded == load_result::superseded) co_return loaded_by_another(parts_.spec);
    co_return done();
  }
  co_return outcome_of(loaded.error(), again(now, context),
                       {.full = context.now() + spool_full_wait,
                        .unreachable = context.now() + parts_.spec.retry.cap,
                        .stopped = context.now() + stopped_lane_wait});
}

}  // namespace wherry::app
