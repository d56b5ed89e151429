// SPDX-License-Identifier: Apache-2.0
// The names of phases and outcomes, as they stand in stores, and the limits of a machine.

#include "wherry/engine/machine.hpp"

#include <fmt/format.h>
#include <cstring>

#include <algorithm>
#include <array>
#include <utility>

namespace wherry {
namespace {

template <class Value>
using names = std::pair<Value, std::string_view>;

constexpr std::array<names<phase>, 5> phases{{{phase::waiting, "waiting"},
                                              {phase::ready, "ready"},
                                              {phase::completed, "completed"},
                                              {phase::dead, "dead"},
                                              {phase::cancelled, "cancelled"}}};

constexpr std::array<names<outcome_kind>, 8> outcomes{{{outcome_kind::advanced, "advanced"},
                                                       {outcome_kind::went_back, "went_back"},
                                                       {outcome_kind::retried, "retried"},
                                                       {outcome_kind::throttled, "throttled"},
                                                       {outcome_kind::postponed, "postponed"},
                                                       {outcome_kind::died, "died"},
                                                       {outcome_kind::redriven, "redriven"},
                                                       {outcome_kind::cancelled, "cancelled"}}};

template <class Table, class Value>
std::string_view name_of(const Table& table, Value value) noexcept {
  for (const auto& [each, name] : table) {
    if (each == value) return name;
  }
  return "?";
}

template <class Value, std::size_t Size>
std::optional<Value> value_of(const std::array<names<Value>, Size>& table,
                              std::string_view text) noexcept {
  for (const auto& [value, name] : table) {
    if (name == text) return value;
  }
  return std::nullopt;
}

bool out_of_range(std::int32_t number) noexcept {
  return number < -priority_limit || number > priority_limit;
}

/// Bytes of the UTF-8 character at the start of `text`; 0 if there is none. Source: RFC 3629.
std::size_t character_size(std::string_view text) noexcept {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
  };
  const auto lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // Neither longer than need be, nor a surrogate, nor beyond the last code point.
  const auto lowest = lead == 0xE0 ? 0xA0u : lead == 0xF0 ? 0x90u : 0x80u;
  const auto highest = lead == 0xED ? 0x9Fu : lead == 0xF4 ? 0x8Fu : 0xBFu;
  if (byte(1) < lowest || byte(1) > highest) return 0;
  for (std::size_t at = 2; at < size; ++at) {
    if ((byte(at) & 0xC0) != 0x80) return 0;
  }
  return size;
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    std::uint64_t eight = 0;  // most of JSON is ASCII
    if (text.size() >= sizeof eight) {
      std::memcpy(&eight, text.data(), sizeof eight);
      if ((eight & 0x8080'8080'8080'8080u) == 0) {
        text.remove_prefix(sizeof eight);
        continue;
      }
    }
    const auto size = character_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

/// How deep the objects and arrays of a JSON text lie in each other.
std::size_t depth_of(std::string_view json) noexcept {
  std::size_t depth = 0, most = 0;
  bool in_text = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (in_text && c == '\\') ++at;
    if (c == '"') in_text = !in_text;
    if (in_text) continue;
    if (c == '{' || c == '[') most = std::max(most, ++depth);
    if ((c == '}' || c == ']') && depth > 0) --depth;
  }
  return most;
}

std::string data_refusal(std::string_view id, std::string_view data) {
  if (data.size() > data_size_limit) {
    return fmt::format(
        "machine {}: its state is {} bytes of JSON, at most {} are kept: put the bulk into a file "
        "and its name into the state",
        id, data.size(), data_size_limit);
  }
  const bool may_be_deep = data.size() > 2 * data_depth_limit;  // each level opens and closes
  if (may_be_deep && depth_of(data) > data_depth_limit) {
    return fmt::format(
        "machine {}: its state lies more than {} levels deep and could not be read again: make it "
        "flatter",
        id, data_depth_limit);
  }
  if (!is_utf8(data)) {
    return fmt::format(
        "machine {}: a text in its state is not UTF-8 and could not be read again: encode it", id);
  }
  return {};
}

}  // namespace

std::string_view to_string(phase value) noexcept { return name_of(phases, value); }
std::optional<phase> phase_from(std::string_view text) noexcept { return value_of(phases, text); }

std::string_view to_string(outcome_kind value) noexcept { return name_of(outcomes, value); }
std::optional<outcome_kind> outcome_kind_from(std::string_view text) noexcept {
  return value_of(outcomes, text);
}

submit_report& submit_report::operator+=(const submit_report& other) noexcept {
  added += other.added;
  superseded += other.superseded;
  known += other.known;
  completed += other.completed;
  dead += other.dead;
  cancelled += other.cancelled;
  return *this;
}

std::int64_t machine_counts::in(phase wanted) const noexcept {
  std::int64_t sum = 0;
  for (const auto& [key, count] : by) {
    if (key.first == wanted) sum += count;
  }
  return sum;
}

std::int64_t machine_counts::all() const noexcept {
  std::int64_t sum = 0;
  for (const auto& [key, count] : by) sum += count;
  return sum;
}

std::string refusal(const submission& wanted) {
  if (wanted.id.empty()) return "a machine has an empty id: give each one a name of its own";
  if (wanted.generation < 1) {
    return fmt::format("machine {}: generation {}: generations count from 1", wanted.id,
                       wanted.generation);
  }
  if (out_of_range(wanted.priority) || out_of_range(wanted.rank)) {
    return fmt::format("machine {}: priority {} and rank {} must lie between {} and {}", wanted.id,
                       wanted.priority, wanted.rank, -priority_limit, priority_limit);
  }
  if (wanted.shape < 0) {
    return fmt::format("machine {}: shape {}: shapes count from 0", wanted.id, wanted.shape);
  }
  return data_refusal(wanted.id, wanted.data);
}

std::string refusal(const transition& outcome) {
  if (out_of_range(outcome.rank)) {
    return fmt::format("machine {}: rank {} must lie between {} and {}", outcome.id, outcome.rank,
                       -priority_limit, priority_limit);
  }
  return data_refusal(outcome.id, outcome.data);
}

std::string_view cut_error(std::string_view text, std::size_t limit) noexcept {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  while (end > 0 && end + 4 > limit && continues(end)) --end;
  return text.substr(0, end);
}

}  // namespace wherry
