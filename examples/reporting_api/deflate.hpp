// SPDX-License-Identifier: Apache-2.0
#pragma once
// Packing by zlib, in whichever wrapping: what gzip and zip have in common.

#include <zlib.h>

#include <stdexcept>
#include <string>

namespace example {

/// Deflates at once. `window`: 15 + 16 wraps it as gzip does, -15 not at all.
inline std::string deflated(const std::string& plain, int window) {
  z_stream stream{};
  if (deflateInit2(&stream, 1, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib has no memory for a stream");
  }
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  std::string input = plain;  // zlib 1.2 wants a pointer to mutable bytes
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace example
