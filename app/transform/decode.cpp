// SPDX-License-Identifier: Apache-2.0
#include "transform/decode.hpp"

#include <iconv.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

namespace wherry::app {
namespace {

using kind = transform_error::kind;
using encoding = report_format::encoding;
using outcome = std::expected<void, transform_error>;

constexpr std::size_t longest_mark = 3;
constexpr std::size_t piece_size_bytes = 64 << 10;

struct beginning {
  encoding is;
  std::size_t mark_size = 0;
};

beginning look(encoding declared, std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) return {encoding::utf_8, 3};
  if (bytes.starts_with("\xFF\xFE")) return {encoding::utf_16le, 2};
  if (bytes.starts_with("\xFE\xFF")) return {encoding::utf_16be, 2};
  return {declared == encoding::utf_16 ? encoding::utf_16le : declared, 0};
}

const char* name_of(encoding which) {
  switch (which) {
    case encoding::utf_8: return "UTF-8";
    case encoding::utf_16:
    case encoding::utf_16le: return "UTF-16LE";
    case encoding::utf_16be: return "UTF-16BE";
    case encoding::latin_1: return "ISO-8859-1";
    case encoding::windows_1252: return "CP1252";
  }
  return "UTF-8";
}

}  // namespace

struct decoder::conversion {
  explicit conversion(const char* from) : name(from), handle(::iconv_open("UTF-8", from)) {}
  ~conversion() {
    if (is_open()) ::iconv_close(handle);
  }
  conversion(const conversion&) = delete;
  conversion& operator=(const conversion&) = delete;
  // iconv_open says by this value that it failed.
  bool is_open() const { return reinterpret_cast<std::intptr_t>(handle) != -1; }

  const char* name;
  iconv_t handle;
  std::string out = std::string(piece_size_bytes, '\0');
  std::uint64_t line = 1;
};

bool needs_no_decoding(encoding declared, std::string_view beginning) {
  return look(declared, beginning).is == encoding::utf_8;
}

decoder::decoder(encoding declared, piece_writer into)
    : declared_(declared), into_(std::move(into)) {}
decoder::~decoder() = default;

std::expected<void, transform_error> decoder::take(std::string_view bytes) {
  if (begun_) return convert(bytes);
  pending_ += bytes;
  return pending_.size() < longest_mark ? outcome{} : begin();
}

std::expected<void, transform_error> decoder::begin() {
  begun_ = true;
  const auto found = look(declared_, pending_);
  if (found.is != encoding::utf_8) {
    conversion_ = std::make_unique<conversion>(name_of(found.is));
    if (!conversion_->is_open()) {
      return failure(kind::io, fmt::format("this system cannot read {}. Install the C library's "
                                           "gconv modules",
                                           conversion_->name));
    }
  }
  const std::string rest = std::move(pending_);
  pending_.clear();
  return convert(std::string_view(rest).substr(found.mark_size));
}

std::expected<void, transform_error> decoder::convert(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (conversion_ == nullptr) return into_(bytes);
  auto& with = *conversion_;
  if (!pending_.empty()) {
    pending_ += bytes;
    bytes = pending_;
  }
  char* from = const_cast<char*>(bytes.data());
  std::size_t left = bytes.size();
  for (;;) {
    char* to = with.out.data();
    std::size_t room = with.out.size();
    const auto done = ::iconv(with.handle, &from, &left, &to, &room);
    const int why = done == static_cast<std::size_t>(-1) ? errno : 0;
    const std::string_view made(with.out.data(), with.out.size() - room);
    with.line += static_cast<std::uint64_t>(std::ranges::count(made, '\n'));
    if (!made.empty()) {
      if (auto written = into_(made); !written) return written;
    }
    if (why == EILSEQ) {
      return failure(kind::data,
                     fmt::format("line {}: the text is not {}. Correct encoding in [source.format]",
                                 with.line, with.name));
    }
    if (why != E2BIG) break;  // all of it, but for a character that is not whole yet
  }
  pending_ = std::string(from, left);
  return {};
}

std::expected<void, transform_error> decoder::finish() {
  if (!begun_) {
    if (auto begun = begin(); !begun) return begun;
  }
  if (pending_.empty()) return {};
  return failure(kind::data, fmt::format("line {}: the text ends within a character of {}. Correct "
                                         "encoding in [source.format], or the report at its source",
                                         conversion_->line, conversion_->name));
}

}  // namespace wherry::app
