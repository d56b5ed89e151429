// SPDX-License-Identifier: Apache-2.0
#pragma once
// A program over channels as data: what a generator makes, an interpreter carries out on the real
// channels (performance.hpp) and a model on paper (model.hpp). Both answer in the same words, so
// that two answers can be compared.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace wherry::reference {

enum class lane_kind : std::uint8_t { rendezvous, fixed, dropping, sliding, promise };

/// A channel of a program.
struct lane {
  lane_kind kind = lane_kind::rendezvous;
  std::uint8_t size = 0;
};

enum class verb : std::uint8_t { put, take, offer, poll, select, close, cancel };
enum class manner : std::uint8_t { fair, priority, or_default };
enum class side : std::uint8_t { put, take, deadline };

/// A case of a select, or all of a put, take, offer or poll.
struct arm {
  side what = side::take;
  std::uint8_t lane = 0;
  int value = 0;  // a put: what; a deadline: after how many milliseconds
};

constexpr std::size_t most_arms = 4;

/// One operation of one process.
struct action {
  verb what = verb::take;
  manner how = manner::fair;
  std::uint8_t count = 0;
  std::uint8_t target = 0;  // close: a lane; cancel: a process
  std::array<arm, most_arms> arms{};

  [[nodiscard]] std::span<const arm> cases() const { return {arms.data(), count}; }
  /// Whether it may wait.
  [[nodiscard]] bool waits() const {
    return what == verb::put || what == verb::take ||
           (what == verb::select && how != manner::or_default);
  }
};

action put_to(std::size_t lane);
action take_from(std::size_t lane);
action offer_to(std::size_t lane);
action poll_from(std::size_t lane);
action close_of(std::size_t lane);
action cancel_of(std::size_t process);
action select_of(manner how, std::initializer_list<arm> arms);

/// What a process does, one after the other; it begins when nothing of an earlier phase can go on,
/// or only when all of them have ended.
struct script {
  std::vector<action> actions;
  int phase = 0;
  bool after_all = false;
};

struct program {
  std::vector<lane> lanes;
  std::vector<script> processes;

  /// Gives each value put a number of its own, and ends the program: when nothing can go on any
  /// more, a last process cancels all others.
  void finish();
};

enum class ending : std::uint8_t {
  accepted,
  refused,
  taken,
  ended,
  unready,  // offer, poll, or_default: also if it is closed, where the answer does not tell
  timed_out,
  cancelled,
  done
};

/// How an operation came out.
struct answer {
  ending how = ending::done;
  std::uint8_t arm = 0;
  int value = 0;
  bool operator==(const answer&) const = default;
};

std::string to_text(const lane& described);
std::string to_text(const action& described);
std::string to_text(const answer& described);
std::string to_text(const program& described);

}  // namespace wherry::reference
