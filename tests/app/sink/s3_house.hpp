// SPDX-License-Identifier: Apache-2.0
#pragma once
// house: a spool, and a place of our own in a real S3 server, Ceph's gateway, that the ctest
// fixture has started; boto3 to read back. A server that is missing fails the tests: a sink that
// nobody tried is not known to work.

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "../keys.hpp"
#include "../scratch.hpp"
#include "sink/s3_server.hpp"
#include "sink/sink.hpp"
#include "spool/sha256.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {

using stored = std::expected<stored_object, sink_error>;

inline constexpr day first{std::chrono::year{2025}, std::chrono::January, std::chrono::day{31}};

/// An object as boto3 sees it.
struct object {
  std::string sha256;
  std::size_t size_bytes = 0;
  std::string etag;  ///< ends in -N where N parts were put together
  std::string type;
  std::string encryption;  ///< "aws:kms", or "-"
  std::string kms_key;     ///< likewise
};

/// Reads "export NAME=value" lines into the environment, for us and for boto3.
inline void read_server_variables() {
  const char* const file = ::getenv("S3_ENV_FILE");
  REQUIRE_MESSAGE(file != nullptr, "S3_ENV_FILE must name what tools/s3/start.sh wrote");
  std::ifstream lines{file};
  REQUIRE_MESSAGE(lines.good(), "no S3 server was started: ", std::string{file}, " is missing");
  for (std::string line; std::getline(lines, line);) {
    const auto begin = std::string_view{"export "}.size(), equals = line.find('=');
    REQUIRE(equals != line.npos);
    ::setenv(line.substr(begin, equals - begin).c_str(), line.substr(equals + 1).c_str(), 1);
  }
}

inline std::string variable(const char* name) {
  const char* const value = ::getenv(name);
  REQUIRE_MESSAGE(value != nullptr, name);
  return value;
}

/// A spool, and a place of our own in the server's bucket.
struct house {
  testing::scratch at;
  const std::filesystem::path directory = at.path;
  std::string prefix;
  std::unique_ptr<spool> files;
  sink spec;
  http_client http;
  aws_credentials keys{testing::keys_in(spec), http};

  house() {
    read_server_variables();
    prefix = directory.filename().native() + "/";
    files = std::move(*spool::open(directory / "spool", 100'000'000));
    spec.endpoint = variable("S3_ENDPOINT");
    spec.access_key = variable("S3_ACCESS_KEY");
    spec.secret_key.reveal = variable("S3_SECRET_KEY");
    spec.path_style = true;
    into("{account}");
  }

  void into(const std::string& key) {
    spec.url = "s3://" + variable("S3_BUCKET") + "/" + prefix + key;
  }
  void by_host_name() {
    spec.path_style = false;
    const auto host = spec.endpoint.find("127.0.0.1");
    REQUIRE(host != std::string::npos);
    spec.endpoint.replace(host, std::string_view{"127.0.0.1"}.size(), "localhost");
  }

  spool_file spooled(std::string_view bytes, spool_form form = spool_form::any) {
    auto writer = files->write({"acme/2025-01-31", 1, spool_step::transform}, form);
    REQUIRE(writer.write(bytes).has_value());
    return *writer.finish();
  }
  stored put(const object_to_put& what) {
    const auto to = make_sink(spec, http, keys, *files);
    thread_scheduler scheduler{{.threads = 1}};
    return scheduler.run(to->put(what));
  }
  stored put(const spool_file& file, const std::string& account = "77") {
    return put(object_to_put{.of = {"acme", account, "", "UTC"}, .on = first, .file = file});
  }
  /// As the report is put that was imported before.
  stored put_again(const spool_file& file) {
    return put(object_to_put{
        .of = {"acme", "77", "", "UTC"}, .on = first, .file = file, .may_be_there = true});
  }
  /// Makes an object that says of itself what is not so.
  void put_liar(std::string bytes, const std::string& said_sha256) {
    s3_server server{spec, http, keys};
    thread_scheduler scheduler{{.threads = 1}};
    const auto hash = to_hex(sha256_of(bytes));
    const auto made =
        scheduler.run(server.ask({.method = "PUT",
                                  .url = spec.url,
                                  .headers = {{"x-amz-meta-sha256", said_sha256}},
                                  .body = std::make_shared<const std::string>(std::move(bytes)),
                                  .body_sha256 = hash}));
    REQUIRE(made.has_value());
    REQUIRE(is_success(*made));
  }

  /// What is in our place, by key below it.
  [[nodiscard]] std::map<std::string, object> objects() const {
    std::map<std::string, object> found;
    std::istringstream lines{told_by_boto3("objects")};
    for (std::string line; std::getline(lines, line);) {
      std::istringstream fields{line};
      object one;
      std::string key;
      fields >> one.sha256 >> one.size_bytes >> one.etag >> one.type >> one.encryption >>
          one.kms_key;
      std::getline(fields.ignore(1), key);
      REQUIRE(key.starts_with(prefix));
      found.emplace(key.substr(prefix.size()), one);
    }
    return found;
  }
  /// Keys of the uploads in our place that have begun and not ended, a line each.
  [[nodiscard]] std::string uploads() const { return told_by_boto3("uploads"); }

 private:
  [[nodiscard]] std::string told_by_boto3(const std::string& about) const {
    const auto command =
        "/usr/bin/python3 \"" WHERRY_STORED_OBJECTS "\" " + about + " '" + prefix + "'";
    const auto close = [](std::FILE* pipe) { return pipe == nullptr || ::pclose(pipe) == 0; };
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string text;
    char piece[4096];
    while (const auto size = std::fread(piece, 1, sizeof piece, pipe)) text.append(piece, size);
    REQUIRE_MESSAGE(close(pipe), "boto3 cannot read: ", text);
    return text;
  }
};

inline std::string many_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& each : bytes) {
    state = state * 1664525 + 1013904223;
    each = static_cast<char>(state >> 24);
  }
  return bytes;
}

inline void check_error(const stored& got, sink_error_kind expected,
                        std::initializer_list<std::string> words) {
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().kind == expected);
  for (const auto& each : words) {
    CHECK_MESSAGE(got.error().message.contains(each), each, " in: ", got.error().message);
  }
  CHECK_FALSE(got.error().message.contains(variable("S3_SECRET_KEY")));
}

}  // namespace wherry::app
