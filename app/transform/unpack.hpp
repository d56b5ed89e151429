// SPDX-License-Identifier: Apache-2.0
#pragma once
// Unpacks a report that is itself a gzip file or a zip archive (a Content-Encoding is undone where
// it arrives, by app/net). Piece by piece: what comes out goes on to `into` and is not kept.
//
//   1. What comes out is whole or an error: length and checksum are compared, a file that ends
//      before its end is one that was cut.
//   2. How much comes out is for `into` to bound.
//
// gzip by zlib, since libarchive does not compare its checksum; zip by libarchive. Pure.

#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "spec/spec.hpp"
#include "transform/error.hpp"

namespace wherry::app {

/// Takes the next piece of a text; its error ends the whole.
using piece_writer = std::function<std::expected<void, transform_error>(std::string_view)>;

/// Tells how bytes are packed by how they begin.
[[nodiscard]] report_format::packing packing_of(std::string_view bytes);

/// Unpacks all members of a gzip file, one after the other (RFC 1952).
/// Errors: data (cut, damaged, no gzip); those of `into`.
[[nodiscard]] std::expected<void, transform_error> unpack_gzip(std::string_view bytes,
                                                               const piece_writer& into);

/// Unpacks the file of a zip archive that fits the glob (`*` `?` `[…]`); empty: the only one.
/// Errors: data (cut, damaged, encrypted, no zip, no such file or several, naming them); those of
/// `into`.
[[nodiscard]] std::expected<void, transform_error> unpack_zip(std::string_view bytes,
                                                              const std::string& member,
                                                              const piece_writer& into);

}  // namespace wherry::app
