// SPDX-License-Identifier: Apache-2.0
// The names of the commands of people, as they stand in inboxes, and what is wrong with one.

#include <fmt/format.h>

#include <array>
#include <utility>

#include "wherry/engine/store.hpp"

namespace wherry {
namespace {

constexpr std::array<std::pair<control_verb, std::string_view>, 5> verbs{
    {{control_verb::redrive, "redrive"},
     {control_verb::cancel, "cancel"},
     {control_verb::prioritize, "prioritize"},
     {control_verb::pause, "pause"},
     {control_verb::resume, "resume"}}};

bool is_about_a_lane(control_verb verb) noexcept {
  return verb == control_verb::pause || verb == control_verb::resume;
}

}  // namespace

std::string_view to_string(control_verb value) noexcept {
  for (const auto& [verb, name] : verbs) {
    if (verb == value) return name;
  }
  return "?";
}

std::optional<control_verb> control_verb_from(std::string_view text) noexcept {
  for (const auto& [verb, name] : verbs) {
    if (name == text) return verb;
  }
  return std::nullopt;
}

std::string refusal(const control_request& asked) {
  const auto& filter = asked.filter;
  if (is_about_a_lane(asked.verb)) {
    const bool names_machines =
        filter.phase || !filter.state.empty() || !filter.id.empty() || !filter.id_prefix.empty();
    if (filter.lane && !names_machines) return {};
    return fmt::format("{}: name one lane, and nothing else", to_string(asked.verb));
  }
  const auto priority = std::int64_t{asked.priority};
  if (asked.verb == control_verb::prioritize &&
      (priority < -priority_limit || priority > priority_limit)) {
    return fmt::format("priority {} must lie between {} and {}", priority, -priority_limit,
                       priority_limit);
  }
  return {};
}

}  // namespace wherry
