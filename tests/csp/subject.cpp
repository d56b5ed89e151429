// SPDX-License-Identifier: Apache-2.0
// Runs over seeds and over threads.

#include "subject.hpp"

#include <cstdlib>

#include "wherry/csp/sleep.hpp"

namespace wherry::test {

void over_seeds(int count, const std::function<task<>()>& body) {
  const char* const wanted = std::getenv("WHERRY_SEED");
  const std::uint64_t only = wanted == nullptr ? 0 : std::strtoull(wanted, nullptr, 10);
  const std::uint64_t begin = only == 0 ? 1 : only;
  const std::uint64_t end = only == 0 ? begin + static_cast<std::uint64_t>(count) : only + 1;
  for (std::uint64_t seed = begin; seed < end; ++seed) {
    INFO("WHERRY_SEED=", seed);
    {
      virtual_scheduler home{seed};
      home.run(body());
    }
    CHECK(counted::alive() == 0);
  }
}

void on_threads(int rounds, const std::function<task<>()>& body) {
  for (const int threads : {1, 2, 4}) {
    INFO("threads: ", threads);
    {
      thread_scheduler home{{.threads = threads}};
      for (int round = 0; round < rounds; ++round) home.run(body());
    }
    CHECK(counted::alive() == 0);
  }
}

void everywhere(const std::function<task<>()>& body) {
  over_seeds(many, body);
  on_threads(20, body);
}

task<> pause(duration how_long) { co_await sleep_for(how_long); }

task<> put_range(channel<int> to, int first, int count) {
  for (int value = first; value < first + count; ++value) CHECK(co_await to.put(value));
}

task<> add_all(channel<int> from, std::atomic<long>* sum, std::atomic<int>* count) {
  while (const auto value = co_await from.take()) {
    sum->fetch_add(*value);
    count->fetch_add(1);
  }
}

}  // namespace wherry::test
