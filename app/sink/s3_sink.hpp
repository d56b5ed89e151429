// SPDX-License-Identifier: Apache-2.0
#pragma once
// s3_sink: an object is one PUT, signed with the hash that the spool knows already, so that the
// bytes are read once and a server that checks them can refuse what changed on the way; one that is
// over `sink.multipart` goes up in parts (multipart.hpp). The hash is stored with the object
// (x-amz-meta-sha256): by it a later import knows its own bytes again.

#include "sink/s3_server.hpp"
#include "sink/sink.hpp"

namespace wherry::app {

class s3_sink final : public object_sink {
 public:
  s3_sink(const sink& spec, http_client& client, aws_credentials& keys, spool& from)
      : spec_(spec), spool_(from), server_(spec, client, keys) {}

  task<std::expected<stored_object, sink_error>> put(object_to_put what) override;
  task<std::expected<void, sink_error>> remove(client of, day on, object_role role) override;

 private:
  [[nodiscard]] std::expected<request_body, sink_error> body_of(const spool_file& file) const;
  [[nodiscard]] std::string type_of(object_role role) const;
  /// `sink.checksum` of the whole object, its bytes.
  [[nodiscard]] task<std::expected<std::string, sink_error>> whole_checksum(request_body body,
                                                                            spool_file file);
  [[nodiscard]] http_headers headers_of(const object_to_put& what) const;
  /// False: another object is there that is to stay.
  [[nodiscard]] task<std::expected<bool, sink_error>> put_whole(std::string url,
                                                                object_to_put what);
  /// The same in parts.
  [[nodiscard]] task<std::expected<bool, sink_error>> put_in_parts(std::string url,
                                                                   object_to_put what);

  const sink& spec_;
  spool& spool_;
  s3_server server_;
};

}  // namespace wherry::app
