// SPDX-License-Identifier: Apache-2.0
#include "checkpointer.hpp"

#include "views.hpp"

namespace wherry::sqlite {
namespace {

/// As much as goes without waiting for anybody. If it fails, the log keeps what the file does not
/// have yet; and a disk that is full or broken is met by the next commit, which tells who waits.
void empty_log(database& file) noexcept {
  static_cast<void>(guarded([&] { file.run("PRAGMA wal_checkpoint(PASSIVE)"); }));
}

}  // namespace

checkpointer::checkpointer(const std::filesystem::path& file, const surroundings& world)
    : file_(file, access::write, world.vfs),
      bulk_(world.bulk_of_log),
      begin_at_(bulk_),
      thread_(
          [this](auto&) {
            empty_log(file_);
            next_.store(part::rest, std::memory_order_release);
          },
          world.has_threads) {}

void checkpointer::after_commit(database& writer) noexcept {
  const auto pages = writer.pages_in_log();
  if (pages < pages_before_) begin_at_ = bulk_;  // it has begun anew
  pages_before_ = pages;
  switch (next_.load(std::memory_order_acquire)) {
    case part::none:
      if (pages < begin_at_) return;
      next_.store(part::bulk, std::memory_order_relaxed);
      thread_.give({});
      return;
    case part::bulk: return;
    case part::rest:
      empty_log(writer);
      // If somebody still reads what was before, the log goes on from here.
      begin_at_ = pages + bulk_;
      next_.store(part::none, std::memory_order_relaxed);
      return;
  }
}

}  // namespace wherry::sqlite
