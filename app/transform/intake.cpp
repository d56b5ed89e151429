// SPDX-License-Identifier: Apache-2.0
#include "transform/intake.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>

#include <fmt/format.h>

#include "transform/decode.hpp"
#include "transform/files.hpp"
#include "transform/json_rows.hpp"
#include "transform/report_table.hpp"

namespace wherry::app {
namespace {

using kind = transform_error::kind;
using outcome = std::expected<void, transform_error>;

constexpr std::size_t in_memory_bytes = 4u << 20;
constexpr std::size_t piece_size_bytes = 1u << 20;

std::unexpected<transform_error> trouble(std::string_view doing, const std::string& path) {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT;
  return failure(full ? kind::no_space : kind::io, file_trouble(doing, path, error));
}

// Hands a text on in pieces, so that a stop is seen soon.
outcome in_pieces(report_bytes bytes, const piece_writer& into) {
  passed_pages pages(bytes);
  auto text = bytes.text;
  for (; !text.empty(); text.remove_prefix(std::min(piece_size_bytes, text.size()))) {
    if (auto done = into(text.substr(0, piece_size_bytes)); !done) return done;
    pages.up_to(text.begin());
  }
  return {};
}

}  // namespace

// ---- spilled_text

void spilled_text::clear(bool named) {
  if (mapped_ != nullptr) ::munmap(mapped_, mapped_size_);
  mapped_ = nullptr;
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  if (named_ && !path_.empty()) ::unlink(path_.c_str());
  path_.clear();
  memory_.clear();
  size_bytes_ = 0;
  named_ = named;
}

std::expected<void, transform_error> spilled_text::open() {
  static std::atomic<unsigned> files = 0;  // of the process: two transformers may share a directory
  path_ = fmt::format("{}/.wherry-{}-{}.rows", directory_, ::getpid(), ++files);
  constexpr int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  descriptor_ = ::open(path_.c_str(), flags, 0600);
  if (descriptor_ < 0 && errno == EEXIST) {  // of a process of that number that was killed
    ::unlink(path_.c_str());
    descriptor_ = ::open(path_.c_str(), flags, 0600);
  }
  if (descriptor_ < 0) return trouble("cannot create", path_);
  if (!named_) ::unlink(path_.c_str());
  return {};
}

std::expected<void, transform_error> spilled_text::flush() {
  if (descriptor_ < 0) {
    if (auto opened = open(); !opened) return opened;
  }
  std::string_view rest = memory_;
  while (!rest.empty()) {
    const auto written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return trouble("cannot write", path_);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  memory_.clear();
  return {};
}

std::expected<void, transform_error> spilled_text::append(std::string_view bytes) {
  memory_ += bytes;
  size_bytes_ += bytes.size();
  return memory_.size() < in_memory_bytes || directory_.empty() ? outcome{} : flush();
}

std::expected<report_bytes, transform_error> spilled_text::text() {
  if (descriptor_ < 0 && !named_) return report_bytes{memory_};
  if (auto flushed = flush(); !flushed) return std::unexpected(std::move(flushed.error()));
  if (size_bytes_ == 0) return report_bytes{};
  mapped_size_ = static_cast<std::size_t>(size_bytes_);
  void* const start = ::mmap(nullptr, mapped_size_, PROT_READ, MAP_PRIVATE, descriptor_, 0);
  if (start == MAP_FAILED) return trouble("cannot map", path_);
  mapped_ = start;
  return report_bytes{{static_cast<const char*>(start), mapped_size_}, true};
}

// ---- intake

bool intake::is_ready(std::string_view bytes) const {
  const auto& format = shape_.format;
  const bool is_packed = format.packed == report_format::packing::by_content
                             ? packing_of(bytes) != report_format::packing::none
                             : format.packed != report_format::packing::none;
  return !is_packed && !shape_.is_json() && needs_no_decoding(format.text, bytes);
}

std::unexpected<transform_error> intake::too_large(std::string_view what) const {
  return failure(kind::too_large,
                 fmt::format("{} over {} bytes. If that is right, raise max_size in [source]", what,
                             options_.max_size_bytes));
}

std::expected<void, transform_error> intake::keep(std::string_view text) {
  if (made_.size_bytes() + text.size() > options_.max_size_bytes) {
    return too_large("the rows of the report are, as CSV,");
  }
  return made_.append(text);
}

std::expected<void, transform_error> intake::make(report_bytes from,
                                                  const std::function<bool()>& stopped) {
  const auto bytes = from.text;
  if (bytes.empty()) return failure(kind::data, report_input::empty_report);
  const auto& format = shape_.format;
  const piece_writer keeping = [this](std::string_view text) { return keep(text); };
  std::optional<json_rows> rows;
  if (shape_.is_json()) rows.emplace(shape_, keeping);
  decoder decoding(format.text,
                   [&](std::string_view text) { return rows ? rows->take(text) : keep(text); });
  std::uint64_t unpacked = 0;
  const piece_writer take = [&](std::string_view piece) -> outcome {
    if (stopped()) return failure(kind::interrupted, "interrupted");
    unpacked += piece.size();
    if (unpacked > options_.max_size_bytes) return too_large("the report is, unpacked,");
    return decoding.take(piece);
  };
  const auto packing =
      format.packed == report_format::packing::by_content ? packing_of(bytes) : format.packed;
  auto done = packing == report_format::packing::gzip  ? unpack_gzip(bytes, take)
              : packing == report_format::packing::zip ? unpack_zip(bytes, format.member, take)
                                                       : in_pieces(from, take);
  if (done) done = decoding.finish();
  if (done && rows) done = rows->finish();
  return done;
}

std::expected<report_bytes, transform_error> intake::take(report_bytes bytes,
                                                          const std::function<bool()>& stopped) {
  if (is_ready(bytes.text)) return bytes;
  made_.clear();
  if (auto made = make(bytes, stopped); !made) {
    made_.clear();
    return std::unexpected(std::move(made.error()));
  }
  return made_.text();
}

std::expected<std::string, transform_error> intake::as_file(report_bytes bytes,
                                                            const std::string& path,
                                                            const std::function<bool()>& stopped) {
  if (is_ready(bytes.text)) return path;
  made_.clear(true);
  if (auto made = make(bytes, stopped); !made) {
    made_.clear();
    return std::unexpected(std::move(made.error()));
  }
  if (const auto written = made_.text(); !written) return std::unexpected(written.error());
  return made_.path();
}

}  // namespace wherry::app
