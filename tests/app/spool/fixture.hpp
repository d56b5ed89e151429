// SPDX-License-Identifier: Apache-2.0
#pragma once
// A spool in a directory that lives as long as the test.

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include "../scratch.hpp"
#include "spool/spool.hpp"

namespace wherry::app::testing {

namespace fs = std::filesystem;

inline std::unique_ptr<spool> open_spool(const fs::path& at, std::uint64_t budget = 1u << 20) {
  auto opened = spool::open(at, budget);
  REQUIRE(opened.has_value());
  return std::move(*opened);
}

inline spool_file put(spool& into, const spool_key& key, std::string_view bytes,
                      spool_form form = spool_form::any) {
  auto writer = into.write(key, form);
  REQUIRE(writer.write(bytes).has_value());
  const auto file = writer.finish();
  REQUIRE(file.has_value());
  return *file;
}

inline mode_t mode_of(const fs::path& path) {
  struct stat found;
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777;
}

// How many files there are, but for the spool's lock and the one of small files.
inline std::ptrdiff_t files_in(const fs::path& directory) {
  return std::ranges::count_if(fs::directory_iterator{directory}, [](const auto& each) {
    return !each.path().filename().native().starts_with(".wherry-spool.");
  });
}

inline const spool_key key{"acme/2025-01-31", 1, spool_step::download};

}  // namespace wherry::app::testing
