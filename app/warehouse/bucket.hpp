// SPDX-License-Identifier: Apache-2.0
#pragma once
// bucket: the few things that a load does in the sink's bucket, beside what the sink does: a
// manifest comes and goes, and an object is read back for PostgreSQL.

#include <expected>
#include <string>

#include "net/http_client.hpp"
#include "sink/s3_server.hpp"
#include "spec/spec.hpp"
#include "spool/spool.hpp"
#include "warehouse/load.hpp"
#include "wherry/csp/task.hpp"

namespace wherry::app {

/// Threads: any. Requires: what it is given outlives it.
class bucket {
 public:
  bucket(const sink& spec, http_client& client, aws_credentials& keys, spool& into);

  /// Makes a small object, or makes it again. Suspends: until it is there.
  task<std::expected<void, load_error>> put(std::string url, std::string bytes);

  /// Removes an object; one that is gone already is no error.
  task<std::expected<void, load_error>> remove(std::string url);

  /// Copies an object into the spool, unverified. Errors: vanished: it is not there; full.
  task<std::expected<spool_file, load_error>> fetch(std::string url, spool_key as);

 private:
  /// Says what an answer means that is no success.
  [[nodiscard]] load_error refused(const http_response& answer, const std::string& url) const;

  const sink& spec_;
  s3_server server_;
  spool& spool_;
};

}  // namespace wherry::app
