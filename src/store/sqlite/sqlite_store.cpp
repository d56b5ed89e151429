// SPDX-License-Identifier: Apache-2.0
// The embedded store: the writer's commits, the live state that mirrors them, a reader for the
// engine, and a connection for what people ask.
//
// Order of construction is order of trust: the owner's lock first, the file only then; destruction
// is the reverse, so that the lock outlives the last write.

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "live_state.hpp"
#include "owner_lock.hpp"
#include "reader.hpp"
#include "schema.hpp"
#include "views.hpp"
#include "wherry/store/sqlite.hpp"
#include "writer.hpp"

namespace wherry {
namespace sqlite {
namespace {

/// Machines in one commit of submit, so that records get in between.
constexpr std::size_t submit_limit = 2'000;

class sqlite_store final : public store {
 public:
  /// Errors: throws database_failure.
  sqlite_store(const std::filesystem::path& file, owner_lock owner, const surroundings& world,
               const sqlite_retention& keep)
      : owner_(std::move(owner)),
        keep_(keep),
        live_(load_epoch(file, world)),
        view_file_(file, access::read, world.vfs) {
    statement lanes(view_file_, "SELECT lane, ready FROM lanes WHERE ready > 0");
    while (lanes.next()) live_.load_lane(lanes.text(0), lanes.integer(1));
    statement paused(view_file_, "SELECT lane FROM lanes WHERE paused = 1");
    while (paused.next()) live_.load_pause(paused.text(0));
    for (const auto& [key, count] : read_counts(view_file_).by) {
      live_.load_count(key.first, key.second, count);
    }
    statement due(view_file_, earliest_due);
    if (due.next()) live_.set_next_due(due.time(0));
    due.reset();
    auto own = std::make_unique<database>(file, access::write, world.vfs);
    own->run("PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16000");
    writer_ = std::make_unique<writer>(std::move(own), live_, world, keep_);
    reader_ = std::make_unique<reader>(file, world);
  }

  task<std::expected<submit_report, store_error>> submit(std::vector<submission> wanted) override {
    for (const auto& each : wanted) {
      if (auto why = refusal(each); !why.empty()) co_return refused(std::move(why));
    }
    submit_report sum;
    for (std::size_t first = 0; first < wanted.size(); first += submit_limit) {
      const auto begin = wanted.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end =
          begin + static_cast<std::ptrdiff_t>(std::min(submit_limit, wanted.size() - first));
      std::vector<submission> part(std::make_move_iterator(begin), std::make_move_iterator(end));
      const auto done = co_await writer_->ask(
          std::make_unique<submit_command>(std::move(part), scheduler::current().system_now()));
      if (!done) co_return std::unexpected(done.error());
      sum += *done;
    }
    co_return sum;
  }

  std::vector<std::string> ready_lanes() override { return live_.ready_lanes(); }

  task<std::expected<std::vector<leased_machine>, store_error>> lease(
      std::string lane, std::size_t count, system_time expires) override {
    if (live_.wants_refill(lane, count)) {
      const auto done = co_await reader_->ask([this, lane, count](queries& file) {
        live_.refill(lane, count, [&](const refill_plan& plan) { return file.free_rows(plan); });
      });
      if (!done) co_return std::unexpected(done.error());
    }
    co_return live_.lease(lane, count, expires);
  }

  task<std::expected<std::vector<bool>, store_error>> record(
      std::vector<transition> outcomes) override {
    for (const auto& each : outcomes) {
      if (auto why = refusal(each); !why.empty()) co_return refused(std::move(why));
    }
    co_return co_await writer_->ask(std::make_unique<record_command>(live_, std::move(outcomes)));
  }

  void release(const std::vector<leased_machine>& unused) override { live_.release(unused); }

  task<std::expected<std::size_t, store_error>> promote(system_time now) override {
    co_return co_await writer_->ask(std::make_unique<promote_command>(now));
  }

  std::optional<system_time> next_due() override { return live_.next_due(); }

  void renew(const std::vector<lease_id>& held, system_time expires) override {
    live_.renew(held, expires);
  }

  task<std::expected<std::vector<leased_machine>, store_error>> reclaim(
      system_time now, system_time expires) override {
    const auto lost = live_.reclaim(now, expires);
    if (lost.empty()) co_return std::vector<leased_machine>{};
    co_return co_await reader_->ask([lost](queries& file) {
      std::vector<leased_machine> machines;
      for (const auto& each : lost) {
        auto machine = file.machine(each.taken.key);
        // Else a commit that is not applied yet ends this lease.
        if (!machine || machine->generation != each.generation ||
            machine->version != each.version) {
          continue;
        }
        machine->token = each.taken.token;
        machines.push_back(std::move(*machine));
      }
      return machines;
    });
  }

  task<std::expected<inbox_progress, store_error>> step_inbox() override {
    if (!asked_) {
      auto first = co_await reader_->ask([](queries& file) { return file.first_request(); });
      if (!first) co_return std::unexpected(first.error());
      asked_ = std::move(*first);
    }
    if (!asked_) co_return inbox_progress{};
    auto done = co_await step(*asked_);
    if (!done) co_return std::unexpected(done.error());
    if (!done->more) asked_.reset();
    co_return inbox_progress{.finished = done->more ? 0u : 1u, .more = true};
  }

  task<std::expected<bool, store_error>> tidy(system_time now) override {
    const auto may_go = cutoffs_at(keep_, now);
    if (!may_go.any()) co_return false;
    if (may_go_of_.empty()) {
      const auto rest = rest_between(keep_);
      // A clock that was set back does not let it rest for longer.
      if (now < rest_until_ && rest_until_ - now <= rest) co_return false;
      auto part = co_await reader_->ask(
          [from = swept_to_, may_go](queries& file) { return file.sweep(from, may_go); });
      if (!part) co_return std::unexpected(part.error());
      swept_to_ = part->at_end ? 0 : part->last_key;
      rest_until_ = part->at_end ? now + rest : system_time{};
      may_go_of_ = std::move(part->keys);
      if (may_go_of_.empty()) co_return false;
    }
    auto done = co_await writer_->ask(std::make_unique<tidy_command>(may_go_of_, may_go));
    if (!done) co_return std::unexpected(done.error());
    may_go_of_.erase(may_go_of_.begin(),
                     may_go_of_.begin() + static_cast<std::ptrdiff_t>(done->looked_at));
    co_return !may_go_of_.empty() || rest_until_ == system_time{};
  }

  /// Errors: throws database_failure, as opening does: it belongs to the start.
  std::vector<lane_state> lane_states() override {
    const std::lock_guard guard(view_mutex_);
    return read_lanes(view_file_, scheduler::current().system_now());
  }

  channel<std::monostate> ready_signal() override { return live_.ready_signal(); }

  task<std::expected<std::size_t, store_error>> apply(control_request asked) override {
    if (auto why = refusal(asked); !why.empty()) co_return refused(std::move(why));
    control_step all{.asked = std::move(asked)};
    std::size_t changed = 0;
    for (;;) {
      const auto done = co_await step(all);
      if (!done) co_return std::unexpected(done.error());
      changed += done->changed;
      if (!done->more) co_return changed;
    }
  }

  std::expected<machine_counts, store_error> count() override { return live_.counts(); }

  std::expected<std::vector<machine_view>, store_error> query(const machine_filter& filter,
                                                              std::size_t limit,
                                                              std::string after_id) override {
    const std::lock_guard guard(view_mutex_);
    return guarded([&] { return read_machines(view_file_, filter, limit, std::move(after_id)); });
  }

  std::expected<std::vector<history_entry>, store_error> history(std::string_view id) override {
    const std::lock_guard guard(view_mutex_);
    return guarded([&] { return read_history(view_file_, id); });
  }

 private:
  static std::int64_t load_epoch(const std::filesystem::path& file, const surroundings& world) {
    database raised(file, access::write, world.vfs);
    raised.run("UPDATE meta SET epoch = epoch + 1");
    raised.run("UPDATE lanes SET parked_until_ms = 0, error = '', stopped = 0 WHERE stopped = 1");
    statement(raised,
              "DELETE FROM lanes WHERE ready = 0 AND paused = 0 AND parked_until_ms <= ?1 "
              "AND keep_until_ms <= ?1")
        .with(to_ms(world.calendar()))
        .run();
    return raised.value("SELECT epoch FROM meta");
  }

  static std::unexpected<store_error> refused(std::string why) {
    return std::unexpected(store_error{store_error::kind::refused, std::move(why)});
  }

  /// The next step of a command, which then stands after it. Requires: `of` outlives the call.
  task<std::expected<control_progress, store_error>> step(control_step& of) {
    const auto now = scheduler::current().system_now();
    const auto verb = of.asked.verb;
    if (verb == control_verb::pause || verb == control_verb::resume) {
      co_return co_await writer_->ask(std::make_unique<lane_command>(live_, of, now));
    }
    auto done = co_await writer_->ask(std::make_unique<control_command>(of, now));
    if (done) of.after_id = done->last_id;
    co_return done;
  }

  // The writer's connection is the last to close: only one that may write folds the WAL into the
  // file.
  owner_lock owner_;
  const sqlite_retention keep_;
  live_state live_;
  std::unique_ptr<writer> writer_;
  std::unique_ptr<reader> reader_;
  database view_file_;  // what people ask; guarded by view_mutex_
  std::mutex view_mutex_;
  std::optional<control_step> asked_;  // by the inbox, and not done yet

  // Of tidy: machines that the sweep has found and not treated, how far it is, when it goes on.
  std::vector<std::int64_t> may_go_of_;
  std::int64_t swept_to_ = 0;
  system_time rest_until_{};
};

store_error not_a_file(const std::filesystem::path& file) {
  return {store_error::kind::io, file.string() + ": a directory: name a file in it, as in " +
                                     (file / "store.db").string()};
}

/// Looks at the file without leaving anything beside it.
void refuse_foreign(const std::filesystem::path& file, const surroundings& world) {
  if (std::filesystem::is_directory(file)) throw database_failure(not_a_file(file));
  if (!std::filesystem::exists(file) || std::filesystem::file_size(file) == 0) return;
  // A transaction that a crash has cut, before there was a WAL: only who writes can undo it.
  if (std::filesystem::exists(file.string() + "-journal")) return;
  database look(file, access::read, world.vfs);
  static_cast<void>(identify(look));
}

}  // namespace

std::expected<std::unique_ptr<store>, store_error> open_in(const surroundings& world,
                                                           const std::filesystem::path& file,
                                                           const sqlite_options& options) {
  return guarded([&]() -> std::unique_ptr<store> {
    std::error_code error;
    const auto whole = std::filesystem::weakly_canonical(file, error);
    if (error) {
      throw database_failure(
          {store_error::kind::io,
           file.string() + ": " + error.message() + ": name a file in a directory that exists"});
    }
    refuse_foreign(whole, world);
    owner_lock owner(whole);
    {
      database own(whole, access::create, world.vfs);
      static_cast<void>(identify(own));
      migrate(own);
      if (!options.purpose.empty()) claim_purpose(own, options.purpose);
    }
    return std::make_unique<sqlite_store>(whole, std::move(owner), world, options.retention);
  });
}

}  // namespace sqlite

std::expected<std::unique_ptr<store>, store_error> open_sqlite_store(
    const std::filesystem::path& file, const sqlite_options& options) {
  return sqlite::open_in({}, file, options);
}

}  // namespace wherry
