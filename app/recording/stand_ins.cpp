// SPDX-License-Identifier: Apache-2.0
#include "recording/stand_ins.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "spec/spelling.hpp"
#include "spec/words.hpp"

namespace wherry::app {
namespace {

/// What is shorter stands in too many texts by chance.
constexpr std::size_t shortest_secret = 4;

using named_secrets = std::vector<std::pair<std::string, std::string>>;

struct secrets_of_auth {
  named_secrets& to;

  void operator()(const std::monostate&) const {}
  void operator()(const bearer_auth& by) const { add("bearer", by.token); }
  void operator()(const basic_auth& by) const { add("basic.password", by.password); }
  void operator()(const header_auth& by) const { add("header.value", by.value); }
  void operator()(const query_auth& by) const { add("query.value", by.value); }
  void operator()(const oauth2_auth& by) const {
    add("oauth2.client_secret", by.client_secret);
    add("oauth2.refresh_token", by.refresh_token);
  }
  void operator()(const sigv4_auth& by) const {
    add("sigv4.access_key", {by.access_key});
    add("sigv4.secret_key", by.secret_key);
    add("sigv4.session_token", by.session_token);
  }
  void operator()(const hmac_auth& by) const { add("hmac.secret", by.key); }

  void add(std::string_view name, const secret& what) const {
    to.emplace_back(fmt::format("auth.{}", name), what.reveal);
  }
};

std::string word_of(const std::string& name) {
  auto word = in_lower_case(name);
  std::ranges::replace(word, '_', '-');
  return word;
}

/// One of the value's kind; `number` tells it from the others.
std::string stand_in_for(const std::string& name, const std::string& value, int number) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (std::ranges::all_of(value, is_digit)) {
    auto digits = fmt::format("{}", number);
    return "1" + std::string(value.size() - std::min(value.size(), digits.size() + 1), '0') +
           digits;
  }
  auto word = word_of(name);
  if (value.starts_with('/')) return "/" + word;
  const auto scheme = value.find("://");
  if (scheme == value.npos) return word;
  if (value.starts_with("http")) return value.substr(0, scheme + 3) + word + ".invalid";
  return fmt::format("{}{}:{}@{}.invalid/{}", value.substr(0, scheme + 3), word, word, word, word);
}

}  // namespace

named_secrets secrets_of(const spec& of) {
  named_secrets all;
  std::visit(secrets_of_auth{all}, of.source.auth);
  for (const auto& each : of.source.more_auth) std::visit(secrets_of_auth{all}, each);
  for (const auto& [name, value] : of.source.headers) {
    const bool is_long = value.size() >= shortest_secret;
    if (!is_long || !mentions_secret(name)) continue;
    all.emplace_back("headers." + name, with_replaced(value, {{"{{", "{"}, {"}}", "}"}}));
  }
  all.emplace_back("sink.access_key", of.sink.access_key);
  all.emplace_back("sink.secret_key", of.sink.secret_key.reveal);
  all.emplace_back("sink.session_token", of.sink.session_token.reveal);
  if (of.warehouse) all.emplace_back("warehouse.url", of.warehouse->url.reveal);
  std::erase_if(all, [](const auto& each) { return each.second.empty(); });
  return all;
}

std::expected<stand_ins, std::string> stand_ins_of(
    const spec& of, const std::function<bool(const environment&)>& is_readable) {
  const auto secrets = secrets_of(of);
  for (const auto& [name, value] : secrets) {
    if (value.size() >= shortest_secret) continue;
    return std::unexpected(fmt::format(
        "`{}` has fewer than {} characters, and cannot be told from other text to be taken out of "
        "the recording; record with a longer one",
        name, shortest_secret));
  }
  const auto is_secret = [&](const std::string& value) {
    return std::ranges::any_of(secrets,
                               [&](const auto& each) { return each.second.contains(value); });
  };
  const auto can_be_read = [&](const stand_ins& with) {
    return is_readable([&](const std::string& name) -> std::optional<std::string> {
      if (const auto found = with.find(name); found != with.end()) return found->second.text;
      const auto real = of.variables.find(name);
      return real != of.variables.end() ? std::optional(real->second.reveal) : word_of(name);
    });
  };
  stand_ins made;
  for (const auto& [name, value] : of.variables) {
    const auto& real = value.reveal;
    stand_in one{stand_in_for(name, real, static_cast<int>(made.size())),
                 of.transform.variables.contains(name)};
    const bool is_short = real.size() < shortest_secret;
    const bool is_one = !is_short && is_secret(real);
    const bool stays = is_short || (!is_one && !can_be_read({{name, one}}));
    if (stays) one.text = real;
    if (is_one) one.gives_way = false;
    made.emplace(name, std::move(one));
  }
  if (can_be_read(made)) return made;
  return std::unexpected(std::string(
      "with other words in place of its variables the spec cannot be read; let each secret be a "
      "variable by itself, without what stands around it"));
}

environment environment_of(const stand_ins& recorded, environment real) {
  return [recorded, real = std::move(real)](const std::string& name) -> std::optional<std::string> {
    const auto found = recorded.find(name);
    if (found != recorded.end() && !found->second.gives_way) return found->second.text;
    if (auto value = real(name)) return value;
    return found != recorded.end() ? found->second.text : word_of(name);
  };
}

}  // namespace wherry::app
