// SPDX-License-Identifier: Apache-2.0
#pragma once
// The keys of a sink as its spec has them, without a look at the machine that runs the test.

#include "aws/credentials.hpp"
#include "spec/spec.hpp"

namespace wherry::app::testing {

/// Requires: the sink outlives it.
inline aws_credentials::finder keys_in(const sink& of) {
  return [&of] {
    return aws_setup{{"the test", aws_keys{of.access_key, of.secret_key, of.session_token}},
                     of.region.empty() ? "us-east-1" : of.region,
                     ""};
  };
}

}  // namespace wherry::app::testing
