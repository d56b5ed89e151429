// SPDX-License-Identifier: Apache-2.0
#pragma once
// An archive of one member, as PKWARE's APPNOTE.TXT 6.3 has it (4.3.7, 4.3.12, 4.3.16): local
// header, deflated bytes, central directory, its end. By hand, so that what the import unpacks was
// not packed by the library that unpacks it.

#include "deflate.hpp"

#include <zlib.h>

#include <cstdint>
#include <string>

namespace example {

/// Packs one file. Requires: less than 4 GiB.
inline std::string zip_of(const std::string& name, const std::string& plain) {
  const std::string packed = deflated(plain, -15);
  const auto sum =
      crc32(0, reinterpret_cast<const Bytef*>(plain.data()), static_cast<uInt>(plain.size()));

  const auto number = [](std::string& to, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) to += static_cast<char>(value >> (8 * i));
  };
  std::string shared;  // what both headers say
  number(shared, 20, 2);
  number(shared, 0, 2);
  number(shared, 8, 2);       // deflated
  number(shared, 0x6000, 2);  // 12:00:00
  number(shared, 0x2A21, 2);  // 2001-01-01
  number(shared, sum, 4);
  number(shared, packed.size(), 4);
  number(shared, plain.size(), 4);
  number(shared, name.size(), 2);
  number(shared, 0, 2);
  std::string archive = "PK\x03\x04" + shared + name + packed;
  const auto directory = archive.size();
  archive += "PK\x01\x02";
  number(archive, 20, 2);
  archive += shared;
  number(archive, 0, 2 + 2 + 2 + 4 + 4);  // comment, disk, attributes, where the member begins
  archive += name;
  const auto end = archive.size();
  archive += "PK\x05\x06";
  number(archive, 0, 4);
  number(archive, 1, 2);
  number(archive, 1, 2);
  number(archive, end - directory, 4);
  number(archive, directory, 4);
  number(archive, 0, 2);
  return archive;
}

}  // namespace example
