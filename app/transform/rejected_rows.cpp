// SPDX-License-Identifier: Apache-2.0
#include "transform/rejected_rows.hpp"

#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "transform/csv_writer.hpp"
#include "transform/shown_text.hpp"

namespace wherry::app {
namespace {

using kind = transform_error::kind;

constexpr std::size_t shown = 3;
constexpr std::size_t block_size_bytes = 1u << 20;

bool is_too_many(std::uint64_t bad, std::uint64_t good, const quarantine& allowed) {
  if (allowed.rows > 0) return bad > static_cast<std::uint64_t>(allowed.rows);
  const auto most = std::floor(allowed.share * static_cast<double>(bad + good));
  return static_cast<double>(bad) > most;
}

std::string text_of(const quarantine& allowed) {
  return allowed.rows > 0 ? fmt::format("{}", allowed.rows)
                          : fmt::format("{:g}%", allowed.share * 100);
}

}  // namespace

rejected_rows::rejected_rows(std::string path, std::string_view place_word)
    : path_(std::move(path)), place_word_(place_word) {}

void rejected_rows::add(const row_sieve::bad_row& row) {
  if (count_++ == 0) text_ = fmt::format("{},reason,text\n", place_word_);
  if (first_.size() < shown) {
    first_.push_back(fmt::format("{} {}, {}", place_word_, row.place, plain_text(row.reason)));
  }
  if (path_.empty() || error_) return;
  append_unsigned(text_, row.place);
  text_ += ',';
  append_text(text_, row.reason);
  text_ += ',';
  append_text(text_, row.text);
  text_ += '\n';
  if (text_.size() >= block_size_bytes) write();
}

void rejected_rows::write() {
  if (!file_) {
    auto made = output_file::create(path_);
    if (!made) {
      error_ = std::move(made.error());
      return;
    }
    file_.emplace(std::move(*made));
  }
  if (auto written = file_->write(text_); !written) error_ = std::move(written.error());
  text_.clear();
}

std::expected<void, transform_error> rejected_rows::finish(std::uint64_t good,
                                                           const quarantine& allowed) {
  if (count_ == 0) return {};
  if (is_too_many(count_, good, allowed)) {
    return failure(kind::data,
                   fmt::format("{} of {} rows cannot be read, and bad_rows in [transform] allows "
                               "{}: {}{}. Correct the report at its source, the types in [source] "
                               "columns, or quarantine",
                               count_, count_ + good, text_of(allowed), fmt::join(first_, "; "),
                               count_ > shown ? "; …" : ""));
  }
  if (path_.empty()) return {};
  if (!error_) write();
  if (error_) return std::unexpected(*error_);
  if (auto kept = file_->keep(); !kept) return std::unexpected(std::move(kept.error()));
  return {};
}

}  // namespace wherry::app
