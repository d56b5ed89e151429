// SPDX-License-Identifier: Apache-2.0
#include "sink/object_parts.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "sink/checksum.hpp"
#include "spool/sha256.hpp"

namespace wherry::app {
namespace {

constexpr std::uint64_t mib = 1ull << 20, smallest_part_bytes = 5 * mib;

std::uint64_t quotient_up(std::uint64_t of, std::uint64_t by) { return (of + by - 1) / by; }

class cutter {
 public:
  cutter(std::uint64_t part_bytes, std::optional<checksum> kind)
      : part_bytes_(part_bytes), kind_(kind) {}

  void add(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto piece = bytes.substr(0, part_bytes_ - now_.size_bytes);
      hash_.add(piece);
      if (kind_ == checksum::crc32c) crc_.process_bytes(piece.data(), piece.size());
      now_.size_bytes += piece.size();
      bytes.remove_prefix(piece.size());
      if (now_.size_bytes == part_bytes_) end_part();
    }
  }

  std::vector<object_part> finish() {
    if (now_.size_bytes > 0) end_part();
    return std::move(parts_);
  }

 private:
  void end_part() {
    const auto digest = hash_.finish();
    now_.sha256 = to_hex(digest);
    if (kind_ == checksum::sha256) now_.checksum = bytes_of(digest);
    if (kind_ == checksum::crc32c) now_.checksum = bytes_of(crc_);
    crc_.reset();
    const auto next = now_.begin_bytes + now_.size_bytes;
    parts_.push_back(
        std::exchange(now_, {.begin_bytes = next, .size_bytes = 0, .sha256 = {}, .checksum = {}}));
  }

  std::uint64_t part_bytes_;
  object_part now_;
  std::optional<checksum> kind_;
  sha256 hash_;
  crc32c crc_;
  std::vector<object_part> parts_;
};

}  // namespace

std::uint64_t part_size_bytes(std::uint64_t object_bytes, const sink& spec) noexcept {
  const auto needed = quotient_up(quotient_up(object_bytes, most_parts), mib) * mib;
  return std::max({smallest_part_bytes, spec.multipart_bytes / 4, needed});
}

std::chrono::milliseconds longest_put(std::uint64_t object_bytes, const sink& spec) {
  if (!spec.url.starts_with("s3:") || object_bytes <= spec.multipart_bytes) return spec.timeout;
  const auto parts = quotient_up(object_bytes, part_size_bytes(object_bytes, spec));
  constexpr int around = 4;  // it is begun, looked for, completed, or aborted
  return spec.timeout * (around + static_cast<int>(quotient_up(parts, parts_at_once)));
}

std::expected<std::vector<object_part>, spool_error> cut_into_parts(const spool& from,
                                                                    const spool_file& file,
                                                                    std::uint64_t part_bytes,
                                                                    std::optional<checksum> kind,
                                                                    const std::stop_token& stop) {
  cutter parts{part_bytes, kind};
  const auto read = from.read_pieces(file, [&](std::string_view bytes) {
    parts.add(bytes);
    return !stop.stop_requested();
  });
  if (!read) return std::unexpected(read.error());
  return parts.finish();
}

}  // namespace wherry::app
