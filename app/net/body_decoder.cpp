// SPDX-License-Identifier: Apache-2.0
#include "net/body_decoder.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <new>
#include <string>

namespace wherry::app {
namespace {

constexpr std::size_t piece_size_bytes = 32 * 1024;

class gzip_decoder final : public body_decoder {
 public:
  gzip_decoder() {
    constexpr int only_gzip = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, only_gzip) != Z_OK) throw std::bad_alloc{};
  }
  ~gzip_decoder() override { inflateEnd(&stream_); }

  outcome decode(std::string_view encoded, const receiver& out) override {
    // zlib's next_in is not const in this build of zlib; it only reads.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(encoded.data()));
    stream_.avail_in = static_cast<uInt>(encoded.size());
    do {
      if (complete_) {  // a further member: RFC 1952 2.2 allows any number
        if (stream_.avail_in == 0) return outcome::ok;
        if (inflateReset(&stream_) != Z_OK) return outcome::corrupt;
        complete_ = false;
      }
      stream_.next_out = reinterpret_cast<Bytef*>(piece_.data());
      stream_.avail_out = static_cast<uInt>(piece_.size());
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
        return outcome::corrupt;
      }
      complete_ = result == Z_STREAM_END;
      const std::size_t made = piece_.size() - stream_.avail_out;
      if (made > 0 && !out({piece_.data(), made})) return outcome::refused;
    } while (stream_.avail_in > 0 || (stream_.avail_out == 0 && !complete_));
    return outcome::ok;
  }

  bool is_complete() const noexcept override { return complete_; }

 private:
  z_stream stream_{};
  bool complete_ = false;
  std::array<char, piece_size_bytes> piece_;
};

class zstd_decoder final : public body_decoder {
 public:
  zstd_decoder() : stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) throw std::bad_alloc{};
    // RFC 8878 3.1.1.1.2: an HTTP peer need not support windows over 8 MB; bounds our memory.
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, 23);
  }
  ~zstd_decoder() override { ZSTD_freeDStream(stream_); }
  zstd_decoder(const zstd_decoder&) = delete;
  zstd_decoder& operator=(const zstd_decoder&) = delete;

  outcome decode(std::string_view encoded, const receiver& out) override {
    ZSTD_inBuffer from{encoded.data(), encoded.size(), 0};
    bool more_inside = false;
    do {
      ZSTD_outBuffer to{piece_.data(), piece_.size(), 0};
      const std::size_t result = ZSTD_decompressStream(stream_, &to, &from);
      if (ZSTD_isError(result)) return outcome::corrupt;
      complete_ = result == 0;
      if (to.pos > 0 && !out({piece_.data(), to.pos})) return outcome::refused;
      more_inside = !complete_ && to.pos == to.size;
    } while (from.pos < from.size || more_inside);
    return outcome::ok;
  }

  bool is_complete() const noexcept override { return complete_; }

 private:
  ZSTD_DStream* stream_;
  bool complete_ = false;
  std::array<char, piece_size_bytes> piece_;
};

}  // namespace

std::unique_ptr<body_decoder> make_body_decoder(std::string_view named) {
  std::string content_encoding{named};
  std::ranges::transform(content_encoding, content_encoding.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (content_encoding == "gzip" || content_encoding == "x-gzip") {
    return std::make_unique<gzip_decoder>();
  }
  if (content_encoding == "zstd") return std::make_unique<zstd_decoder>();
  return nullptr;
}

}  // namespace wherry::app
