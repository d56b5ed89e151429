// SPDX-License-Identifier: Apache-2.0
#pragma once
// From libcurl's result codes to errors that a person can act on. Internal to app/net.

#include <string_view>

#include "net/http_client.hpp"

namespace wherry::app {

/// What is known about a transfer that libcurl ended with an error.
struct failed_transfer {
  const http_request& request;    ///< for its URL, timeouts and size limit
  int result = 0;                 ///< CURLcode
  int system_error = 0;           ///< errno of the connection; 0: none
  bool lacks_files = false;       ///< this process could open no socket
  std::string_view tls_detail{};  ///< libcurl's words about a certificate or handshake
};

/// What cannot be done for want of file descriptors, with the remedy.
[[nodiscard]] net_error too_many_files(std::string_view what);

/// Says which of the client's errors it is, with place and remedy.
[[nodiscard]] net_error explain(const failed_transfer& what);

}  // namespace wherry::app
