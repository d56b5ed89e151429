// SPDX-License-Identifier: Apache-2.0
// Goal: a commit that finds no space fails as `full`, changes nothing in memory or on disk, and the
// same outcome can be recorded once there is space again.
// Method: a disk of 3 MB (tmpfs) that only a child process sees; it grows when that asks for it.
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>

#include "sqlite_subject.hpp"

using namespace wherry;
using namespace wherry::test;

namespace {

/// Makes `directory` a disk of that size, for the calling process alone; again: changes the size.
std::string mount_disk(const std::filesystem::path& directory, const char* size, bool again) {
  if (!again) {
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      return std::string("unshare: ") + std::strerror(errno) + "; ";
    }
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return "private; ";
  }
  const int done = ::mount("tmpfs", directory.c_str(), "tmpfs", again ? MS_REMOUNT : 0, size);
  return done == 0 ? "" : std::string("mount: ") + std::strerror(errno) + "; ";
}

std::vector<submission> bulk(int round) {
  std::vector<submission> many;
  for (int i = 0; i < 200; ++i) {
    many.push_back(item("m" + std::to_string(round) + "/" + std::to_string(i)));
    many.back().lane = "bulk";
    many.back().data = '"' + std::string(1'000, 'x') + '"';
  }
  return many;
}

task<> fill_up(store& subject, const std::filesystem::path* disk, std::string* wrong) {
  co_await submit_new(subject, {item("a")});
  const auto leased = co_await lease_one(subject);
  int rounds = 0;
  std::optional<store_error> refused;
  while (!refused && rounds < 1'000) {
    const auto report = co_await subject.submit(bulk(rounds++));
    if (!report) refused = report.error();
  }
  if (!refused || refused->what != store_error::kind::full) *wrong += "submit was not refused; ";
  if (refused && refused->message.find("store.db") == std::string::npos) *wrong += "no name; ";
  // Grow the outcome until it has no room either.
  auto outcome = advance(leased, "second");
  outcome.data = '"' + std::string(900'000, 'x') + '"';
  const auto recorded = co_await subject.record({outcome});
  if (recorded || recorded.error().what != store_error::kind::full) *wrong += "record; ";
  if (subject.count()->all() != (rounds - 1) * 200 + 1) *wrong += "counts moved; ";
  if (view_of(subject, "a").version != 0) *wrong += "a moved; ";
  if (!(co_await lease_some(subject, "lane", 1)).empty()) *wrong += "a was leased again; ";

  *wrong += mount_disk(*disk, "size=64m", true);
  if (!co_await record_one(subject, outcome)) *wrong += "not accepted afterwards; ";
  if (view_of(subject, "a").version != 1) *wrong += "a did not move; ";
}

}  // namespace

TEST_SUITE("sqlite.hpp: full disk") {
  TEST_CASE("a commit without space changes nothing and the next one may succeed") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    const auto wrong = in_child([&]() -> std::string {
      std::string found = mount_disk(directory.path(), "size=3m", false);
      if (!found.empty()) return found;
      {
        const auto subject = open_store(file);
        on_threads(fill_up(*subject, &directory.path(), &found));
      }
      check_consistent(file);  // here: the disk goes with this process
      return found;
    });
    CHECK(wrong == "");
  }
}
