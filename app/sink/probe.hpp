// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether objects can be written where `sink.url` says, tried without leaving one: for `wherry
// check --probe`, before an import has begun.
//
// 1. No object comes to be. S3: a multipart upload is begun beside the first report's key and
//    aborted at once. S3 asks for the same permission as a PUT, s3:PutObject on keys like the
//    import's, and nothing else: a HEAD of the bucket would ask for s3:ListBucket, which an import
//    needs not have, and a PUT of a small object would need s3:DeleteObject to be undone.
//    Source: AWS, "CreateMultipartUpload", "Permissions".
// 2. Files: a file of no name of ours is made and removed in the deepest directory of the way that
//    is there already; none is made.
// 3. No text holds a secret.

#include <expected>
#include <string>

#include "aws/credentials.hpp"
#include "net/http_client.hpp"
#include "spec/day.hpp"
#include "spec/spec.hpp"
#include "wherry/csp/task.hpp"

namespace wherry::app {

/// Tries to write where the object of that client and day goes; says what was tried and what came
/// of it. Requires: the first three outlive it. Suspends: until it is known. Errors: the same, with
/// the remedy; `cancelled`.
[[nodiscard]] task<std::expected<std::string, std::string>> probe_sink(const sink& spec,
                                                                       http_client& client,
                                                                       aws_credentials& keys,
                                                                       app::client of, day on);

}  // namespace wherry::app
