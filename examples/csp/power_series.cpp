// SPDX-License-Identifier: Apache-2.0
// Power series as channels of their coefficients, endless and exact. A series is a process that
// computes a term when it is asked for one; sums, products and integrals are processes that ask
// others. The exponential asks itself: it is its own integral.
// After McIlroy, "Squinting at Power Series" (1990), which Go has among its tests of channels.

#include <cstdio>
#include <numeric>
#include <vector>

#include "wherry/csp/channel.hpp"
#include "wherry/csp/scope.hpp"

namespace {

using namespace wherry;

struct rational {
  long over = 0;
  long under = 1;
  rational(long numerator, long denominator = 1) {
    const long common = std::gcd(numerator, denominator);
    over = numerator / common;
    under = denominator / common;
  }
  rational operator+(rational b) const {
    return {over * b.under + b.over * under, under * b.under};
  }
  rational operator*(rational b) const { return {over * b.over, under * b.under}; }
};

struct wish {};
struct series {
  channel<wish> wanted;
  channel<rational> terms;
};

task<rational> next(series of) {
  co_await of.wanted.put(wish{});
  co_return (co_await of.terms.take()).value();
}

// The processes. Each ends when its scope is cancelled.

task<> ones(series to) {
  while (co_await to.wanted.take()) co_await to.terms.put(1);
}

task<> add(series a, series b, series to) {
  while (co_await to.wanted.take()) co_await to.terms.put(co_await next(a) + co_await next(b));
}

task<> multiply(series a, series b, series to) {
  std::vector<rational> of_a, of_b;
  while (co_await to.wanted.take()) {
    of_a.push_back(co_await next(a));
    of_b.push_back(co_await next(b));
    rational term = 0;
    for (std::size_t i = 0, j = of_b.size(); j > 0; ++i) term = term + of_a[i] * of_b[--j];
    co_await to.terms.put(term);
  }
}

// From 1 on: so its first term is there before `from` is asked for anything.
task<> integrate(series from, series to) {
  rational term = 1;
  for (long power = 0; co_await to.wanted.take(); ++power) {
    if (power > 0) term = co_await next(from) * rational{1, power};
    co_await to.terms.put(term);
  }
}

// The same series twice; `behind` is never asked for more than `to` was.
task<> share(series from, series behind, series to) {
  channel<rational> seen{fixed{1}};
  co_await with_scope([&](scope& both) -> task<> {
    both.go([](channel<rational> seen, series to) -> task<> {
      while (co_await to.wanted.take()) co_await to.terms.put((co_await seen.take()).value());
    }(seen, behind));
    while (co_await to.wanted.take()) {
      const auto term = co_await next(from);
      co_await seen.put(term);
      co_await to.terms.put(term);
    }
  });
}

template <class Operation, class... Inputs>
series start(scope& in, Operation operation, Inputs... inputs) {
  series made;
  in.go(operation(inputs..., made));
  return made;
}

series exponential(scope& in) {
  series itself;
  return start(in, share, start(in, integrate, itself), itself);
}

task<> print(const char* name, series of) {
  std::printf("%-12s", name);
  for (int power = 0; power < 8; ++power) {
    const auto term = co_await next(of);
    std::printf(term.under == 1 ? " %ld" : " %ld/%ld", term.over, term.under);
  }
  std::printf("\n");
}

}  // namespace

int main() {
  thread_scheduler scheduler;
  scheduler.run(with_scope([](scope& all) -> task<> {
    co_await print("1/(1-x)", start(all, ones));
    co_await print("1/(1-x)^2", start(all, multiply, start(all, ones), start(all, ones)));
    co_await print("e^x", exponential(all));
    co_await print("e^x + e^x", start(all, add, exponential(all), exponential(all)));
    co_await print("e^2x", start(all, multiply, exponential(all), exponential(all)));
    all.cancel();
  }));
}
