// SPDX-License-Identifier: Apache-2.0
#include "spool/spool_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace wherry::app {
namespace {

constexpr std::size_t id_in_name_limit = 80;
constexpr std::size_t hash_length = 16;
constexpr std::array<std::string_view, 5> endings{".download", ".transform", ".page", ".joined",
                                                  ".reject"};  // as spool_step
constexpr std::string_view unfinished_start = ".wherry-";
constexpr std::array<std::string_view, 2> unfinished_ends{".parquet", ".rows"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
bool is_plain(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
         c == '.';
}

// Cuts what fits off the end of `name` and returns how much that was.
std::size_t cut_back(std::string_view& name, bool (*fits)(char)) {
  const auto size = name.size();
  while (!name.empty() && fits(name.back())) name.remove_suffix(1);
  return size - name.size();
}

bool cut_back(std::string_view& name, std::string_view what) {
  if (!name.ends_with(what)) return false;
  name.remove_suffix(what.size());
  return true;
}

bool is_of_a_key(std::string_view name) {
  const bool is_page = name.ends_with(endings[2]);
  if (std::ranges::none_of(endings, [&](auto end) { return cut_back(name, end); })) return false;
  if (is_page && !(cut_back(name, is_digit) > 0 && cut_back(name, "-p"))) return false;
  return cut_back(name, is_digit) > 0 && cut_back(name, "-g") &&
         cut_back(name, is_hex) == hash_length && cut_back(name, "-") &&
         std::ranges::all_of(name, is_plain);
}

bool is_unfinished(std::string_view name) {
  if (!name.starts_with(unfinished_start)) return false;
  name.remove_prefix(unfinished_start.size());
  if (std::ranges::none_of(unfinished_ends, [&](auto end) { return cut_back(name, end); })) {
    return false;
  }
  return cut_back(name, is_digit) > 0 && cut_back(name, "-") && cut_back(name, is_digit) > 0 &&
         name.empty();
}

}  // namespace

std::string spool_name(const spool_key& key) {
  std::string id = key.id.substr(0, id_in_name_limit);
  std::ranges::replace_if(id, [](char c) { return !is_plain(c); }, '_');
  return fmt::format("{}-{}-g{}{}{}", id, to_hex(sha256_of(key.id)).substr(0, hash_length),
                     key.generation,
                     key.step == spool_step::page ? fmt::format("-p{}", key.number) : std::string(),
                     endings[static_cast<std::size_t>(key.step)]);
}

std::string to_string(const small_name& small) {
  return fmt::format("{}@{}", small.name, small.place);
}

std::optional<small_name> parse_small_name(std::string_view name) {
  const auto at = name.rfind('@');
  if (at == name.npos) return std::nullopt;
  small_name found{std::string(name.substr(0, at)), 0};
  const auto place = name.substr(at + 1);
  const auto read = std::from_chars(place.data(), place.data() + place.size(), found.place);
  if (read.ec != std::errc{} || read.ptr != place.data() + place.size()) return std::nullopt;
  return found;
}

bool is_spool_name(std::string_view name) noexcept {
  return is_of_a_key(name) || is_unfinished(name);
}

}  // namespace wherry::app
