// SPDX-License-Identifier: Apache-2.0
#include "spec/limits.hpp"

#include <algorithm>

namespace wherry::app::toml_file {
namespace {

// One a window that there is: more can only repeat one of them.
constexpr std::size_t most_quotas = 4;

void report_quota(reader& r, const value& item, quota_fault fault) {
  const auto quoted = in_quotes(item.string);
  switch (fault) {
    case quota_fault::shape:
      r.wrong(item.begin, fmt::format("holds {}", quoted),
              R"(write a whole number of calls per s, min, h or day, such as "100/min")");
      return;
    case quota_fault::zero:
      r.wrong(item.begin, fmt::format("holds {}, which allows no call at all", quoted),
              "write at least 1, or take it out");
      return;
    case quota_fault::too_large:
      r.wrong(item.begin, fmt::format("holds {}, which is too many to count", quoted),
              fmt::format("write at most {} calls", most_quota_calls));
      return;
  }
}

}  // namespace

void quota_list::read(reader& r, const value& from, std::vector<quota>& to) {
  if (from.items.empty()) {
    r.wrong(from.begin, "is empty", fmt::format("write {}, or take it out", wanted));
  }
  std::vector<int> lines;  // of the quotas in `to`
  for (std::size_t i = 0; i < from.items.size(); ++i) {
    const auto& item = from.items[i];
    if (i == most_quotas) {
      r.wrong(item.begin, fmt::format("holds {} quotas", from.items.size()),
              fmt::format("write at most {}, one for each of s, min, h and day", most_quotas));
      return;
    }
    if (item.is != text) {
      r.wrong(item.begin, fmt::format("holds {}", name_of(item.is)),
              fmt::format("write {}", wanted));
      continue;
    }
    const auto words = r.line(item);
    if (!words) continue;
    const auto parsed = parse_quota(*words);
    if (!parsed) {
      report_quota(r, item, parsed.error());
      continue;
    }
    const auto same = std::ranges::find(to, parsed->per, &quota::per);
    if (same != to.end()) {
      r.wrong(item.begin,
              fmt::format("holds {}, a second quota of one window", in_quotes(item.string)),
              fmt::format("the first is in line {}: keep the smaller",
                          lines[static_cast<std::size_t>(same - to.begin())]));
      continue;
    }
    to.push_back(*parsed);
    lines.push_back(item.begin.line);
  }
}

void weight_number::read(reader& r, const value& from, double& to) {
  constexpr double least = 0.001, most = 1000;
  const double number = from.is == whole ? static_cast<double>(from.integer) : from.fraction;
  if (number >= least && number <= most) {  // nor is it NaN
    to = number;
  } else {
    r.wrong(from.begin, fmt::format("is {}", number),
            fmt::format("write a number from {} to {}", least, most));
  }
}

void keeping_time::read(reader& r, const value& from, std::chrono::milliseconds& to) {
  const auto words = r.line(from);
  if (!words) return;
  const auto parsed = *words == "forever" ? std::chrono::milliseconds{0} : parse_duration(*words);
  if (parsed) {
    to = *parsed;
  } else {
    r.wrong(from.begin, fmt::format("is {}", in_quotes(from.string)),
            fmt::format("write {}", wanted));
  }
}

void check_times(reader& r, const value& from, const breaker& of) {
  if (of.open_for <= of.longest) return;
  const auto* const first = from.find({"open_for"});
  const auto* const longest = from.find({"longest"});
  const reader::inside key{r, first != nullptr ? "open_for" : "longest"};
  if (first != nullptr) {
    r.wrong(first->begin, longest != nullptr ? "is longer than longest" : "is longer than 10m",
            "write a longest of at least that");
  } else {
    r.wrong(longest->begin, "is shorter than the 30s of open_for",
            "write an open_for of at most that");
  }
}

}  // namespace wherry::app::toml_file
