// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where progress is shown: one line that redraws itself if stderr is a terminal; otherwise plain
// lines, fewer and fewer the longer it takes. Threads: one at a time.

#include <chrono>
#include <string>

#include "commands/progress.hpp"

namespace wherry::app {

class progress_line {
 public:
  progress_line();

  /// How long to wait before the next `show`.
  [[nodiscard]] std::chrono::milliseconds pause() const;
  /// Whether it is that long since the last one.
  [[nodiscard]] bool is_time() const;
  void show(const std::string& text);
  void show(const progress_view& view);
  /// The last one, which stays.
  void finish(const progress_view& view);
  /// What was shown last stays.
  void end();

 private:
  using clock = std::chrono::steady_clock;
  [[nodiscard]] std::string text_of(const progress_view& view) const;

  bool terminal_;
  clock::time_point started_ = clock::now();
  clock::time_point shown_ = started_;
};

}  // namespace wherry::app
