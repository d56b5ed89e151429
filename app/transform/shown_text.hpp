// SPDX-License-Identifier: Apache-2.0
#pragma once
// What of an error may be shown. DuckDB quotes the SQL, where ${VARIABLE}s of the spec have been
// filled in, and values of the report, which may hold anything; errors end in a terminal and in the
// store. Pure.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "spec/spec.hpp"

namespace wherry::app {

/// Makes text one line that moves no terminal's cursor: line ends and tabs become a space, other
/// control characters (C0, DEL, C1) a "?".
[[nodiscard]] std::string plain_text(std::string_view text);

/// Keeps the values of variables out of errors.
class error_cover {
 public:
  explicit error_cover(const std::map<std::string, secret>& variables);

  /// Makes an error's message fit to be shown: plain; a value stands as its ${NAME}; a quoted piece
  /// that is a part of a value as ***. Values of one or two characters hide nothing: they would
  /// only garble the message.
  [[nodiscard]] std::string covered(std::string_view message) const;

 private:
  struct cover {
    std::string value;
    std::string name;  ///< "${NAME}"
  };
  std::vector<cover> covers_;  // the longest value first
};

}  // namespace wherry::app
