// SPDX-License-Identifier: Apache-2.0
#include "behaviours.hpp"

namespace example {

std::vector<std::unique_ptr<behaviour>> make_behaviours(front& shared) {
  std::vector<std::unique_ptr<behaviour>> all;
  for (const auto make : {make_sync_quota, make_error_quota, make_run_id, make_duplicate,
                          make_error_code, make_slots, make_expiring}) {
    all.push_back(make(shared));
  }
  return all;
}

}  // namespace example
