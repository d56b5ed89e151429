// SPDX-License-Identifier: Apache-2.0
#pragma once
// s3_sink: an object is one PUT, signed with the hash that the spool knows already, so that the
// bytes are read once and a server that checks them can refuse what changed on the way.

#include "sign/sigv4.hpp"
#include "sink/sink.hpp"

namespace wherry::app {

class s3_sink final : public object_sink {
 public:
  s3_sink(const sink& spec, http_client& client, spool& from);

  task<std::expected<stored_object, sink_error>> put(client of, day on, spool_file file) override;

 private:
  [[nodiscard]] std::expected<request_body, sink_error> body_of(const spool_file& file) const;

  const sink& spec_;
  http_client& client_;
  spool& spool_;
  sigv4_signer signer_;
};

}  // namespace wherry::app
