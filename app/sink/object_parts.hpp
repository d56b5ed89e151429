// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a large object is cut into parts, and what each part's hash is: what S3 wants to know before
// a part's first byte. Internal to app/sink.
//
// 1. The file is read once, and verified whole while it is: parts whose hashes are right are parts
//    of the bytes that the spool file's own hash names, or there are none.
// 2. S3 takes at most 10,000 parts, of 5 MiB (but the last) to 5 GiB each.
//    Source: AWS, "Amazon S3 multipart upload limits".

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "spec/spec.hpp"
#include "spool/spool.hpp"

namespace wherry::app {

inline constexpr std::uint64_t largest_part_bytes = 5ull << 30;
inline constexpr std::uint64_t most_parts = 10'000;
/// How many parts of one object are under way at once.
inline constexpr std::uint64_t parts_at_once = 4;

/// A part, by where its bytes lie in the spool file.
struct object_part {
  std::uint64_t begin_bytes = 0;
  std::uint64_t size_bytes = 0;
  std::string sha256;    ///< hex
  std::string checksum;  ///< `sink.checksum`, its bytes; empty: none is asked for
};

/// How large the parts of an object are: a quarter of `sink.multipart`, unless S3 wants them
/// larger.
[[nodiscard]] std::uint64_t part_size_bytes(std::uint64_t object_bytes, const sink& spec) noexcept;

/// The longest that it takes to make an object of at most so many bytes, each request within
/// `sink.timeout`: for the limit of a whole step.
[[nodiscard]] std::chrono::milliseconds longest_put(std::uint64_t object_bytes, const sink& spec);

/// Cuts a spool file and verifies it. Blocks; ends early, without meaning, where it is asked to
/// stop. Errors: damaged, io.
[[nodiscard]] std::expected<std::vector<object_part>, spool_error> cut_into_parts(
    const spool& from, const spool_file& file, std::uint64_t part_bytes,
    std::optional<checksum> kind, const std::stop_token& stop);

}  // namespace wherry::app
