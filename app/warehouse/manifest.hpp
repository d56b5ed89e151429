// SPDX-License-Identifier: Apache-2.0
#pragma once
// The manifest of a load: which objects Redshift's COPY reads, each with its size and none of them
// optional, so that an object that is missing or cut is an error and never fewer rows. Pure.
// Source: AWS, "Using a manifest to specify data files".

#include <span>
#include <string>

#include "warehouse/load.hpp"

namespace wherry::app {

struct load_manifest {
  std::string text;  ///< JSON
  std::string name;  ///< SHA-256 of the text, hex
};

/// Lists the objects of those reports that have rows. The same reports make the same manifest.
[[nodiscard]] load_manifest manifest_of(std::span<const load_item> reports);

/// Whether any of them has rows: if not, there is nothing to copy.
[[nodiscard]] bool has_rows(std::span<const load_item> reports);

/// Where a manifest of that name lies, in the bucket of the sink's address.
[[nodiscard]] std::string manifest_url(std::string_view sink_url, std::string_view name);

}  // namespace wherry::app
