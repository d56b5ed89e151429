// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a report is put together from pages and parts. Pure. Internal to app/report.

#include <optional>
#include <string>
#include <string_view>

#include "report/states.hpp"
#include "spec/spec.hpp"

namespace wherry::app {

/// What {part} stands for: the values of the part under way, all of them if it is not split; empty:
/// the spec splits nothing.
[[nodiscard]] std::string part_text(const std::optional<report_split>& how, const collected& of);

/// The same with half of the part under way to be asked for, then its other half: what there is of
/// its pages is forgotten. Empty: it is but one value.
[[nodiscard]] std::optional<collected> halved(const report_split& how, collected of);

/// The same with the part under way complete.
[[nodiscard]] collected with_part_complete(collected of);

/// Cuts the lines up to the header off the later pages of CSV, and sees whether they are there: the
/// last of them has to be the same as on the first page.
class header_cutter {
 public:
  explicit header_cutter(const report_format& format);

  /// What is taken next are the pieces of another page.
  void begin_page();
  /// What of a page's next piece belongs to the whole.
  [[nodiscard]] std::string_view take(std::string_view piece);
  /// Whether the page that was taken begins otherwise than the first.
  [[nodiscard]] bool differs() const;

 private:
  const int lines_;  // that each page begins with
  int left_ = 0;     // of them, in this page
  bool is_first_ = false;
  std::optional<std::string> wanted_;  // the last of them
  std::string seen_;
};

}  // namespace wherry::app
