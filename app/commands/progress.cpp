// SPDX-License-Identifier: Apache-2.0
#include "commands/progress.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace wherry::app {

std::string grouped_digits(std::string digits) {
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string spoken(std::chrono::seconds length) {
  const auto seconds = length.count();
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m {}s", seconds / 60, seconds % 60);
  return fmt::format("{}h {}m", seconds / 3600, seconds % 3600 / 60);
}

std::string progress_text(const progress_view& view) {
  const std::int64_t finished = view.completed + view.dead + view.cancelled;
  auto text = fmt::format("{} of {} done, {} in flight, {} waiting, {} dead, {:.1f}/s",
                          grouped(view.completed), grouped(view.total), view.in_flight,
                          grouped(view.waiting), grouped(view.dead), view.rate);
  if (finished < view.total && view.rate > 0) {
    const auto left = static_cast<double>(view.total - finished) / view.rate;
    text += ", " + spoken(std::chrono::seconds(static_cast<std::int64_t>(left) + 1)) + " left";
  }
  return text;
}

std::string progress_bar(const progress_view& view, std::size_t width) {
  constexpr std::size_t cells = 20;
  const std::int64_t finished = view.completed + view.dead + view.cancelled;
  const auto filled = view.total == 0 ? cells
                                      : static_cast<std::size_t>(finished) * cells /
                                            static_cast<std::size_t>(view.total);
  auto line = "[" + std::string(filled, '#') + std::string(cells - filled, '.') + "] " +
              progress_text(view);
  if (line.size() > width) line.resize(width);
  return line;
}

double rate_meter::observe(std::chrono::steady_clock::time_point now, std::int64_t count) {
  samples_[next_] = {now, count};
  next_ = (next_ + 1) % kept;
  size_ = std::min(size_ + 1, kept);
  // The oldest sample of the last five seconds, at least the one before this.
  const sample* oldest = nullptr;
  for (std::size_t back = 1; back <= size_; ++back) {
    const sample& each = samples_[(next_ + kept - back) % kept];
    if (back > 2 && now - each.at > std::chrono::seconds(5)) break;
    oldest = &each;
  }
  const std::chrono::duration<double> span = now - oldest->at;
  return span.count() > 0 ? static_cast<double>(count - oldest->count) / span.count() : 0;
}

}  // namespace wherry::app
