// SPDX-License-Identifier: Apache-2.0
// Goal: networks of processes that are driven by demand and feed back into themselves give right
// results: power series, each a process that computes a coefficient when it is asked for one (Go's
// powser1.go and powser2.go, after McIlroy, "Squinting at power series").
// Method: series whose coefficients are known, as exact fractions, on seeds and on threads.

#include <deque>
#include <numeric>
#include <ostream>
#include <vector>

#include "../subject.hpp"
#include "wherry/csp/select.hpp"

namespace {

using namespace wherry;
using namespace wherry::test;

struct fraction {
  long over = 0;
  long under = 1;
  fraction(long numerator = 0, long denominator = 1) {
    const long common = std::gcd(numerator, denominator) * (denominator < 0 ? -1 : 1);
    over = numerator / common;
    under = denominator / common;
  }
  friend fraction operator+(fraction a, fraction b) {
    return {a.over * b.under + b.over * a.under, a.under * b.under};
  }
  friend fraction operator*(fraction a, fraction b) { return {a.over * b.over, a.under * b.under}; }
  friend bool operator==(fraction, fraction) = default;
  friend std::ostream& operator<<(std::ostream& out, fraction f) {
    return out << f.over << '/' << f.under;
  }
};
using fractions = std::vector<fraction>;

/// A coefficient comes for each wish, from the lowest power up.
struct series {
  channel<std::monostate> wanted{};
  channel<fraction> coefficient{};
};

task<fraction> next(series of) {
  co_await of.wanted.put({});
  co_return *co_await of.coefficient.take();
}
task<> give(series to, fraction value) {
  co_await to.wanted.take();
  co_await to.coefficient.put(value);
}
/// The rest of `from` is the rest of `to`.
task<> continue_with(series from, series to) {
  for (;;) {
    co_await to.wanted.take();
    co_await to.coefficient.put(co_await next(from));
  }
}

/// Starts a process that gives a series.
template <class Process, class... Arguments>
series start(scope* all, Process process, Arguments... arguments) {
  series made;
  all->go(process(arguments..., made));
  return made;
}

/// `from` for two readers, of which one may be ahead; who is behind is served also while `from` is
/// still at work on the next coefficient: that work may depend on it.
task<> split_into(series from, series left, series right) {
  const series never;
  struct reader {
    series to;
    std::deque<fraction> waiting;
    bool wants = false;
  };
  std::array<reader, 2> readers{reader{left, {}}, reader{right, {}}};
  bool asked = false;
  for (;;) {
    const auto& [a, b] = readers;
    const auto won = co_await select((a.wants ? never : a.to).wanted.take(),
                                     (b.wants ? never : b.to).wanted.take(),
                                     (asked ? from : never).coefficient.take());
    if (won.index() == 2) {
      asked = false;
      for (auto& each : readers) each.waiting.push_back(*std::get<2>(won));
    } else {
      readers[won.index()].wants = true;
    }
    for (auto& each : readers) {
      if (!each.wants) continue;
      if (!each.waiting.empty()) {
        co_await each.to.coefficient.put(each.waiting.front());
        each.waiting.pop_front();
        each.wants = false;
      } else if (!std::exchange(asked, true)) {
        co_await from.wanted.put({});
      }
    }
  }
}

task<> polynomial(fractions coefficients, series to) {
  for (const auto& each : coefficients) co_await give(to, each);
  for (;;) co_await give(to, 0);
}
task<> ones(series to) {
  for (;;) co_await give(to, 1);
}
task<> sum(series f, series g, series to) {
  for (;;) {
    co_await to.wanted.take();
    const fraction first = co_await next(f);
    co_await to.coefficient.put(first + co_await next(g));
  }
}
task<> multiple(fraction by, series f, series to) {
  for (;;) {
    co_await to.wanted.take();
    co_await to.coefficient.put(by * co_await next(f));
  }
}
task<> derivative(series f, series to) {
  co_await to.wanted.take();
  co_await next(f);
  for (long power = 1;; ++power) {
    co_await to.coefficient.put(fraction(power) * co_await next(f));
    co_await to.wanted.take();
  }
}
task<> integral(fraction constant, series f, series to) {
  co_await give(to, constant);
  for (long power = 1;; ++power) {
    co_await to.wanted.take();
    co_await to.coefficient.put(fraction(1, power) * co_await next(f));
  }
}
/// (f + xF)(g + xG) = fg + x(fG + gF + x(FG)): another product begins with each two powers.
task<> product(scope* all, series f, series g, series to) {
  co_await to.wanted.take();
  const fraction f0 = co_await next(f);
  const fraction g0 = co_await next(g);
  co_await to.coefficient.put(f0 * g0);
  const std::array<series, 4> rest{};
  all->go(split_into(f, rest[0], rest[1]));
  all->go(split_into(g, rest[2], rest[3]));
  const series mixed =
      start(all, sum, start(all, multiple, f0, rest[2]), start(all, multiple, g0, rest[0]));
  co_await to.wanted.take();
  co_await to.coefficient.put(co_await next(mixed));
  const series rest_product = start(all, product, all, rest[1], rest[3]);
  co_await continue_with(start(all, sum, mixed, rest_product), to);
}

/// e^f, for an f without a constant: the integral of itself times f'.
series exponential(scope* all, series f) {
  const series result;
  const series fed_back;
  const series changes = start(all, product, all, fed_back, start(all, derivative, f));
  all->go(split_into(start(all, integral, fraction(1), changes), result, fed_back));
  return result;
}
/// tan x: the integral of 1 + tan² x.
series tangent(scope* all) {
  const series result;
  const series back;
  const std::array<series, 2> twice{};
  all->go(split_into(back, twice[0], twice[1]));
  const series square = start(all, product, all, twice[0], twice[1]);
  const series changes = start(all, sum, start(all, polynomial, fractions{1}), square);
  all->go(split_into(start(all, integral, fraction(0), changes), result, back));
  return result;
}

task<> expect(series of, fractions coefficients) {
  for (const auto& each : coefficients) CHECK(co_await next(of) == each);
}

/// Runs a scene whose processes never end by themselves.
template <class Scene>
void on_paper(Scene scene) {
  const auto body = [=]() -> task<> {
    co_await with_scope([&](scope& all) -> task<> {
      co_await scene(&all);
      all.cancel();
    });
  };
  over_seeds(20, body);
  on_threads(2, body);
}

}  // namespace

TEST_SUITE("csp/conformance/go_powser") {
  TEST_CASE("power series add and multiply and derive and integrate as they are asked") {
    on_paper([](scope* all) -> task<> {
      co_await expect(start(all, sum, start(all, ones), start(all, ones)), {2, 2, 2, 2, 2});
      co_await expect(start(all, product, all, start(all, ones), start(all, ones)),
                      {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
      co_await expect(
          start(all, product, all, start(all, polynomial, fractions{1, -1}), start(all, ones)),
          {1, 0, 0, 0, 0, 0, 0});
      co_await expect(start(all, derivative, start(all, ones)), {1, 2, 3, 4, 5});
      co_await expect(start(all, integral, fraction(0), start(all, ones)),
                      {0, 1, {1, 2}, {1, 3}, {1, 4}});
    });
  }

  TEST_CASE("a power series that feeds back into itself is the exponential function") {
    on_paper([](scope* all) -> task<> {
      const auto x = [=](long factor) { return start(all, polynomial, fractions{0, factor}); };
      co_await expect(exponential(all, x(1)),
                      {1, 1, {1, 2}, {1, 6}, {1, 24}, {1, 120}, {1, 720}, {1, 5'040}});
      co_await expect(start(all, product, all, exponential(all, x(1)), exponential(all, x(-1))),
                      {1, 0, 0, 0, 0, 0});
    });
  }

  TEST_CASE("a power series that feeds back into itself twice is the tangent") {
    on_paper([](scope* all) -> task<> {
      co_await expect(tangent(all), {0, 1, 0, {1, 3}, 0, {2, 15}, 0, {17, 315}, 0, {62, 2'835}});
    });
  }
}
