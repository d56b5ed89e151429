// SPDX-License-Identifier: Apache-2.0
#pragma once
// multipart_upload: a large object in parts, several of them at once, each tried again by itself.
//
// 1. Whole or absent: nothing is at the key before the upload is completed.
// 2. Parts are sent from the spool file where they lie, each signed with its own hash; memory does
//    not grow with the object. What is completed is what the spool file's hash says.
// 3. However it ends without an object (an error, a time limit, a cancelled step, a lane that wants
//    its calls later), the upload is aborted before `put` ends, shielded from cancellation and with
//    a time limit of its own. So no parts are left, but by a process that is killed, or a server
//    that does not answer: there the bucket's lifecycle rule AbortIncompleteMultipartUpload helps.
// 4. Each request but the first is paid for, also one that is made again; those that abort are not:
//    what was begun must end.
// Source: AWS, "Uploading and copying objects using multipart upload".

#include <atomic>
#include <cstddef>
#include <expected>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sink/object_parts.hpp"
#include "sink/s3_server.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry::app {

/// What goes up.
struct large_object {
  std::string url;  ///< s3://bucket/key
  spool_file file;
  http_headers headers;         ///< of the object: its type, what is known of it
  std::function<task<>()> pay;  ///< object_to_put::pay
};

/// One upload. Requires: spec, server and spool outlive it; put is called once.
class multipart_upload {
 public:
  multipart_upload(const sink& spec, s3_server& server, const spool& from, large_object what)
      : spec_(spec), server_(server), spool_(from), what_(std::move(what)) {}

  /// Makes the object. False: another one is there that is to stay.
  /// Suspends: until it is durable, or until the parts are gone. Errors: sink_error; `cancelled`;
  /// what `pay` throws.
  [[nodiscard]] task<std::expected<bool, sink_error>> put();

 private:
  using answered = std::expected<http_response, sink_error>;

  [[nodiscard]] task<> pay();
  [[nodiscard]] task<answered> ask(s3_request what);
  [[nodiscard]] task<std::expected<bool, sink_error>> is_to_stay();
  [[nodiscard]] task<std::expected<void, sink_error>> begin();
  [[nodiscard]] task<std::expected<void, sink_error>> send_parts();
  [[nodiscard]] task<> send_some(scope* all);
  [[nodiscard]] task<std::expected<void, sink_error>> send_one(std::size_t index);
  [[nodiscard]] task<std::expected<bool, sink_error>> begin_and_complete();
  [[nodiscard]] task<std::expected<bool, sink_error>> complete();
  [[nodiscard]] task<std::string> abort();
  [[nodiscard]] std::string list_of_parts() const;
  [[nodiscard]] std::optional<sink_error> wrong_checksum(std::string_view answer) const;

  const sink& spec_;
  s3_server& server_;
  const spool& spool_;
  const large_object what_;
  std::string id_;                    // the server's name for the upload
  std::vector<object_part> parts_;    // by number - 1
  std::vector<std::string> etags_;    // of the parts that are sent; each written by one process
  std::atomic<std::size_t> next_{0};  // part that nobody sends yet
  std::mutex mutex_;
  std::optional<sink_error> error_;  // the first; under mutex_
};

}  // namespace wherry::app
