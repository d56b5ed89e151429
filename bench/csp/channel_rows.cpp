// SPDX-License-Identifier: Apache-2.0
// Rows of speed: values that pass between processes over channels and selects.

#include <array>
#include <utility>
#include <vector>

#include "rows.hpp"
#include "wherry/csp/channel.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/csp/select.hpp"

namespace chanbench {

using wherry::channel;
using wherry::fixed;
using wherry::scope;
using wherry::task;

namespace {

channel<int> make(int capacity) {
  if (capacity == 0) return channel<int>{};
  return channel<int>{fixed{static_cast<std::size_t>(capacity)}};
}

task<> produce(channel<int> to, int items) {
  for (int i = 0; i < items; ++i) co_await to.put(i);
}

task<> produce_and_close(channel<int> to, int items) {
  for (int i = 0; i < items; ++i) co_await to.put(i);
  to.close();
}

task<> consume(channel<int> from, long* sum) {
  while (const auto value = co_await from.take()) *sum += *value;
}

task<> echo(channel<int> in, channel<int> out) {
  while (const auto value = co_await in.take()) co_await out.put(*value);
}

}  // namespace

task<> ping_pong(repetitions all) {
  while (all.again()) {
    channel<int> there, back;
    scope both;
    both.go(echo(there, back));
    for (int i = 0; i < million; ++i) {
      co_await there.put(i);
      co_await back.take();
    }
    there.close();
    co_await both.join();
  }
  all.print();
}

task<> producer_consumer(repetitions all, int items, int capacity) {
  all.operations = items;
  while (all.again()) {
    const auto between = make(capacity);
    long sum = 0;
    scope both;
    both.go(produce_and_close(between, items));
    both.go(consume(between, &sum));
    co_await both.join();
    require(sum == long{items} * (items - 1) / 2, "an item was lost");
  }
  all.print();
}

task<> many_to_many(repetitions all, int capacity) {
  while (all.again()) {
    const auto between = make(capacity);
    std::array<long, 8> sums{};
    scope producers, consumers;
    for (auto& sum : sums) {
      producers.go(produce(between, million / 8));
      consumers.go(consume(between, &sum));
    }
    co_await producers.join();
    between.close();
    co_await consumers.join();
    long sum = 0;
    for (const long each : sums) sum += each;
    require(sum == 8 * (long{million / 8} * (million / 8 - 1) / 2), "an item was lost");
  }
  all.print();
}

namespace {

// The token says how many laps it has left; the last node counts them and tells when none is.
task<> node(channel<int> in, channel<int> out) {
  while (const auto token = co_await in.take()) co_await out.put(*token);
}
task<> last_node(channel<int> in, channel<int> out, channel<int> done) {
  while (const auto token = co_await in.take()) {
    if (*token == 1) {
      co_await done.put(1);
    } else {
      co_await out.put(*token - 1);
    }
  }
}

}  // namespace

task<> ring(repetitions all) {
  constexpr std::size_t size = 10'000;
  constexpr int laps = 100;
  all.operations = double{size} * laps;
  const std::vector<channel<int>> circle = [] {
    std::vector<channel<int>> made;
    for (std::size_t i = 0; i < size; ++i) made.emplace_back();
    return made;
  }();
  const channel<int> done;
  scope nodes;
  for (std::size_t i = 0; i + 1 < size; ++i) nodes.go(node(circle[i], circle[i + 1]));
  nodes.go(last_node(circle[size - 1], circle[0], done));
  while (all.again()) {
    co_await circle[0].put(laps);
    co_await done.take();
  }
  all.print();
  for (const auto& each : circle) each.close();
  co_await nodes.join();
}

namespace {

// One select a turn, over as many takes as there are channels: what a user writes out by hand.
template <std::size_t... Index>
task<> receive(std::array<channel<int>, sizeof...(Index)> from, std::index_sequence<Index...>) {
  for (int i = 0; i < million; ++i) co_await wherry::select(from[Index].take()...);
}

// That each select took one item shows in the join: a producer whose item was not taken, or a
// select that finds none, would wait for ever.
template <std::size_t Count>
task<> select_over(repetitions all) {
  while (all.again()) {
    const std::array<channel<int>, Count> from;
    scope everyone;
    for (const auto& each : from) everyone.go(produce(each, million / Count));
    everyone.go(receive(from, std::make_index_sequence<Count>{}));
    co_await everyone.join();
  }
  all.print();
}

}  // namespace

task<> select_over_2(repetitions all) { return select_over<2>(std::move(all)); }
task<> select_over_16(repetitions all) { return select_over<16>(std::move(all)); }

}  // namespace chanbench
