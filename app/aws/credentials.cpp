// SPDX-License-Identifier: Apache-2.0
#include "aws/credentials.hpp"

#include <fmt/format.h>

#include <utility>

#include "aws/answers.hpp"
#include "aws/chain.hpp"
#include "aws/requests.hpp"
#include "net/origin.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {
namespace {

using got_keys = std::expected<aws_keys, aws_error>;
using got_answer = std::expected<http_response, aws_error>;

task<got_answer> send(http_client* client, http_request request) {
  auto answered = co_await client->fetch(std::move(request));
  if (answered) co_return *std::move(answered);
  co_return std::unexpected(
      aws_error{true, fmt::format("cannot ask for AWS keys: {}", answered.error().message)});
}

// A token in a file, without the line break behind it.
std::expected<std::string, aws_error> token_in(const std::string& path) {
  auto read = machine_files()(path);
  const bool is_there = read && *read;
  auto token = is_there ? **std::move(read) : std::string{};
  while (token.ends_with('\n') || token.ends_with('\r') || token.ends_with(' ')) token.pop_back();
  if (!token.empty()) return token;
  return std::unexpected(aws_error{
      true, fmt::format("the file of a token, {}, {}: check AWS_WEB_IDENTITY_TOKEN_FILE or "
                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, whichever names it",
                        path,
                        !read      ? read.error()
                        : is_there ? "is empty"
                                   : "is not there")});
}

task<got_keys> by_identity(http_client* client, std::string sts, web_identity by) {
  const auto token = token_in(by.token_file);
  if (!token) co_return std::unexpected(token.error());
  const auto answer = co_await send(client, identity_request(sts, by, *token));
  if (!answer) co_return std::unexpected(answer.error());
  co_return keys_in_xml(*answer, place_of(sts), by.role);
}

task<got_keys> by_role(http_client* client, aws_setup in, assumed_role role, aws_keys with) {
  const auto now = scheduler::current().system_now();
  const auto answer = co_await send(client, role_request(in, role, with, now));
  if (!answer) co_return std::unexpected(answer.error());
  co_return keys_in_xml(*answer, place_of(in.sts), role.arn);
}

task<got_keys> of_container(http_client* client, container_keys at) {
  auto token = at.token.reveal;
  if (!at.token_file.empty()) {
    auto read = token_in(at.token_file);
    if (!read) co_return std::unexpected(std::move(read.error()));
    token = *std::move(read);
  }
  const auto answer = co_await send(client, container_request(at, token));
  if (!answer) co_return std::unexpected(answer.error());
  co_return keys_in_json(*answer, place_of(at.url));
}

task<got_keys> of_instance(http_client* client, instance_keys at) {
  const auto place = place_of(at.endpoint);
  const auto token = co_await client->fetch(metadata_token_request(at));
  if (!token) {
    co_return std::unexpected(aws_error{
        true, no_keys(fmt::format("the EC2 metadata service: {}", token.error().message))});
  }
  if (token->status != 200) {
    co_return std::unexpected(
        aws_error{true, no_keys(fmt::format("the EC2 metadata service: {} answered {} to the "
                                            "request for a token",
                                            place, token->status))});
  }
  const auto role = co_await send(client, metadata_request(at, token->body, ""));
  if (!role) co_return std::unexpected(role.error());
  const auto name = role->body.substr(0, role->body.find('\n'));
  if (role->status != 200 || name.empty()) {
    co_return std::unexpected(aws_error{
        role->status != 404,
        fmt::format("{} answered {} to the question for the instance's role; give the instance a "
                    "role (an instance profile), or export AWS_ACCESS_KEY_ID and "
                    "AWS_SECRET_ACCESS_KEY",
                    place, role->status)});
  }
  const auto answer = co_await send(client, metadata_request(at, token->body, name));
  if (!answer) co_return std::unexpected(answer.error());
  co_return keys_in_json(*answer, place);
}

task<got_keys> fetch_keys(http_client* client, aws_setup of) {
  got_keys keys;
  if (const auto* given = std::get_if<aws_keys>(&of.from.base)) {
    keys = *given;
  } else if (const auto* identity = std::get_if<web_identity>(&of.from.base)) {
    keys = co_await by_identity(client, of.sts, *identity);
  } else if (const auto* container = std::get_if<container_keys>(&of.from.base)) {
    keys = co_await of_container(client, *container);
  } else {
    keys = co_await of_instance(client, std::get<instance_keys>(of.from.base));
  }
  for (const auto& role : of.from.roles) {
    if (!keys) break;
    keys = co_await by_role(client, of, role, *std::move(keys));
  }
  co_return keys;
}

}  // namespace

aws_credentials::aws_credentials(finder find, http_client& client, wall_clock now)
    : find_(std::move(find)),
      client_(client),
      now_(now ? std::move(now) : wall_clock{[] { return scheduler::current().system_now(); }}) {}

std::optional<aws_credentials::signer_handle> aws_credentials::known() {
  const auto now = now_();
  const std::lock_guard lock{mutex_};
  return signer_ && now < renew_at_ ? std::optional{signer_} : std::nullopt;
}

void aws_credentials::drop(const signer_handle& refused) {
  const std::lock_guard lock{mutex_};
  if (signer_ == refused) signer_ = nullptr;
}

task<std::expected<aws_credentials::signer_handle, aws_error>> aws_credentials::signer() {
  return asking_.get([this] { return known(); }, [this] { return ask(); });
}

task<std::expected<aws_credentials::signer_handle, aws_error>> aws_credentials::ask() {
  auto setup = find_();
  if (!setup) co_return std::unexpected(aws_error{false, std::move(setup.error())});
  auto got = co_await fetch_keys(&client_, *setup);
  const auto now = now_();
  const std::lock_guard lock{mutex_};
  if (got) {
    keys_ = *std::move(got);
    renew_at_ = renewal_of(keys_, now);
    signer_ =
        std::make_shared<const sigv4_signer>(sigv4_options{.access_key = keys_.access_key,
                                                           .secret_key = keys_.secret_key,
                                                           .session_token = keys_.session_token,
                                                           .region = setup->region});
  } else if (signer_ && keys_.expires && now < *keys_.expires) {
    renew_at_ = next_try(keys_, now);
  } else {
    co_return std::unexpected(std::move(got.error()));
  }
  co_return signer_;
}

}  // namespace wherry::app
