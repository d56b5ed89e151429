// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who runs an engine on a store: a lock on `<file>.owner`, whose text names the process for people.
//
// The lock is of the open file description (fcntl, F_OFD_SETLK): the kernel drops it when the
// process dies, however it dies; programs that it starts do not inherit it; and looking
// (F_OFD_GETLK) takes nothing.

#include <filesystem>
#include <string>

namespace wherry::sqlite {

class owner_lock {
 public:
  /// Takes the lock. Errors: throws database_failure; owned (by whom), io, full.
  explicit owner_lock(const std::filesystem::path& store);
  owner_lock(owner_lock&& other) noexcept;
  owner_lock& operator=(owner_lock&&) = delete;
  ~owner_lock();

 private:
  int descriptor_;
};

/// "pid 123 on host since …", or empty: nobody.
[[nodiscard]] std::string owner_of(const std::filesystem::path& store);

}  // namespace wherry::sqlite
