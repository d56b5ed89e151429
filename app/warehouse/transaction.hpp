// SPDX-License-Identifier: Apache-2.0
#pragma once
// load_transaction: one load in one transaction of the warehouse. Blocks.
//
// 1. The rows of a batch and what wherry_loads says of them are committed together, or not at all:
//    dropping the object before `commit` leaves the warehouse as it was.
// 2. It begins by locking wherry_loads. So of two loaders, in whatever process, the second decides
//    by what the first has committed: an older generation never replaces a newer one.
//
// Order: begin, find, then stage and replace for those to be loaded, remember, commit.

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/connection.hpp"
#include "warehouse/decide.hpp"
#include "warehouse/statements.hpp"

namespace wherry::app {

/// Why a load did not come about, and whose fault it was.
struct failed_load {
  load_failure why;
  /// Reports by number that are known to be to blame; empty with `data`: one of them is.
  struct culprit {
    std::size_t report = 0;
    load_error error;
  };
  std::vector<culprit> culprits{};
};

template <class T = void>
using load_or_failure = std::expected<T, failed_load>;

class load_transaction {
 public:
  /// Requires: `to` outlives it.
  /// Connects, makes wherry_loads if it is not there, begins and locks; `stop` holds until
  /// `listen`.
  [[nodiscard]] static load_or_failure<load_transaction> begin(const load_target& to,
                                                               const std::stop_token& stop);

  /// Ends what is done from now on, as unreachable, when this one asks for it.
  void listen(const std::stop_token& stop) { connection_.listen(stop); }

  /// Errors: also `stopped`, if another import has loaded one of them into this table.
  [[nodiscard]] load_or_failure<std::vector<known_load>> find(std::span<const load_item> reports);

  /// Hands all rows of a report to the receiver.
  using rows_of = std::function<std::expected<void, load_error>(
      const load_item& report, const database_connection::receiver& into)>;

  /// Stages the objects of a manifest, as Redshift does.
  [[nodiscard]] load_or_failure<> stage(std::span<const load_item> reports,
                                        const std::string& manifest_url);
  /// Stages rows that are read here, as PostgreSQL wants them.
  [[nodiscard]] load_or_failure<> stage(std::span<const load_item> reports, const rows_of& read);

  /// Compares what was staged with what the reports are to have, and puts it in the place of what
  /// was there.
  [[nodiscard]] load_or_failure<> replace(std::span<const load_item> reports);

  [[nodiscard]] load_or_failure<> remember(std::span<const load_item> reports,
                                           const sql::load_stamp& stamp);
  [[nodiscard]] load_or_failure<> commit();

 private:
  load_transaction(const load_target& to, database_connection with)
      : to_(&to), connection_(std::move(with)) {}
  [[nodiscard]] load_or_failure<database_rows> run(load_phase in, const std::string& sql);
  [[nodiscard]] load_or_failure<> make_loads();
  [[nodiscard]] load_or_failure<> prepare(std::span<const load_item> reports);
  [[nodiscard]] failed_load taken_by(std::string_view import, std::string_view client,
                                     std::string_view day) const;
  [[nodiscard]] failed_load failure_of(load_phase in, const database_error& wrong) const;

  const load_target* to_;
  database_connection connection_;
};

}  // namespace wherry::app
