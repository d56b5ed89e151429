// SPDX-License-Identifier: Apache-2.0
#include "commands/store_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace wherry::app {
namespace fs = std::filesystem;

fs::path store_path(const std::string& url) {
  constexpr std::string_view scheme = "sqlite:";
  return url.starts_with(scheme) ? url.substr(scheme.size()) : url;
}

sqlite_options store_options(const spec& of) {
  const auto& keep = of.retention;
  return {.purpose = "import " + of.name,
          .retention = {.history_for = keep.history_for,
                        .history_lines = static_cast<std::size_t>(keep.history_lines),
                        .keep_for = keep.keep_for}};
}

std::expected<fs::path, std::string> find_store(const std::string& named) {
  if (!named.empty()) return store_path(named);
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& each : fs::directory_iterator(".", error)) {
    if (each.path().extension() == ".db") found.push_back(each.path().filename().string());
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return std::unexpected(
        "no store (*.db) in this directory: go to where the import was started, "
        "or name the store with --store FILE");
  }
  std::ranges::sort(found);
  return std::unexpected(fmt::format(
      "several stores in this directory ({}): name one with --store FILE", fmt::join(found, ", ")));
}

}  // namespace wherry::app
