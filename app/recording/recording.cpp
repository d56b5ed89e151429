// SPDX-License-Identifier: Apache-2.0
#include "recording/recording.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "spec/words.hpp"

namespace wherry::app {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view head_name = "recording.txt";
constexpr std::string_view first_line = "wherry recording 1";
constexpr std::string_view began = "begun ";
constexpr std::string_view exchange_ending = ".http";
constexpr std::string_view body_ending = ".body";

std::unexpected<std::string> wrong(const fs::path& where, std::string_view what,
                                   std::string_view remedy) {
  return std::unexpected(fmt::format("{}: {}; {}", where.string(), what, remedy));
}

std::string why() { return std::strerror(errno); }

/// The number that a file of a recording begins with; empty: it is none.
std::optional<int> number_of(std::string_view name) {
  const auto dash = name.find('-');
  const bool is_ours = name.ends_with(exchange_ending) || name.ends_with(body_ending);
  int number = 0;
  if (!is_ours || dash == name.npos || dash < 4) return std::nullopt;
  const auto* const end = name.data() + dash;
  if (std::from_chars(name.data(), end, number).ptr != end || number < 1) return std::nullopt;
  return number;
}

/// "0001-POST-reports": the method, and the end of the address.
std::string name_of(const question& asked, int number) {
  auto path = std::string_view(asked.url).substr(0, asked.url.find_first_of("?#"));
  const auto origin = path.find("://");
  path.remove_prefix(origin == path.npos ? 0 : origin + 3);
  path.remove_prefix(std::min(path.find('/'), path.size()));
  while (path.ends_with('/')) path.remove_suffix(1);
  std::string last(path.substr(path.rfind('/') + 1).substr(0, 40));
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.").contains(c);
  };
  std::ranges::replace_if(last, [&](char c) { return !fits(c); }, '-');
  return fmt::format("{:04}-{}{}{}", number, asked.method, last.empty() ? "" : "-", last);
}

std::expected<void, std::string> write_file(const fs::path& path, std::string_view bytes) {
  constexpr std::string_view remedy = "check the disk, or name another directory";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return wrong(path, "cannot be written: " + why(), remedy);
  int error = 0;
  while (!bytes.empty() && error == 0) {
    const auto written = ::write(file, bytes.data(), bytes.size());
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR) error = errno;
  }
  if (::close(file) != 0 && error == 0) error = errno;
  if (error == 0) return {};
  return wrong(path, fmt::format("cannot be written: {}", std::strerror(error)), remedy);
}

std::expected<std::string, std::string> read_file(const fs::path& path) {
  constexpr std::string_view remedy = "check the path, or record it: wherry preview … --record DIR";
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return wrong(path, "cannot be read: " + why(), remedy);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return wrong(path, "cannot be read: " + why(), remedy);
  return text;
}

std::string head_of(system_time begun, const stand_ins& variables) {
  auto text = fmt::format("{}\n{}{}\n", first_line, began, begun.time_since_epoch().count());
  for (const auto& [name, one] : variables) {
    text += fmt::format("{} {} {}\n", name, one.gives_way ? "?=" : "=", one.text);
  }
  return text;
}

constexpr std::string_view record_again = "mend it, or record again";
constexpr std::string_view other_directory =
    "name a directory that is empty, or one that can be made";

std::expected<void, std::string> read_head(recording& to) {
  const auto path = to.directory / head_name;
  const auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  int number = 0;
  for (std::string_view rest = *text; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto is_wrong = [&](std::string_view how) {
      return wrong(path, fmt::format("line {} is to be {}", number, how), record_again);
    };
    if (++number == 1) {
      if (line != first_line) return is_wrong(in_quotes(first_line));
    } else if (number == 2) {
      std::int64_t since = 0;
      const auto* const end = line.data() + line.size();
      const auto digits = line.substr(std::min(began.size(), line.size()));
      if (!line.starts_with(began) || digits.empty() ||
          std::from_chars(digits.data(), end, since).ptr != end) {
        return is_wrong("\"begun\" and the milliseconds since 1970");
      }
      to.begun = system_time(std::chrono::milliseconds(since));
    } else if (!line.empty()) {
      const auto sign = line.find(" = "), weak = line.find(" ?= ");
      const bool gives_way = weak < sign;
      const auto at = gives_way ? weak : sign;
      if (at == line.npos) return is_wrong("NAME = what stands for that variable");
      to.variables.insert_or_assign(
          std::string(line.substr(0, at)),
          stand_in{std::string(line.substr(at + (gives_way ? 4 : 3))), gives_way});
    }
  }
  if (number >= 2) return {};
  return wrong(path, "is cut", record_again);
}

std::expected<exchange, std::string> read_one(const fs::path& path) {
  const auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  auto read = parse_exchange(*text);
  if (!read) return wrong(path, read.error(), record_again);
  auto& said = read->said;
  if (!read->body_file.empty()) {
    const bool is_here = number_of(read->body_file) && !read->body_file.contains('/');
    if (!is_here) return wrong(path, "names no file of the recording for the body", record_again);
    auto body = read_file(path.parent_path() / read->body_file);
    if (!body) return std::unexpected(std::move(body.error()));
    said.body = *std::move(body);
  }
  if (read->body_size_bytes && *read->body_size_bytes != said.body.size()) {
    return wrong(
        path,
        fmt::format("the body of the answer is to have {} bytes, and has {}: it was cut, or "
                    "edited",
                    *read->body_size_bytes, said.body.size()),
        "write the new number, or none, behind the status; or record again");
  }
  return std::move(said);
}

}  // namespace

std::expected<recording, std::string> read_recording(const fs::path& directory) {
  recording made{.directory = directory, .begun = {}, .variables = {}, .exchanges = {}};
  if (auto head = read_head(made); !head) return std::unexpected(std::move(head.error()));
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    auto name = at->path().filename().string();
    if (name.ends_with(exchange_ending) && number_of(name)) names.push_back(std::move(name));
  }
  if (error) return wrong(directory, "cannot be read: " + error.message(), "check its permissions");
  std::ranges::sort(names, {}, [](const auto& name) { return *number_of(name); });
  int number = 0;
  for (auto& name : names) {
    if (*number_of(name) != ++number) {
      return wrong(directory,
                   fmt::format("{} of its files begin with {:04}",
                               *number_of(name) < number ? "two" : "none",
                               std::min(number, *number_of(name))),
                   "they are numbered from 0001 on, without a gap; record again");
    }
    auto one = read_one(directory / name);
    if (!one) return std::unexpected(std::move(one.error()));
    made.exchanges.push_back({std::move(name), *std::move(one)});
  }
  return made;
}

std::expected<recording_writer, std::string> recording_writer::open(fs::path directory,
                                                                    system_time begun,
                                                                    stand_ins variables) {
  std::error_code error;
  const bool is_new = fs::create_directory(directory, error);
  if (error) return wrong(directory, "cannot be made: " + error.message(), other_directory);
  if (is_new) fs::permissions(directory, fs::perms::owner_all, error);
  const bool is_free = fs::is_empty(directory, error) || fs::exists(directory / head_name, error);
  if (error) return wrong(directory, "cannot be read: " + error.message(), other_directory);
  if (!is_free) return wrong(directory, "holds files, and no recording", other_directory);
  return recording_writer(std::move(directory), begun, std::move(variables));
}

std::expected<void, std::string> recording_writer::begin() {
  std::vector<fs::path> ours;
  std::error_code error;
  for (fs::directory_iterator at(directory_, error), end; !error && at != end;
       at.increment(error)) {
    if (number_of(at->path().filename().string())) ours.push_back(at->path());
  }
  if (error) return wrong(directory_, "cannot be read: " + error.message(), other_directory);
  // The head last: what is left of a recording that could not be removed still is one.
  ours.push_back(directory_ / head_name);
  for (const auto& each : ours) {
    fs::remove(each, error);
    if (error) return wrong(each, "cannot be removed: " + error.message(), other_directory);
  }
  return write_file(directory_ / head_name, head_of(begun_, variables_));
}

std::expected<void, std::string> recording_writer::add(const exchange& said) {
  if (written_ == 0) {
    if (auto begun = begin(); !begun) return begun;
  }
  const auto name = name_of(said.asked, ++written_);
  const bool is_here = is_plain_text(said.body);
  const auto body_name = is_here ? std::string() : name + std::string(body_ending);
  if (!is_here) {
    if (auto body = write_file(directory_ / body_name, said.body); !body) return body;
  }
  return write_file(directory_ / (name + std::string(exchange_ending)), to_text(said, body_name));
}

}  // namespace wherry::app
