// SPDX-License-Identifier: Apache-2.0
#include "net/net_error.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <system_error>

#include "net/origin.hpp"

namespace wherry::app {
namespace {

using kind = net_error_kind;

std::string seconds(std::chrono::milliseconds time) {
  return fmt::format("{:.3g} s", static_cast<double>(time.count()) / 1000.0);
}

net_error timed_out(const failed_transfer& what, const std::string& place) {
  return {
      kind::timeout,
      fmt::format("{} took too long (limits: {} to connect, {} for the whole answer, {} without a "
                  "byte once it has begun); if it is always that slow, raise the timeout",
                  place, seconds(what.request.connect_timeout), seconds(what.request.timeout),
                  seconds(what.request.stall_timeout)),
      true};
}

net_error not_connected(const failed_transfer& what, const std::string& place) {
  const auto why = what.system_error == 0 ? std::string{"no connection"}
                                          : std::generic_category().message(what.system_error);
  return {kind::connect,
          fmt::format("cannot connect to {}: {}; check the host and port of the url, and that the "
                      "network lets you there",
                      place, why),
          true};
}

net_error bad_certificate(const failed_transfer& what, const std::string& place) {
  const std::string_view detail = what.tls_detail.empty()
                                      ? curl_easy_strerror(static_cast<CURLcode>(what.result))
                                      : what.tls_detail;
  return {kind::tls,
          fmt::format("cannot talk securely to {}: {}; check that the url names the right host and "
                      "that its certificate is valid and trusted here",
                      place, detail),
          what.result == CURLE_SSL_CONNECT_ERROR};
}

net_error no_http(const failed_transfer& what, const std::string& place) {
  return {kind::protocol,
          fmt::format("the exchange with {} failed: {}; check that an HTTP server listens there",
                      place, curl_easy_strerror(static_cast<CURLcode>(what.result))),
          true};
}

}  // namespace

net_error too_many_files(std::string_view what) {
  return {kind::exhausted,
          fmt::format("{}: too many open files: raise `ulimit -n` or lower `in_flight`", what),
          true};
}

net_error explain(const failed_transfer& what) {
  const auto place = place_of(what.request.url);
  if (what.lacks_files) return too_many_files(fmt::format("cannot connect to {}", place));
  switch (static_cast<CURLcode>(what.result)) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:  // also libcurl's word for an answer that is not HTTP
      if (parse_origin(what.request.url)) return no_http(what, place);
      return {kind::bad_request, "the url is not one of http or https; check its spelling", false};
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {kind::resolve,
              fmt::format("no address is known for the host of {}; check the spelling of the host, "
                          "and the name server",
                          place),
              true};
    case CURLE_COULDNT_CONNECT: return not_connected(what, place);
    case CURLE_OPERATION_TIMEDOUT: return timed_out(what, place);
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2_STREAM:
      return {kind::truncated,
              fmt::format("{} ended the connection before the answer was whole", place), true};
    case CURLE_FILESIZE_EXCEEDED:
      return {
          kind::too_large,
          fmt::format("the answer of {} is larger than the limit of {} bytes; ask for a smaller "
                      "report, or raise the limit",
                      place, what.request.max_size_bytes),
          false};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR: return bad_certificate(what, place);
    default: return no_http(what, place);
  }
}

}  // namespace wherry::app
