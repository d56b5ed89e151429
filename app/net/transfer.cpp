// SPDX-License-Identifier: Apache-2.0
#include "net/transfer.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>

#include "net/net_error.hpp"
#include "net/origin.hpp"

namespace wherry::app {
namespace {

bool is_want_of_files(int error) noexcept { return error == EMFILE || error == ENFILE; }

// C to C++: no exception may cross libcurl. What can throw here is only want of memory.
std::size_t header_callback(char* data, std::size_t, std::size_t size, void* self) noexcept {
  return static_cast<transfer*>(self)->on_header({data, size}) ? size : 0;
}
std::size_t body_callback(char* data, std::size_t, std::size_t size, void* self) noexcept {
  return static_cast<transfer*>(self)->on_body({data, size}) ? size : 0;
}
std::size_t read_callback(char* data, std::size_t, std::size_t room, void* self) noexcept {
  const auto size = static_cast<transfer*>(self)->read_body(data, room);
  return size == std::string::npos ? CURL_READFUNC_ABORT : size;
}
int seek_callback(void* self, curl_off_t offset, int origin) noexcept {
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  return static_cast<transfer*>(self)->rewind_body(static_cast<std::uint64_t>(offset))
             ? CURL_SEEKFUNC_OK
             : CURL_SEEKFUNC_FAIL;
}

// libcurl does not tell why it got no socket.
curl_socket_t socket_callback(void* self, curlsocktype, curl_sockaddr* to) noexcept {
  const int made = ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
  if (made < 0) static_cast<transfer*>(self)->on_no_socket(errno);
  return made < 0 ? CURL_SOCKET_BAD : made;
}

// Nor why it got no address; the resolver opens files, too.
bool can_open_files() {
  const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (file >= 0) ::close(file);
  return file >= 0 || !is_want_of_files(errno);
}

bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : int{c}; };
    return lower(x) == lower(y);
  });
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Through one function, since the macro's type checks want a cast-free argument.
template <class Value>
void set(void* easy, CURLoption option, Value value) noexcept {
  curl_easy_setopt(easy, option, value);
}

constexpr long receive_buffer_bytes = 32 * 1024;

}  // namespace

std::string_view find_header(const http_headers& in, std::string_view name) noexcept {
  const auto found =
      std::ranges::find_if(in, [&](auto& each) { return same_name(each.first, name); });
  return found == in.end() ? std::string_view{} : std::string_view{found->second};
}

transfer::~transfer() { release(); }

void transfer::release() {
  curl_slist_free_all(static_cast<curl_slist*>(std::exchange(header_list_, nullptr)));
  if (file_ >= 0) ::close(std::exchange(file_, -1));
}

std::expected<void, net_error> transfer::prepare(void* handle) {
  easy = handle;
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2TLS});
  set(easy, CURLOPT_URL, request_.url.c_str());
  set(easy, CURLOPT_PATH_AS_IS, 1L);  // a signature covers the path as it stands
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request_.connect_timeout.count()));
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request_.timeout.count()));
  set(easy, CURLOPT_BUFFERSIZE, receive_buffer_bytes);
  static_assert(CURL_ERROR_SIZE <= std::tuple_size_v<decltype(tls_detail_)>);
  set(easy, CURLOPT_ERRORBUFFER, tls_detail_.data());
  prepare_callbacks();
  if (!request_.user.empty()) {
    set(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(easy, CURLOPT_USERNAME, request_.user.c_str());
    set(easy, CURLOPT_PASSWORD, request_.password.c_str());
  }
  if (request_.method == "HEAD") {
    set(easy, CURLOPT_NOBODY, 1L);
  } else {
    set(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request_.max_size_bytes));
  }
  if (auto ready = prepare_body(); !ready) return ready;
  if (request_.method != "GET" && request_.method != "HEAD") {
    set(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
  return prepare_headers(!std::holds_alternative<std::monostate>(request_.body));
}

void transfer::prepare_callbacks() {
  set(easy, CURLOPT_HEADERFUNCTION, &header_callback);
  set(easy, CURLOPT_HEADERDATA, this);
  set(easy, CURLOPT_WRITEFUNCTION, &body_callback);
  set(easy, CURLOPT_WRITEDATA, this);
  set(easy, CURLOPT_OPENSOCKETFUNCTION, &socket_callback);
  set(easy, CURLOPT_OPENSOCKETDATA, this);
}

std::expected<void, net_error> transfer::prepare_body() {
  if (const auto* bytes = std::get_if<std::shared_ptr<const std::string>>(&request_.body)) {
    // As POST fields, whatever the method: libcurl then sends headers and a small body in one go.
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>((*bytes)->size()));
    set(easy, CURLOPT_POSTFIELDS, (*bytes)->c_str());
  } else if (const auto* file = std::get_if<file_body>(&request_.body)) {
    file_ = ::open(file->path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_ < 0 && (is_want_of_files(errno))) {
      return std::unexpected(too_many_files(fmt::format("cannot read {}", file->path.native())));
    }
    if (file_ < 0) {
      return std::unexpected(net_error{net_error_kind::local_io,
                                       fmt::format("cannot read {}: {}", file->path.native(),
                                                   std::generic_category().message(errno)),
                                       false});
    }
    set(easy, CURLOPT_UPLOAD, 1L);
    set(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(file->size_bytes));
    set(easy, CURLOPT_READFUNCTION, &read_callback);
    set(easy, CURLOPT_READDATA, this);
    set(easy, CURLOPT_SEEKFUNCTION, &seek_callback);
    set(easy, CURLOPT_SEEKDATA, this);
  }
  return {};
}

std::expected<void, net_error> transfer::prepare_headers(bool has_body) {
  curl_slist* list = nullptr;
  const auto add = [&](const char* line) { list = curl_slist_append(list, line); };
  bool has_type = false, has_agent = false;
  for (const auto& [name, value] : request_.headers) {
    if ((name + value).find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos) {
      curl_slist_free_all(list);
      return std::unexpected(
          net_error{net_error_kind::bad_request,
                    fmt::format("a header for {} holds a line break; check the value it comes from",
                                place_of(request_.url)),
                    false});
    }
    has_type = has_type || same_name(name, "content-type");
    has_agent = has_agent || same_name(name, "user-agent");
    add((value.empty() ? name + ";" : name + ": " + value).c_str());
  }
  if (request_.accept_compressed) add("Accept-Encoding: gzip, zstd");
  if (has_body) {
    add("Expect:");  // no round trip before the body
    if (!has_type) add("Content-Type:");
  }
  if (!has_agent) add("User-Agent: wherry");
  header_list_ = list;
  set(easy, CURLOPT_HTTPHEADER, list);
  return {};
}

void transfer::on_no_socket(int error) noexcept { lacks_files_ = is_want_of_files(error); }

bool transfer::on_header(std::string_view line) {
  if (!has_begun_) {
    has_begun_ = true;
    set(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request_.stall_timeout.count()));
  }
  if (line.starts_with("HTTP/")) {  // also after a 100 Continue: the last one counts
    const auto space = std::min(line.find(' '), line.size() - 1);
    response_.status = 0;
    std::from_chars(line.data() + space + 1, line.data() + line.size(), response_.status);
    response_.headers.clear();
    return true;
  }
  const auto colon = line.find(':');
  if (colon != line.npos) {
    response_.headers.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
    return true;
  }
  if (!trimmed(line).empty() || response_.status < 200 || is_encoded_) return true;
  const auto encoding = find_header(response_.headers, "content-encoding");
  is_encoded_ = !encoding.empty() && !same_name(encoding, "identity");
  if (is_encoded_) decoder_ = make_body_decoder(encoding);
  return true;
}

// Where it does not, the status alone says what the answer means.
bool transfer::body_matters() const noexcept {
  return response_.status >= 200 && response_.status < 300;
}

// Ends the transfer: the rest of the body is of no use.
bool transfer::spoil(net_error why) {
  response_.body_fault = std::move(why);
  return end(ending::enough);
}

bool transfer::on_body(std::string_view bytes) {
  has_body_ = true;
  if (!is_encoded_) return deliver(bytes);
  const auto place = place_of(request_.url);
  if (decoder_ == nullptr) {
    return spoil({net_error_kind::protocol,
                  fmt::format("{} answered in a Content-Encoding that it was not asked for (known: "
                              "gzip, zstd)",
                              place),
                  false});
  }
  const auto outcome =
      decoder_->decode(bytes, [this](std::string_view decoded) { return deliver(decoded); });
  if (outcome != body_decoder::outcome::corrupt) return outcome == body_decoder::outcome::ok;
  return spoil({net_error_kind::protocol,
                fmt::format("{} sent a compressed body that does not decompress", place), true});
}

bool transfer::deliver(std::string_view bytes) {
  if (bytes.size() > request_.max_size_bytes - response_.body_size_bytes) {
    return end(ending::too_large);
  }
  response_.body_size_bytes += bytes.size();
  if (request_.into == nullptr) {
    response_.body.append(bytes);
    return true;
  }
  switch (request_.into->write(response_.status, bytes)) {
    case body_writer::verdict::more: return true;
    case body_writer::verdict::enough: return end(ending::enough);
    case body_writer::verdict::failed: break;
  }
  return end(ending::writer_failed);
}

std::size_t transfer::read_body(char* into, std::size_t room) {
  const auto& body = std::get<file_body>(request_.body);
  const auto wanted = std::min<std::uint64_t>(room, body.size_bytes - file_offset_);
  if (wanted == 0) return 0;
  const auto size =
      ::pread(file_, into, wanted, static_cast<off_t>(body.begin_bytes + file_offset_));
  if (size <= 0) {  // an error, or a file that became shorter
    end(ending::file);
    return std::string::npos;
  }
  file_offset_ += static_cast<std::uint64_t>(size);
  return static_cast<std::size_t>(size);
}

bool transfer::rewind_body(std::uint64_t offset) {
  file_offset_ = offset;
  return offset <= std::get<file_body>(request_.body).size_bytes;
}

net_error transfer::own_error() const {
  const auto place = place_of(request_.url);
  switch (ending_) {
    case ending::writer_failed:
      return {net_error_kind::local_io,
              fmt::format("the answer of {} could not be written down", place), true};
    case ending::file:
      return {net_error_kind::local_io,
              fmt::format("{} changed or could not be read while it was sent to {}",
                          std::get<file_body>(request_.body).path.native(), place),
              false};
    default: return explain({.request = request_, .result = CURLE_FILESIZE_EXCEEDED});
  }
}

// RFC 9112 6.3; HTTP/2 frames every body.
bool transfer::is_ended_by_close() const {
  long version = CURL_HTTP_VERSION_NONE;
  curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
  return has_body_ && decoder_ == nullptr && version < CURL_HTTP_VERSION_2_0 &&
         find_header(response_.headers, "content-length").empty() &&
         find_header(response_.headers, "transfer-encoding").empty();
}

transfer::answer transfer::judge(int result) {
  if (ending_ != ending::none && ending_ != ending::enough) return std::unexpected(own_error());
  if (result != CURLE_OK && ending_ == ending::none) {
    long system_error = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &system_error);
    return std::unexpected(explain(
        {.request = request_,
         .result = result,
         .system_error = static_cast<int>(system_error),
         .lacks_files = lacks_files_ || (result == CURLE_COULDNT_RESOLVE_HOST && !can_open_files()),
         .tls_detail = tls_detail_.data()}));
  }
  if (ending_ == ending::none && has_body_ && decoder_ && !decoder_->is_complete()) {
    response_.body_fault = explain({.request = request_, .result = CURLE_PARTIAL_FILE});
  }
  if (response_.body_fault && body_matters()) return std::unexpected(*response_.body_fault);
  response_.ended_by_close = is_ended_by_close();
  curl_off_t first_byte = 0, total = 0;
  curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
  curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &total);
  response_.first_byte_after = std::chrono::microseconds{first_byte};
  response_.total = std::chrono::microseconds{total};
  if (response_.status >= 300 && response_.status < 400) {
    // Not CURLINFO_REDIRECT_URL: libcurl leaves it empty when a writer had enough of the body.
    const auto location = find_header(response_.headers, "location");
    if (!location.empty())
      response_.redirect_url = resolve_url(request_.url, std::string{location});
  }
  return std::move(response_);
}

void transfer::finish(int result) {
  auto answer = judge(result);
  release();
  done.offer(std::move(answer));
}

void transfer::stop() {
  release();
  done.offer(std::unexpected(
      net_error{net_error_kind::stopped,
                fmt::format("the exchange with {} was stopped", place_of(request_.url)), true}));
}

}  // namespace wherry::app
