// SPDX-License-Identifier: Apache-2.0
// Goal: a large object is whole or absent at a real S3 server, whatever happens to its parts, and
// what fails leaves none of them there. Method: s3_house.hpp; a front before the server for what a
// real one does not do on demand.
#include <doctest/doctest.h>

#include <fstream>

#include "s3_front.hpp"
#include "wherry/csp/channel.hpp"
#include "wherry/csp/scope.hpp"

namespace wherry::app {
namespace {

using kind = sink_error_kind;
constexpr int parts = 8;
constexpr std::size_t size_bytes = 40'000'000;

const std::string& bytes() {
  static const std::string all = many_bytes(size_bytes);
  return all;
}

bool is_part(const std::string& line, int number) {
  return line.starts_with("PUT ") && line.contains("?partNumber=" + std::to_string(number) + "&");
}
bool is_completion(const std::string& line) {
  return line.starts_with("POST ") && line.contains("?uploadId=");
}
fate pass(const std::string& /*line*/, int /*number*/) { return {}; }

struct fronted : fronted_house {
  explicit fronted(s3_front::judge of) : fronted_house(std::move(of)) {
    spec.multipart_bytes = 20'000'000;
  }
  [[nodiscard]] int sent(int part) {
    return front.count({"PUT ", "?partNumber=" + std::to_string(part) + "&"});
  }
  [[nodiscard]] object_to_put large() {
    return {.of = {"acme", "77", "", "UTC"}, .on = first, .file = spooled(bytes())};
  }
  void check_whole() const {
    const auto found = objects();
    REQUIRE(found.contains("77.csv"));
    CHECK(found.at("77.csv").sha256 == to_hex(sha256_of(bytes())));
    CHECK(found.at("77.csv").etag.ends_with("-" + std::to_string(parts)));
    CHECK(uploads().empty());
  }
  void check_nothing_left() const {
    CHECK(objects().empty());
    CHECK(uploads().empty());
  }
};

/// The front's answer to the first request of that kind; what follows passes.
s3_front::judge once(const std::function<bool(const std::string&)>& is_it, const fate& then) {
  return [=](const std::string& line, int number) {
    return is_it(line) && number == 1 ? then : fate{};
  };
}

task<> put_unheeded(object_sink* to, object_to_put what) {
  std::ignore = co_await to->put(std::move(what));
}

/// Puts, and cancels that when `when` says so.
task<> put_until(object_sink* to, object_to_put what, channel<bool> when) {
  scope all;
  all.go(put_unheeded(to, std::move(what)));
  co_await when.take();
  all.cancel();
  co_await all.join();
}

// What calls of the lane do, by their number.
task<> call(std::atomic<int>* paid) {
  ++*paid;
  co_return;
}
task<> call_until_the_fifth(std::atomic<int>* paid) {
  if (++*paid == 5) throw std::string{"later"};  // as step_context::call unwinds a step
  co_return;
}
task<> put_other_at_the_fourth(std::atomic<int>* paid, s3_server* server, std::string url) {
  if (++*paid != 4) co_return;
  const auto put = co_await server->ask({.method = "PUT",
                                         .url = std::move(url),
                                         .body = std::make_shared<const std::string>("other"),
                                         .body_sha256 = to_hex(sha256_of("other"))});
  CHECK((put && is_success(*put)));
}
task<> spoil(std::atomic<bool>* is_spoilt, std::filesystem::path file) {
  if (is_spoilt->exchange(true)) co_return;
  std::ofstream{file, std::ios::binary | std::ios::in} << "other";
}

}  // namespace

TEST_SUITE("sink/multipart.hpp") {
  TEST_CASE("an object over the limit goes up in parts and arrives whole") {
    fronted at{pass};
    const auto got = at.put(at.large());
    REQUIRE_MESSAGE(got.has_value(), got.error().message);
    CHECK(got->size_bytes == size_bytes);
    at.check_whole();
    CHECK(at.objects().at("77.csv").type == "text/csv");
    for (int i = 1; i <= parts; ++i) CHECK(at.sent(i) == 1);
    CHECK(at.put_again(at.spooled(bytes()))->unchanged);  // by the hash that is stored with it
  }

  TEST_CASE("an object of just the limit is one PUT") {
    fronted at{pass};
    at.spec.multipart_bytes = 100'000;
    REQUIRE(at.put(at.spooled(many_bytes(100'000))).has_value());
    CHECK(at.front.count({"uploads"}) == 0);
    CHECK(at.front.count({"PUT "}) == 1);
    REQUIRE(at.put(at.spooled(many_bytes(100'001))).has_value());
    CHECK(at.objects().at("77.csv").etag.ends_with("-1"));
  }

  TEST_CASE("a part that fails is sent again alone") {
    const fate failures[] = {fate::refused(500, "InternalError"),
                             fate::refused(503, "SlowDown"),
                             fate::refused(400, "XAmzContentSHA256Mismatch"),
                             {fate::is::lost}};
    for (const auto& failure : failures) {
      fronted at{once([](const auto& line) { return is_part(line, 3); }, failure)};
      const auto got = at.put(at.large());
      REQUIRE_MESSAGE(got.has_value(), got.error().message);
      at.check_whole();
      for (int i = 1; i <= parts; ++i) CHECK(at.sent(i) == (i == 3 ? 2 : 1));
      CHECK(at.front.count({"?uploads"}) == 1);
    }
  }

  TEST_CASE("a part that fails again and again ends the upload, and no parts are left") {
    fronted at{[](const std::string& line, int) {
      return is_part(line, 6) ? fate::refused(503, "SlowDown") : fate{};
    }};
    check_error(at.put(at.large()), kind::throttled, {"SlowDown", "`sink.limit.rate`"});
    CHECK(at.sent(6) == 3);
    at.check_nothing_left();
  }

  TEST_CASE("a refusal that nothing mends is not asked for again, and no parts are left") {
    fronted at{[](const std::string& line, int) {
      return is_part(line, 2) ? fate::refused(403, "AccessDenied") : fate{};
    }};
    check_error(at.put(at.large()), kind::permanent, {"AccessDenied", "s3:PutObject"});
    CHECK(at.sent(2) == 1);
    at.check_nothing_left();
  }

  TEST_CASE("an error after a 200 is one, and the completion is asked for again") {
    fronted at{once(is_completion, fate::refused(200, "InternalError"))};
    const auto got = at.put(at.large());
    REQUIRE_MESSAGE(got.has_value(), got.error().message);
    at.check_whole();
    fronted never{[](const std::string& line, int) {
      return is_completion(line) ? fate::refused(200, "InternalError") : fate{};
    }};
    check_error(never.put(never.large()), kind::transient, {"200 InternalError"});
    never.check_nothing_left();
  }

  TEST_CASE("a completion whose answer was lost is found out by looking") {
    fronted at{[](const std::string& line, int number) {
      if (!is_completion(line)) return fate{};
      return number == 1 ? fate{fate::is::lost} : fate::refused(404, "NoSuchUpload");
    }};
    const auto got = at.put(at.large());
    REQUIRE_MESSAGE(got.has_value(), got.error().message);
    at.check_whole();
  }

  TEST_CASE("an upload that somebody else ended is tried anew") {
    fronted at{[](const std::string& line, int) {
      return is_completion(line) ? fate::refused(404, "NoSuchUpload") : fate{};
    }};
    check_error(at.put(at.large()), kind::transient, {"NoSuchUpload", "lifecycle rule"});
    at.check_nothing_left();
  }

  TEST_CASE("an upload that is cancelled leaves no parts") {
    channel<bool> when{fixed{1}};
    fronted at{[when](const std::string& line, int) {
      if (!is_part(line, 5)) return fate{};
      when.offer(true);
      return fate{fate::is::kept};
    }};
    const auto to = make_sink(at.spec, at.http, at.keys, *at.files);
    thread_scheduler scheduler{{.threads = 2}};
    scheduler.run(put_until(to.get(), at.large(), when));
    CHECK(at.sent(1) == 1);
    CHECK(at.front.count({"DELETE ", "uploadId"}) > 0);
    at.check_nothing_left();
  }

  TEST_CASE("an upload that is cancelled as it begins is ended too") {
    channel<bool> when{fixed{1}};
    fronted at{[when](const std::string& line, int) {
      if (line.contains("?uploads")) when.offer(true);
      return fate{};
    }};
    const auto to = make_sink(at.spec, at.http, at.keys, *at.files);
    thread_scheduler scheduler{{.threads = 2}};
    scheduler.run(put_until(to.get(), at.large(), when));
    at.check_nothing_left();
  }

  TEST_CASE("a lane that wants the next call later ends the upload, and no parts are left") {
    fronted at{pass};
    auto what = at.large();
    std::atomic<int> paid = 0;
    what.pay = [&paid] { return call_until_the_fifth(&paid); };
    CHECK_THROWS_AS(std::ignore = at.put(what), std::string);
    at.check_nothing_left();
  }

  TEST_CASE("each request but the first is paid for, also one that is made again") {
    fronted at{once([](const auto& line) { return is_part(line, 3); },
                    fate::refused(500, "InternalError"))};
    auto what = at.large();
    std::atomic<int> paid = 0;
    what.pay = [&paid] { return call(&paid); };
    REQUIRE(at.put(what).has_value());
    CHECK(paid.load() == parts + 1 + 1);  // and the completion
  }

  TEST_CASE("what could not be aborted is told, with what to do") {
    fronted at{[](const std::string& line, int) {
      if (is_part(line, 2)) return fate::refused(403, "AccessDenied");
      return line.starts_with("DELETE ") ? fate::refused(500, "InternalError") : fate{};
    }};
    check_error(at.put(at.large()), kind::permanent,
                {"AccessDenied", "AbortIncompleteMultipartUpload", "InternalError"});
  }

  TEST_CASE("a large object that is to stay does, and no part of another is sent") {
    fronted at{pass};
    at.spec.overwrite = false;
    const auto file = at.spooled(bytes());
    const auto made = at.put(file);
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
    CHECK_FALSE(made->unchanged);
    CHECK(at.put(file)->unchanged);
    check_error(at.put(at.spooled(many_bytes(size_bytes - 1))), kind::permanent,
                {"`sink.overwrite`"});
    CHECK(at.front.count({"?uploads"}) == 1);
    at.check_whole();
  }

  TEST_CASE("an object that comes to be beside the upload stays") {
    house other;
    fronted at{pass};
    at.spec.overwrite = false;
    other.spec.url = "s3://" + variable("S3_BUCKET") + "/" + at.prefix + "77.csv";
    s3_server server{other.spec, other.http, other.keys};
    auto what = at.large();
    std::atomic<int> paid = 0;
    what.pay = [&] { return put_other_at_the_fourth(&paid, &server, other.spec.url); };
    check_error(at.put(what), kind::permanent, {"`sink.overwrite`"});
    CHECK(at.objects().at("77.csv").sha256 == to_hex(sha256_of("other")));
    CHECK(at.uploads().empty());
  }

  TEST_CASE("a large spool file that is damaged goes back before anything is sent") {
    fronted at{pass};
    const auto file = at.spooled(bytes());
    std::ofstream{at.files->path_of(file), std::ios::binary | std::ios::in} << "other";
    check_error(at.put(file), kind::damaged, {});
    CHECK(at.front.count({}) == 0);
  }

  TEST_CASE("a spool file that changes while its parts are sent goes back and leaves no parts") {
    fronted at{pass};
    auto what = at.large();
    std::atomic<bool> is_spoilt = false;
    what.pay = [&, path = at.files->path_of(what.file)] { return spoil(&is_spoilt, path); };
    check_error(at.put(what), kind::damaged, {"bytes changed on the way"});
    at.check_nothing_left();
  }
}

}  // namespace wherry::app
