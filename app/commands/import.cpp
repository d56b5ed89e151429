// SPDX-License-Identifier: Apache-2.0
// `wherry import`: submits the reports of some days, drives them to their end, and shows how far
// they are. Killed at any moment and started again, it goes on where it was.

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <optional>
#include <unordered_set>
#include <utility>

#include "commands/commands.hpp"
#include "commands/progress.hpp"
#include "commands/session.hpp"
#include "commands/signals.hpp"
#include "wherry/csp/go.hpp"
#include "wherry/csp/select.hpp"
#include "wherry/csp/timeout.hpp"
#include "wherry/store/sqlite.hpp"

namespace wherry::app {
namespace {

constexpr std::size_t page = 1000;  // machines submitted or read at once
constexpr std::size_t dead_letters_shown = 20;
const std::string sqlite_scheme = "sqlite:";

using report_engine = engine<report>;

template <class T>
using or_error = std::expected<T, store_error>;

class import_run {
 public:
  import_run(session& parts, store& where, const import_call& call, const backlog& wanted)
      : parts_(parts),
        store_(where),
        call_(call),
        wanted_(wanted),
        engine_(where, report(parts.parts()), options_of(parts.spec())) {}

  void stop() noexcept {
    stopping_ = true;
    engine_.stop();
  }

  task<int> run() {
    auto finished = co_await work();
    if (!finished) {
      complain(finished.error().message);
      co_return some_dead;
    }
    auto counts = store_.count();
    if (!counts) {
      complain(counts.error().message);
      co_return some_dead;
    }
    co_return conclude(*counts);
  }

 private:
  task<or_error<void>> work() {
    if (auto cleaned = clean_spool(); !cleaned) co_return std::unexpected(cleaned.error());
    if (auto asked = co_await submit(); !asked) co_return std::unexpected(asked.error());
    engine_.on_completed([this](report_engine::finished done) {
      parts_.parts().spool.remove(transformed_key(done.id, done.generation));
    });
    started_ = std::chrono::steady_clock::now();
    or_error<void> ran;
    channel<std::monostate> over;
    co_await with_scope([&](scope& all) -> task<> {
      all.go(show_progress(over));
      ran = co_await engine_.run();
      over.close();
    });
    co_return ran;
  }

  // What a killed run left in the spool and no machine refers to.
  or_error<void> clean_spool() {
    std::unordered_set<std::string> live;
    for (const auto state : {transformable::tag, uploadable::tag}) {
      std::string after;
      for (;;) {
        auto found = store_.query({.state = std::string(state)}, page, after);
        if (!found) return std::unexpected(std::move(found.error()));
        if (found->empty()) break;
        after = found->back().id;
        for (const auto& each : *found) keep_files_of(each, live);
      }
    }
    if (auto removed = parts_.parts().spool.remove_orphans(live); !removed) {
      return std::unexpected(store_error{store_error::kind::io, removed.error().message});
    }
    return {};
  }

  static void keep_files_of(const machine_view& machine, std::unordered_set<std::string>& live) {
    if (auto now = detail::decode<transformable>(machine.data)) live.insert(now->downloaded.name);
    if (auto now = detail::decode<uploadable>(machine.data)) live.insert(now->transformed.name);
  }

  task<or_error<void>> submit() {
    if (call_.only == only::failed) co_return co_await redrive_failed();
    // A generation of its own for each run that does everything again; otherwise the first.
    const std::int64_t generation =
        call_.only == only::all ? scheduler::current().system_now().time_since_epoch().count() : 1;
    const auto& clients = parts_.spec().clients;
    for (std::size_t from = 0; from < wanted_.size() && !stopping_; from += page) {
      std::vector<report_engine::start> some;
      for (std::size_t i = from; i < std::min(from + page, wanted_.size()); ++i) {
        const report_id id = wanted_[i];
        some.push_back({.id = to_string(id, clients),
                        .first = downloadable{clients[id.client].id, to_string(id.day)},
                        .priority = 0,
                        .due = {},
                        .generation = generation});
      }
      if (auto done = co_await engine_.submit(std::move(some)); !done) {
        co_return std::unexpected(done.error());
      }
    }
    co_return {};
  }

  task<or_error<void>> redrive_failed() {
    const auto& clients = parts_.spec().clients;
    for (std::size_t i = 0; i < wanted_.size() && !stopping_; ++i) {
      auto changed = co_await store_.control(
          control_verb::redrive, {.phase = phase::dead, .id = to_string(wanted_[i], clients)});
      if (!changed) co_return std::unexpected(changed.error());
    }
    co_return {};
  }

  task<> show_progress(channel<std::monostate> over) {
    if (call_.json) co_return;
    const bool terminal = ::isatty(STDERR_FILENO) != 0;
    rate_meter meter;
    for (int turn = 0;; ++turn) {
      const auto tick = timeout(std::chrono::milliseconds(250));
      const auto chosen = co_await select(priority, over.take(), tick.take());
      const bool last = chosen.index() == 0;
      const auto counts = store_.count();
      if (!counts) continue;  // the run itself meets the same error, and reports it
      const auto view = look(*counts, meter);
      if (terminal) {
        fmt::print(stderr, "\r\x1b[K{}", progress_bar(view, terminal_width()));
        if (last) fmt::print(stderr, "\n");
      } else if (turn % 8 == 3 || last) {
        fmt::print(stderr, "{}\n", progress_text(view));
      }
      if (last) co_return;
    }
  }

  progress_view look(const machine_counts& counts, rate_meter& meter) {
    const auto now = std::chrono::steady_clock::now();
    progress_view view{.total = counts.all(),
                       .completed = counts.in(phase::completed),
                       .dead = counts.in(phase::dead),
                       .cancelled = counts.in(phase::cancelled),
                       .waiting = counts.in(phase::waiting),
                       .in_flight = engine_.progress().running,
                       .elapsed = std::chrono::duration_cast<std::chrono::seconds>(now - started_)};
    view.rate = meter.observe(now, view.completed + view.dead + view.cancelled);
    return view;
  }

  static std::size_t terminal_width() {
    winsize size{};
    const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return known ? size.ws_col - 1u : 79u;
  }

  int conclude(const machine_counts& counts) {
    const auto seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    const auto progress = engine_.progress();
    if (call_.json) {
      const boost::json::object result{{"completed", counts.in(phase::completed)},
                                       {"dead", counts.in(phase::dead)},
                                       {"cancelled", counts.in(phase::cancelled)},
                                       {"unfinished", counts.unfinished()},
                                       {"completed_now", progress.completed},
                                       {"retried", progress.retried},
                                       {"throttled", progress.throttled},
                                       {"transitions", progress.transitions},
                                       {"seconds", seconds}};
      fmt::print("{}\n", boost::json::serialize(result));
    }
    list_dead();
    if (!call_.json) {
      if (counts.unfinished() > 0) {
        fmt::print("stopped: {} not finished; the same command goes on with them\n",
                   grouped(counts.unfinished()));
      }
      fmt::print("{} completed, {} dead\n", counts.in(phase::completed), counts.in(phase::dead));
    }
    return counts.in(phase::dead) > 0 ? some_dead : all_well;
  }

  void list_dead() {
    const auto dead = store_.query({.phase = phase::dead}, dead_letters_shown, "");
    if (!dead) return complain(dead.error().message);
    for (const auto& each : *dead) {
      fmt::print(stderr, "dead: {} ({}, attempt {}): {}\n", each.id, each.state, each.attempt,
                 each.error);
    }
    if (dead->size() == dead_letters_shown) {
      fmt::print(stderr, "more: wherry list --phase dead; again: wherry redrive ID\n");
    }
  }

  session& parts_;
  store& store_;
  const import_call& call_;
  const backlog& wanted_;
  report_engine engine_;
  std::atomic<bool> stopping_{false};
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace

int import_reports(const import_call& call) {
  block_stop_signals();
  auto spec = read_or_complain(call.spec);
  if (!spec) return spec.error();
  const auto wanted = backlog::make(call.range, spec->clients);
  if (!wanted) {
    complain(wanted.error().message + "; " + wanted.error().remedy);
    return mistake_made;
  }
  const std::filesystem::path spool = spec->spool;
  const std::string file = spec->store.substr(sqlite_scheme.size());
  // The order of these is the order of their lives: the scheduler's threads use all the others.
  auto store = open_sqlite_store(file);
  if (!store) {
    complain(store.error().message);
    return mistake_made;
  }
  auto parts = session::open(std::move(*spec), spool);
  if (!parts) {
    complain(parts.error());
    return mistake_made;
  }
  import_run run(**parts, **store, call, *wanted);
  thread_scheduler scheduler;
  const stop_signals listening([&] {
    complain("stopping: steps under way may end; again to stop at once");
    run.stop();
  });
  return scheduler.run(run.run());
}

}  // namespace wherry::app
