// SPDX-License-Identifier: Apache-2.0
// Goal: other readers get the text back, and equal blocks give equal bytes. Method: decompress with
// the libraries' own readers.
#include "transform/compress.hpp"

#include <doctest/doctest.h>
#include <libdeflate.h>
#include <zstd.h>

using namespace wherry::app;

namespace {

std::string compressed(compression how, std::string_view text) {
  std::string out;
  block_compressor(how).compress(text, out);
  return out;
}

std::string sample() {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "row " + std::to_string(i * 7919 % 1000) + "\n";
  return text;
}

}  // namespace

TEST_SUITE("compress.hpp") {
  TEST_CASE("gzip reads back and its header holds no time") {
    const auto text = sample();
    const auto packed = compressed(compression::gzip, text);
    CHECK(packed.size() < text.size() / 3);
    CHECK(packed.substr(4, 4) == std::string(4, '\0'));
    std::string back(text.size(), '\0');
    auto* reader = libdeflate_alloc_decompressor();
    CHECK(libdeflate_gzip_decompress(reader, packed.data(), packed.size(), back.data(), back.size(),
                                     nullptr) == LIBDEFLATE_SUCCESS);
    libdeflate_free_decompressor(reader);
    CHECK(back == text);
  }
  TEST_CASE("zstd reads back") {
    const auto text = sample();
    const auto packed = compressed(compression::zstd, text);
    std::string back(text.size(), '\0');
    CHECK(ZSTD_decompress(back.data(), back.size(), packed.data(), packed.size()) == text.size());
    CHECK(back == text);
  }
  TEST_CASE("no compression is the text itself") {
    CHECK(compressed(compression::none, "abc") == "abc");
  }
  TEST_CASE("a used compressor gives the same bytes as a new one") {
    for (const auto how : {compression::gzip, compression::zstd}) {
      block_compressor used(how);
      std::string out;
      used.compress("something else first", out);
      used.compress(sample(), out);
      CHECK(out == compressed(how, sample()));
    }
  }
}
