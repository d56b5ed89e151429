// SPDX-License-Identifier: Apache-2.0
#pragma once
// Packs texts by other libraries than those that unpack them, where there is another.
#include <archive.h>
#include <archive_entry.h>
#include <libdeflate.h>

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace wherry::app::testing {

inline std::string gzipped(std::string_view text) {
  auto* const writer = libdeflate_alloc_compressor(6);
  std::string packed(libdeflate_gzip_compress_bound(writer, text.size()), '\0');
  packed.resize(
      libdeflate_gzip_compress(writer, text.data(), text.size(), packed.data(), packed.size()));
  libdeflate_free_compressor(writer);
  return packed;
}

struct member {
  std::string name;
  std::string text;
};

inline std::string zipped(const std::vector<member>& members, const char* password = nullptr) {
  std::string packed(1 << 20, '\0');
  std::size_t size = 0;
  archive* const writer = archive_write_new();
  archive_write_set_format_zip(writer);
  if (password != nullptr) {
    archive_write_set_options(writer, "zip:encryption=traditional");
    archive_write_set_passphrase(writer, password);
  }
  REQUIRE(archive_write_open_memory(writer, packed.data(), packed.size(), &size) == ARCHIVE_OK);
  for (const auto& each : members) {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, each.name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(each.text.size()));
    archive_entry_set_filetype(entry, each.name.ends_with('/') ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_write_header(writer, entry);
    archive_write_data(writer, each.text.data(), each.text.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
  packed.resize(size);
  return packed;
}

inline std::string zipped(std::string name, std::string_view text) {
  return zipped({{std::move(name), std::string(text)}});
}

}  // namespace wherry::app::testing
