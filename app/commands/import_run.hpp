// SPDX-License-Identifier: Apache-2.0
#pragma once
// One run of an import: submits what was asked for, drives all that is unfinished in the store to
// its end, shows how far it is, and says what became of what was asked for.
//
// Killed at any moment and run again, it goes on where it was.

#include <atomic>
#include <chrono>
#include <expected>

#include "commands/asked_reports.hpp"
#include "commands/commands.hpp"
#include "commands/progress_line.hpp"
#include "commands/session.hpp"
#include "wherry/csp/channel.hpp"
#include "wherry/engine/engine.hpp"

namespace wherry::app {

class import_run {
 public:
  /// Requires: all outlive it.
  import_run(session& parts, store& where, const import_call& call, const asked_reports& asked);

  /// Suspends: until all has ended, or `stop`. Gives the exit status.
  task<int> run();

  /// Ends `run` cleanly; what is unfinished stays so. Threads: any.
  void stop() noexcept;

 private:
  using report_engine = engine<report>;
  template <class T = void>
  using or_error = std::expected<T, store_error>;

  task<or_error<>> work();
  or_error<> clean_spool();
  task<or_error<>> submit();
  task<or_error<>> submit_asked();
  task<or_error<>> redrive_failed();
  or_error<std::int64_t> generation();
  task<> show_progress(channel<std::monostate> over);
  [[nodiscard]] progress_view look(const machine_counts& counts, rate_meter& meter) const;
  or_error<int> conclude();
  void print_json(const not_completed& found, std::int64_t unfinished) const;
  void print_lines(const not_completed& found, std::int64_t unfinished) const;
  [[nodiscard]] std::size_t completed() const { return submitted_.completed + completed_now_; }

  [[nodiscard]] report_parts parts_of_reports();
  [[nodiscard]] std::optional<remote_slots::holders> pending_reports();

  session& parts_;
  store& store_;
  const import_call& call_;
  const asked_reports& asked_;
  std::optional<remote_slots> slots_;
  report_engine engine_;
  progress_line line_;
  std::atomic<bool> stopping_{false};
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();

  // Of what was asked for.
  submit_report submitted_;
  std::size_t total_ = 0;  // with `--only failed`: those that had failed
  std::atomic<std::size_t> completed_now_{0};
  // Unfinished since an earlier call, or asked for by one: these are carried through, too.
  std::size_t others_ = 0;

  static constexpr std::size_t shown_at_most = 10;
  std::vector<left_alone> first_left_alone_;  // written by the engine's hook, read after its run
};

}  // namespace wherry::app
