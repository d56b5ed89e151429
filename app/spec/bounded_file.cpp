// SPDX-License-Identifier: Apache-2.0
#include "spec/bounded_file.hpp"

#include <cerrno>
#include <fstream>

namespace wherry::app {

std::expected<std::string, unread_file> read_bounded(const std::filesystem::path& file,
                                                     std::size_t most_bytes) {
  errno = 0;
  std::ifstream in{file, std::ios::binary};
  if (!in) return std::unexpected(unread_file{errno, false});
  std::string bytes;
  char piece[1 << 16];
  while (in && bytes.size() <= most_bytes) {
    in.read(piece, sizeof piece);
    bytes.append(piece, static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) return std::unexpected(unread_file{errno, true});
  if (bytes.size() > most_bytes) return std::unexpected(unread_file{EFBIG, true});
  return bytes;
}

}  // namespace wherry::app
