// SPDX-License-Identifier: Apache-2.0
// Channels where there are threads already: they put and take by the blocking functions, and
// processes on the other side see no difference. Between plain threads alone, no scheduler is
// needed.

#include <cstdio>
#include <thread>

#include "wherry/csp/blocking.hpp"
#include "wherry/csp/scheduler.hpp"

namespace {

using namespace wherry;

task<> square(take_channel<int> from, put_channel<long> to) {
  while (const auto number = co_await from.take()) co_await to.put(long{*number} * *number);
  to.close();
}

}  // namespace

int main() {
  const channel<int> numbers{fixed{8}};
  const channel<long> squares;

  std::jthread producer([numbers] {
    for (int each = 1; each <= 100; ++each) blocking_put(numbers, each);
    numbers.close();
  });
  std::jthread consumer([squares] {
    long sum = 0;
    while (const auto each = blocking_take(squares)) sum += *each;
    std::printf("the sum of the squares of 1 to 100 is %ld\n", sum);
  });
  thread_scheduler scheduler;
  scheduler.run(square(numbers, squares));
}
