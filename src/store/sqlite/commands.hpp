// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the writer can be asked to do. A command runs inside the writer's transaction, notes what it
// changed, and gets its answer out once that is durable, or has failed.

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "database.hpp"
#include "live_state.hpp"
#include "retention.hpp"

namespace wherry::sqlite {

/// The prepared statements that change machines, and what they changed in this transaction.
class transaction {
 public:
  transaction(database& file, std::function<system_time()> calendar, const sqlite_retention& keep);

  database& file;
  std::vector<effect> effects;

  // machines
  statement insert, find, supersede, update, stay, promotable, promote, redrive, cancel, prioritize;
  // history, lanes, counts, inbox
  statement log, log_again, park, keep, pause, resume, count, count_new, lane, lane_new, lane_idle,
      done_with;
  // what retention takes away
  statement ended, forget, forget_lines, forget_older, all_trimmed;
  trimmer trim;

  /// Forgets what the last one changed.
  void begin();
  /// Brings `counts` and `lanes` up to date with the effects, in one update each, and looks up the
  /// earliest due time if some machine began to wait or waits no more.
  void settle();
  [[nodiscard]] bool moved_waiting() const noexcept { return moved_waiting_; }
  [[nodiscard]] std::optional<system_time> next_due() const noexcept { return next_due_; }

 private:
  statement earliest_;
  std::function<system_time()> calendar_;
  bool moved_waiting_ = false;
  std::optional<system_time> next_due_;
};

/// The earliest due time of a waiting machine.
inline constexpr std::string_view earliest_due =
    "SELECT due_ms FROM machines WHERE phase = 'waiting' ORDER BY due_ms LIMIT 1";

class command {
 public:
  command() = default;
  command(const command&) = delete;
  command& operator=(const command&) = delete;
  virtual ~command() = default;
  /// Errors: throws database_failure.
  virtual void run(transaction& changes) = 0;
  /// It is durable. Threads: the writer's.
  virtual void succeed() = 0;
  /// Nothing of it was done.
  virtual void fail(const store_error& why) = 0;
};

/// A command whose answer comes by a channel.
template <class Answer>
class asking : public command {
 public:
  using reply = std::expected<Answer, store_error>;
  [[nodiscard]] channel<reply> answer_channel() const { return to_; }
  void succeed() override { to_.offer(reply(std::move(answer_))); }
  void fail(const store_error& why) override { to_.offer(reply(std::unexpected(why))); }

 protected:
  Answer answer_{};

 private:
  channel<reply> to_{fixed{1}};
};

class submit_command final : public asking<submit_report> {
 public:
  submit_command(std::vector<submission> wanted, system_time now)
      : wanted_(std::move(wanted)), now_(now) {}
  void run(transaction& changes) override;

 private:
  void add(transaction& changes, submission& wanted);
  std::vector<submission> wanted_;
  system_time now_;
};

class record_command final : public asking<std::vector<bool>> {
 public:
  record_command(live_state& live, std::vector<transition> outcomes)
      : live_(live), outcomes_(std::move(outcomes)) {}
  void run(transaction& changes) override;
  void fail(const store_error& why) override;

 private:
  bool commit(transaction& changes, transition& outcome, const live_state::claim& claim);
  static void log(transaction& changes, const transition& outcome);
  static void keep_lane(transaction& changes, const transition& outcome);
  void take_new_priorities(const transaction& changes);
  void give_up(std::size_t at);
  live_state& live_;
  std::vector<std::optional<live_state::claim>> claims_;
  std::vector<transition> outcomes_;
};

/// Promotes a bounded number; how many.
class promote_command final : public asking<std::size_t> {
 public:
  explicit promote_command(system_time now) : now_(now) {}
  void run(transaction& changes) override;

 private:
  system_time now_;
};

/// A command on its way through all machines, by id.
struct control_step {
  control_request asked;
  std::optional<std::int64_t> inbox_key{};  ///< deleted with the last change
  std::string after_id{};                   ///< all up to it are done
};

/// One step of it: looks at a bounded number of machines.
struct control_progress {
  std::size_t changed = 0;
  bool more = false;
  std::string last_id;  ///< where to go on
};

class control_command final : public asking<control_progress> {
 public:
  control_command(control_step step, system_time now) : step_(std::move(step)), now_(now) {}
  void run(transaction& changes) override;

 private:
  std::vector<effect> visit(database& file);
  void change(transaction& changes, effect& done);
  void prioritize(transaction& changes, effect& done);
  [[nodiscard]] bool matches(const place& at) const;

  control_step step_;
  system_time now_;
};

/// Pauses or resumes a lane.
class lane_command final : public asking<control_progress> {
 public:
  lane_command(live_state& live, control_step step, system_time now)
      : live_(live), step_(std::move(step)), now_(now) {}
  void run(transaction& changes) override;
  void succeed() override;

 private:
  live_state& live_;
  control_step step_;
  system_time now_;
};

/// Takes away what may go of some machines that a sweep has found: of as many as one short commit
/// holds, and only what still may go.
struct tidy_progress {
  std::size_t looked_at = 0;  ///< of the machines, in their order
  std::int64_t machines = 0;  ///< that went
  std::int64_t lines = 0;     ///< of history that went
};

class tidy_command final : public asking<tidy_progress> {
 public:
  tidy_command(std::vector<std::int64_t> keys, cutoffs may_go)
      : keys_(std::move(keys)), may_go_(may_go) {}
  void run(transaction& changes) override;
  [[nodiscard]] const tidy_progress& progress() const noexcept { return answer_; }

 private:
  void tidy(transaction& changes, std::int64_t key);
  std::vector<std::int64_t> keys_;
  cutoffs may_go_;
};

}  // namespace wherry::sqlite
