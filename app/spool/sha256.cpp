// SPDX-License-Identifier: Apache-2.0
#include "spool/sha256.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <new>

#include "wherry/csp/assert.hpp"

namespace wherry::app {
namespace {

// Fetched once: OpenSSL 3 looks an algorithm up by name each time otherwise.
const EVP_MD* algorithm() {
  static EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  WHERRY_ASSERT(found != nullptr, "this OpenSSL has no SHA-256");
  return found;
}

void begin(EVP_MD_CTX* context) {
  const bool begun = EVP_DigestInit_ex2(context, algorithm(), nullptr) == 1;
  WHERRY_ASSERT(begun, "SHA-256 does not begin");
}

}  // namespace

void sha256::release::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

sha256::sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_) throw std::bad_alloc{};
  begin(context_.get());
}
sha256::sha256(sha256&&) noexcept = default;
sha256& sha256::operator=(sha256&&) noexcept = default;
sha256::~sha256() = default;

void sha256::add(std::string_view bytes) {
  const bool added = EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
  WHERRY_ASSERT(added, "SHA-256 takes any bytes");
}

sha256_digest sha256::finish() {
  sha256_digest digest;
  const bool ended = EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1;
  WHERRY_ASSERT(ended, "SHA-256 ends");
  begin(context_.get());
  return digest;
}

sha256_digest sha256_of(std::string_view bytes) {
  sha256 hash;
  hash.add(bytes);
  return hash.finish();
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += digits[value >> 4];
    text += digits[value & 15];
  }
  return text;
}

std::string to_hex(const sha256_digest& digest) { return to_hex(bytes_of(digest)); }

std::string_view bytes_of(const sha256_digest& digest) noexcept {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

sha256_digest hmac_sha256(std::string_view key, std::string_view bytes) {
  sha256_digest digest;
  const auto* const made = HMAC(algorithm(), key.data(), static_cast<int>(key.size()),
                                reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                                digest.data(), nullptr);
  WHERRY_ASSERT(made != nullptr, "this OpenSSL makes no HMAC of SHA-256");
  return digest;
}

}  // namespace wherry::app
