// SPDX-License-Identifier: Apache-2.0
#pragma once
// The one thread that reads for a running engine: read-ahead and inbox. A query may have to wait
// for the disk, so no scheduler's thread runs one, and none waits behind users' blocking work.

#include <filesystem>
#include <functional>
#include <memory>
#include <type_traits>
#include <vector>

#include "batch_thread.hpp"
#include "commands.hpp"
#include "surroundings.hpp"
#include "views.hpp"
#include "wherry/csp/channel.hpp"
#include "wherry/csp/task.hpp"

namespace wherry::sqlite {

/// What is asked of the file while an engine runs. Errors: each throws database_failure.
class queries {
 public:
  queries(const std::filesystem::path& file, const surroundings& world);

  /// The free rows that `wanted` asks for.
  [[nodiscard]] found_rows free_rows(const refill_plan& wanted);
  /// The machine in that row, without a token; empty: it is there no more.
  [[nodiscard]] std::optional<leased_machine> machine(std::int64_t key);
  /// The oldest command in the inbox, if there is one.
  [[nodiscard]] std::optional<control_step> first_request();
  /// What may go of the machines after `key`, a bounded number.
  [[nodiscard]] sweep_part sweep(std::int64_t key, const cutoffs& may_go) {
    return sweep_.after(key, may_go);
  }
  /// The texts of all these.
  [[nodiscard]] std::vector<std::string> statements() const { return file_.statements(); }

 private:
  database file_;
  statement free_, row_, inbox_;
  sweep_query sweep_;
};

class reader {
 public:
  reader(const std::filesystem::path& file, const surroundings& world);

  /// Suspends: until `query(queries&)` has run on the reader's thread; its answer, or why there is
  /// none.
  template <class Query>
  auto ask(Query query)
      -> task<std::expected<std::invoke_result_t<Query&, queries&>, store_error>> {
    using reply = std::expected<std::invoke_result_t<Query&, queries&>, store_error>;
    channel<reply> answer{fixed{1}};
    thread_.give([this, answer, query = std::move(query)]() mutable {
      answer.offer(guarded([&] { return query(queries_); }));
    });
    co_return *co_await answer.take();
  }

 private:
  queries queries_;
  batch_thread<std::move_only_function<void()>> thread_;
};

}  // namespace wherry::sqlite
