// SPDX-License-Identifier: Apache-2.0
// Work on several values at once, and results in the order of the values: pages that are fetched
// three at a time, then cut into words by two workers, then counted.
//
// Under virtual time: nine pages of 1 s to 3 s are 18 s of waiting, and pass in 7 s.

#include <algorithm>
#include <cstdio>
#include <ranges>
#include <sstream>
#include <string>
#include <vector>

#include "wherry/csp/pipeline.hpp"
#include "wherry/csp/reduce.hpp"
#include "wherry/csp/sequence.hpp"
#include "wherry/csp/sleep.hpp"

namespace {

using namespace std::chrono_literals;
using namespace wherry;

task<std::string> fetch(int page) {
  co_await sleep_for(std::chrono::seconds{3 - page % 3});
  co_return "page " + std::to_string(page) + " of the log";
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

task<> read_log() {
  channel<std::string> pages;
  channel<std::string> numbers;
  pipeline_async(to_channel(std::views::iota(0, 9)), fetch, pages, {.parallel = 3});
  const auto is_number = [](const std::string& word) { return std::isdigit(word[0]) != 0; };
  pipeline(pages, transforms::expand(words_of) | transforms::filter(is_number), numbers,
           {.parallel = 2});

  const auto in_order = *co_await into(std::vector<std::string>{}, numbers).take();
  for (const auto& number : in_order) std::printf("%s ", number.c_str());
  const auto now = scheduler::current().now().time_since_epoch();
  std::printf("in %lld s\n", static_cast<long long>(now / 1s));
}

}  // namespace

int main() {
  virtual_scheduler scheduler{1};
  scheduler.run(read_log());
}
