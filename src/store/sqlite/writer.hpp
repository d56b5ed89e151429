// SPDX-License-Identifier: Apache-2.0
#pragma once
// The one thread that writes. It takes whatever commands gathered while the last commit was made
// durable, runs them in one transaction, and answers each once that transaction is on disk.
//
// A command that fails alone is undone alone (savepoint). A commit that fails, fails all in it, and
// leaves memory as it was; the next may succeed.

#include <memory>

#include "batch_thread.hpp"
#include "checkpointer.hpp"
#include "commands.hpp"
#include "surroundings.hpp"

namespace wherry::sqlite {

class writer {
 public:
  /// Takes over writing to `file`: only this thread uses it from now on.
  writer(std::unique_ptr<database> file, live_state& live, const surroundings& world,
         const sqlite_retention& keep);

  /// Suspends: until the command is durable or has failed.
  template <class Command>
  task<typename Command::reply> ask(std::unique_ptr<Command> asked) {
    auto answer = asked->answer_channel();
    thread_.give(std::move(asked));
    co_return *co_await answer.take();
  }

 private:
  using commands_thread = batch_thread<std::unique_ptr<command>>;

  void commit(commands_thread::batch& commands);
  void run_first(std::unique_ptr<command>& asked, bool is_only);
  void run_alone(std::unique_ptr<command>& asked);
  [[nodiscard]] bool concerns_all(const database_failure& why) const noexcept;
  void roll_back() noexcept;

  std::unique_ptr<database> file_;
  live_state& live_;
  transaction changes_;
  statement begin_, end_, save_, forget_save_, back_to_save_;
  checkpointer log_;
  commands_thread thread_;
};

}  // namespace wherry::sqlite
