// SPDX-License-Identifier: Apache-2.0
// The embedded store as it is, but for the disk below it and the threads around it.

#include <fstream>
#include <random>
#include <system_error>

#include "failing_disk.hpp"
#include "surroundings.hpp"

namespace wherry {
namespace sqlite {
namespace {

class sqlite_disk final : public simulated_disk {
 public:
  explicit sqlite_disk(std::filesystem::path directory) : directory_(std::move(directory)) {}

  std::expected<std::unique_ptr<store>, store_error> open() override {
    const auto calendar = [&home = scheduler::current()] { return home.system_now(); };
    return open_in(
        {.vfs = disk_.name(), .has_threads = false, .calendar = calendar, .bulk_of_log = 50},
        directory_ / "store.db", {});
  }
  void fail_at(std::size_t write) override { disk_.fail_at(write); }
  bool has_failed() const noexcept override { return disk_.has_failed(); }

  void restart(bool power_cut, std::uint64_t random) override {
    if (power_cut) {
      std::mt19937_64 draws(random);
      disk_.cut_power(directory_, draws);
    } else {
      disk_.end_process(directory_);
    }
    disk_.renew();
    std::filesystem::remove(directory_ / "store.db-shm");  // memory: gone with the process
  }

 private:
  std::filesystem::path directory_;
  failing_disk disk_;
};

}  // namespace
}  // namespace sqlite

std::unique_ptr<simulated_disk> simulated_sqlite_disk(const std::filesystem::path& directory) {
  return std::make_unique<sqlite::sqlite_disk>(directory);
}

}  // namespace wherry
