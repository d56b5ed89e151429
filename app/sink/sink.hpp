// SPDX-License-Identifier: Apache-2.0
#pragma once
// object_sink: makes the object of a report at its place, file:// or s3://, from a file of the
// spool.
//
// 1. An object is whole or absent, and durable when `put` returns: file:// by a temporary name,
//    fsync, rename, fsync of the directory; s3:// by one PUT, or a multipart upload.
// 2. What is stored is what the spool file's hash says, or nothing: damage on the way is `damaged`.
// 3. Putting the same object again does no harm; file:// leaves the same bytes as they are, s3://
//    does where it is told that they may be there.
// 4. No error holds a secret.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "aws/credentials.hpp"
#include "net/http_client.hpp"
#include "spec/day.hpp"
#include "spec/spec.hpp"
#include "spool/spool.hpp"
#include "wherry/csp/task.hpp"

namespace wherry::app {

/// What an object holds of its report.
enum class object_role {
  rows,
  rejected,  ///< rows that were put aside: plain CSV beside the object, as rejected_name says
};

/// What is to become an object.
struct object_to_put {
  client of;
  day on;
  spool_file file;
  object_role role = object_role::rows;
  std::string spec{};  ///< the version of the spec that made it, {spec} of `sink.url`
  /// Of the object beside which this one lies, {sha256} of `sink.url`; only of rejected rows.
  std::string rows_sha256{};
  /// The report was imported before: look whether these very bytes are there, and then upload
  /// nothing. Only what is found there counts, so an object that somebody removed comes back.
  bool may_be_there = false;
  /// Pays for each call of the other side but the first, before it is made; empty: they are free.
  /// May unwind (step_context::call).
  std::function<task<>()> pay{};
};

/// Says where an object is and what is in it; plain data for a machine's state.
struct stored_object {
  std::string url;  ///< file:///… or s3://bucket/key
  std::uint64_t size_bytes = 0;
  std::string sha256;
  bool unchanged = false;  ///< these bytes were there already: nothing was written
};

enum class sink_error_kind {
  transient,  ///< try again
  throttled,  ///< the lane waits; no attempt is spent
  permanent,  ///< somebody must change something first
  stopped,    ///< likewise, and for all reports alike: the lane stops, and no report dies of it
  damaged,    ///< the spool file is not what was written: go back a state
};

/// Says why there is no object. `message` names the place and the remedy.
struct sink_error {
  sink_error_kind kind;
  std::string message;
  std::optional<std::chrono::milliseconds> wait;  ///< where it is known
};

/// Threads: any.
class object_sink {
 public:
  virtual ~object_sink() = default;

  /// Makes an object of a report. Suspends: until it is durable. Errors: sink_error; `cancelled`.
  [[nodiscard]] virtual task<std::expected<stored_object, sink_error>> put(object_to_put what) = 0;

  /// Removes an object of a report that has no rows any more; one that is not there is no error.
  /// Suspends: until that is durable. Errors: sink_error; `cancelled`.
  [[nodiscard]] virtual task<std::expected<void, sink_error>> remove(client of, day on,
                                                                     object_role role) = 0;
};

/// Makes the sink that the spec asks for. Requires: all four outlive it; spec.url begins with
/// file:// or s3:// (read_spec has seen to that).
[[nodiscard]] std::unique_ptr<object_sink> make_sink(const sink& spec, http_client& client,
                                                     aws_credentials& keys, spool& from);

}  // namespace wherry::app
