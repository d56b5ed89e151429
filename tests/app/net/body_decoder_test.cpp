// SPDX-License-Identifier: Apache-2.0
// Goal: compressed bodies come out whole, or not at all. Method: real gzip and zstd streams, cut at
// every byte, and the same through the client with framing that is right.
#include "net/body_decoder.hpp"

#include <doctest/doctest.h>
#include <zlib.h>
#include <zstd.h>

#include "fault_server.hpp"
#include "net/http_client.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {
namespace {

std::string gzip(std::string_view text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string in{text};
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string rows() {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "acme,2025-01-31," + std::to_string(i) + "\n";
  return text;
}

struct decoded {
  std::string text;
  bool complete = false;
  body_decoder::outcome outcome = body_decoder::outcome::ok;
};

decoded decode(std::string_view encoding, std::string_view bytes, std::size_t piece) {
  const auto decoder = make_body_decoder(encoding);
  REQUIRE(decoder != nullptr);
  decoded result;
  while (!bytes.empty() && result.outcome == body_decoder::outcome::ok) {
    result.outcome = decoder->decode(bytes.substr(0, piece), [&](std::string_view out) {
      result.text.append(out);
      return true;
    });
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  result.complete = decoder->is_complete();
  return result;
}

std::expected<http_response, net_error> serve_encoded(const std::string& encoding, std::string body,
                                                      std::uint64_t limit = 1u << 20) {
  const fault_server server{fault_server::answers(
      "HTTP/1.1 200 OK\r\nContent-Encoding: " + encoding +
      "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body)};
  http_client client;
  thread_scheduler scheduler{{.threads = 1}};
  http_request request;
  request.url = server.url();
  request.accept_compressed = true;
  request.max_size_bytes = limit;
  return scheduler.run(client.fetch(request));
}

}  // namespace

TEST_SUITE("net/body_decoder.hpp") {
  TEST_CASE("streams come out the same in pieces of any size") {
    const auto text = rows();
    for (const std::size_t piece : {1uz, 7uz, 1'000uz, 1'000'000uz}) {
      const auto from_gzip = decode("gzip", gzip(text), piece);
      CHECK(from_gzip.text == text);
      CHECK(from_gzip.complete);
      const auto from_zstd = decode("zstd", zstd(text), piece);
      CHECK(from_zstd.text == text);
      CHECK(from_zstd.complete);
    }
  }

  TEST_CASE("a gzip stream of several members is one body") {
    const auto both = decode("x-gzip", gzip("one,") + gzip("two"), 1'000);
    CHECK(both.text == "one,two");
    CHECK(both.complete);
    CHECK_FALSE(decode("gzip", gzip("one,") + gzip("two").substr(0, 5), 1'000).complete);
  }

  TEST_CASE("a stream that is cut anywhere is not complete") {
    const std::string text = "a,b\n1,2\n3,4\n";
    for (const auto& [encoding, whole] : {std::pair{"gzip", gzip(text)}, {"zstd", zstd(text)}}) {
      for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(decode(encoding, std::string_view{whole}.substr(0, size), 1'000).complete);
      }
    }
  }

  TEST_CASE("bytes that are no such stream are corrupt") {
    CHECK(decode("gzip", "a,b\n1,2\n", 100).outcome == body_decoder::outcome::corrupt);
    CHECK(decode("zstd", "a,b\n1,2\n", 100).outcome == body_decoder::outcome::corrupt);
    auto flipped = gzip(rows());
    flipped[flipped.size() - 6] = static_cast<char>(flipped[flipped.size() - 6] ^ 1);  // its CRC
    CHECK(decode("gzip", flipped, 1'000).outcome == body_decoder::outcome::corrupt);
  }

  TEST_CASE("other encodings have no decoder") {
    CHECK(make_body_decoder("br") == nullptr);
    CHECK(make_body_decoder("deflate") == nullptr);
  }

  TEST_CASE("the client undoes gzip and zstd") {
    const auto text = rows();
    CHECK(serve_encoded("gzip", gzip(text))->body == text);
    CHECK(serve_encoded("zstd", zstd(text))->body == text);
  }

  TEST_CASE("the client reports a compressed body that was cut within right framing as truncated") {
    const auto text = rows();
    for (const auto& [encoding, whole] : {std::pair{"gzip", gzip(text)}, {"zstd", zstd(text)}}) {
      for (const std::size_t size : {1uz, 5uz, whole.size() / 2, whole.size() - 1}) {
        CAPTURE(size);
        const auto got = serve_encoded(encoding, whole.substr(0, size));
        REQUIRE_FALSE(got.has_value());
        CHECK(got.error().kind == net_error_kind::truncated);
      }
    }
  }

  TEST_CASE("the client measures its limit after decompression") {
    const std::string bomb = gzip(std::string(1'000'000, '\0'));
    CHECK(bomb.size() < 2'000);
    const auto got = serve_encoded("gzip", bomb, 100'000);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().kind == net_error_kind::too_large);
  }

  TEST_CASE("the client refuses encodings that it did not offer") {
    const auto got = serve_encoded("br", "x");
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().kind == net_error_kind::protocol);
    CHECK(got.error().message.contains("Content-Encoding"));
  }

}  // TEST_SUITE

}  // namespace wherry::app
