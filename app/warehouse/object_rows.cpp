// SPDX-License-Identifier: Apache-2.0
#include "warehouse/object_rows.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>

#include "net/body_decoder.hpp"
#include "spool/sha256.hpp"
#include "transform/parquet_rows.hpp"

namespace wherry::app {
namespace {

using each_piece = std::function<bool(std::string_view)>;

struct close_file {
  void operator()(std::FILE* of) const noexcept {
    std::fclose(of);  // it was only read
  }
};

load_error damaged(const load_item& of) {
  return {load_error_kind::vanished,
          fmt::format("{} is not what was uploaded: somebody changed or removed it; the report is "
                      "made again",
                      of.url)};
}

// Reads a file to its end, or until `each` has enough.
std::expected<void, load_error> read_file(const load_item& of, const std::filesystem::path& path,
                                          const each_piece& each) {
  const std::unique_ptr<std::FILE, close_file> file{std::fopen(path.c_str(), "rbe")};
  if (!file) {
    if (errno == ENOENT) return std::unexpected(damaged(of));
    return std::unexpected(
        load_error{load_error_kind::transient,
                   fmt::format("cannot read {}: {}; let this user read it", path.native(),
                               std::generic_category().message(errno))});
  }
  std::string piece(64 << 10, '\0');
  for (;;) {
    const auto size = std::fread(piece.data(), 1, piece.size(), file.get());
    if (size > 0 && !each({piece.data(), size})) return {};
    if (size == piece.size()) continue;
    if (std::ferror(file.get()) == 0) return {};
    return std::unexpected(
        load_error{load_error_kind::transient,
                   fmt::format("cannot read {} to its end; check that disk", path.native())});
  }
}

// Hashes what goes by.
class watched {
 public:
  explicit watched(const load_item& of) : of_(of) {}
  void add(std::string_view bytes) {
    hash_.add(bytes);
    size_bytes_ += bytes.size();
  }
  std::expected<void, load_error> judge() {
    if (size_bytes_ == of_.size_bytes && to_hex(hash_.finish()) == of_.sha256) return {};
    return std::unexpected(damaged(of_));
  }

 private:
  const load_item& of_;
  sha256 hash_;
  std::uint64_t size_bytes_ = 0;
};

std::expected<void, load_error> read_csv(const load_item& of, const std::filesystem::path& object,
                                         compression codec, const each_piece& each) {
  const auto decoder = codec == compression::none   ? nullptr
                       : codec == compression::gzip ? make_body_decoder("gzip")
                                                    : make_body_decoder("zstd");
  watched bytes{of};
  bool is_enough = false, is_corrupt = false;
  auto read = read_file(of, object, [&](std::string_view piece) {
    bytes.add(piece);
    if (!decoder) {
      is_enough = !each(piece);
    } else {
      const auto decoded = decoder->decode(piece, each);
      is_enough = decoded == body_decoder::outcome::refused;
      is_corrupt = decoded == body_decoder::outcome::corrupt;
    }
    return !is_enough && !is_corrupt;
  });
  if (!read || is_enough) return read;
  if (is_corrupt) return std::unexpected(damaged(of));
  return bytes.judge();
}

std::expected<void, load_error> read_parquet(const load_item& of,
                                             const std::filesystem::path& object,
                                             const std::filesystem::path& scratch,
                                             const each_piece& each) {
  watched bytes{of};
  auto read = read_file(of, object, [&](std::string_view piece) {
    bytes.add(piece);
    return true;
  });
  if (read) read = bytes.judge();
  if (!read) return read;
  struct remover {
    const std::filesystem::path& what;
    ~remover() {
      std::error_code ignored;  // the spool removes what is left there
      std::filesystem::remove(what, ignored);
    }
  } const remove_at_end{scratch};
  if (auto made = write_parquet_as_csv(object, scratch); !made) {
    return std::unexpected(
        load_error{made.error().permanent ? load_error_kind::vanished : load_error_kind::transient,
                   fmt::format("{}: {}", of.url, made.error().message)});
  }
  return read_file(of, scratch, each);
}

}  // namespace

std::expected<void, load_error> read_rows(const load_item& of, const std::filesystem::path& object,
                                          const object_form& form, const each_piece& each) {
  if (form.format == file_format::parquet) return read_parquet(of, object, form.scratch, each);
  return read_csv(of, object, form.compression, each);
}

}  // namespace wherry::app
