// SPDX-License-Identifier: Apache-2.0
// A channel with a transform on it: lines go in, depths come out, in pairs. What happens to a value
// on its way is said once, apart from who puts and who takes. The functions run inside the put; one
// that may throw needs somebody to be told of it, or this does not compile.

#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "wherry/csp/scope.hpp"
#include "wherry/csp/sequence.hpp"
#include "wherry/csp/transform.hpp"

namespace {

using namespace wherry;

std::optional<double> report_bad_line(const std::exception_ptr& thrown) noexcept {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    std::printf("not a number (%s)\n", error.what());
  }
  return std::nullopt;
}

task<> print_depths() {
  const auto is_shallow = [](double fathoms) noexcept { return fathoms < 10; };
  const auto in_metres = [](double fathoms) noexcept { return fathoms * 1.8288; };
  const auto parse = [](const std::string& line) { return std::stod(line); };

  const auto soundings = transformed<std::string>(
      fixed{4},
      transforms::map(parse) | transforms::filter(is_shallow) | transforms::map(in_metres),
      report_bad_line);
  onto(soundings, std::vector<std::string>{"5", "7.5", "no bottom", "88", "6"});
  const take_channel<double> depths = soundings;
  while (const auto depth = co_await depths.take()) std::printf("%.1f m\n", *depth);

  const auto pairs = transformed<double>(fixed{4}, transforms::partition(2));
  onto(pairs, std::vector{9.1, 13.7, 11.0});
  while (const auto pair = co_await pairs.take()) std::printf("%zu together\n", pair->size());
}

}  // namespace

int main() {
  virtual_scheduler scheduler{1};
  scheduler.run(print_depths());
}
