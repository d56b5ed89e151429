// SPDX-License-Identifier: Apache-2.0
#pragma once
// SHA-256 as bytes stream by. OpenSSL's, behind this one class: files in the spool are known by it,
// and S3 wants the same number in a header, so it is computed once per pass over the bytes.

#include <array>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace wherry::app {

using sha256_digest = std::array<unsigned char, 32>;

/// Hashes what is added to it.
class sha256 {
 public:
  sha256();
  sha256(sha256&&) noexcept;
  sha256& operator=(sha256&&) noexcept;
  ~sha256();

  void add(std::string_view bytes);

  /// Ends the hash; the object then begins a new one.
  [[nodiscard]] sha256_digest finish();

 private:
  struct release {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, release> context_;
};

/// Hashes bytes that are all there.
[[nodiscard]] sha256_digest sha256_of(std::string_view bytes);

/// Authenticates bytes by a key: HMAC-SHA-256, RFC 2104.
[[nodiscard]] sha256_digest hmac_sha256(std::string_view key, std::string_view bytes);

/// Writes bytes as hex digits in lower case.
[[nodiscard]] std::string to_hex(std::string_view bytes);
[[nodiscard]] std::string to_hex(const sha256_digest& digest);

/// The bytes of a digest, as a key for the next hmac_sha256.
[[nodiscard]] std::string_view bytes_of(const sha256_digest& digest) noexcept;

}  // namespace wherry::app
