// SPDX-License-Identifier: Apache-2.0
// The engine on its store, measured: one row a call. `make bench-engine` calls it beside its peers,
// bench/README.md says what is counted.
//
//   enginebench loop|run|waiting|latency|scale STORE [name=value…]

#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "gauge.hpp"
#include "rows.hpp"

namespace {

using namespace enginebench;

constexpr const char* usage =
    "usage: enginebench loop|run|waiting|latency|scale STORE [machines=100000] [failing=0] "
    "[window=2048] [lanes=16] [threads=0] [rate=MACHINES_PER_SECOND] [seconds=10]";

void set(settings& of, std::string_view name, const std::string& value) {
  const double number = std::atof(value.c_str());
  if (name == "machines")
    of.machines = static_cast<std::int64_t>(number);
  else if (name == "failing")
    of.failing_percent = static_cast<int>(number);
  else if (name == "window")
    of.window = static_cast<std::int64_t>(number);
  else if (name == "lanes")
    of.lanes = static_cast<int>(number);
  else if (name == "threads")
    of.threads = static_cast<int>(number);
  else if (name == "rate")
    of.machines_per_second = number;
  else if (name == "seconds")
    of.seconds = number;
  else
    require(false, usage);
}

void remove_store(const std::filesystem::path& file) {
  for (const char* const end : {"", "-wal", "-shm", ".owner"}) {
    std::filesystem::remove(file.string() + end);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::map<std::string, std::function<void(const settings&)>, std::less<>> rows{
      {"loop", bare_loop},
      {"run", enginebench::run},
      {"waiting", waiting},
      {"latency", latency},
      {"scale", scale}};
  require(count >= 3 && rows.contains(arguments[1]), usage);
  settings of;
  of.store = arguments[2];
  for (int i = 3; i < count; ++i) {
    const std::string argument = arguments[i];
    const auto equals = argument.find('=');
    require(equals != std::string::npos, usage);
    set(of, argument.substr(0, equals), argument.substr(equals + 1));
  }
  require(of.machines > 0 && of.window > 0 && of.lanes > 0 && of.machines < 10'000'001, usage);
  remove_store(of.store);
  rows.find(arguments[1])->second(of);
  remove_store(of.store);
  return 0;
}
