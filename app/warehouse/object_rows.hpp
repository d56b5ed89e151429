// SPDX-License-Identifier: Apache-2.0
#pragma once
// The rows of an object that lies in a file, as CSV, piece by piece and verified: for PostgreSQL,
// which is sent them.

#include <expected>
#include <filesystem>
#include <functional>
#include <string_view>

#include "spec/spec.hpp"
#include "warehouse/load.hpp"

namespace wherry::app {

/// How the object is made.
struct object_form {
  file_format format = file_format::csv;
  app::compression compression = app::compression::none;
  std::filesystem::path scratch;  ///< a file that may be made for the time being
};

/// Hands all rows to `each`, header first; only success says that they were right. `each` ends it
/// by false, which is no error. Blocks. Errors: vanished: the file is missing or not what was
/// uploaded; transient: it cannot be read.
[[nodiscard]] std::expected<void, load_error> read_rows(
    const load_item& of, const std::filesystem::path& object, const object_form& form,
    const std::function<bool(std::string_view)>& each);

}  // namespace wherry::app
