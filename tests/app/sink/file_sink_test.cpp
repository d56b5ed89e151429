// SPDX-License-Identifier: Apache-2.0
// Goal: an object is whole or absent, and every refusal of the file system says where and what to
// do. Method: real directories, a real full disk, a second writer that holds the lock.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "../keys.hpp"
#include "../net/no_descriptors.hpp"
#include "../scratch.hpp"
#include "../spool/full_disk.hpp"
#include "sink/sink.hpp"
#include "wherry/csp/scheduler.hpp"

namespace wherry::app {
namespace {

std::vector<std::filesystem::path> synced;  // by fsync below; one thread at a time

}  // namespace
}  // namespace wherry::app

// Stands in for the C library's, and notes what is synced.
extern "C" int fsync(int file) {
  std::error_code ignored;
  wherry::app::synced.push_back(
      std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file), ignored));
  return static_cast<int>(::syscall(SYS_fsync, file));
}

namespace wherry::app {
namespace {

namespace fs = std::filesystem;
using kind = sink_error_kind;
using stored = std::expected<stored_object, sink_error>;

constexpr day first{std::chrono::year{2025}, std::chrono::January, std::chrono::day{31}};

struct house {
  testing::scratch at;
  const fs::path directory = at.path;
  std::unique_ptr<spool> files;
  sink spec;
  http_client http;
  aws_credentials keys{testing::keys_in(spec), http};

  house() {
    files = std::move(*spool::open(directory / "spool", 10'000'000));
    into(directory / "out" / "day={day}" / "{client}.csv");
  }

  void into(const fs::path& path) { spec.url = "file://" + path.native(); }
  [[nodiscard]] fs::path object() const { return directory / "out/day=2025-01-31/acme.csv"; }

  spool_file spooled(std::string_view bytes, spool_form form = spool_form::any) {
    auto writer = files->write({"acme/2025-01-31", 1, spool_step::transform}, form);
    REQUIRE(writer.write(bytes).has_value());
    return *writer.finish();
  }
  stored put(const spool_file& file) {
    return put(object_to_put{.of = {"acme", "77", "", "UTC"}, .on = first, .file = file});
  }
  stored put(const object_to_put& what) {
    const auto to = make_sink(spec, http, keys, *files);
    thread_scheduler scheduler{{.threads = 1}};
    return scheduler.run(to->put(what));
  }
};

std::string content_of(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

ino_t inode_of(const fs::path& path) {
  struct stat found;
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_ino;
}

std::size_t files_beside(const fs::path& object) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator{object.parent_path()}, fs::directory_iterator{}));
}

}  // namespace

TEST_SUITE("sink/file_sink.hpp") {
  TEST_CASE("an object is made with its directories and nothing beside it") {
    house at;
    const auto file = at.spooled("a,b\n1,2\n");
    const auto got = at.put(file);
    REQUIRE(got.has_value());
    CHECK(got->url == "file://" + at.object().native());
    CHECK(got->size_bytes == 8);
    CHECK(got->sha256 == file.sha256);
    CHECK(content_of(at.object()) == "a,b\n1,2\n");
    CHECK(files_beside(at.object()) == 1);
    CHECK(at.files->read(file).has_value());
  }

  TEST_CASE("other bytes replace an object and the same bytes leave it alone") {
    house at;
    REQUIRE(at.put(at.spooled("first")).has_value());
    const auto before = inode_of(at.object());
    CHECK(at.put(at.spooled("first"))->unchanged);
    CHECK(inode_of(at.object()) == before);
    CHECK_FALSE(at.put(at.spooled("other"))->unchanged);
    CHECK(inode_of(at.object()) != before);
    CHECK(content_of(at.object()) == "other");
  }

  TEST_CASE("rows that were put aside lie beside the object, as CSV") {
    house at;
    at.into(at.directory / "{day}" / "{client}.csv.gz");
    const auto file = at.spooled("row,why\n");
    const auto to = make_sink(at.spec, at.http, at.keys, *at.files);
    thread_scheduler scheduler{{.threads = 1}};
    const auto got = scheduler.run(to->put({.of = {"acme", "77", "", "UTC"},
                                            .on = first,
                                            .file = file,
                                            .role = object_role::rejected}));
    REQUIRE(got.has_value());
    CHECK(got->url.ends_with("/2025-01-31/acme.rejected.csv"));
    CHECK(content_of(at.directory / "2025-01-31/acme.rejected.csv") == "row,why\n");
  }

  TEST_CASE("an object that is to stay does, and its own bytes are no conflict") {
    house at;
    at.spec.overwrite = false;
    REQUIRE(at.put(at.spooled("first")).has_value());
    CHECK(at.put(at.spooled("first"))->unchanged);
    const auto got = at.put(at.spooled("other"));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().kind == kind::permanent);
    CHECK(got.error().message.contains("`sink.overwrite`"));
    CHECK(content_of(at.object()) == "first");
    CHECK(files_beside(at.object()) == 1);
  }

  TEST_CASE("what a crash left is taken over") {
    house at;
    fs::create_directories(at.object().parent_path());
    std::ofstream{at.object().parent_path() / ".acme.csv.wherry"} << std::string(100'000, 'x');
    REQUIRE(at.put(at.spooled("whole")).has_value());
    CHECK(content_of(at.object()) == "whole");
    CHECK(files_beside(at.object()) == 1);
  }

  TEST_CASE("a second writer steps back") {
    house at;
    fs::create_directories(at.object().parent_path());
    const auto temporary = at.object().parent_path() / ".acme.csv.wherry";
    const int other = ::open(temporary.c_str(), O_WRONLY | O_CREAT, 0666);
    REQUIRE(::flock(other, LOCK_EX) == 0);
    REQUIRE(::write(other, "theirs", 6) == 6);
    const auto got = at.put(at.spooled("ours"));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().kind == kind::transient);
    CHECK(content_of(temporary) == "theirs");
    ::close(other);
    CHECK(at.put(at.spooled("ours")).has_value());
  }

  TEST_CASE("an object that is removed is gone for good, and one that is not there is no error") {
    house at;
    REQUIRE(at.put(at.spooled("first")).has_value());
    const auto to = make_sink(at.spec, at.http, at.keys, *at.files);
    thread_scheduler scheduler{{.threads = 1}};
    for (int i = 0; i < 2; ++i) {
      synced.clear();
      CHECK(scheduler.run(to->remove({"acme", "77", "", "UTC"}, first, object_role::rows)));
      CHECK_FALSE(fs::exists(at.object()));
      CHECK(synced == std::vector{at.object().parent_path()});
    }
    fs::remove_all(at.directory / "out");
    CHECK(scheduler.run(to->remove({"acme", "77", "", "UTC"}, first, object_role::rows)));
  }

  TEST_CASE("a damaged spool file goes back and leaves the old object") {
    house at;
    REQUIRE(at.put(at.spooled("old bytes")).has_value());
    const auto file = at.spooled("new bytes", spool_form::own_file);
    std::ofstream{at.files->path_of(file)} << "not these";
    const auto got = at.put(file);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().kind == kind::damaged);
    CHECK(content_of(at.object()) == "old bytes");
    CHECK(files_beside(at.object()) == 1);
  }

  TEST_CASE("a file in a directory's place is permanent and named") {
    house at;
    std::ofstream{at.directory / "out"} << "x";
    const auto got = at.put(at.spooled("x"));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().kind == kind::permanent);
    CHECK(got.error().message.contains((at.directory / "out").native()));
    CHECK(got.error().message.contains("`sink.url`"));
  }

  TEST_CASE("a directory in the object's place is permanent and named") {
    house at;
    fs::create_directories(at.object());
    const auto got = at.put(at.spooled("x"));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().kind == kind::permanent);
    CHECK(got.error().message.contains(at.object().native()));
    CHECK(files_beside(at.object()) == 1);
  }

  TEST_CASE("a full disk is transient and leaves nothing") {
    house at;
    const auto small = at.directory / "small";
    fs::create_directory(small);
    at.into(small / "{client}-{day}.csv");
    const auto outcome = on_small_disk(small, 65'536, [&] {
      const auto got = at.put(at.spooled(std::string(300'000, 'x')));
      return !got && got.error().kind == kind::transient &&
             got.error().message.contains(small.native()) && fs::is_empty(small);
    });
    if (outcome == full_disk_outcome::unavailable) {
      MESSAGE("not checked: this user may not mount a small disk");
    } else {
      CHECK(outcome == full_disk_outcome::passed);
    }
  }

  TEST_CASE("a read-only disk is permanent and says so") {
    house at;
    const auto small = at.directory / "small";
    fs::create_directory(small);
    at.into(small / "{client}-{day}.csv");
    const auto outcome = on_small_disk(small, 65'536, [&] {
      if (::mount("none", small.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0)
        return false;
      const auto got = at.put(at.spooled("x"));
      return !got && got.error().kind == kind::permanent &&
             got.error().message.contains(small.native()) &&
             got.error().message.contains("read-only");
    });
    if (outcome == full_disk_outcome::unavailable) {
      MESSAGE("not checked: this user may not mount a small disk");
    } else {
      CHECK(outcome == full_disk_outcome::passed);
    }
  }

  TEST_CASE("a client that does not fit the url is permanent") {
    house at;
    at.into(at.directory / "{currency}-{day}.csv");
    const auto got = at.put(at.spooled("x"));
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().kind == kind::permanent);
    CHECK(got.error().message.contains("`sink.url`"));
  }

  TEST_CASE("the name of a directory that somebody else made is made durable, too, and once") {
    house at;
    const auto directory = at.object().parent_path();
    fs::create_directories(directory);  // and whoever did may not have come to fsync its parent yet
    const auto file = at.spooled("rows");
    const auto to = make_sink(at.spec, at.http, at.keys, *at.files);
    const auto put = [&](std::string who) {
      thread_scheduler scheduler{{.threads = 1}};
      return scheduler.run(to->put({.of = {who, "77", "", "UTC"}, .on = first, .file = file}));
    };
    synced.clear();
    REQUIRE(put("acme").has_value());
    CHECK(std::ranges::count(synced, directory.parent_path()) == 1);
    CHECK(std::ranges::count(synced, directory) == 1);
    REQUIRE(put("globex").has_value());
    CHECK(std::ranges::count(synced, directory.parent_path()) == 1);
    CHECK(std::ranges::count(synced, directory) == 2);
  }

  TEST_CASE("want of file descriptors passes and is told with its remedy") {
    house at;
    const auto file = at.spooled("rows");
    fs::create_directories(at.object().parent_path());
    const auto large = at.spooled(std::string(100'000, 'x'));
    const auto to_file = make_sink(at.spec, at.http, at.keys, *at.files);
    sink s3;
    s3.url = "s3://bucket/{day}/{client}.csv";
    s3.endpoint = "http://127.0.0.1:1";
    const auto to_s3 = make_sink(s3, at.http, at.keys, *at.files);
    thread_scheduler scheduler{{.threads = 1}};
    const client of{"acme", "77", "", "UTC"};
    scheduler.run([](object_sink& sink, client who, spool_file what) -> task<> {
      (void)co_await sink.put(
          {.of = std::move(who), .on = first, .file = std::move(what)});  // its thread has begun
    }(*to_file, of, file));
    fs::remove(at.object());
    for (const auto* sink : {&to_file, &to_s3}) {
      stored got;
      {
        const no_descriptors none;
        got = scheduler.run((*sink)->put({.of = of, .on = first, .file = large}));
      }
      REQUIRE_FALSE(got.has_value());
      CAPTURE(got.error().message);
      CHECK(got.error().kind == kind::transient);
      CHECK(got.error().message.contains("too many open files: raise `ulimit -n`"));
    }
  }

  TEST_CASE(
      "a file may be named by its bytes and its spec, and what was put aside is named like it") {
    house at;
    at.into(at.directory / "out" / "{client}-{day}-{sha256}-{spec}.csv");
    const auto hash = to_hex(sha256_of("rows"));
    const auto rows = at.put(object_to_put{
        .of = {"acme", "77", "", "UTC"}, .on = first, .file = at.spooled("rows"), .spec = "v1"});
    REQUIRE_MESSAGE(rows.has_value(), rows.error().message);
    CHECK(rows->url.ends_with("/acme-2025-01-31-" + hash + "-v1.csv"));
    const auto aside = at.put(object_to_put{.of = {"acme", "77", "", "UTC"},
                                            .on = first,
                                            .file = at.spooled("aside"),
                                            .role = object_role::rejected,
                                            .spec = "v1",
                                            .rows_sha256 = hash});
    REQUIRE_MESSAGE(aside.has_value(), aside.error().message);
    CHECK(aside->url.ends_with("/acme-2025-01-31-" + hash + "-v1.rejected.csv"));
  }

}  // TEST_SUITE

}  // namespace wherry::app
