// SPDX-License-Identifier: Apache-2.0
// Goal: small scenes hold in every order, not in a drawn one. Method: a scheduler that makes each
// choice of who runs next as it is told, and a loop that goes through all choices.

#include <map>
#include <string>
#include <vector>

#include "every_choice.hpp"
#include "subject.hpp"
#include "wherry/csp/select.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

class exploring_scheduler final : public scheduler {
 public:
  explicit exploring_scheduler(every_choice& orders) : orders_(orders) {}

  void post(std::coroutine_handle<> ready) noexcept override { ready_.push_back(ready); }
  void post_blocking(std::move_only_function<void()> work) override { work(); }
  [[nodiscard]] steady_time now() const noexcept override { return now_; }
  [[nodiscard]] system_time system_now() const noexcept override { return {}; }

 protected:
  void earliest_changed() override {}
  // A due timer is one more that could be next: time may pass at any moment.
  void drive(const std::function<bool()>& done) override {
    const auto outer = detail::this_thread;
    detail::this_thread = {.serving = this, .worker = this};
    while (!done()) {
      const bool timer = timers_.earliest() != steady_time::max();
      REQUIRE(ready_.size() + (timer ? 1 : 0) > 0);  // else: a deadlock in this order
      const auto chosen = orders_.choose(ready_.size() + (timer ? 1 : 0));
      if (chosen == ready_.size()) {
        now_ = timers_.earliest();
        timers_.fire_due(now_);
        continue;
      }
      const auto next = ready_[chosen];
      ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(chosen));
      next.resume();
    }
    detail::this_thread = outer;
  }
  void interrupt_drive() noexcept override {}

 private:
  std::vector<std::coroutine_handle<>> ready_;
  every_choice& orders_;
  steady_time now_{};
};

/// Runs `scene` in every order; how often each outcome came.
std::map<std::string, int> outcomes(const std::function<task<std::string>()>& scene) {
  std::map<std::string, int> seen;
  every_choice orders;
  exploring_scheduler home(orders);
  while (orders.next()) {
    ++seen[home.run(scene())];
    CHECK(counted::alive() == 0);
  }
  MESSAGE("orders: ", orders.runs());
  return seen;
}

std::vector<std::string> names(const std::map<std::string, int>& seen) {
  std::vector<std::string> all;
  for (const auto& [name, times] : seen) all.push_back(name);
  return all;
}

}  // namespace

TEST_SUITE("csp/interleaving") {
  TEST_CASE("in every order two puts and two takes exchange both values") {
    const auto seen = outcomes([]() -> task<std::string> {
      channel<counted> line;
      std::string had;
      co_await with_scope([&](scope& all) -> task<> {
        for (const int id : {1, 2}) {
          all.go([](channel<counted> to, int mine) -> task<> {
            CHECK(co_await to.put(counted{mine}));
          }(line, id));
          all.go([](channel<counted> from, std::string* out) -> task<> {
            *out += std::to_string((co_await from.take())->id());
          }(line, &had));
        }
        co_return;
      });
      co_return had;
    });
    CHECK(names(seen) == std::vector<std::string>{"12", "21"});
  }

  TEST_CASE(
      "in every order a select with a deadline has the value or has left it with the putter") {
    const auto seen = outcomes([]() -> task<std::string> {
      channel<counted> line;
      counted mine{1};
      std::string outcome;
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<counted> to, counted* value) -> task<> {
          co_await select(to.put(std::move(*value)), timeout(2ms).take());
        }(line, &mine));
        const auto won = co_await select(line.take(), timeout(1ms).take());
        outcome = won.index() == 0 ? "taken" : "late";
      });
      CHECK(mine.holds() == (outcome == "late"));
      co_return outcome;
    });
    CHECK(names(seen) == std::vector<std::string>{"late", "taken"});
  }

  TEST_CASE("in every order cancel and put and take and close leave the value at one place") {
    const auto seen = outcomes([]() -> task<std::string> {
      channel<counted> line;
      counted mine{1};
      std::string had = "none";
      co_await with_scope([&](scope& all) -> task<> {
        all.go([](channel<counted> to, counted* value) -> task<> {
          co_await to.put(std::move(*value));
        }(line, &mine));
        all.go([](channel<counted> from, std::string* out) -> task<> {
          if (co_await from.take()) *out = "taken";
        }(line, &had));
        all.go([](channel<counted> which, scope* whole) -> task<> {
          which.close();
          whole->cancel();
          co_return;
        }(line, &all));
        co_return;
      });
      CHECK(mine.holds() == (had == "none"));
      co_return had;
    });
    CHECK(names(seen) == std::vector<std::string>{"none", "taken"});
  }

  TEST_CASE("in every order two selects over two channels make one exchange and part") {
    const auto seen = outcomes([]() -> task<std::string> {
      channel<int> a;
      channel<int> b;
      std::string had;
      const auto meet = [](channel<int> to, channel<int> from, std::string* out) -> task<> {
        const auto won = co_await select(to.put(1), from.take());
        *out += won.index() == 0 ? "p" : "t";
      };
      co_await with_scope([&](scope& all) -> task<> {
        all.go(meet(a, b, &had));
        all.go(meet(b, a, &had));
        co_return;
      });
      co_return had;
    });
    for (const auto& [name, times] : seen) CHECK((name == "pt" || name == "tp"));
  }

  TEST_CASE("in every order a failure cancels its siblings and is what the joiner gets") {
    const auto seen = outcomes([]() -> task<std::string> {
      std::string text;
      try {
        co_await with_scope([](scope& all) -> task<> {
          for (int each = 0; each < 2; ++each) {
            all.go([](counted) -> task<> { co_await channel<int>{}.take(); }(counted{}));
          }
          all.go([]() -> task<> {
            throw std::string("failed");
            co_return;
          }());
          co_return;
        });
      } catch (const std::string& thrown) {
        text = thrown;
      }
      co_return text;
    });
    CHECK(names(seen) == std::vector<std::string>{"failed"});
  }
}
