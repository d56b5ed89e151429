// SPDX-License-Identifier: Apache-2.0
// Programs: made, numbered, and in words.

#include "program.hpp"

#include <algorithm>

namespace wherry::reference {
namespace {

action single(verb what, side which, std::size_t lane) {
  action made{.what = what, .count = 1};
  made.arms[0] = {which, static_cast<std::uint8_t>(lane), 0};
  return made;
}

std::string to_text(const arm& described) {
  switch (described.what) {
    case side::put:
      return "put " + std::to_string(described.value) + " to " + std::to_string(described.lane);
    case side::take: return "take from " + std::to_string(described.lane);
    case side::deadline: return "after " + std::to_string(described.value) + " ms";
  }
  return "?";
}

}  // namespace

action put_to(std::size_t lane) { return single(verb::put, side::put, lane); }
action take_from(std::size_t lane) { return single(verb::take, side::take, lane); }
action offer_to(std::size_t lane) { return single(verb::offer, side::put, lane); }
action poll_from(std::size_t lane) { return single(verb::poll, side::take, lane); }
action close_of(std::size_t lane) {
  return {.what = verb::close, .target = static_cast<std::uint8_t>(lane)};
}
action cancel_of(std::size_t process) {
  return {.what = verb::cancel, .target = static_cast<std::uint8_t>(process)};
}
action select_of(manner how, std::initializer_list<arm> arms) {
  action made{.what = verb::select, .how = how, .count = static_cast<std::uint8_t>(arms.size())};
  std::ranges::copy(arms, made.arms.begin());
  return made;
}

void program::finish() {
  int last_phase = 0;
  int last_value = 0;
  script ending;
  for (std::size_t each = 0; each < processes.size(); ++each) {
    last_phase = std::max(last_phase, processes[each].phase);
    ending.actions.push_back(cancel_of(each));
    for (auto& step : processes[each].actions) {
      for (auto& one : std::span(step.arms).first(step.count)) {
        if (one.what == side::put) one.value = ++last_value;
      }
    }
  }
  ending.phase = last_phase + 1;
  processes.push_back(std::move(ending));
}

std::string to_text(const lane& described) {
  constexpr std::array names{"rendezvous", "fixed", "dropping", "sliding", "promise"};
  std::string text = names[static_cast<std::size_t>(described.kind)];
  if (described.size > 0) text += "(" + std::to_string(described.size) + ")";
  return text;
}

std::string to_text(const action& described) {
  switch (described.what) {
    case verb::close: return "close " + std::to_string(described.target);
    case verb::cancel: return "cancel process " + std::to_string(described.target);
    case verb::offer: return "offer, " + to_text(described.arms[0]);
    case verb::poll: return "poll, " + to_text(described.arms[0]);
    case verb::put:
    case verb::take: return to_text(described.arms[0]);
    case verb::select: break;
  }
  constexpr std::array manners{"select", "select by priority", "select or default"};
  std::string text = manners[static_cast<std::size_t>(described.how)];
  for (const auto& each : described.cases()) text += " | " + to_text(each);
  return text;
}

std::string to_text(const answer& described) {
  constexpr std::array names{"accepted", "refused",   "taken",     "ended",
                             "unready",  "timed out", "cancelled", "done"};
  std::string text = names[static_cast<std::size_t>(described.how)];
  if (described.value != 0) text += " " + std::to_string(described.value);
  return text + " (case " + std::to_string(described.arm) + ")";
}

std::string to_text(const program& described) {
  std::string text;
  for (std::size_t each = 0; each < described.lanes.size(); ++each) {
    text += "channel " + std::to_string(each) + ": " + to_text(described.lanes[each]) + "\n";
  }
  for (std::size_t each = 0; each < described.processes.size(); ++each) {
    const auto& one = described.processes[each];
    text += "process " + std::to_string(each) + ", phase " + std::to_string(one.phase) + ":";
    for (const auto& step : one.actions) text += " " + to_text(step) + ";";
    text += "\n";
  }
  return text;
}

}  // namespace wherry::reference
