// SPDX-License-Identifier: Apache-2.0
#include "commands/output.hpp"

#include <cstdio>

namespace wherry::app {

void write_out(std::string_view text) noexcept { std::fwrite(text.data(), 1, text.size(), stdout); }

void write_err(std::string_view text) noexcept { std::fwrite(text.data(), 1, text.size(), stderr); }

bool flush_out() noexcept { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

void complain(const std::string& text) { tell("wherry: {}\n", text); }

}  // namespace wherry::app
