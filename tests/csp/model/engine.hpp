// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the atomics of model.hpp do when they are used: the operations that a checker schedules, and
// the schedules that it goes through.
//
// How: every thread of a program is a fiber that stops before each of its operations. The engine
// picks whose is carried out, depth first over all picks; a run is repeated from its beginning for
// each. Orders that differ only in operations that do not touch one another are tried once (sleep
// sets: Godefroid 1996). Who happened before whom follows the memory orders that were written
// (vector clocks), so that a value reached without an acquire of its release is found, whatever it
// was.

#include <ucontext.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model.hpp"

namespace wherry::model::detail {

class engine {
 public:
  explicit engine(limits bounds);
  ~engine();
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  verdict explore(const scene& make);

  /// The engine whose fiber is calling; null outside of fibers.
  static engine* here();

  // For the fibers: what the atomics call.
  std::uint64_t load(location& where, std::memory_order order);
  void store(location& where, std::uint64_t value, std::memory_order order);
  bool exchange_if(location& where, std::uint64_t& expected, std::uint64_t wanted,
                   std::memory_order success, std::memory_order failure, bool may_fail);
  std::uint64_t modify(location& where, std::uint64_t (*change)(std::uint64_t, std::uint64_t),
                       std::uint64_t operand, std::memory_order order);
  void fence();
  void await_change();
  void lock(location& mutex);
  void wait(location& condition, location& mutex, bool timed);
  void notify(location& condition, bool all);
  void read(const access_history& of);
  void write(access_history& of);
  /// Ends the exploration: the fiber stops here for good.
  void fail(const std::string& what);

 private:
  enum class kind : std::uint8_t {
    begin,
    load,
    store,
    buffer,
    modify,
    exchange_if,
    fence,
    await,
    lock,
    wait,
    woken,
    notify,
    flush
  };
  struct operation {
    kind what = kind::begin;
    location* where = nullptr;
    location* also = nullptr;
    bool writes = false;
    bool drained = false;  // waits until what its thread has stored is seen by all
    bool option = false;   // exchange_if: may fail; woken: timed
  };
  /// As much of an operation as says which others it touches.
  struct footprint {
    std::uint32_t where = 0;
    std::uint32_t also = 0;
    bool writes = false;
    std::uint8_t thread = 0;
  };
  struct buffered {
    location* where;
    std::uint64_t value;
    clocks released;
  };
  struct fiber {
    ucontext_t context{};
    std::vector<char> stack;
    void* sanitizer = nullptr;
    bool ended = false;
    operation next;
    bool fails_for_no_reason = false;
    int failures_left = 0;
    clocks time{}, fenced{},
        seen{};  // fenced: at its last fence; seen: by loads that do not acquire
    location* last_loaded = nullptr;
    std::uint32_t last_version = 0;
    std::deque<buffered> stores;
  };
  // A node's picks: thread t, the oldest buffered store of t, a failure for no reason of t.
  static constexpr unsigned picks = 3 * most_threads;
  using pick_set = std::uint16_t;
  struct node {
    pick_set enabled = 0, asleep = 0, done = 0;
    unsigned chosen = 0;
    std::array<footprint, picks> touch{};
  };
  struct event {
    unsigned pick;
    kind what;
    std::uint32_t where;
    std::uint64_t value;
  };
  static constexpr pick_set bit(unsigned pick) { return static_cast<pick_set>(1U << pick); }

  static void enter(int thread);
  void begin(const program& subject);
  /// One run along `path_`, made longer by what was not tried. False: all that it would add is
  /// known.
  bool run(const program& subject);
  bool next_path();
  node look(const node* before) const;
  static pick_set asleep_after(const node& before);
  [[nodiscard]] bool can_go_on(unsigned thread) const;
  static bool independent(const footprint& a, const footprint& b);
  void carry_out(const node& at);
  void switch_to(fiber& to);
  void stop_before(operation next);
  void learn(const location& where, std::memory_order order);
  clocks tell(std::memory_order order);
  void change_to(location& where, std::uint64_t value, std::memory_order order);
  void apply(location& where, std::uint64_t value, const clocks& released);
  void flush(fiber& of);
  void note(std::uint64_t value);
  [[nodiscard]] std::string trace() const;
  [[nodiscard]] std::string who_waits() const;

  limits bounds_;
  std::vector<fiber> fibers_;
  const program* subject_ = nullptr;
  ucontext_t home_{};
  void* home_sanitizer_ = nullptr;
  unsigned running_ = 0;
  std::vector<node> path_;
  std::vector<event> events_;
  std::optional<std::string> violation_;
};

}  // namespace wherry::model::detail
