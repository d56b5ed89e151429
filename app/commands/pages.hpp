// SPDX-License-Identifier: Apache-2.0
#pragma once
// All machines that match, a page at a time: a store may hold more than fit in memory.

#include <expected>
#include <string>

#include "wherry/engine/store.hpp"

namespace wherry::app {

/// Calls `visit` with each machine that matches, in order of id. Errors: the store's.
template <class Visit>
std::expected<void, store_error> for_each_machine(store& where, const machine_filter& filter,
                                                  Visit visit) {
  constexpr std::size_t page = 1000;
  for (std::string after;;) {
    auto found = where.query(filter, page, after);
    if (!found) return std::unexpected(std::move(found.error()));
    if (found->empty()) return {};
    after = found->back().id;
    for (auto& each : *found) visit(each);
  }
}

}  // namespace wherry::app
