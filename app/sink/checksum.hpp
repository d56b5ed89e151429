// SPDX-License-Identifier: Apache-2.0
#pragma once
// Checksums that S3 takes with an object and keeps beside it (`sink.checksum`): for who reads it
// later; on the way its bytes are signed. Of an object in parts it is that of the parts' checksums,
// with their number ("composite"). Source: AWS, "Checking object integrity". Pure. Internal to
// app/sink.

#include <boost/crc.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_client.hpp"
#include "sink/sink.hpp"
#include "spec/spec.hpp"

namespace wherry::app {

/// CRC-32C, Castagnoli's: RFC 3720, B.4.
using crc32c = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>;

/// Its bytes, the highest first.
[[nodiscard]] std::string bytes_of(const crc32c& crc);

/// The checksum of bytes that are all there: its own bytes.
[[nodiscard]] std::string checksum_of(checksum kind, std::string_view bytes);

/// The bytes of a SHA-256 that is known in hex.
[[nodiscard]] std::string bytes_of_sha256(std::string_view hex);

/// What S3 calls a checksum.
struct checksum_words {
  std::string_view algorithm;  ///< "SHA256"
  std::string_view header;     ///< "x-amz-checksum-sha256"
  std::string_view element;    ///< "ChecksumSHA256"
};
[[nodiscard]] checksum_words words_of(checksum kind) noexcept;

/// Adds the headers that send bytes' checksum along; none where there is none.
void add_checksum(http_headers& to, std::optional<checksum> kind, std::string_view bytes);

/// An error if the server says that it took something else. A server that says nothing does not
/// know of checksums: the signature has seen to the bytes. Both in base64.
[[nodiscard]] std::optional<sink_error> other_than_sent(const sink& spec, const std::string& object,
                                                        std::string_view said,
                                                        std::string_view sent);

/// The same of an answer to bytes that went with their checksum, if the spec wants one.
[[nodiscard]] std::optional<sink_error> other_than_sent(const sink& spec, const std::string& object,
                                                        const http_response& answer,
                                                        std::string_view checksum);

}  // namespace wherry::app
