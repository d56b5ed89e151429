// SPDX-License-Identifier: Apache-2.0
// Simulation finds what no test of one run does. A machine pays an invoice; the bank takes any
// payment once whose reference it knows. One kind gives the engine's idempotency key as reference;
// the other makes its own, which looks as good, and pays twice when a crash comes between.

#include <cstdio>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "wherry/csp/sleep.hpp"
#include "wherry/engine/simulation.hpp"
#include "wherry/store/memory.hpp"

namespace {

using namespace std::chrono_literals;

struct due {
  static constexpr std::string_view tag = "due";
  int cents = 0;
};
BOOST_DESCRIBE_STRUCT(due, (), (cents))

struct paid {
  static constexpr std::string_view tag = "paid";
  int cents = 0;
};
BOOST_DESCRIBE_STRUCT(paid, (), (cents))

/// The world outside: it survives every crash of ours.
class bank {
 public:
  void pay(const std::string& invoice, const std::string& reference) {
    payments_[invoice][reference] = true;
  }
  [[nodiscard]] std::string wrong_with(const std::vector<wherry::machine_view>& invoices) const {
    for (const auto& each : invoices) {
      const auto found = payments_.find(each.id);
      const auto times = found == payments_.end() ? 0 : found->second.size();
      if (times > 1) return each.id + " was paid twice";
      if (each.phase == wherry::phase::completed && times == 0) return each.id + " was not paid";
    }
    return {};
  }

 private:
  std::map<std::string, std::map<std::string, bool>> payments_;  // by invoice and reference
};

template <bool IsCareful>
struct payment {
  static constexpr std::string_view name = "payment";
  using state = std::variant<due, paid>;
  bank* to;

  wherry::task<wherry::outcome<state>> step(due now, wherry::step_context context) {
    const auto reference =
        IsCareful ? context.idempotency_key()
                  : context.id + " of " + std::to_string(context.now().time_since_epoch() / 24h);
    to->pay(context.id, reference);
    co_await wherry::sleep_for(100ms);  // the bank's answer; a crash may come first
    co_return paid{now.cents};
  }
};

/// What the seeds find wrong with such payments.
template <bool IsCareful>
std::string look_for_faults() {
  using kind = payment<IsCareful>;
  std::vector<typename wherry::engine<kind>::start> invoices;
  for (int i = 1; i <= 5; ++i) {
    invoices.push_back({.id = "invoice " + std::to_string(i), .first = due{1000 * i}});
  }
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    bank to;
    wherry::simulation_options options{.seed = seed, .disk = wherry::simulated_memory_disk};
    options.engine.policy.first = 30min;
    options.engine.policy.cap = 24h;
    options.engine.rescue_every = 10min;
    options.check = [&](const auto& machines) { return to.wrong_with(machines); };
    const auto seen = wherry::simulate<kind>(options, [&] { return kind{&to}; }, invoices);
    if (!seen.held()) return seen.violation.substr(seen.violation.find(" was "));
  }
  return " nothing, in 500 seeds";
}

}  // namespace

int main() {
  std::printf("with the engine's key:%s\n", look_for_faults<true>().c_str());
  std::printf("with the day as key: an invoice%s\n", look_for_faults<false>().c_str());
}
