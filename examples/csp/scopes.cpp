// SPDX-License-Identifier: Apache-2.0
// What was started together ends together: when the pump fails, the lamp and the radio are unwound
// from whatever they wait for, each cleans up, and only then does the failure come out of the
// scope.

#include <cstdio>
#include <stdexcept>
#include <string>

#include "wherry/csp/channel.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/csp/sleep.hpp"

namespace {

using namespace std::chrono_literals;
using namespace wherry;

// A destructor is cleanup enough for whatever need not wait.
struct switched_on {
  std::string name;
  ~switched_on() { std::printf("%s off\n", name.c_str()); }
};

task<> shine() {
  const switched_on lamp{"lamp"};
  co_await channel<int>{}.take();  // for ever: nobody puts
}

// Cleanup that must itself wait shields itself. (C++ has no co_await in a handler.)
task<> transmit() {
  bool is_sinking = false;
  try {
    co_await sleep_for(1h);
  } catch (const cancelled&) {
    is_sinking = true;
  }
  if (!is_sinking) co_return;
  const auto guard = co_await shield();
  co_await sleep_for(5s);
  std::puts("radio: mayday was sent");
  throw cancelled{};
}

task<> pump() {
  co_await sleep_for(2s);
  throw std::runtime_error("the pump is blocked");
}

task<> voyage() {
  try {
    co_await with_scope([](scope& all) -> task<> {
      all.go(shine());
      all.go(transmit());
      all.go(pump());
      co_return;
    });
  } catch (const std::exception& error) {
    const auto now = scheduler::current().now().time_since_epoch();
    std::printf("after %lld s: %s\n", static_cast<long long>(now / 1s), error.what());
  }
}

}  // namespace

int main() {
  virtual_scheduler scheduler{1};
  scheduler.run(voyage());
}
