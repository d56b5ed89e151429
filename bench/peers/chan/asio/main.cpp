// SPDX-License-Identifier: Apache-2.0
// The channel benchmark on Boost.Asio: experimental::channel (concurrent_channel on two threads),
// awaitable coroutines. Usage: chanbench ROW [REPETITIONS]; bench/README.md lists the rows.
//
// In Asio's favour: on one thread its channel is the one without locks, under a concurrency hint of
// 1. Its select is make_parallel_group with wait_for_one; it may receive from more than one channel
// at once, and then each item counts.
#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/experimental/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <memory>
#include <thread>

#include "../../../csp/measure.hpp"

namespace {

using namespace chanbench;
namespace asio = boost::asio;
namespace experimental = boost::asio::experimental;
using asio::awaitable;
using boost::system::error_code;
using channel = experimental::channel<void(error_code, int)>;
using concurrent_channel = experimental::concurrent_channel<void(error_code, int)>;
using channels = std::vector<std::unique_ptr<channel>>;

constexpr auto here = asio::use_awaitable;
constexpr auto as_tuple = experimental::as_tuple(asio::use_awaitable);

void start(asio::io_context& io, awaitable<void> body) {
  asio::co_spawn(io, std::move(body), asio::detached);
}
channels make(asio::io_context& io, int count) {
  channels made;
  made.reserve(count);
  for (int i = 0; i < count; ++i) made.push_back(std::make_unique<channel>(io, 0));
  return made;
}

template <class Channel>
awaitable<void> produce(Channel& to, int items) {
  for (int i = 0; i < items; ++i) co_await to.async_send(error_code{}, i, here);
}
template <class Channel>
awaitable<void> drain(Channel& from, long& sum) {
  for (;;) {
    auto [error, value] = co_await from.async_receive(as_tuple);
    if (error) break;
    sum += value;
  }
}
template <class Channel>
awaitable<void> produce_and_close(Channel& to, int items, std::atomic<int>& producing) {
  co_await produce(to, items);
  if (--producing == 0) to.close();
}

awaitable<void> echo(channel& in, channel& out) {
  for (int i = 0; i < million; ++i) {
    const int value = co_await in.async_receive(here);
    co_await out.async_send(error_code{}, value, here);
  }
}
awaitable<void> ping(channel& there, channel& back) {
  for (int i = 0; i < million; ++i) {
    co_await there.async_send(error_code{}, i, here);
    co_await back.async_receive(here);
  }
}
void ping_pong() {
  asio::io_context io(1);
  channel there(io, 0), back(io, 0);
  start(io, echo(there, back));
  start(io, ping(there, back));
  io.run();
}

awaitable<void> consume(channel& from, long items, long& sum) {
  for (long i = 0; i < items; ++i) sum += co_await from.async_receive(here);
}
void producer_consumer(long items, int capacity) {
  asio::io_context io(1);
  channel between(io, capacity);
  long sum = 0;
  start(io, produce(between, static_cast<int>(items)));
  start(io, consume(between, items, sum));
  io.run();
  require(sum == items * (items - 1) / 2, "an item was lost");
}

void many_to_many(int capacity) {
  asio::io_context io(2);
  concurrent_channel between(io, capacity);
  std::atomic<int> producing{8};
  std::array<long, 8> sums{};
  for (auto& sum : sums) {
    start(io, produce_and_close(between, million / 8, producing));
    start(io, drain(between, sum));
  }
  std::thread second([&] { io.run(); });
  io.run();
  second.join();
}

template <std::size_t... Index>
awaitable<void> select(channels& from, std::index_sequence<Index...>) {
  for (int received = 0; received < million;) {
    auto group =
        experimental::make_parallel_group(from[Index]->async_receive(experimental::deferred)...);
    auto answer = co_await group.async_wait(experimental::wait_for_one(), here);
    // (order, error 0, value 0, error 1, value 1, ...)
    ((received += !std::get<1 + 2 * Index>(answer)), ...);
  }
}
template <std::size_t Count>
void select_over() {
  asio::io_context io(1);
  auto from = make(io, Count);
  for (auto& each : from) start(io, produce(*each, million / Count));
  start(io, select(from, std::make_index_sequence<Count>{}));
  io.run();
}

awaitable<void> node(channel& in, channel& out, bool last, asio::io_context& io) {
  for (;;) {
    int value = co_await in.async_receive(here);
    if (last && --value == 0) {
      io.stop();
    } else {
      co_await out.async_send(error_code{}, value, here);
    }
  }
}
awaitable<void> put(channel& to, int value) { co_await to.async_send(error_code{}, value, here); }
void ring(repetitions& all) {
  constexpr int size = 10'000, laps = 20;
  asio::io_context io(1);
  auto circle = make(io, size);
  for (int i = 0; i < size; ++i) {
    start(io, node(*circle[i], *circle[(i + 1) % size], i == size - 1, io));
  }
  io.poll();
  all.operations = double{size} * laps;
  while (all.again()) {
    io.restart();
    start(io, put(*circle[0], laps));
    io.run();
  }
  all.print();
  std::_Exit(0);  // the coroutines of the ring wait for ever
}

awaitable<void> nothing(int& ran) {
  ++ran;
  co_return;
}
void spawn() {
  asio::io_context io(1);
  int ran = 0;
  for (int i = 0; i < million; ++i) start(io, nothing(ran));
  io.run();
  require(ran == million, "a task did not run");
}

awaitable<void> sleeper(asio::io_context& io, std::chrono::steady_clock::time_point due,
                        int& woken) {
  asio::steady_timer timer(io, due);
  co_await timer.async_wait(here);
  ++woken;
}
void timers() {
  const baseline before;
  const auto begin = std::chrono::steady_clock::now();
  asio::io_context io(1);
  int woken = 0;
  for (long i = 0; i < million; ++i) {
    const auto after = std::chrono::seconds(10) + std::chrono::microseconds(i * 7919 % million);
    start(io, sleeper(io, begin + after, woken));
  }
  io.poll();
  const double parked_ms = before.milliseconds_since(), bytes = before.bytes_since() / million;
  io.run();
  require(woken == million, "a timer did not fire");
  std::printf("timers bytes %.0f cpu_ns %.0f sched_ms %.0f first_due_ms 10000 overrun_ms %.1f\n",
              bytes, before.cpu_since() / million, parked_ms, before.milliseconds_since() - 11000);
}

awaitable<void> wait_on(channel& from, int& woken) {
  co_await from.async_receive(here);
  ++woken;
}
awaitable<void> wake_all(channels& waited_on) {
  for (int i = 0; i < million; ++i) {
    co_await waited_on[i % waited_on.size()]->async_send(error_code{}, 1, here);
  }
}
void parked(const std::string& name, bool own) {
  const baseline before;
  asio::io_context io(1);
  int woken = 0;
  auto waited_on = make(io, own ? million : 1);
  for (int i = 0; i < million; ++i) start(io, wait_on(*waited_on[i % waited_on.size()], woken));
  io.poll();
  const double bytes = before.bytes_since() / million - (own ? sizeof(waited_on[0]) : 0);
  start(io, wake_all(waited_on));
  io.run();
  require(woken == million, "a task was not woken");
  std::printf("%s bytes %.0f cpu_ns %.0f\n", name.c_str(), bytes, before.cpu_since() / million);
}

template <class Body>
void repeat(repetitions& all, Body body) {
  while (all.again()) body();
  all.print();
}

}  // namespace

int main(int count, char** arguments) {
  const std::string row = count > 1 ? arguments[1] : "";
  repetitions all(row, count > 2 ? std::atoi(arguments[2]) : 5);
  if (row == "pingpong") {
    repeat(all, ping_pong);
  } else if (row == "prodcons") {
    repeat(all, [] { producer_consumer(million, 0); });
  } else if (row == "buffered") {
    repeat(all, [] { producer_consumer(million, 1024); });
  } else if (row == "mpmc0") {
    repeat(all, [] { many_to_many(0); });
  } else if (row == "mpmc64") {
    repeat(all, [] { many_to_many(64); });
  } else if (row == "select2") {
    repeat(all, select_over<2>);
  } else if (row == "select16") {
    repeat(all, select_over<16>);
  } else if (row == "ring") {
    ring(all);
  } else if (row == "spawn") {
    repeat(all, spawn);
  } else if (row == "timers") {
    timers();
  } else if (row == "parked1" || row == "parkedn") {
    parked(row, row == "parkedn");
  } else {
    std::fprintf(stderr, "chanbench: no row %s\n", row.c_str());
    return 2;
  }
}
