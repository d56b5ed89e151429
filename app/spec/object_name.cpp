// SPDX-License-Identifier: Apache-2.0
#include "spec/object_name.hpp"

#include <algorithm>

namespace wherry::app {
namespace {

constexpr name_ending endings[] = {{".csv", file_format::csv, compression::none},
                                   {".csv.gz", file_format::csv, compression::gzip},
                                   {".csv.zst", file_format::csv, compression::zstd},
                                   {".jsonl", file_format::json_lines, compression::none},
                                   {".jsonl.gz", file_format::json_lines, compression::gzip},
                                   {".jsonl.zst", file_format::json_lines, compression::zstd},
                                   {".parquet", file_format::parquet, compression::none}};

}  // namespace

std::span<const name_ending> name_endings() noexcept { return endings; }

std::optional<name_ending> ending_of(std::string_view name) noexcept {
  const auto found = std::ranges::find_if(
      endings, [&](const name_ending& each) { return name.ends_with(each.text); });
  return found == std::end(endings) ? std::nullopt : std::optional{*found};
}

std::string rejected_name(std::string_view name) {
  if (const auto ending = ending_of(name)) name.remove_suffix(ending->text.size());
  return std::string{name} + ".rejected.csv";
}

}  // namespace wherry::app
