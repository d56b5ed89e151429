// SPDX-License-Identifier: Apache-2.0
#include "warehouse/connection.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace wherry::app {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t longest_message = 1'000;
// What the server does not notice to be over is ended from here, a little later.
constexpr std::chrono::seconds patience{10};
constexpr std::chrono::seconds to_connect{15};

struct end_connection {
  void operator()(PGconn* of) const noexcept { PQfinish(of); }
};
struct end_options {
  void operator()(PQconninfoOption* of) const noexcept { PQconninfoFree(of); }
};
struct end_result {
  void operator()(PGresult* of) const noexcept { PQclear(of); }
};
using result_of_query = std::unique_ptr<PGresult, end_result>;

void ignore_notice(void*, const PGresult*) {}

// One line, of bounded length.
std::string in_one_line(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, longest_message)) {
    const bool is_control = static_cast<unsigned char>(c) < 0x20;
    if (!is_control) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

// A descriptor that becomes readable when somebody asks to stop.
class wake_up {
 public:
  explicit wake_up(const std::stop_token& by)
      : stop(by),
        descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        on_stop_(std::in_place, stop, signal{descriptor_}) {}
  ~wake_up() {
    on_stop_.reset();
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  wake_up(const wake_up&) = delete;
  wake_up& operator=(const wake_up&) = delete;
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  const std::stop_token stop;

 private:
  struct signal {
    int to;
    void operator()() const noexcept {
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto written = ::write(to, &one, sizeof one);  // can only be full
    }
  };
  const int descriptor_;
  std::optional<std::stop_callback<signal>> on_stop_;
};

}  // namespace

struct database_connection::body {
  body(PGconn* made, std::chrono::milliseconds limit)
      : connection(made), ends(clock::now() + limit + patience) {}

  /// Waits for the socket; false: it is over.
  bool wait(short events, clock::time_point until) {
    for (;;) {
      if (wake && wake->stop.stop_requested()) return false;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()).count();
      if (left <= 0) return false;
      std::array<pollfd, 2> both{
          {{PQsocket(connection.get()), events, 0}, {wake ? wake->descriptor() : -1, POLLIN, 0}}};
      const int ready =
          ::poll(both.data(), both.size(), static_cast<int>(std::min<long>(left, 60'000)));
      if (ready < 0 && errno != EINTR) return false;
      if (ready > 0 && both[0].revents != 0) return true;
    }
  }
  bool wait(short events) { return wait(events, ends); }

  [[nodiscard]] database_error over() const {
    return {"", wake && wake->stop.stop_requested()
                    ? "interrupted"
                    : "the server did not answer in time (`warehouse.timeout`)"};
  }

  [[nodiscard]] std::string without_password(std::string_view text) const {
    auto line = in_one_line(text);
    const char* const password = PQpass(connection.get());
    const std::string_view secret = password == nullptr ? "" : password;
    for (auto at = line.find(secret); !secret.empty() && at != line.npos; at = line.find(secret)) {
      line.replace(at, secret.size(), "***");
    }
    return line;
  }

  [[nodiscard]] database_error lost() const {
    return {"", without_password(PQerrorMessage(connection.get()))};
  }

  [[nodiscard]] database_error error_of(const PGresult* from) const {
    const auto field = [&](int code) -> std::string_view {
      const char* const text = PQresultErrorField(from, code);
      return text == nullptr ? "" : text;
    };
    const auto primary = field(PG_DIAG_MESSAGE_PRIMARY);
    if (primary.empty() || PQstatus(connection.get()) == CONNECTION_BAD) {
      const auto state = field(PG_DIAG_SQLSTATE);
      auto error = lost();
      if (!primary.empty()) error = {std::string{state}, without_password(primary)};
      return error;
    }
    std::string text{primary};
    for (const int more : {PG_DIAG_MESSAGE_DETAIL, PG_DIAG_CONTEXT}) {
      if (!field(more).empty()) text += fmt::format(" ({})", field(more));
    }
    return {std::string{field(PG_DIAG_SQLSTATE)}, without_password(text)};
  }

  std::expected<void, database_error> flush() {
    for (;;) {
      const int left = PQflush(connection.get());
      if (left == 0) return {};
      if (left < 0) return std::unexpected(lost());
      // The server may want to say something before it reads on.
      if (!wait(POLLOUT | POLLIN)) return std::unexpected(over());
      if (PQconsumeInput(connection.get()) == 0) return std::unexpected(lost());
    }
  }

  /// The next result of what was sent; null: that was all.
  std::expected<result_of_query, database_error> next() {
    while (PQisBusy(connection.get()) != 0) {
      if (!wait(POLLIN)) return std::unexpected(over());
      if (PQconsumeInput(connection.get()) == 0) return std::unexpected(lost());
    }
    return result_of_query{PQgetResult(connection.get())};
  }

  /// All results to the last; the first error of them.
  std::expected<database_rows, database_error> rest();
  std::expected<void, database_error> send(const std::string& sql);

  std::unique_ptr<PGconn, end_connection> connection;
  const clock::time_point ends;
  std::optional<wake_up> wake;
};

std::expected<void, database_error> database_connection::body::send(const std::string& sql) {
  if (PQsendQuery(connection.get(), sql.c_str()) == 0) return std::unexpected(lost());
  return flush();
}

std::expected<database_rows, database_error> database_connection::body::rest() {
  database_rows rows;
  std::optional<database_error> wrong;
  for (;;) {
    auto got = next();
    if (!got) return std::unexpected(std::move(got.error()));
    if (*got == nullptr) break;
    const auto* const result = got->get();
    const auto status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK) {
      for (int row = 0; row < PQntuples(result); ++row) {
        auto& made = rows.emplace_back();
        for (int column = 0; column < PQnfields(result); ++column) {
          made.emplace_back(PQgetvalue(result, row, column));
        }
      }
    } else if (status != PGRES_COMMAND_OK && !wrong) {
      wrong = error_of(result);
    }
    if (PQstatus(connection.get()) == CONNECTION_BAD && !wrong) wrong = lost();
  }
  if (wrong) return std::unexpected(*std::move(wrong));
  return rows;
}

std::string_view state_of_refusal(std::string_view message) {
  const auto says = [&](std::string_view part) { return message.contains(part); };
  if (says("authentication failed") || says("no password supplied") || says("no pg_hba.conf") ||
      (says("role \"") && says("does not exist"))) {
    return "28000";
  }
  if (says("database \"") && says("does not exist")) return "3D000";
  if (says("too many")) return "53300";
  if (says("is starting up") || says("is shutting down")) return "57P03";
  if (says("invalid ") || says("unrecognized ") || says("missing \"=\"")) return "28000";
  return "";
}

std::expected<database_connection, database_error> database_connection::open(
    const secret& url, std::chrono::milliseconds time_limit, const std::stop_token& stop) {
  // What libpq says of an address that it cannot take apart quotes it.
  if (!std::unique_ptr<PQconninfoOption, end_options>{
          PQconninfoParse(url.reveal.c_str(), nullptr)}) {
    return std::unexpected(database_error{
        "28000",
        "libpq cannot take the address apart: percent-encode what user and password have "
        "besides letters and digits, and see that its parameters are libpq's"});
  }
  const std::array<const char*, 4> names{"dbname", "application_name", "client_encoding", nullptr};
  const std::array<const char*, 4> values{url.reveal.c_str(), "wherry", "UTF8", nullptr};
  auto made =
      std::make_unique<body>(PQconnectStartParams(names.data(), values.data(), 1), time_limit);
  made->wake.emplace(stop);
  auto* const connection = made->connection.get();
  if (connection == nullptr) return std::unexpected(database_error{"53200", "no memory for it"});
  PQsetNoticeReceiver(connection, ignore_notice, nullptr);
  const auto until = std::min(made->ends, clock::now() + to_connect);
  auto next = PQstatus(connection) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED) {
      auto wrong = made->lost();
      wrong.state = state_of_refusal(wrong.message);
      return std::unexpected(std::move(wrong));
    }
    if (!made->wait(next == PGRES_POLLING_READING ? POLLIN : POLLOUT, until)) {
      return std::unexpected(made->over());
    }
    next = PQconnectPoll(connection);
  }
  PQsetnonblocking(connection, 1);
  return database_connection(std::move(made));
}

void database_connection::listen(const std::stop_token& stop) { body_->wake.emplace(stop); }

std::expected<database_rows, database_error> database_connection::run(const std::string& sql) {
  if (auto sent = body_->send(sql); !sent) return std::unexpected(std::move(sent.error()));
  return body_->rest();
}

std::expected<void, database_error> database_connection::copy(const std::string& sql,
                                                              const feeder& feed) {
  auto& self = *body_;
  auto* const connection = self.connection.get();
  if (auto sent = self.send(sql); !sent) return sent;
  auto begun = self.next();
  if (!begun) return std::unexpected(std::move(begun.error()));
  if (PQresultStatus(begun->get()) != PGRES_COPY_IN) {
    auto wrong = self.error_of(begun->get());
    auto ended = self.rest();
    return std::unexpected(std::move(wrong));
  }
  std::optional<database_error> wrong;
  const bool is_whole = feed([&](std::string_view bytes) {
    constexpr std::size_t at_once = 1 << 20;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(at_once, bytes.size()))) {
      const auto some = bytes.substr(0, at_once);
      if (PQputCopyData(connection, some.data(), static_cast<int>(some.size())) < 0) {
        wrong = self.lost();
        return false;
      }
      if (auto sent = self.flush(); !sent) {
        wrong = std::move(sent.error());
        return false;
      }
    }
    return true;
  });
  if (wrong) return std::unexpected(*std::move(wrong));
  if (PQputCopyEnd(connection, is_whole ? nullptr : "the object is not what was uploaded") < 0) {
    return std::unexpected(self.lost());
  }
  if (auto sent = self.flush(); !sent) return sent;
  auto ended = self.rest();
  if (!ended) return std::unexpected(std::move(ended.error()));
  return {};
}

database_connection::database_connection(std::unique_ptr<body> opened) : body_(std::move(opened)) {}
database_connection::database_connection(database_connection&&) noexcept = default;
database_connection& database_connection::operator=(database_connection&&) noexcept = default;
database_connection::~database_connection() = default;

}  // namespace wherry::app
