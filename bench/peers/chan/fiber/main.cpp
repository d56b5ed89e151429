// SPDX-License-Identifier: Apache-2.0
// The channel benchmark on Boost.Fiber: unbuffered_channel and buffered_channel, round robin on one
// thread, shared_work on two, with suspend: an idle thread that spins instead made the unbuffered
// row several times slower. Usage: chanbench ROW [REPETITIONS]; bench/README.md lists the rows.
//
// Boost.Fiber has no select. Each fiber has a stack (16 KiB where there are many), so spawn goes in
// batches of 1,000, and the rows of memory hold 100,000 fibers rather than a million. The capacity
// of its buffered_channel is a power of two, of which it holds one item less.
#include <atomic>
#include <boost/fiber/all.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>

#include "../../../csp/measure.hpp"

namespace {

using namespace chanbench;
namespace fibers = boost::fibers;
using clock_type = std::chrono::steady_clock;
using rendezvous = fibers::unbuffered_channel<int>;
using buffered = fibers::buffered_channel<int>;

constexpr auto success = fibers::channel_op_status::success;
fibers::fixedsize_stack small_stack(16 * 1024);

template <class Body>
void start(Body body) {
  fibers::fiber(std::allocator_arg, small_stack, std::move(body)).detach();
}

template <class Channel>
long drain(Channel& channel) {
  long sum = 0;
  for (int value = 0; channel.pop(value) == success;) sum += value;
  return sum;
}

void ping_pong() {
  rendezvous there, back;
  fibers::fiber echo([&] {
    for (int value = 0; there.pop(value) == success;) back.push(value);
  });
  fibers::fiber ping([&] {
    int value = 0;
    for (int i = 0; i < million; ++i) {
      there.push(i);
      back.pop(value);
    }
    there.close();
  });
  ping.join();
  echo.join();
}

template <class Channel>
void producer_consumer(Channel& channel, long items) {
  long sum = 0;
  fibers::fiber producer([&] {
    for (int i = 0; i < items; ++i) channel.push(i);
    channel.close();
  });
  fibers::fiber consumer([&] { sum = drain(channel); });
  producer.join();
  consumer.join();
  require(sum == items * (items - 1) / 2, "an item was lost");
}

template <class Channel>
void many_to_many(Channel& channel) {
  std::atomic<int> producing{8};
  fibers::mutex mutex;
  fibers::condition_variable_any all_ended;
  int ended = 0;
  auto wait = [&] {
    std::unique_lock<fibers::mutex> guard(mutex);
    all_ended.wait(guard, [&] { return ended == 16; });
  };
  auto end = [&] {
    const std::lock_guard<fibers::mutex> guard(mutex);
    if (++ended == 16) all_ended.notify_all();
  };
  std::thread second([&] {
    fibers::use_scheduling_algorithm<fibers::algo::shared_work>(true);
    wait();
  });
  for (int k = 0; k < 8; ++k) {
    fibers::fiber([&] {
      for (int i = 0; i < million / 8; ++i) channel.push(i);
      if (--producing == 0) channel.close();
      end();
    }).detach();
    fibers::fiber([&] {
      drain(channel);
      end();
    }).detach();
  }
  wait();
  second.join();
}

void ring(repetitions& all) {
  constexpr int size = 10'000, laps = 20;
  std::vector<std::unique_ptr<rendezvous>> channels;
  rendezvous done;
  for (int i = 0; i < size; ++i) channels.push_back(std::make_unique<rendezvous>());
  for (int i = 0; i < size; ++i) {
    start([&, i] {
      for (int value = 0; channels[i]->pop(value) == success;) {
        if (i == size - 1 && --value == 0) {
          done.push(1);
          continue;
        }
        channels[(i + 1) % size]->push(value);
      }
    });
  }
  boost::this_fiber::yield();
  all.operations = double{size} * laps;
  while (all.again()) {
    int value = laps;
    channels[0]->push(value);
    done.pop(value);
  }
  all.print();
  std::_Exit(0);  // the fibers of the ring wait for ever
}

void spawn() {
  int ran = 0;
  for (int batch = 0; batch < million / 1000; ++batch) {
    std::vector<fibers::fiber> started;
    for (int i = 0; i < 1000; ++i) {
      started.emplace_back(std::allocator_arg, small_stack, [&ran] { ++ran; });
    }
    for (auto& each : started) each.join();
  }
  require(ran == million, "a fiber did not run");
}

constexpr int held = 100'000;  // fibers of the rows of memory

void timers() {
  using namespace std::chrono_literals;
  const baseline before;
  const auto begin = clock_type::now();
  int woken = 0;
  for (int i = 0; i < held; ++i) {
    const auto due = begin + 10s + std::chrono::microseconds(long{i} * 10 * 7919 % million);
    start([&woken, due] {
      boost::this_fiber::sleep_until(due);
      ++woken;
    });
  }
  boost::this_fiber::yield();
  const double parked_ms = before.milliseconds_since(), bytes = before.bytes_since() / held;
  while (woken < held) boost::this_fiber::sleep_for(1ms);
  std::printf("timers bytes %.0f cpu_ns %.0f sched_ms %.0f first_due_ms 10000 overrun_ms %.1f\n",
              bytes, before.cpu_since() / held, parked_ms, before.milliseconds_since() - 11000);
}

void parked(const std::string& name, bool own) {
  const baseline before;
  int woken = 0;
  std::vector<std::unique_ptr<rendezvous>> channels;
  for (int i = 0; i < (own ? held : 1); ++i) channels.push_back(std::make_unique<rendezvous>());
  auto channel_of = [&](int i) -> rendezvous& { return *channels[own ? i : 0]; };
  for (int i = 0; i < held; ++i) {
    start([&, i] {
      int value = 0;
      channel_of(i).pop(value);
      ++woken;
    });
  }
  boost::this_fiber::yield();
  const double bytes = before.bytes_since() / held - (own ? sizeof(channels[0]) : 0);
  for (int i = 0; i < held; ++i) channel_of(i).push(1);
  while (woken < held) boost::this_fiber::yield();
  std::printf("%s bytes %.0f cpu_ns %.0f\n", name.c_str(), bytes, before.cpu_since() / held);
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
    repeat(all, [] {
      rendezvous channel;
      producer_consumer(channel, million);
    });
  } else if (row == "buffered") {
    all.operations = 5 * million;
    repeat(all, [] {
      buffered channel(1024);
      producer_consumer(channel, 5 * million);
    });
  } else if (row == "mpmc0") {
    fibers::use_scheduling_algorithm<fibers::algo::shared_work>(true);
    repeat(all, [] {
      rendezvous channel;
      many_to_many(channel);
    });
  } else if (row == "mpmc64") {
    fibers::use_scheduling_algorithm<fibers::algo::shared_work>(true);
    repeat(all, [] {
      buffered channel(64);
      many_to_many(channel);
    });
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
  std::fflush(stdout);
  std::_Exit(0);
}
