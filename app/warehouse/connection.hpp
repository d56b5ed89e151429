// SPDX-License-Identifier: Apache-2.0
#pragma once
// A connection to PostgreSQL, or to what speaks its protocol. Blocks; the only file that knows
// libpq.
//
// 1. Nothing waits for ever: every call ends at the deadline of the connection, and soon after a
//    stop request. Dropping the connection ends its transaction.
// 2. Only the simple protocol and texts, which Redshift has too.
// 3. No error holds the password.
//
// Threads: one at a time. Source: PostgreSQL 15, "libpq - C Library".

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "spec/spec.hpp"
#include "warehouse/decide.hpp"

namespace wherry::app {

/// Rows as texts; NULL is empty.
using database_rows = std::vector<std::vector<std::string>>;

class database_connection {
 public:
  /// Connects; `stop` holds until `listen`. Errors: database_error; its state is a guess by the
  /// words of the message, for libpq tells no state here.
  [[nodiscard]] static std::expected<database_connection, database_error> open(
      const secret& url, std::chrono::milliseconds time_limit, const std::stop_token& stop);

  database_connection(database_connection&&) noexcept;
  database_connection& operator=(database_connection&&) noexcept;
  ~database_connection();

  /// Ends what is done from now on when this one asks for it.
  void listen(const std::stop_token& stop);

  /// Runs one statement.
  [[nodiscard]] std::expected<database_rows, database_error> run(const std::string& sql);

  /// Takes the bytes of a COPY; false: enough, there is an error already.
  using receiver = std::function<bool(std::string_view)>;
  /// Hands all bytes to the receiver; false: they are not to be taken, the COPY fails.
  using feeder = std::function<bool(const receiver&)>;
  /// Runs COPY … FROM STDIN with what `feed` gives.
  [[nodiscard]] std::expected<void, database_error> copy(const std::string& sql,
                                                         const feeder& feed);

 private:
  struct body;
  explicit database_connection(std::unique_ptr<body> opened);
  std::unique_ptr<body> body_;
};

/// The SQLSTATE that a message of a failed connect stands for; empty: nobody answered. Pure.
[[nodiscard]] std::string_view state_of_refusal(std::string_view message);

}  // namespace wherry::app
