// SPDX-License-Identifier: Apache-2.0
#pragma once
// transfer: one request on its way, from the awaiting process to the transfer thread and back.
// Internal to app/net.
//
// Ownership: shared by the process that awaits `done` and the thread that works on it. The process
// touches `done` alone; all else belongs to the transfer thread from start to `finish`.

#include <array>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "net/body_decoder.hpp"
#include "net/http_client.hpp"
#include "wherry/csp/channel.hpp"

namespace wherry::app {

class transfer {
 public:
  using answer = std::expected<http_response, net_error>;

  explicit transfer(http_request request) : request_(std::move(request)) {}
  ~transfer();
  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;

  /// Sets all options of a freshly reset easy handle (CURL*). Errors: the request cannot be sent.
  [[nodiscard]] std::expected<void, net_error> prepare(void* easy);

  /// Makes the answer from libcurl's result (CURLcode) and puts it into `done`.
  void finish(int result);

  /// Ends without an answer: the client stops, or the awaiting process was cancelled.
  void stop();

  channel<answer> done{fixed{1}};
  void* easy = nullptr;  ///< CURL*, while the transfer thread works on it

  // What libcurl calls, through C functions.
  void on_no_socket(int error) noexcept;
  bool on_header(std::string_view line);
  bool on_body(std::string_view bytes);
  /// Fills `into` from the file that is the request's body; npos: cannot.
  std::size_t read_body(char* into, std::size_t room);
  bool rewind_body(std::uint64_t offset);

 private:
  /// Why on_body or read_body ended the transfer.
  enum class ending { none, enough, too_large, writer_failed, file };

  [[nodiscard]] std::expected<void, net_error> prepare_body();
  [[nodiscard]] std::expected<void, net_error> prepare_headers(bool has_body);
  void prepare_callbacks();
  bool deliver(std::string_view bytes);
  bool end(ending why) {
    ending_ = why;
    return false;
  }
  [[nodiscard]] answer judge(int result);
  [[nodiscard]] net_error own_error() const;
  [[nodiscard]] bool body_matters() const noexcept;
  [[nodiscard]] bool is_ended_by_close() const;
  bool spoil(net_error why);
  void release();

  http_request request_;
  http_response response_;
  ending ending_ = ending::none;
  std::unique_ptr<body_decoder> decoder_;
  bool is_encoded_ = false;
  bool has_body_ = false;
  void* header_list_ = nullptr;  // curl_slist*
  bool has_begun_ = false;       // the answer
  bool lacks_files_ = false;
  int file_ = -1;
  std::uint64_t file_offset_ = 0;
  std::array<char, 256> tls_detail_{};  // libcurl's error buffer
};

}  // namespace wherry::app
