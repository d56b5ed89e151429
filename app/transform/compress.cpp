// SPDX-License-Identifier: Apache-2.0
#include "transform/compress.hpp"

#include <new>
#include <stdexcept>

#include <libdeflate.h>
#include <zstd.h>

namespace wherry::app {
namespace {

// On a report of 20 kB: libdeflate 6 takes 0.10 ms, 1 takes 0.04 ms for 5 % more bytes; zstd 3 0.05
// ms.
constexpr int gzip_level = 1;
constexpr int zstd_level = 3;

struct free_gzip {
  void operator()(libdeflate_compressor* one) const { libdeflate_free_compressor(one); }
};
struct free_zstd {
  void operator()(ZSTD_CCtx* one) const { ZSTD_freeCCtx(one); }
};

}  // namespace

struct block_compressor::state {
  std::unique_ptr<libdeflate_compressor, free_gzip> gzip;
  std::unique_ptr<ZSTD_CCtx, free_zstd> zstd;
};

block_compressor::block_compressor(compression how) : state_(std::make_unique<state>()) {
  if (how == compression::gzip) {
    state_->gzip.reset(libdeflate_alloc_compressor(gzip_level));
    if (!state_->gzip) throw std::bad_alloc();
  }
  if (how == compression::zstd) {
    state_->zstd.reset(ZSTD_createCCtx());
    if (!state_->zstd) throw std::bad_alloc();
  }
}
block_compressor::~block_compressor() = default;
block_compressor::block_compressor(block_compressor&&) noexcept = default;
block_compressor& block_compressor::operator=(block_compressor&&) noexcept = default;

void block_compressor::compress(std::string_view block, std::string& out) {
  if (state_->gzip) {
    out.resize(libdeflate_gzip_compress_bound(state_->gzip.get(), block.size()));
    out.resize(libdeflate_gzip_compress(state_->gzip.get(), block.data(), block.size(), out.data(),
                                        out.size()));
  } else if (state_->zstd) {
    out.resize(ZSTD_compressBound(block.size()));
    const auto size = ZSTD_compressCCtx(state_->zstd.get(), out.data(), out.size(), block.data(),
                                        block.size(), zstd_level);
    if (ZSTD_isError(size)) throw std::runtime_error(ZSTD_getErrorName(size));
    out.resize(size);
  } else {
    out.assign(block);
  }
}

}  // namespace wherry::app
