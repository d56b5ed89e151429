// SPDX-License-Identifier: Apache-2.0
#include "sink/checksum.hpp"

#include <fmt/format.h>

#include <charconv>

#include "spec/spelling.hpp"
#include "spool/sha256.hpp"

namespace wherry::app {

std::string bytes_of(const crc32c& crc) {
  const auto value = crc.checksum();
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

std::string checksum_of(checksum kind, std::string_view bytes) {
  if (kind == checksum::sha256) return std::string{bytes_of(sha256_of(bytes))};
  crc32c crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return bytes_of(crc);
}

std::string bytes_of_sha256(std::string_view hex) {
  std::string bytes;
  for (; hex.size() >= 2; hex.remove_prefix(2)) {
    unsigned char byte = 0;
    const auto* const digits = hex.data();
    std::from_chars(digits, digits + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

checksum_words words_of(checksum kind) noexcept {
  if (kind == checksum::sha256) return {"SHA256", "x-amz-checksum-sha256", "ChecksumSHA256"};
  return {"CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C"};
}

void add_checksum(http_headers& to, std::optional<checksum> kind, std::string_view bytes) {
  if (!kind) return;
  const auto words = words_of(*kind);
  to.emplace_back("x-amz-sdk-checksum-algorithm", words.algorithm);
  to.emplace_back(words.header, in_base64(bytes));
}

std::optional<sink_error> other_than_sent(const sink& spec, const std::string& object,
                                          std::string_view said, std::string_view sent) {
  if (said.empty() || said == sent) return std::nullopt;
  // Sent again it would be taken for what is to stay.
  const auto kind = spec.overwrite ? sink_error_kind::transient : sink_error_kind::permanent;
  return sink_error{
      kind,
      fmt::format("{}: the server took it with checksum {}, and {} was sent: it may be damaged "
                  "there{}; if that goes on, ask who runs the server, or leave out `sink.checksum`",
                  object, said.substr(0, 64), sent,
                  spec.overwrite ? "" : ", and is to be removed by hand (`sink.overwrite`)"),
      std::nullopt};
}

std::optional<sink_error> other_than_sent(const sink& spec, const std::string& object,
                                          const http_response& answer, std::string_view checksum) {
  if (!spec.checksum) return std::nullopt;
  const auto said = find_header(answer.headers, words_of(*spec.checksum).header);
  return other_than_sent(spec, object, said, in_base64(checksum));
}

}  // namespace wherry::app
