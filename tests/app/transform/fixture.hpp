// SPDX-License-Identifier: Apache-2.0
#pragma once
// A transformer on a scratch directory, with the shortest ways to say what a test varies.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>
#include <libdeflate.h>

#include "transform/transformer.hpp"

namespace wherry::app::testing {

/// A directory that lives as long as the test.
struct scratch {
  scratch() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "wherry-transform-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~scratch() { std::filesystem::remove_all(path); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  std::string file(const std::string& name) const { return path / name; }
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(file(name), std::ios::binary) << text;
    return file(name);
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path), {}));
  }

  std::filesystem::path path;
};

inline std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Unpacks one gzip member.
inline std::string unzipped(const std::string& packed) {
  std::string text(1 << 22, '\0');
  std::size_t size = 0;
  auto* reader = libdeflate_alloc_decompressor();
  const auto done = libdeflate_gzip_decompress(reader, packed.data(), packed.size(), text.data(),
                                               text.size(), &size);
  libdeflate_free_decompressor(reader);
  REQUIRE(done == LIBDEFLATE_SUCCESS);
  text.resize(size);
  return text;
}

/// What a test opens; each member has a sensible default.
struct setup {
  std::vector<column> source{{"day", "date"}, {"name", "varchar"}, {"amount", "bigint"}};
  std::string sql{};
  std::map<std::string, secret> variables{};
  std::vector<column> result{};
  std::string rates{};
  int threads = 1;
  file_format format = file_format::csv;
  app::compression compression = app::compression::none;
  std::string directory{};
  std::string memory_limit = "512MB";
  report_format from{};  // what the bytes of the report are
  std::uint64_t max_size_bytes = 1u << 30;
  std::vector<lookup_table> tables{};
  std::optional<quarantine> bad_rows{};

  std::expected<std::unique_ptr<transformer>, transform_error> open() const {
    app::source where;
    where.columns = source;
    where.format = from;
    where.max_size_bytes = max_size_bytes;
    app::transform how;
    how.sql = sql;
    how.variables = variables;
    how.columns = result;
    how.rates = rates;
    how.tables = tables;
    how.bad_rows = bad_rows;
    how.threads = threads;
    app::sink to;
    to.format = format;
    to.compression = compression;
    return transformer::open(where, how, to, {directory, memory_limit});
  }

  std::unique_ptr<transformer> opened() const {
    auto result_of_open = open();
    REQUIRE_MESSAGE(result_of_open, (result_of_open ? "" : result_of_open.error().message));
    return std::move(*result_of_open);
  }

  transform_error refusal() const {
    auto result_of_open = open();
    REQUIRE_FALSE(result_of_open);
    return result_of_open.error();
  }

  /// Converts a text and returns the output's text.
  std::string converts(std::string_view report) const {
    const scratch place;
    const auto done = opened()->run(report, place.file("out"));
    REQUIRE_MESSAGE(done, (done ? "" : done.error().message));
    return content(place.file("out"));
  }

  /// Converts a text and returns the error; nothing may remain.
  transform_error fails(std::string_view report) const {
    const scratch place;
    const auto done = opened()->run(report, place.file("out"));
    REQUIRE_FALSE(done);
    CHECK(place.entries() == 0);
    return done.error();
  }
};

inline void check(const transform_error& error, transform_error::kind what,
                  std::initializer_list<std::string_view> parts) {
  CAPTURE(error.message);
  CHECK(error.what == what);
  for (const auto part : parts) CHECK(error.message.find(part) != std::string::npos);
}

inline const std::string ecb =
    std::string(WHERRY_SOURCE_DIRECTORY) + "/examples/data/eurofxref-excerpt.csv";

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace wherry::app::testing
