// SPDX-License-Identifier: Apache-2.0
// The sieve of Eratosthenes as a chain of processes: each prime drops its multiples, and passes on
// the rest to a process that its first survivor begins. (After Hoare and McIlroy; in Go's first
// tutorial.) There the chain is left behind; here a scope owns it and takes it down.
//
// On real threads: what the numbers are depends on the channels alone, not on who runs when.

#include <cstdio>

#include "wherry/csp/direction.hpp"
#include "wherry/csp/scope.hpp"

namespace {

using namespace wherry;

task<> count_from(int first, put_channel<int> to) {
  for (int number = first; co_await to.put(number); ++number) {}
}

task<> drop_multiples(int prime, take_channel<int> from, put_channel<int> to) {
  while (const auto number = co_await from.take()) {
    if (*number % prime != 0) co_await to.put(*number);
  }
}

task<> print_primes(int count) {
  co_await with_scope([&](scope& chain) -> task<> {
    channel<int> numbers;
    chain.go(count_from(2, numbers));
    for (; count > 0; --count) {
      const int prime = *co_await numbers.take();
      std::printf("%d\n", prime);
      channel<int> rest;
      chain.go(drop_multiples(prime, numbers, rest));
      numbers = rest;
    }
    chain.cancel();
  });
}

}  // namespace

int main() {
  thread_scheduler scheduler;
  scheduler.run(print_primes(25));
}
