// SPDX-License-Identifier: Apache-2.0
#pragma once
// What may be wrong with clients, wherever they are written: in the spec, or in a list elsewhere.
// Pure.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "spec/spec.hpp"
#include "spec/template.hpp"

namespace wherry::app {

/// Says what each field of a client cannot be, and what to write. Empty: it is one.
[[nodiscard]] std::vector<std::string> mistakes_in(const client& one);

/// A client that lacks what an address, a body or a lane asks for.
struct unfit_client {
  std::size_t client;
  std::string asker;  ///< "the url of [sink]"
  template_error why;
};

/// Finds all of them; clients without an id are passed over.
[[nodiscard]] std::vector<unfit_client> unfit_clients(const spec& whole);

/// Finds two clients that would get the same object.
[[nodiscard]] std::optional<std::pair<std::size_t, std::size_t>> same_object(const spec& whole);

}  // namespace wherry::app
