// SPDX-License-Identifier: Apache-2.0
#include "sink/encryption.hpp"

#include <fmt/format.h>

namespace wherry::app {
namespace {

// Source: AWS, "PutObject".
constexpr std::string_view header = "x-amz-server-side-encryption";
constexpr std::string_view key_header = "x-amz-server-side-encryption-aws-kms-key-id";

std::string_view algorithm_of(encryption kind) {
  return kind == encryption::kms ? "aws:kms" : "AES256";
}

}  // namespace

void add_encryption(http_headers& to, const sink& spec) {
  if (!spec.encryption) return;
  to.emplace_back(header, algorithm_of(*spec.encryption));
  if (!spec.kms_key.empty()) to.emplace_back(key_header, spec.kms_key);
}

std::optional<sink_error> not_encrypted(const sink& spec, const http_response& answer,
                                        const std::string& object) {
  if (!spec.encryption) return std::nullopt;
  const auto said = find_header(answer.headers, header);
  if (said == algorithm_of(*spec.encryption)) return std::nullopt;
  return sink_error{
      sink_error_kind::permanent,
      fmt::format("{}: the server took it and does not say that it is encrypted with {}: it may be "
                  "there in plain; remove it, and use a server that knows `sink.encryption`, or "
                  "leave that out",
                  object, algorithm_of(*spec.encryption)),
      std::nullopt};
}

}  // namespace wherry::app
