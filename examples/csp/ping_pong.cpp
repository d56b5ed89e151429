// SPDX-License-Identifier: Apache-2.0
// The first channel: two players and one ball. The table has no buffer, so a put waits until the
// other player takes. After five seconds the game takes the ball away and closes the table; the
// players see the close, and end.
//
// Under virtual time: the five seconds pass at once, and the output is always the same.

#include <cstdio>
#include <string>

#include "wherry/csp/channel.hpp"
#include "wherry/csp/scope.hpp"
#include "wherry/csp/sleep.hpp"

namespace {

using namespace std::chrono_literals;
using namespace wherry;

struct ball {
  int hits = 0;
};

task<> play(std::string name, channel<ball> table) {
  while (auto mine = co_await table.take()) {
    std::printf("%s %d\n", name.c_str(), ++mine->hits);
    co_await sleep_for(1s);
    co_await table.put(*mine);
  }
}

task<> game() {
  channel<ball> table;
  co_await with_scope([&](scope& players) -> task<> {
    players.go(play("ping", table));
    co_await table.put(ball{});
    players.go(play("pong", table));
    co_await sleep_for(4500ms);
    co_await table.take();
    table.close();
  });
  std::puts("game over");
}

}  // namespace

int main() {
  virtual_scheduler scheduler{1};
  scheduler.run(game());
}
