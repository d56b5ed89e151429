// SPDX-License-Identifier: Apache-2.0
#include "commands/progress_line.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "commands/output.hpp"

namespace wherry::app {
namespace {

std::size_t terminal_width() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return known ? size.ws_col - 1u : 79u;
}

}  // namespace

progress_line::progress_line() : terminal_(::isatty(STDERR_FILENO) != 0) {}

std::chrono::milliseconds progress_line::pause() const {
  using namespace std::chrono_literals;
  if (terminal_) return 250ms;
  const auto so_far = std::chrono::duration_cast<std::chrono::milliseconds>(shown_ - started_);
  return std::clamp<std::chrono::milliseconds>(so_far / 10, 2s, 60s);
}

bool progress_line::is_time() const { return clock::now() - shown_ >= pause(); }

void progress_line::show(const std::string& text) {
  shown_ = clock::now();
  write_err(terminal_ ? "\r\x1b[K" + text : text + "\n");
}

void progress_line::show(const progress_view& view) { show(text_of(view)); }

void progress_line::finish(const progress_view& view) {
  show(view);
  end();
}

void progress_line::end() {
  if (terminal_) write_err("\n");
}

std::string progress_line::text_of(const progress_view& view) const {
  return terminal_ ? progress_bar(view, terminal_width()) : progress_text(view);
}

}  // namespace wherry::app
