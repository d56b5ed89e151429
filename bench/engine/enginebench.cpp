// SPDX-License-Identifier: Apache-2.0
// The engine on its store, measured: one row a call. `make bench-engine` calls it beside its peers,
// bench/README.md says what is counted.
//
//   enginebench loop|run|waiting|latency|scale STORE [name=value…]

#include <cstdlib>
#include <functional>
#include <map>
#include <string>

#include "gauge.hpp"
#include "rows.hpp"

namespace {

using namespace enginebench;

constexpr const char* usage =
    "usage: enginebench loop|run|waiting|latency|scale STORE [machines=100000] [failing=0] "
    "[window=2048] [lanes=16] [threads=0] [rate=MACHINES_PER_SECOND] [seconds=10]\n"
    "STORE is a file that is deleted before and after.";

using setter = void (*)(settings&, double);
const std::map<std::string, setter, std::less<>> setters{
    {"machines", [](settings& of, double to) { of.machines = static_cast<std::int64_t>(to); }},
    {"failing", [](settings& of, double to) { of.failing_percent = static_cast<int>(to); }},
    {"window", [](settings& of, double to) { of.window = static_cast<std::int64_t>(to); }},
    {"lanes", [](settings& of, double to) { of.lanes = static_cast<int>(to); }},
    {"threads", [](settings& of, double to) { of.threads = static_cast<int>(to); }},
    {"rate", [](settings& of, double to) { of.machines_per_second = to; }},
    {"seconds", [](settings& of, double to) { of.seconds = to; }}};

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
    const auto found = setters.find(argument.substr(0, equals));
    require(equals != std::string::npos && found != setters.end(), usage);
    found->second(of, std::atof(argument.c_str() + equals + 1));
  }
  require(of.machines > 0 && of.window > 0 && of.lanes > 0 && of.machines < 10'000'001, usage);
  remove_store(of.store);
  rows.find(arguments[1])->second(of);
  remove_store(of.store);
  return 0;
}
