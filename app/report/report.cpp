// SPDX-License-Identifier: Apache-2.0
// The steps of a report.

#include "report/report.hpp"

#include <utility>

#include "report/outcomes.hpp"
#include "spec/day.hpp"
#include "spec/template.hpp"
#include "wherry/csp/go.hpp"

namespace wherry::app {
namespace {

constexpr std::uint64_t in_memory_limit_bytes = 4 << 20;

/// A stored report whose client or day the spec does not know any more.
permanent unknown(const std::string& client, const std::string& day) {
  return permanent{"the report of client \"" + client + "\" on " + day +
                   " is not in the spec any more; put the client back into [import] clients, or "
                   "cancel the report"};
}

outcome<report_state> not_ready(const pending& now, const report_poll& how, system_time at) {
  const auto since = at - system_time(std::chrono::milliseconds(now.requested_ms));
  if (since < how.give_up) {
    return postponed{"the API still makes the report", at + how.every};
  }
  return go_back<report_state>{requestable{now.client, now.day},
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

void remove_files(spool& from, const std::string& id, std::int64_t generation) noexcept {
  from.remove(downloaded_key(id, generation));
  from.remove(transformed_key(id, generation));
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

report::state report::first(const app::spec& of, std::string client, std::string day) {
  if (of.source.request) return requestable{std::move(client), std::move(day)};
  return downloadable{std::move(client), std::move(day)};
}

template <class Now>
report::said report::without_rows(const source_error& why, const Now& now, system_time at) const {
  if (why.is != source_error::meaning::empty) return outcome_of(why, at);
  const auto& version = parts_.spec.version;
  if (parts_.loader == nullptr) return completed{{}, 0, {}, 0, version};
  return loadable{now.client, now.day, {}, 0, {}, 0, version, {}};
}

template <class Later>
report::state report::again(const Later& now, const step_context& context) const {
  if (now.report.empty()) return first(parts_.spec, now.client, now.day);
  return pending{now.client, now.day, now.report, context.now().time_since_epoch().count()};
}

task<report::said> report::step(requestable now, step_context context) {
  const client* const of = find_client(now.client);
  const auto on = parse_day(now.day);
  if (of == nullptr || !on) co_return unknown(now.client, now.day);
  if (!parts_.spec.source.request) co_return downloadable{now.client, now.day};

  auto asked = co_await parts_.source.request(*of, *on);
  if (!asked) co_return without_rows(asked.error(), now, context.now());
  co_return pending{now.client, now.day, *std::move(asked),
                    context.now().time_since_epoch().count()};
}

task<report::said> report::step(pending now, step_context context) {
  const client* const of = find_client(now.client);
  const auto on = parse_day(now.day);
  if (of == nullptr || !on) co_return unknown(now.client, now.day);
  const requestable anew{now.client, now.day};
  if (!parts_.spec.source.poll) {
    co_return go_back<state>{first(parts_.spec, now.client, now.day),
                             "the spec has no [source.poll] any more"};
  }
  auto writer = parts_.spool.write(downloaded_key(context.id, context.generation));
  if (const auto& full = writer.refusal()) co_return outcome_of(*full, now, context.now());

  auto seen = co_await parts_.source.poll(*of, *on, now.report);
  if (!seen) co_return without_rows(seen.error(), now, context.now());
  if (seen->now == remote_progress::is::gone) co_return go_back<state>{anew, std::move(seen->why)};
  if (seen->now == remote_progress::is::not_ready) {
    co_return not_ready(now, *parts_.spec.source.poll, context.now());
  }
  co_await context.call();
  auto fetched = co_await parts_.source.fetch(std::move(seen->place), writer);
  if (!fetched) co_return without_rows(fetched.error(), now, context.now());
  co_return transformable{now.client, now.day, std::move(fetched->file), now.report};
}

task<report::said> report::step(downloadable now, step_context context) {
  const client* const of = find_client(now.client);
  const auto on = parse_day(now.day);
  if (of == nullptr || !on) co_return unknown(now.client, now.day);

  auto writer = parts_.spool.write(downloaded_key(context.id, context.generation));
  if (const auto& full = writer.refusal()) {
    co_return outcome_of(*full, std::move(now), context.now());
  }
  auto fetched = co_await parts_.source.fetch(*of, *on, writer);
  if (!fetched) co_return without_rows(fetched.error(), now, context.now());
  co_return transformable{now.client, now.day, std::move(fetched->file), {}};
}

task<report::said> report::step(transformable now, step_context context) {
  const client* const of = find_client(now.client);
  const auto on = parse_day(now.day);
  if (of == nullptr || !on) co_return unknown(now.client, now.day);

  if (const auto full = parts_.spool.refuses_outputs()) {
    co_return outcome_of(*full, again(now, context), context.now());
  }
  std::stop_source stop;
  const auto running =
      thread([&, token = stop.get_token()] { return convert(now, context, token); });
  std::optional<result<conversion>> converted;
  bool was_cancelled = false;
  try {
    converted = co_await running.take();
  } catch (const cancelled&) {
    was_cancelled = true;  // a handler cannot wait, so what follows is below
  }
  if (was_cancelled) {
    // The thread works on this frame and on the files: it is made to end, and waited for.
    const auto guard = co_await shield();
    stop.request_stop();
    co_await running.take();
    throw cancelled{};
  }
  if (!converted->has_value()) converted->error().rethrow();
  auto& next = converted->value();
  if (next) co_return std::move(*next);
  if (const auto* spool = std::get_if<spool_error>(&next.error())) {
    co_return settled(outcome_of(*spool, again(now, context), context.now()), context);
  }
  co_return settled(outcome_of(std::get<transform_error>(next.error()), again(now, context)),
                    context);
}

report::conversion report::convert(const transformable& now, const step_context& context,
                                   const std::stop_token& stop) {
  auto& spool = parts_.spool;
  const auto key = transformed_key(context.id, context.generation);
  const auto result = run_transform(now, spool.path_for(key), stop);
  if (!result) return std::unexpected(result.error());
  auto written = spool.adopt(key);
  if (!written) return std::unexpected(std::move(written.error()));
  return uploadable{now.client,          now.day,   std::move(*written), result->rows_out,
                    parts_.spec.version, now.report};
}

// A small report is verified and read in one pass; a large one, or one whose columns DuckDB is to
// guess, is verified first and then read where it lies.
std::expected<transform_result, report::conversion_error> report::run_transform(
    const transformable& now, const std::string& output, const std::stop_token& stop) {
  auto& spool = parts_.spool;
  const auto said = [](auto result) -> std::expected<transform_result, conversion_error> {
    if (!result) return std::unexpected(std::move(result.error()));
    return *result;
  };
  if (!parts_.spec.source.columns.empty() && now.downloaded.size_bytes <= in_memory_limit_bytes) {
    auto text = spool.read(now.downloaded);
    if (!text) return std::unexpected(std::move(text.error()));
    return said(parts_.transformer.run(*text, output, stop));
  }
  auto intact =
      spool.read_pieces(now.downloaded, [&](std::string_view) { return !stop.stop_requested(); });
  if (!intact) return std::unexpected(std::move(intact.error()));
  return said(parts_.transformer.run({.client = now.client,
                                      .day = now.day,
                                      .input = spool.path_of(now.downloaded),
                                      .output = output},
                                     stop));
}

task<report::said> report::step(uploadable now, step_context context) {
  const client* const of = find_client(now.client);
  const auto on = parse_day(now.day);
  if (of == nullptr || !on) co_return unknown(now.client, now.day);

  // That this state is durable means that the download is not needed any more.
  parts_.spool.remove(downloaded_key(context.id, context.generation));
  auto stored = co_await parts_.sink.put(*of, *on, now.transformed);
  if (!stored) {
    co_return settled(outcome_of(stored.error(), again(now, context), context.now()), context);
  }
  if (parts_.loader != nullptr) {
    co_return loadable{std::move(now.client), std::move(now.day),        std::move(stored->url),
                       stored->size_bytes,    std::move(stored->sha256), now.rows,
                       std::move(now.spec),   std::move(now.report)};
  }
  co_return completed{std::move(stored->url), stored->size_bytes, std::move(stored->sha256),
                      now.rows, std::move(now.spec)};
}

task<report::said> report::step(loadable now, step_context context) {
  const auto done = [&] {
    return completed{now.url, now.size_bytes, now.sha256, now.rows, now.spec};
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
  if (loaded) co_return done();
  co_return outcome_of(loaded.error(), again(now, context),
                       {.unreachable = context.now() + parts_.spec.retry.cap,
                        .stopped = context.now() + stopped_lane_wait});
}

}  // namespace wherry::app
