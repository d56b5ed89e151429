// SPDX-License-Identifier: Apache-2.0
#include "transform/unpack.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fnmatch.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "transform/shown_text.hpp"

namespace wherry::app {
namespace {

using kind = transform_error::kind;
using outcome = std::expected<void, transform_error>;

constexpr std::size_t piece_size_bytes = 256 << 10;
constexpr std::string_view empty_zip = "PK\x05\x06";  // its directory comes first
constexpr std::string_view cut_remedy =
    "It is downloaded again; if that does not help, ask the API whether it is whole there";

// ---- gzip

class inflater {
 public:
  inflater() { ready_ = ::inflateInit2(&stream_, MAX_WBITS + 16) == Z_OK; }  // 16: gzip alone
  ~inflater() {
    if (ready_) ::inflateEnd(&stream_);
  }
  inflater(const inflater&) = delete;
  inflater& operator=(const inflater&) = delete;
  explicit operator bool() const { return ready_; }
  z_stream& get() { return stream_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

std::unexpected<transform_error> damaged_gzip(const z_stream& at) {
  return failure(kind::data,
                 fmt::format("the gzip file is damaged after {} bytes: {}. {}", at.total_in,
                             at.msg == nullptr ? "no data" : at.msg, cut_remedy));
}

// zlib counts what it has in 32 bits.
void give_more(z_stream& stream, std::string_view& rest) {
  if (stream.avail_in != 0) return;
  const auto size = std::min<std::size_t>(rest.size(), std::numeric_limits<uInt>::max());
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));
  stream.avail_in = static_cast<uInt>(size);
  rest.remove_prefix(size);
}

// ---- zip

struct freed {
  void operator()(archive* one) const { archive_read_free(one); }
};
using archive_handle = std::unique_ptr<archive, freed>;

std::expected<archive_handle, transform_error> open_zip(std::string_view bytes) {
  archive_handle opened(archive_read_new());
  if (opened == nullptr) return failure(kind::io, "no memory to read a zip archive");
  // By its directory, which stands at the end: read from the front, a cut archive may look whole.
  archive_read_support_format_zip_seekable(opened.get());
  if (archive_read_open_memory(opened.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
    return failure(kind::data, "the report is no zip archive. Correct packed in [source.format]");
  }
  return opened;
}

std::unexpected<transform_error> damaged_zip(archive* of) {
  const char* const why = archive_error_string(of);
  return failure(kind::data,
                 fmt::format("the zip archive is cut or damaged: {}. {}",
                             plain_text(why == nullptr ? "no reason" : why), cut_remedy));
}

struct zip_contents {
  std::vector<std::string> all;
  std::vector<std::string> fitting;
};

// Walks the headers alone. Some archives tell names only in an encoding of their own.
std::expected<zip_contents, transform_error> contents_of(std::string_view bytes,
                                                         const std::string& member) {
  if (bytes.starts_with(empty_zip)) return zip_contents{};  // libarchive takes it for none
  constexpr std::size_t most = 10'000;  // of a report there is one, or a few beside it
  auto opened = open_zip(bytes);
  if (!opened) return std::unexpected(std::move(opened.error()));
  zip_contents found;
  for (;;) {
    archive_entry* entry = nullptr;
    const int got = archive_read_next_header(opened->get(), &entry);
    if (got == ARCHIVE_EOF) return found;
    if (got < ARCHIVE_WARN) return damaged_zip(opened->get());
    const char* const name = archive_entry_pathname(entry);
    if (archive_entry_filetype(entry) != AE_IFREG || name == nullptr) continue;
    found.all.emplace_back(name);
    if (member.empty() || ::fnmatch(member.c_str(), name, 0) == 0) found.fitting.emplace_back(name);
    if (found.all.size() > most) {
      return failure(kind::data,
                     fmt::format("the zip archive holds over {} files. Ask the API for one", most));
    }
  }
}

std::expected<std::string, transform_error> choose(std::string_view bytes,
                                                   const std::string& member) {
  const auto found = contents_of(bytes, member);
  if (!found) return std::unexpected(found.error());
  if (found->fitting.size() == 1) return found->fitting.front();
  auto names = found->fitting.empty() ? found->all : found->fitting;
  const auto number = names.size();
  if (number > 5) names.resize(5);
  for (auto& name : names) name = plain_text(name.substr(0, 60));
  const auto list = fmt::format("{}{}", fmt::join(names, ", "), number > 5 ? ", …" : "");
  if (number == 0) {
    return failure(kind::data,
                   "the zip archive holds no file. Ask the API what it answers for such a day");
  }
  if (found->fitting.empty()) {
    return failure(
        kind::data,
        fmt::format("no file of the zip archive fits \"{}\"; it holds {}. Correct member "
                    "in [source.format]",
                    member, list));
  }
  return failure(kind::data,
                 fmt::format("the zip archive holds {} files{}: {}. Say which by member in "
                             "[source.format], such as member = \"*.csv\"",
                             number, member.empty() ? "" : " that fit", list));
}

outcome pour(archive* from, const piece_writer& into) {
  std::string piece(piece_size_bytes, '\0');
  for (;;) {
    const auto got = archive_read_data(from, piece.data(), piece.size());
    if (got < 0) return damaged_zip(from);
    if (got == 0) return {};
    if (auto done = into({piece.data(), static_cast<std::size_t>(got)}); !done) return done;
  }
}

}  // namespace

report_format::packing packing_of(std::string_view bytes) {
  using enum report_format::packing;
  if (bytes.starts_with("\x1F\x8B")) return gzip;
  if (bytes.starts_with("PK\x03\x04") || bytes.starts_with(empty_zip)) return zip;
  return none;
}

std::expected<void, transform_error> unpack_gzip(std::string_view bytes, const piece_writer& into) {
  inflater inflating;
  if (!inflating) return failure(kind::io, "no memory to unpack gzip");
  auto& stream = inflating.get();
  std::string piece(piece_size_bytes, '\0');
  auto rest = bytes;
  for (;;) {
    give_more(stream, rest);
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int got = ::inflate(&stream, Z_NO_FLUSH);
    if (got != Z_OK && got != Z_STREAM_END && got != Z_BUF_ERROR) return damaged_gzip(stream);
    const auto size = piece.size() - stream.avail_out;
    if (size > 0) {
      if (auto done = into({piece.data(), size}); !done) return done;
    }
    const bool used_up = stream.avail_in == 0 && rest.empty();
    if (got == Z_STREAM_END) {
      if (used_up) return {};
      ::inflateReset(&stream);  // the next member
    } else if (used_up && size == 0) {
      return failure(kind::data,
                     fmt::format("the gzip file ends before its end, after {} bytes. {}",
                                 bytes.size(), cut_remedy));
    }
  }
}

std::expected<void, transform_error> unpack_zip(std::string_view bytes, const std::string& member,
                                                const piece_writer& into) {
  const auto chosen = choose(bytes, member);
  if (!chosen) return std::unexpected(chosen.error());
  auto opened = open_zip(bytes);
  if (!opened) return std::unexpected(std::move(opened.error()));
  for (;;) {
    archive_entry* entry = nullptr;
    if (archive_read_next_header(opened->get(), &entry) < ARCHIVE_WARN) {
      return damaged_zip(opened->get());
    }
    const char* const name = archive_entry_pathname(entry);
    if (name == nullptr || *chosen != name) continue;
    if (archive_entry_is_data_encrypted(entry) != 0) {
      return failure(kind::data, "the zip archive is encrypted. Ask the API for one that is not");
    }
    return pour(opened->get(), into);
  }
}

}  // namespace wherry::app
