// SPDX-License-Identifier: Apache-2.0
#pragma once
// The pages of a report: what asks for the next one, and which is the last. Pure. Internal to
// app/source.

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_client.hpp"
#include "spec/spec.hpp"
#include "spec/template.hpp"

namespace wherry::app {

/// The most that a page may hold, for it is looked at as a whole.
inline constexpr std::size_t page_size_limit = 64u << 20;

struct page_answer {
  const http_headers& headers;
  std::string_view body;  ///< all of it
};

/// What asks for the page after one: an address, which may be relative, a cursor, a number; empty:
/// that was the last.
/// `asked_by`: what asked for that one, empty for the first. Errors: what is wrong, for people.
[[nodiscard]] std::expected<std::string, std::string> next_page(const report_pages& how,
                                                                const report_format& format,
                                                                const page_answer& answer,
                                                                std::string_view asked_by);

/// The link without the parameters of its query that are secrets: `access_token` (RFC 6750, 2.3),
/// and what the credentials put there. Links are stored, and requests are signed anew.
[[nodiscard]] std::string without_secrets(std::string_view link, const source& spec);

/// Whether a page begins as one that is packed, or UTF-16: rows of such cannot be counted, nor
/// pages put together.
[[nodiscard]] bool is_packed(std::string_view body);

/// What {cursor}, {offset}, {page} and {size} stand for in the request that is asked for by that.
[[nodiscard]] template_values page_values(const report_pages& how, std::string_view asked_by);

/// Counts the rows of a page. JSON: of the array at `format.rows`; empty: there is none.
[[nodiscard]] std::optional<std::size_t> count_rows(const report_format& format,
                                                    std::string_view body);

}  // namespace wherry::app
