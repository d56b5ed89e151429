// SPDX-License-Identifier: Apache-2.0
// A network is a tree with its sources as leaves. Each node gives a channel, and beside it the runs
// of values that must come out of it: each run in its order, in whatever way they are mixed.

#include "network.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "../reference/token.hpp"
#include "generator.hpp"
#include "wherry/csp/map.hpp"
#include "wherry/csp/merge.hpp"
#include "wherry/csp/mult.hpp"
#include "wherry/csp/pipe.hpp"
#include "wherry/csp/pipeline.hpp"
#include "wherry/csp/pub.hpp"
#include "wherry/csp/sequence.hpp"
#include "wherry/csp/split.hpp"
#include "wherry/csp/timeout.hpp"

namespace wherry::reference {
namespace {

namespace with = wherry::transforms;
using values = std::vector<int>;

struct stream {
  take_channel<token> from;
  std::vector<values> runs;
};

bool is_even(const token& one) { return one.value() % 2 == 0; }

class builder {
 public:
  builder(dice& random, scope& owner) : random_(random), in_(&owner) {}

  /// Whether something may be left that nobody takes any more.
  [[nodiscard]] bool leaves_some() const { return leaves_some_; }

  stream node(std::size_t depth) {
    if (depth == 0) return source();
    switch (random_.below(9)) {
      case 0: return source();
      case 1: return piped(node(depth - 1));
      case 2: return through_pipeline(node(depth - 1));
      case 3: return through_tasks(node(depth - 1));
      case 4: return merged(node(depth - 1), node(depth - 1));
      case 5: return filtered(node(depth - 1));
      case 6: return tapped_twice(node(depth - 1));
      case 7:
        return random_.once_in(2) ? split_and_merged(node(depth - 1)) : published(node(depth - 1));
      default: return zipped(node(depth - 1), node(depth - 1));
    }
  }

 private:
  stream source() {
    values run;
    std::vector<token> all;
    for (std::size_t left = random_.below(20); left > 0; --left) {
      run.push_back(++last_);
      all.emplace_back(last_);
    }
    return {to_channel(std::move(all), {.buffer = buffer(), .in = in_}), {run}};
  }

  stream piped(stream of) {
    const auto to = middle();
    pipe(of.from, to, {.in = in_});
    return {to, of.runs};
  }

  stream filtered(stream of) {
    const auto to = transformed<token>(
        fixed{random_.between(1, 3)}, with::filter(is_even),
        [](const std::exception_ptr&) -> std::optional<token> { return std::nullopt; });
    pipe(of.from, to, {.in = in_});
    for (auto& run : of.runs) std::erase_if(run, [](int one) { return one % 2 != 0; });
    return {take_channel<token>(to), of.runs};
  }

  // Only adds, so that what was even stays that, and what differs goes on to do so within a run.
  int fresh() { return addend_ += 2'000; }
  static stream moved(take_channel<token> to, std::vector<values> runs, int by) {
    for (auto& run : runs) {
      for (auto& one : run) one += by;
    }
    return {std::move(to), std::move(runs)};
  }

  stream through_pipeline(stream of) {
    const int by = fresh();
    const auto to = middle();
    const auto add = with::map([by](token one) { return token(one.value() + by); });
    const pipeline_options options{.parallel = random_.between(1, 4), .in = in_};
    if (random_.once_in(4)) {
      pipeline_blocking(of.from, add, to, options);
    } else {
      pipeline(of.from, add, to, options);
    }
    return moved(to, of.runs, by);
  }

  stream through_tasks(stream of) {
    const int by = fresh();
    const auto to = middle();
    const auto add = [by](token one) { return add_later(by, std::move(one)); };
    pipeline_async(of.from, add, to, {.parallel = random_.between(1, 4), .in = in_});
    return moved(to, of.runs, by);
  }
  static task<token> add_later(int by, token one) {
    if (one.value() % 3 == 0) co_await timeout(std::chrono::microseconds(one.value() % 7)).take();
    co_return token(one.value() + by);
  }

  stream merged(stream a, stream b) {
    auto runs = a.runs;
    runs.insert(runs.end(), b.runs.begin(), b.runs.end());
    return {merge({.buffer = buffer(), .in = in_}, a.from, b.from), runs};
  }

  stream tapped_twice(stream of) {
    // Nothing comes in before both taps are there.
    const channel<token> gate;
    const mult<token> all(gate, {.in = in_});
    const auto left = middle();
    const auto right = middle();
    all.tap(left);
    all.tap(right);
    pipe(of.from, gate, {.in = in_});
    return merged({left, of.runs}, through_pipeline({right, of.runs}));
  }

  stream split_and_merged(stream of) {
    const auto [even, odd] = split(is_even, of.from, {.buffer = buffer(), .in = in_});
    return halves(even, odd, of.runs);
  }

  stream published(stream of) {
    const channel<token> gate;
    const pub topics(gate, is_even, pub_options<bool>{.in = in_});
    const auto even = middle();
    const auto odd = middle();
    topics.sub(true, even);
    topics.sub(false, odd);
    pipe(of.from, gate, {.in = in_});
    return halves(even, odd, of.runs);
  }

  stream halves(take_channel<token> even, take_channel<token> odd, std::vector<values> runs) {
    std::vector<values> odds = runs;
    for (auto& run : runs) std::erase_if(run, [](int one) { return one % 2 != 0; });
    for (auto& run : odds) std::erase_if(run, [](int one) { return one % 2 == 0; });
    return merged({std::move(even), std::move(runs)}, {std::move(odd), std::move(odds)});
  }

  // What comes of two is known if both have one order. The longer one is not taken to its end.
  stream zipped(stream a, stream b) {
    if (a.runs.size() != 1 || b.runs.size() != 1) return merged(std::move(a), std::move(b));
    leaves_some_ = true;
    values sums;
    for (std::size_t at = 0; at < std::min(a.runs[0].size(), b.runs[0].size()); ++at) {
      sums.push_back(a.runs[0][at] + b.runs[0][at]);
    }
    const auto add = [](const token& x, const token& y) { return token(x.value() + y.value()); };
    return {map({.buffer = buffer(), .in = in_}, add, a.from, b.from), {sums}};
  }

  any_buffer buffer() {
    return random_.once_in(2) ? any_buffer() : any_buffer(fixed{random_.between(1, 4)});
  }
  channel<token> middle() { return channel<token>(buffer()); }

  dice& random_;
  scope* in_;
  int last_ = 0;
  int addend_ = 0;
  bool leaves_some_ = false;
};

/// Where each value stands: which run, which place in it.
std::optional<std::map<int, std::pair<std::size_t, std::size_t>>> places(
    const std::vector<values>& runs) {
  std::map<int, std::pair<std::size_t, std::size_t>> all;
  for (std::size_t run = 0; run < runs.size(); ++run) {
    for (std::size_t at = 0; at < runs[run].size(); ++at) {
      if (!all.try_emplace(runs[run][at], run, at).second) return std::nullopt;
    }
  }
  return all;
}

std::string fault_in(const values& had, const std::vector<values>& runs, bool all_of_it) {
  const auto where = places(runs);
  if (!where) return {};  // sums that are alike: nothing can be said
  std::vector<std::size_t> next(runs.size(), 0);
  for (const int one : had) {
    const auto found = where->find(one);
    if (found == where->end()) return "came out and never went in: " + std::to_string(one);
    const auto [run, at] = found->second;
    if (at != next[run]++) return "lost, doubled or out of order at " + std::to_string(one);
  }
  if (all_of_it && had.size() != where->size()) {
    return "lost: " + std::to_string(where->size() - had.size()) + " values at the end";
  }
  return {};
}

task<> build_and_take(std::uint64_t seed, network_seen* seen) {
  dice random(seed);
  values had;
  std::vector<values> runs;
  const bool cancels = random.once_in(3);
  {
    scope inside;
    builder made(random, inside);
    stream whole = made.node(random.between(1, 4));
    runs = std::move(whole.runs);
    const std::size_t most = cancels ? random.below(20) : SIZE_MAX;
    while (had.size() < most) {
      const auto one = co_await whole.from.take();
      if (!one) break;
      had.push_back(one->value());
    }
    if (cancels || made.leaves_some()) inside.cancel();
    co_await inside.join();
  }
  seen->values = static_cast<long>(had.size());
  seen->fault = fault_in(had, runs, !cancels);
}

}  // namespace

network_seen run_network(scheduler& home, std::uint64_t seed) {
  network_seen seen;
  home.run(build_and_take(seed, &seen));
  return seen;
}

}  // namespace wherry::reference
