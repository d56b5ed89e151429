// SPDX-License-Identifier: Apache-2.0
#include "engine_subject.hpp"

#include <cstdlib>

namespace wherry::test {
namespace {

task<> open_and_run(const std::filesystem::path& file, const std::function<task<>(store&)>& body,
                    sqlite::surroundings world) {
  world.has_threads = false;
  world.calendar = [&home = scheduler::current()] { return home.system_now(); };
  const auto opened = sqlite::open_in(world, file, {});
  REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
  co_await body(**opened);
}

}  // namespace

parcels some(int count, const std::string& prefix) {
  parcels wanted;
  for (int i = 0; i < count; ++i) {
    wanted.push_back({.id = prefix + "/" + std::to_string(i), .first = packed{"lane"}});
  }
  return wanted;
}

void on_virtual_time(const std::filesystem::path& file, std::uint64_t seed,
                     const std::function<task<>(store&)>& body, const sqlite::surroundings& world) {
  virtual_scheduler home{seed};
  home.run(open_and_run(file, body, world));
}

void over_seeds(int count, const std::function<task<>(store&, std::filesystem::path)>& body) {
  const char* const wanted = std::getenv("WHERRY_SEED");
  const std::uint64_t only = wanted == nullptr ? 0 : std::strtoull(wanted, nullptr, 10);
  const std::uint64_t begin = only == 0 ? 1 : only;
  const std::uint64_t end = only == 0 ? begin + static_cast<std::uint64_t>(count) : only + 1;
  for (std::uint64_t seed = begin; seed < end; ++seed) {
    INFO("WHERRY_SEED=", seed);
    const scratch_directory directory;
    const auto file = directory / "store.db";
    on_virtual_time(file, seed, [&](store& subject) { return body(subject, file); });
    check_consistent(file);
  }
}

task<> submit_all(parcel_engine& to, parcels wanted) {
  const auto count = wanted.size();
  const auto report = co_await to.submit(std::move(wanted));
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  CHECK(report->added == count);
}

task<> run_well(parcel_engine& subject, run_until until) {
  const auto ended = co_await subject.run(until);
  CHECK_MESSAGE(ended.has_value(), (ended ? std::string() : ended.error().message));
}

task<> run_out(store& on, parcel kind, engine_options options) {
  parcel_engine subject{on, std::move(kind), std::move(options)};
  co_await run_well(subject, run_until::drained);
}

void ask_beside(const std::filesystem::path& file, const control_request& asked) {
  const auto beside = inspect_sqlite_store(file);
  REQUIRE_MESSAGE(beside.has_value(), beside.error().message);
  const auto done = (*beside)->ask(asked);
  REQUIRE_MESSAGE(done.has_value(), done.error().message);
}

strings ids_in(store& from, phase wanted) {
  const auto found = from.query({.phase = wanted}, 1'000'000, "");
  REQUIRE_MESSAGE(found.has_value(), found.error().message);
  return ids(*found);
}

}  // namespace wherry::test
