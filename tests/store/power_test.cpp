// SPDX-License-Identifier: Apache-2.0
// Goal: whatever was answered survives a loss of power at any moment, on a disk that forgets and
// tears what was not synced. Fails if a commit is answered before it is synced.
// Method: processes lease and record on a failing disk; in between another one notes what has been
// answered and only then takes the files as a power cut would leave them. Each such copy is then
// opened, on the real disk, and compared with the note. From a printed seed.
#include <map>

#include "sqlite_subject.hpp"
#include "store/sqlite/failing_disk.hpp"
#include "store/sqlite/surroundings.hpp"
#include "wherry/csp/scope.hpp"

using namespace wherry;
using namespace wherry::test;

namespace {

constexpr int cuts = 12;

/// The versions that were answered, by id. Threads: any.
class notes {
 public:
  void note(const std::string& id, std::int64_t version) {
    const std::lock_guard guard(mutex_);
    versions_[id] = std::max(versions_[id], version);
    ++count_;
    changed_.offer({});
  }
  /// Suspends: until there are so many.
  task<> until(std::size_t count) const {
    while (this->count() < count) co_await changed_.take();
  }
  [[nodiscard]] std::map<std::string, std::int64_t> now() const {
    const std::lock_guard guard(mutex_);
    return versions_;
  }
  [[nodiscard]] std::size_t count() const {
    const std::lock_guard guard(mutex_);
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t> versions_;
  std::size_t count_ = 0;
  channel<std::monostate> changed_{fixed{1}};
};

task<> work(store& subject, notes& answered, const std::atomic<bool>& over) {
  while (!over) {
    const auto leased = co_await lease_some(subject, "lane", 1 + detail::draw() % 20);
    std::vector<transition> outcomes;
    for (const auto& each : leased) outcomes.push_back(advance(each, "second"));
    const auto accepted = co_await subject.record(std::move(outcomes));
    REQUIRE_MESSAGE(accepted.has_value(), accepted.error().message);
    for (std::size_t i = 0; i < leased.size(); ++i) {
      if ((*accepted)[i]) answered.note(leased[i].id, leased[i].version + 1);
    }
  }
}

}  // namespace

TEST_SUITE("sqlite.hpp: power") {
  TEST_CASE("every record that was answered before a loss of power is there afterwards") {
    const std::uint64_t seed = 20'261'125;
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const scratch_directory directory;
    const auto file = directory / "store.db";
    std::vector<std::map<std::string, std::int64_t>> noted;
    const auto copy = [&](std::size_t number) {
      return directory / ("cut" + std::to_string(number));
    };
    {
      sqlite::failing_disk disk;
      const auto opened = sqlite::open_in({.vfs = disk.name()}, file, {});
      REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
      on_threads([&](store& subject) -> task<> {
        std::vector<submission> wanted;
        for (int i = 0; i < 300; ++i) wanted.push_back(item("m" + std::to_string(i)));
        co_await submit_new(subject, std::move(wanted));
        notes answered;
        std::atomic<bool> over{false};
        co_await with_scope([&](scope& all) -> task<> {
          for (int i = 0; i < 4; ++i) all.go(work(subject, answered, over));
          while (noted.size() < cuts) {
            co_await answered.until(answered.count() + 1 + random() % 400);
            std::filesystem::create_directory(copy(noted.size()));
            const auto before = answered.now();
            disk.cut_power(copy(noted.size()), random);
            noted.push_back(before);
          }
          over = true;
        });
      }(**opened));
    }
    for (std::size_t i = 0; i < noted.size(); ++i) {
      CAPTURE(i);
      const auto left = copy(i) / "store.db";
      with_store(left, [&](store& subject) -> task<> {
        CHECK(subject.count()->all() == 300);
        for (const auto& [id, version] : noted[i]) CHECK(view_of(subject, id).version >= version);
        co_return;
      });
      check_consistent(left);
    }
  }

  TEST_CASE("a store whose very first opening a loss of power cut at any write opens afterwards") {
    std::mt19937_64 random(1);
    bool was_cut = true;
    for (std::size_t write = 1; was_cut; ++write) {
      CAPTURE(write);
      const scratch_directory directory;
      const auto left = directory / "left";
      std::filesystem::create_directory(left);
      sqlite::failing_disk disk;
      disk.fail_at(write);
      {
        const auto opened = sqlite::open_in({.vfs = disk.name()}, directory / "store.db", {});
        was_cut = disk.has_failed();
      }
      disk.cut_power(left, random);
      with_store(left / "store.db",
                 [](store& subject) -> task<> { co_await submit_new(subject, {item("a")}); });
    }
  }
}
