// SPDX-License-Identifier: Apache-2.0
// The channel benchmark in Wherry: chanbench ROW [REPETITIONS]. The same rows, sizes and output as
// the peers of bench/peers/chan; bench/README.md lists them.

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>

#include "rows.hpp"
#include "wherry/csp/scheduler.hpp"

namespace {

using namespace chanbench;

struct row {
  int threads;
  std::function<wherry::task<>(const std::string&, const repetitions&)> body;
};

const std::map<std::string, row> rows = {
    {"pingpong", {1, [](auto&, auto& all) { return ping_pong(all); }}},
    {"prodcons", {1, [](auto&, auto& all) { return producer_consumer(all, million, 0); }}},
    {"buffered", {1, [](auto&, auto& all) { return producer_consumer(all, 5 * million, 1024); }}},
    {"mpmc0", {2, [](auto&, auto& all) { return many_to_many(all, 0); }}},
    {"mpmc64", {2, [](auto&, auto& all) { return many_to_many(all, 64); }}},
    {"select2", {1, [](auto&, auto& all) { return select_over_2(all); }}},
    {"select16", {1, [](auto&, auto& all) { return select_over_16(all); }}},
    {"ring", {1, [](auto&, auto& all) { return ring(all); }}},
    {"spawn", {1, [](auto&, auto& all) { return spawn(all); }}},
    {"timers", {1, [](auto& name, auto&) { return timers(name); }}},
    {"parked1", {1, [](auto& name, auto&) { return parked_on_one(name); }}},
    {"parkedn", {1, [](auto& name, auto&) { return parked_on_own(name); }}},
};

}  // namespace

int main(int count, char** arguments) {
  const std::string name = count > 1 ? arguments[1] : "";
  const int counted = count > 2 ? std::atoi(arguments[2]) : 5;
  const auto wanted = rows.find(name);
  if (wanted == rows.end() || counted < 1) {
    std::fprintf(stderr, "usage: chanbench ROW [REPETITIONS]; rows:");
    for (const auto& [known, _] : rows) std::fprintf(stderr, " %s", known.c_str());
    std::fprintf(stderr, "\n");
    return 2;
  }
  wherry::thread_scheduler scheduler({.threads = wanted->second.threads});
  scheduler.run(wanted->second.body(name, repetitions(name, counted)));
}
