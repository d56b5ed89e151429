// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reading a spec file. Everything that can be known to be wrong without the network and without
// running SQL is found here, all of it at once, each mistake with its place and its remedy.
//
// 1. Either a spec that holds every promise of spec.hpp, or at least one mistake; never both.
// 2. No mistake holds a secret: values of secret keys stand as *** in source_line, and no message
//    quotes them or what an environment variable says.
// 3. rates, tables and the list of clients are made relative to the spec's directory, store and
// spool are left to the working directory.

#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/spec.hpp"

namespace wherry::app {

/// Says what is wrong in a spec, where, and what to write instead.
struct mistake {
  std::string file;
  int line = 0;     ///< from 1; 0: the file as a whole
  int column = 0;   ///< from 1, in code points
  std::string key;  ///< "source.limit.rate"; empty: none
  std::string message;
  std::string remedy;
  std::string source_line;  ///< the line, secrets masked; empty: not shown (as after 50)
  int caret = 0;            ///< from 1: where in source_line
};

/// Looks up a variable of the environment; empty if it is not set.
using environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Reads the environment of this process. Threads: not while another calls setenv.
[[nodiscard]] environment process_environment();

/// Reads and checks a spec file. Errors: every mistake in it, ordered by place; one without a line
/// if the file cannot be read or is over 1 MB.
[[nodiscard]] std::expected<spec, std::vector<mistake>> read_spec(const std::filesystem::path& file,
                                                                  const environment& variables);

/// Checks the text of a spec as if `file` held it. Errors: as read_spec.
[[nodiscard]] std::expected<spec, std::vector<mistake>> parse_spec(
    std::string_view text, const std::filesystem::path& file, const environment& variables);

/// Writes a mistake as compilers do, `ads.toml:12:3: message; remedy`, and below it the line and a
/// caret. Ends without a newline.
[[nodiscard]] std::string to_string(const mistake& wrong);

}  // namespace wherry::app
