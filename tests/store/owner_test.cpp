// SPDX-License-Identifier: Apache-2.0
// Goal: one process runs a store; the second is told by whom, and a dead owner leaves it free.
#include <unistd.h>

#include "sqlite_subject.hpp"

using namespace wherry;
using namespace wherry::test;

namespace {

/// A child that runs the store until it is killed.
void hold(const std::filesystem::path& file, int out) {
  const auto subject = open_sqlite_store(file);
  write_line(out, subject ? "open" : subject.error().message);
  for (;;) ::pause();
}

}  // namespace

TEST_SUITE("sqlite.hpp: owner") {
  TEST_CASE("the second process is refused with the name of the first") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    child_process owner([&](int out) { hold(file, out); });
    REQUIRE(owner.read_line() == "open");

    const auto refused = refusal_to_open(file);
    CHECK(refused.what == store_error::kind::owned);
    const auto name = "pid " + std::to_string(owner.id()) + " on ";
    CHECK_MESSAGE(refused.message.find(name) != std::string::npos, refused.message);

    const auto beside = inspect_sqlite_store(file);
    REQUIRE_MESSAGE(beside.has_value(), beside.error().message);
    CHECK((*beside)->owner().starts_with(name));
    CHECK((*beside)->count()->all() == 0);

    owner.kill_hard();
    CHECK(owner.wait_killed());
    CHECK((*beside)->owner().empty());
    const auto next = open_store(file);
    CHECK((*beside)->owner().starts_with("pid " + std::to_string(::getpid())));
  }

  TEST_CASE("a store is refused for another purpose than its own with both and the remedy") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    const auto open_for = [&](std::string purpose) {
      return open_sqlite_store(file, {.purpose = std::move(purpose)});
    };
    CHECK_MESSAGE(open_for("").has_value(), "it has none yet");
    CHECK(open_for("report flights").has_value());
    CHECK(open_for("report flights").has_value());
    CHECK_MESSAGE(open_for("").has_value(), "not looked at");
    const auto refused = open_for("report weather");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().what == store_error::kind::foreign);
    for (const auto* part : {"store.db", "report flights", "report weather", "another store"}) {
      CHECK_MESSAGE(refused.error().message.find(part) != std::string::npos, part);
    }
    CHECK(inspect_sqlite_store(file).has_value());
    CHECK(open_for("report flights").has_value());
  }

  TEST_CASE("one process cannot open a store twice and a closed one is free") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    auto first = open_store(file);
    CHECK(refusal_to_open(file).what == store_error::kind::owned);
    std::filesystem::create_symlink(file, directory / "alias.db");
    const auto by_alias = open_sqlite_store(directory / "alias.db");
    REQUIRE_FALSE(by_alias.has_value());
    CHECK(by_alias.error().what == store_error::kind::owned);
    // The refused attempts took nothing from the first.
    on_threads([](store& subject) -> task<> { co_await submit_new(subject, {item("a")}); }(*first));
    first.reset();
    with_store(file, [](store& subject) -> task<> {
      CHECK(subject.count()->all() == 1);
      co_return;
    });
  }
}
