// SPDX-License-Identifier: Apache-2.0
#include "aws/requests.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "net/origin.hpp"
#include "sign/sigv4.hpp"
#include "spec/spelling.hpp"
#include "spool/sha256.hpp"

namespace wherry::app {
namespace {

using namespace std::chrono_literals;

http_request small_request(std::string method, std::string url) {
  http_request made;
  made.method = std::move(method);
  made.url = std::move(url);
  made.connect_timeout = 5s;
  made.timeout = 10s;
  made.max_size_bytes = 1u << 16;
  return made;
}

using fields = std::vector<std::pair<std::string_view, std::string_view>>;

http_request form_request(const std::string& sts, const fields& all) {
  std::string form = "Version=2011-06-15";
  for (const auto& [name, value] : all) {
    if (!value.empty()) form += fmt::format("&{}={}", name, uri_encode(value, slash::encode));
  }
  auto made = small_request("POST", sts + (sts.ends_with('/') ? "" : "/"));
  made.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  made.body = std::make_shared<const std::string>(std::move(form));
  return made;
}

}  // namespace

http_request identity_request(const std::string& sts, const web_identity& by,
                              const std::string& token) {
  return form_request(sts, {{"Action", "AssumeRoleWithWebIdentity"},
                            {"RoleArn", by.role},
                            {"RoleSessionName", by.session},
                            {"WebIdentityToken", token}});
}

http_request role_request(const aws_setup& in, const assumed_role& role, const aws_keys& with,
                          std::chrono::system_clock::time_point now) {
  auto made = form_request(in.sts, {{"Action", "AssumeRole"},
                                    {"RoleArn", role.arn},
                                    {"RoleSessionName", role.session},
                                    {"ExternalId", role.external_id}});
  const auto place = place_of(made.url);
  const sigv4_signer signer{{.access_key = with.access_key,
                             .secret_key = with.secret_key,
                             .session_token = with.session_token,
                             .region = in.region,
                             .service = "sts"}};
  made.headers.emplace_back("Host", place.substr(place.find("://") + 3));
  const auto& body = *std::get<std::shared_ptr<const std::string>>(made.body);
  made.headers = signer.sign({.method = made.method,
                              .path = "/",
                              .query = {},
                              .headers = std::move(made.headers),
                              .body_sha256 = to_hex(sha256_of(body))},
                             now);
  return made;
}

http_request container_request(const container_keys& at, const std::string& token) {
  auto made = small_request("GET", at.url);
  if (!token.empty()) made.headers.emplace_back("Authorization", token);
  return made;
}

http_request metadata_token_request(const instance_keys& at) {
  auto made = small_request("PUT", at.endpoint + "/latest/api/token");
  made.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "300"}};
  made.connect_timeout = 1s;
  made.timeout = 1s;
  return made;
}

http_request metadata_request(const instance_keys& at, const std::string& token,
                              const std::string& role) {
  auto made = small_request("GET", fmt::format("{}/latest/meta-data/iam/security-credentials/{}",
                                               at.endpoint, uri_encode(role, slash::encode)));
  made.headers = {{"X-aws-ec2-metadata-token", token}};
  return made;
}

}  // namespace wherry::app
