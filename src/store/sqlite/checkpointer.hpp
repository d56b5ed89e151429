// SPDX-License-Identifier: Apache-2.0
#pragma once
// Brings what lies in the write-ahead log into the file, beside the writer, so that no commit waits
// until megabytes are written and fsynced twice.
//
// The log begins anew only when all of it is in the file, and a writer that never rests always adds
// some meanwhile. So it is done in two parts: the bulk here, on a thread and connection of its own;
// then what the writer has added since, by the writer itself between two commits.

#include <atomic>
#include <filesystem>
#include <variant>

#include "batch_thread.hpp"
#include "database.hpp"
#include "surroundings.hpp"

namespace wherry::sqlite {

class checkpointer {
 public:
  checkpointer(const std::filesystem::path& file, const surroundings& world);

  /// Call after each commit of `writer`. Threads: the writer's. Errors: none: a log that could not
  /// be emptied is tried again when it has grown, and commits do not depend on it.
  void after_commit(database& writer) noexcept;

 private:
  enum class part : std::uint8_t { none, bulk, rest };

  database file_;
  const std::int64_t bulk_;  // pages in the log from which on it is worth it
  std::int64_t begin_at_;    // pages in the log; more if it could not be emptied
  std::int64_t pages_before_ = 0;
  std::atomic<part> next_{part::none};  // set to bulk by the writer, to rest by the thread
  batch_thread<std::monostate> thread_;
};

}  // namespace wherry::sqlite
