// SPDX-License-Identifier: Apache-2.0
#pragma once
// body_decoder: undoes Content-Encoding gzip and zstd as a body streams by. libcurl could do that
// too, but it takes a compressed stream that was cut for a whole one as long as the framing around
// it is right (seen with 7.88: inflateEnd's answer is not looked at), which would lose rows.

#include <functional>
#include <memory>
#include <string_view>

namespace wherry::app {

class body_decoder {
 public:
  enum class outcome {
    ok,
    corrupt,  ///< the bytes are no such stream
    refused,  ///< `out` returned false
  };
  /// Receives decoded bytes; false ends the decoding.
  using receiver = std::function<bool(std::string_view)>;

  virtual ~body_decoder() = default;

  /// Decodes the next bytes and hands what comes out to `out`, in bounded pieces.
  virtual outcome decode(std::string_view encoded, const receiver& out) = 0;

  /// Tells whether the stream came to its end mark and nothing follows.
  [[nodiscard]] virtual bool is_complete() const noexcept = 0;
};

/// Makes the decoder for a Content-Encoding: "gzip", "x-gzip" or "zstd", in any case. Null for any
/// other.
[[nodiscard]] std::unique_ptr<body_decoder> make_body_decoder(std::string_view content_encoding);

}  // namespace wherry::app
