// SPDX-License-Identifier: Apache-2.0
#pragma once
// Compresses blocks of text by gzip (libdeflate) or zstd, whole blocks at a time: a report fits
// one.
//
// Each block becomes a gzip member or zstd frame of its own; both formats define that a file of
// several reads as their concatenation. Headers carry no time and no name: equal blocks give equal
// bytes. One compressor a thread.

#include <memory>
#include <string>
#include <string_view>

#include "spec/spec.hpp"

namespace wherry::app {

class block_compressor {
 public:
  explicit block_compressor(compression how);
  ~block_compressor();
  block_compressor(block_compressor&&) noexcept;
  block_compressor& operator=(block_compressor&&) noexcept;

  /// Replaces `out` by the compressed block; for compression::none by the block itself.
  void compress(std::string_view block, std::string& out);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace wherry::app
