// SPDX-License-Identifier: Apache-2.0
// Goal: whatever was answered survives kill -9 at any moment, once.
// Method: a child runs eight processes that lease, record and, once answered, write what they
// recorded to a pipe. It is killed after a random number of lines, so in the middle of commits;
// then the file is compared with the lines. Ten times on one file, from a printed seed.
#include <map>
#include <random>

#include "sqlite_subject.hpp"
#include "wherry/csp/scope.hpp"

using namespace wherry;
using namespace wherry::test;

namespace {

task<> work(store& subject, int out) {
  for (;;) {
    const auto leased = co_await lease_some(subject, "lane", 1 + detail::draw() % 20);
    std::vector<transition> outcomes;
    for (const auto& each : leased) outcomes.push_back(advance(each, "second"));
    const auto accepted = co_await subject.record(std::move(outcomes));
    if (!accepted) co_return;
    std::string lines;
    for (std::size_t i = 0; i < leased.size(); ++i) {
      if ((*accepted)[i]) {
        lines += leased[i].id + " " + std::to_string(leased[i].version + 1) + "\n";
      }
    }
    if (!lines.empty()) write_line(out, lines);
  }
}

task<> run_until_killed(store& subject, int out) {
  std::vector<submission> wanted;
  for (int i = 0; i < 300; ++i) wanted.push_back(item("m" + std::to_string(i)));
  static_cast<void>(co_await subject.submit(std::move(wanted)));
  co_await with_scope([&](scope& owner) -> task<> {
    for (int i = 0; i < 8; ++i) owner.go(work(subject, out));
    co_return;
  });
}

}  // namespace

TEST_SUITE("sqlite.hpp: kill") {
  TEST_CASE("every record that was answered before a kill is there afterwards and once") {
    const scratch_directory directory;
    const auto file = directory / "store.db";
    const std::uint64_t seed = 20'261'124;
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    std::map<std::string, std::int64_t> answered;
    for (int round = 0; round < 10; ++round) {
      child_process child([&](int out) {
        const auto subject = open_store(file);
        on_threads(run_until_killed(*subject, out));
      });
      const auto before_kill = 50 + random() % 3'000;
      std::uint64_t lines = 0;
      const auto note = [&](const std::string& line) {
        if (line.empty()) return;
        const auto space = line.find(' ');
        const std::int64_t version = std::stoll(line.substr(space + 1));
        auto& last = answered[line.substr(0, space)];
        CHECK_MESSAGE(last < version, "answered twice: ", line);
        last = version;
        ++lines;
      };
      while (lines < before_kill) {
        const auto line = child.read_line();
        note(line);
      }
      child.kill_hard();
      CHECK_MESSAGE(child.wait_killed(), "it was at work when it was killed");
      for (int blank = 0; blank < 2;) {  // what was answered in the meantime; then the end
        const auto line = child.read_line();
        blank = line.empty() ? blank + 1 : 0;
        note(line);
      }

      with_store(file, [&](store& subject) -> task<> {
        for (const auto& [id, version] : answered) {
          CHECK(view_of(subject, id).version >= version);
          const auto history = subject.history(id);
          REQUIRE(history.has_value());
          for (std::size_t i = 0; i < history->size(); ++i) {
            CHECK((*history)[i].version == static_cast<std::int64_t>(i) + 1);
          }
          CHECK(static_cast<std::int64_t>(history->size()) >= version);
        }
        co_return;
      });
      check_consistent(file);
    }
    CHECK(answered.size() == 300);
  }
}
