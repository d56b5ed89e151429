// SPDX-License-Identifier: Apache-2.0
// Goal: no value is lost or doubled when puts, takes, selects, cancellation and close race, for
// each kind of buffer (kotlinx.coroutines: ChannelUndeliveredElement tests); and its stress tests
// of selects end.
// Method: counted values; what was put is what was taken, is inside, or was dropped.

#include <array>
#include <optional>
#include <vector>

#include "../subject.hpp"
#include "size.hpp"
#include "wherry/csp/select.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

struct counts {
  std::atomic<int> put = 0;
  std::atomic<int> kept = 0;  // refused or cancelled: still with who wanted to put
  std::atomic<int> taken = 0;
  std::atomic<int> begun = 0;
};

/// Notes where a value is, however its put ends.
class watched {
 public:
  watched(int id, counts* all) : value{id}, all_(all) { all_->begun.fetch_add(1); }
  watched(const watched&) = delete;
  watched& operator=(const watched&) = delete;
  ~watched() { (value.holds() ? all_->kept : all_->put).fetch_add(1); }
  counted value;

 private:
  counts* all_;
};

task<> put_on(channel<counted> to, int by, counts* all) {
  const channel<int> never;
  for (int id = 0;; ++id) {
    watched mine{id, all};
    if (by % 2 == 0) {
      if (!co_await to.put(std::move(mine.value))) co_return;
    } else {
      const auto won = co_await select(never.take(), to.put(std::move(mine.value)));
      if (!std::get<1>(won)) co_return;
    }
    co_await pause(1us);
  }
}
task<> take_on(channel<counted> from, int by, counts* all) {
  const channel<int> never;
  for (;;) {
    if (by % 2 == 0) {
      if (!co_await from.take()) co_return;
    } else {
      const auto won = co_await select(never.take(), from.take(), timeout(1us).take());
      if (won.index() == 2) continue;
      if (!std::get<1>(won)) co_return;
    }
    all->taken.fetch_add(1);
    co_await pause(1us);
  }
}

/// Puts and takes, each ended after a while by a cancellation or by the close.
task<> race(channel<counted> line, bool cancels, bool keeps_all) {
  counts all;
  co_await with_scope([&](scope& both) -> task<> {
    for (int each = 0; each < 4; ++each) {
      both.go(put_on(line, each, &all));
      both.go(take_on(line, each, &all));
    }
    co_await pause(30us);
    if (cancels)
      both.cancel();
    else
      line.close();
  });
  int inside = 0;
  while (line.poll()) ++inside;
  CHECK(all.put + all.kept == all.begun);
  if (keeps_all)
    CHECK(all.put == all.taken + inside);
  else
    CHECK(all.put >= all.taken + inside);
  CHECK(counted::alive() == 0);  // what a buffer dropped is gone
}

// SelectDeadlockStressTest: each puts where the other takes, in both directions.
task<> put_or_take(channel<int> to, channel<int> from, std::atomic<int>* put,
                   std::atomic<int>* taken, std::atomic<int>* left) {
  while (left->fetch_sub(1) > 0) {
    const auto won = co_await select(to.put(1), from.take(), timeout(100us).take());
    if (won.index() == 0) put->fetch_add(1);
    if (won.index() == 1) taken->fetch_add(1);
  }
}

// SelectPhilosophersStressTest: a fork is a channel that holds one value while it lies there.
struct table {
  static constexpr std::size_t seats = 10;
  std::array<channel<std::monostate>, seats> forks;
  std::array<int, seats> meals{};  // each by its philosopher, who holds both forks
  std::array<std::atomic<bool>, seats> held{};
  table() {
    for (auto& fork : forks) {
      fork = channel<std::monostate>{fixed{1}};
      fork.offer({});
    }
  }
};
task<> dine(table* at, std::size_t seat, int meals) {
  const std::array<std::size_t, 2> forks{seat, (seat + 1) % table::seats};
  while (at->meals[seat] < meals) {
    const auto first =
        (co_await select(at->forks[forks[0]].take(), at->forks[forks[1]].take())).index();
    const auto second = 1 - first;
    // Whoever holds one fork does not wait for the other: so they cannot wait in a ring.
    if ((co_await select(or_default, at->forks[forks[second]].take())).index() == 0) {
      for (const auto fork : forks) CHECK_FALSE(at->held[fork].exchange(true));
      ++at->meals[seat];
      for (const auto fork : forks) CHECK(at->held[fork].exchange(false));
      CHECK(at->forks[forks[second]].offer({}));
    }
    CHECK(at->forks[forks[first]].offer({}));
    co_await pause(1us);
  }
}

}  // namespace

TEST_SUITE("csp/conformance/kotlinx") {
  TEST_CASE("whoever cancels or closes meanwhile each value is put or kept and none is lost") {
    struct kind {
      const char* name;
      any_buffer buffer;
      bool keeps_all;
    };
    for (const auto& each : {kind{"unbuffered", {}, true}, kind{"fixed 1", fixed{1}, true},
                             kind{"fixed 5", fixed{5}, true}, kind{"sliding 1", sliding{1}, false},
                             kind{"dropping 1", dropping{1}, false}}) {
      CAPTURE(each.name);
      for (const bool cancels : {false, true}) {
        CAPTURE(cancels);
        const auto scene = [&, cancels] {
          return race(channel<counted>{each.buffer}, cancels, each.keeps_all);
        };
        over_seeds(40, scene);
        on_threads(10, scene);
      }
    }
  }

  TEST_CASE("a value handed to a take that is cancelled at that moment has arrived or is kept") {
    // The take loses or wins as a whole: there is no value on its way that both have given up.
    const auto scene = []() -> task<> {
      const channel<counted> line;
      counted mine{1};
      std::optional<counted> had;
      co_await with_scope([&](scope& all) -> task<> {
        scope taker;
        taker.go([](channel<counted> from, std::optional<counted>* into) -> task<> {
          auto value = co_await from.take();
          if (value) into->emplace(std::move(*value));
        }(line, &had));
        all.go([](channel<counted> to, counted* value) -> task<> {
          co_await select(to.put(std::move(*value)), timeout(50us).take());
        }(line, &mine));
        taker.cancel();
        co_await taker.join();
      });
      CHECK(mine.holds() != (had && had->holds()));
    };
    over_seeds(many, scene);
    on_threads(100, scene);
  }

  TEST_CASE("two that put where the other takes in both directions never stand still") {
    const auto scene = []() -> task<> {
      const channel<int> there;
      const channel<int> back;
      std::atomic<int> put = 0;
      std::atomic<int> taken = 0;
      std::atomic<int> left = scaled(10'000);
      co_await with_scope([&](scope& all) -> task<> {
        all.go(put_or_take(there, back, &put, &taken, &left));
        all.go(put_or_take(back, there, &put, &taken, &left));
        co_return;
      });
      CHECK(put == taken);
      CHECK(put > 0);
    };
    over_seeds(3, scene);
    on_threads(2, scene);
  }

  TEST_CASE("ten philosophers who take their forks by selects all eat") {
    const auto scene = []() -> task<> {
      constexpr int meals = 100;
      table at;
      co_await with_scope([&](scope& all) -> task<> {
        for (std::size_t seat = 0; seat < table::seats; ++seat) all.go(dine(&at, seat, meals));
        co_return;
      });
      for (const int had : at.meals) CHECK(had == meals);
      for (const auto& fork : at.forks) CHECK(fork.poll());
    };
    over_seeds(20, scene);
    on_threads(2, scene);
  }
}
