// SPDX-License-Identifier: Apache-2.0
// Edit distance and quoting.
#include "spec/words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "spec/spelling.hpp"

namespace wherry::app {
namespace {

constexpr std::size_t longest_word = 64;  // what is longer is no misspelling of a key
constexpr std::size_t most_listed = 20;

// Optimal string alignment: insert, delete, replace, or swap two neighbours. Three rows suffice.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u; }

}  // namespace

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::size_t end = std::min(text.size(), longest);
  while (end < text.size() && end > 0 && is_continuation(text[end])) --end;
  std::string out = "\"";
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  return out + (end < text.size() ? "…\"" : "\"");
}

std::optional<std::string_view> closest(std::string_view word,
                                        std::span<const std::string_view> known) {
  if (word.empty() || word.size() > longest_word) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t fewest = std::clamp<std::size_t>(word.size() / 3, 1, 3) + 1;
  for (const auto candidate : known) {
    if (candidate.size() > longest_word) continue;
    const auto distance = edits(word, candidate);
    if (distance < fewest) {
      fewest = distance;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known,
                         std::string_view known_as) {
  if (const auto best = closest(word, known))
    return fmt::format("did you mean {}?", in_quotes(*best));
  const auto listed = known.first(std::min(known.size(), most_listed));
  const auto more = known.size() > listed.size() ? ", …" : "";
  return fmt::format("{}: {}{}", known_as, fmt::join(listed, ", "), more);
}

bool mentions_secret(std::string_view text) {
  constexpr std::string_view words[] = {"auth",  "bearer", "basic", "pass",   "header",
                                        "value", "key",    "token", "secret", "credential",
                                        "sig",   "pwd",    "user"};
  const auto lower = in_lower_case(text);
  return std::ranges::any_of(words, [&](std::string_view word) { return lower.contains(word); });
}

}  // namespace wherry::app
