// SPDX-License-Identifier: Apache-2.0
#include "commands/import_run.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>
#include <vector>

#include "commands/output.hpp"
#include "commands/pages.hpp"
#include "commands/views.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/select.hpp"
#include "wherry/csp/timeout.hpp"

namespace wherry::app {
namespace {

constexpr std::size_t submitted_at_once = 1000;

// A daily pass is one for the whole day, in UTC: its generation is that midnight, and that of no
// other pass is one.
constexpr std::int64_t day_ms = std::chrono::milliseconds(std::chrono::days(1)).count();
constexpr bool is_of_daily_pass(std::int64_t generation) { return generation % day_ms == 0; }

}  // namespace

import_run::import_run(session& parts, store& where, const import_call& call,
                       const asked_reports& asked)
    : parts_(parts),
      store_(where),
      call_(call),
      asked_(asked),
      engine_(where, report(parts_of_reports()), options_of(parts.spec())) {}

report_parts import_run::parts_of_reports() {
  auto all = parts_.parts();
  const auto& from = parts_.spec().source;
  if (from.request && from.request->slots > 0) {
    slots_.emplace(static_cast<std::size_t>(from.request->slots), 2 * from.timeout,
                   [this] { return pending_reports(); });
    all.slots = &*slots_;
  }
  return all;
}

std::optional<remote_slots::holders> import_run::pending_reports() {
  remote_slots::holders found;
  for (const auto in : {phase::waiting, phase::ready}) {
    const machine_filter filter{.phase = in, .state = std::string(pending::tag)};
    const auto looked = for_each_machine(
        store_, filter, [&](const machine_view& each) { found[each.lane].insert(each.id); });
    if (!looked) return std::nullopt;  // the engine meets the same error, and reports it
  }
  return found;
}

void import_run::stop() noexcept {
  stopping_ = true;
  engine_.stop();
}

task<int> import_run::run() {
  auto worked = co_await work();
  auto status = worked ? conclude() : or_error<int>(std::unexpected(std::move(worked.error())));
  if (status) co_return *status;
  complain(status.error().message);
  co_return some_dead;
}

task<import_run::or_error<>> import_run::work() {
  if (auto cleaned = clean_spool(); !cleaned) co_return cleaned;
  if (auto asked = co_await submit(); !asked) co_return asked;
  engine_.on_completed([this](report_engine::finished done) {
    remove_files(parts_.parts().spool, done.id, done.generation);
    if (asked_.contains(done.id)) ++completed_now_;
    rejected_rows_ += done.last.rejected_rows;
    if (done.last.rejected_rows > 0) ++reports_with_rejected_;
  });
  // The engine copies what it tells: not without need.
  if (slots_ || parts_.spec().warehouse) {
    engine_.on_transition([this](const transition& made) {
      if (slots_) slots_->heard(made);
      // What waits for the warehouse needs its object only, however long that takes.
      if (made.to == loadable::tag) remove_files(parts_.parts().spool, made.id, made.generation);
    });
  }
  engine_.on_left_alone([this](const left_alone& each) {
    if (first_left_alone_.size() < shown_at_most) first_left_alone_.push_back(each);
  });
  or_error<> ran;
  channel<std::monostate> over;
  co_await with_scope([&](scope& all) -> task<> {
    all.go(show_progress(over));
    ran = co_await engine_.run();
    over.close();
  });
  co_return ran;
}

// What a killed run, or a report that ended otherwise than completed, left in the spool. If some
// reports cannot be read here, nobody knows which files are theirs: then all stay.
import_run::or_error<> import_run::clean_spool() {
  std::vector<spool_file> live;
  const auto counts = store_.count();
  if (!counts) return std::unexpected(counts.error());
  bool all_known = std::ranges::all_of(counts->by, [](const auto& each) {
    const auto& [in, state] = each.first;
    return each.second == 0 || is_finished(in) || has_state<report>(state);
  });
  const auto keep_files_of = [&](const machine_view& each) {
    const auto now = read_state<report>({each.state, each.data, each.shape});
    if (!now) all_known = false;
    if (!now) return;
    for (auto& file : files_of(*now)) live.push_back(std::move(file));
  };
  // Requested reports keep files only between two parts.
  std::vector<std::string_view> keeping{downloading::tag, transformable::tag, uploadable::tag,
                                        loadable::tag};
  if (parts_.spec().source.split) keeping.insert(keeping.end(), {requestable::tag, pending::tag});
  for (const auto in : {phase::waiting, phase::ready}) {
    for (const auto state : keeping) {
      const machine_filter filter{.phase = in, .state = std::string(state)};
      if (auto looked = for_each_machine(store_, filter, keep_files_of); !looked) return looked;
    }
  }
  if (!all_known) return {};
  if (auto kept = parts_.parts().spool.keep_only(live); !kept) {
    return std::unexpected(store_error{store_error::kind::io, kept.error().message});
  }
  return {};
}

task<import_run::or_error<>> import_run::submit() {
  const bool failed_only = call_.only == only::failed;
  auto done = failed_only ? co_await redrive_failed() : co_await submit_asked();
  if (!done) co_return done;
  const auto counts = store_.count();
  if (!counts) co_return std::unexpected(counts.error());
  const auto ended = submitted_.completed + submitted_.dead + submitted_.cancelled;
  const auto unfinished = static_cast<std::size_t>(counts->unfinished());
  others_ = unfinished - std::min(unfinished, total_ - ended);
  co_return {};
}

task<import_run::or_error<>> import_run::submit_asked() {
  const auto newest = generation();
  if (!newest) co_return std::unexpected(newest.error());
  const auto now = std::chrono::floor<std::chrono::seconds>(scheduler::current().system_now());
  const auto& spec = parts_.spec();
  const auto clients = days_of_clients(spec, now);
  const std::chrono::days recent(1 + spec.look_back);
  std::size_t seen = 0;
  while (seen < asked_.size() && !stopping_) {
    std::vector<report_engine::start> some;
    const auto end = std::min(seen + submitted_at_once, asked_.size());
    for (std::size_t i = seen; i < end; ++i) {
      const auto& there = clients[asked_[i].client];
      const std::chrono::sys_days on{asked_[i].day};
      if (on > there.newest_due) {
        ++not_due_;
        continue;
      }
      const bool is_backfill = on < there.newest_ended - recent;
      some.push_back(
          {.id = asked_.id_of(i),
           .first = report::first(parts_.spec(), asked_.client_of(i).id, asked_.day_of(i)),
           .priority = is_backfill ? -1 : 0,
           .due = {},
           .generation = *newest});
    }
    seen = end;
    total_ += some.size();
    const auto done = co_await engine_.submit(std::move(some));
    if (!done) co_return std::unexpected(done.error());
    submitted_ += *done;
    if (!call_.json && end < asked_.size() && line_.is_time()) {
      line_.show(fmt::format("{} of {} reports entered", grouped(end), grouped(asked_.size())));
    }
  }
  co_return {};
}

// Each pass that does everything again is a generation of its own; one that was stopped goes on.
import_run::or_error<std::int64_t> import_run::generation() {
  std::int64_t newest = 1;
  const auto now =
      scheduler::current().system_now().time_since_epoch() / std::chrono::milliseconds(1);
  if (call_.only == only::missing && call_.is_daily()) return now - now % day_ms;
  if (call_.only != only::all) return newest;
  for (const auto in : {phase::waiting, phase::ready}) {
    auto looked = for_each_machine(store_, {.phase = in}, [&](const machine_view& each) {
      if (is_of_daily_pass(each.generation) || !asked_.contains(each.id)) return;
      newest = std::max(newest, each.generation);
    });
    if (!looked) return std::unexpected(std::move(looked.error()));
  }
  if (newest > 1) return newest;
  return is_of_daily_pass(now) ? now + 1 : now;
}

task<import_run::or_error<>> import_run::redrive_failed() {
  std::vector<std::string> failed;
  const auto looked =
      for_each_machine(store_, {.phase = phase::dead}, [&](const machine_view& each) {
        if (asked_.contains(each.id)) failed.push_back(each.id);
      });
  if (!looked) co_return looked;
  for (auto& id : failed) {
    if (stopping_) break;
    auto changed =
        co_await store_.control(control_verb::redrive, {.phase = phase::dead, .id = std::move(id)});
    if (!changed) co_return std::unexpected(changed.error());
    ++total_;
    if (!call_.json && line_.is_time()) {
      line_.show(fmt::format("{} of {} failed reports redriven", total_, failed.size()));
    }
  }
  co_return {};
}

task<> import_run::show_progress(channel<std::monostate> over) {
  if (call_.json) co_return;
  rate_meter meter;
  meter.observe(started_, 0);
  for (;;) {
    const auto tick = timeout(line_.pause());
    const auto chosen = co_await select(priority, over.take(), tick.take());
    const bool last = chosen.index() == 0;
    // Should it fail, the run itself meets the same error, and reports it.
    if (const auto counts = store_.count()) {
      const auto view = look(*counts, meter);
      if (last) {
        line_.finish(view);
      } else {
        line_.show(view);
      }
    }
    if (last) co_return;
  }
}

progress_view import_run::look(const machine_counts& counts, rate_meter& meter) const {
  const auto progress = engine_.progress();
  progress_view view{
      .total = static_cast<std::int64_t>(total_ + others_),
      .completed = static_cast<std::int64_t>(submitted_.completed + progress.completed),
      .dead = static_cast<std::int64_t>(submitted_.dead + progress.dead),
      .cancelled = static_cast<std::int64_t>(submitted_.cancelled),
      .waiting = counts.in(phase::waiting),
      .in_flight = progress.running};
  const auto ended = static_cast<std::int64_t>(progress.completed + progress.dead);
  view.rate = meter.observe(std::chrono::steady_clock::now(), ended);
  return view;
}

import_run::or_error<int> import_run::conclude() {
  const auto found = find_not_completed(store_, asked_);
  if (!found) return std::unexpected(found.error());
  const auto counts = store_.count();
  if (!counts) return std::unexpected(counts.error());
  for (const auto& each : found->first_dead) tell("dead: {}\n", line_of_failure(each));
  if (found->dead > found->first_dead.size()) {
    tell("and {} more: wherry list --phase dead\n", found->dead - found->first_dead.size());
  }
  if (const auto all = static_cast<std::size_t>(counts->in(phase::dead)); all > found->dead) {
    tell("besides, {} of other calls are dead: wherry list --phase dead\n", all - found->dead);
  }
  for (const auto& each : first_left_alone_) tell("left alone: {}: {}\n", each.id, each.why);
  const auto stopped = engine_.stopped_lanes();
  for (const auto& [lane, why] : stopped) tell("lane {} stopped: {}\n", lane, why);
  if (call_.json) {
    print_json(*found, counts->unfinished());
  } else {
    print_lines(*found, counts->unfinished());
  }
  const auto not_well =
      found->dead + found->cancelled + engine_.progress().left_alone + stopped.size();
  return not_well > 0 ? some_dead : all_well;
}

void import_run::print_json(const not_completed& found, std::int64_t unfinished) const {
  boost::json::array first_dead;
  for (const auto& each : found.first_dead) {
    first_dead.push_back(boost::json::object{{"id", each.id}, {"error", each.error}});
  }
  boost::json::object stopped;
  for (const auto& [lane, why] : engine_.stopped_lanes()) stopped[lane] = why;
  const auto progress = engine_.progress();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started_;
  const boost::json::object result{{"completed", completed()},
                                   {"dead", found.dead},
                                   {"cancelled", found.cancelled},
                                   {"unfinished", unfinished},
                                   {"left_alone", progress.left_alone},
                                   {"completed_now", progress.completed},
                                   {"retried", progress.retried},
                                   {"throttled", progress.throttled},
                                   {"postponed", progress.postponed},
                                   {"transitions", progress.transitions},
                                   {"not_due", not_due_},
                                   {"rejected_rows", rejected_rows_.load()},
                                   {"seconds", seconds.count()},
                                   {"stopped_lanes", std::move(stopped)},
                                   {"first_dead", std::move(first_dead)}};
  say("{}\n", boost::json::serialize(result));
}

void import_run::print_lines(const not_completed& found, std::int64_t unfinished) const {
  const auto alone = static_cast<std::int64_t>(engine_.progress().left_alone);
  if (not_due_ > 0) {
    say("{} not due: their day has not ended where the client is, or `import.delay` is not over; "
        "ask again then\n",
        grouped(not_due_));
  }
  if (unfinished > alone) {
    say("stopped: {} not finished; the same command goes on with them\n",
        grouped(unfinished - alone));
  }
  if (alone > 0) {
    say("{} left alone, as they were: the program that wrote them goes on with them\n",
        grouped(alone));
  }
  if (const auto reports = reports_with_rejected_.load(); reports > 0) {
    say("{} rows of {} reports could not be read: they lie beside the objects, in *.rejected.csv\n",
        grouped(rejected_rows_.load()), grouped(reports));
  }
  say("{} completed, {} dead", completed(), found.dead);
  if (found.cancelled > 0) say(", {} cancelled", found.cancelled);
  say("\n");
}

}  // namespace wherry::app
