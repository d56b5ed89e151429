// SPDX-License-Identifier: Apache-2.0
#include "writer.hpp"

#include <utility>

namespace wherry::sqlite {

writer::writer(std::unique_ptr<database> file, live_state& live, const surroundings& world,
               const sqlite_retention& keep)
    : file_(std::move(file)),
      live_(live),
      changes_(*file_, world.calendar, keep),
      begin_(*file_, "BEGIN IMMEDIATE"),
      end_(*file_, "COMMIT"),
      save_(*file_, "SAVEPOINT one"),
      forget_save_(*file_, "RELEASE one"),
      back_to_save_(*file_, "ROLLBACK TO one"),
      log_(file_->file(), world),
      thread_([this](auto& commands) { commit(commands); }, world.has_threads) {
  file_->keep_log();
}

void writer::commit(commands_thread::batch& commands) {
  changes_.begin();
  try {
    begin_.run();
    run_first(commands.front(), commands.size() == 1);
    for (auto each = commands.begin() + 1; each != commands.end(); ++each) run_alone(*each);
    changes_.settle();
    end_.run();
  } catch (const database_failure& why) {
    roll_back();
    for (auto& each : commands) {
      if (each) each->fail(why.error());
    }
    return;
  }
  live_.apply(changes_.effects);
  if (changes_.moved_waiting()) live_.set_next_due(changes_.next_due());
  for (auto& each : commands) {
    if (each) each->succeed();
  }
  log_.after_commit(*file_);
}

// The transaction is its savepoint: so no page is kept twice.
void writer::run_first(std::unique_ptr<command>& asked, bool is_only) {
  try {
    asked->run(changes_);
  } catch (const database_failure& why) {
    if (is_only || concerns_all(why)) throw;
    roll_back();
    changes_.begin();
    begin_.run();
    asked->fail(why.error());
    asked.reset();
  }
}

void writer::run_alone(std::unique_ptr<command>& asked) {
  const auto effects = changes_.effects.size();
  save_.run();
  try {
    asked->run(changes_);
  } catch (const database_failure& why) {
    if (concerns_all(why)) throw;
    back_to_save_.run();
    changes_.effects.resize(effects);
    asked->fail(why.error());
    asked.reset();
  }
  forget_save_.run();
}

// The failure of a command is its own, unless SQLite gave up the transaction or no other command
// can do better.
bool writer::concerns_all(const database_failure& why) const noexcept {
  using kind = store_error::kind;
  const auto what = why.error().what;
  return what == kind::full || what == kind::corrupt || !file_->in_transaction();
}

void writer::roll_back() noexcept {
  try {
    if (file_->in_transaction()) file_->run("ROLLBACK");
  } catch (const database_failure&) {
    // Nothing is left to undo then: SQLite has dropped the transaction, or drops it with the next
    // begin, whose failure is reported to those who ask for it.
  }
}

}  // namespace wherry::sqlite
