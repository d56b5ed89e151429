// SPDX-License-Identifier: Apache-2.0
#include "commands/probe.hpp"

#include <algorithm>
#include <expected>
#include <utility>

#include "commands/stoppable.hpp"
#include "sink/probe.hpp"
#include "source/probe.hpp"
#include "spec/template.hpp"
#include "wherry/csp/task.hpp"

namespace wherry::app {
namespace {

task<int> call_all(const spec& of, const prepared_spec& with, const report_id& about,
                   std::vector<probe_line>& lines) {
  const auto& first = of.clients[about.client];
  const auto add = [&](const char* side, std::expected<std::string, std::string> said) {
    const bool is_well = said.has_value();
    lines.push_back(
        {side, is_well,
         without_variables(is_well ? *std::move(said) : std::move(said.error()), of.variables)});
  };
  add("source", co_await probe_source(of.source, with.client(), first, about.day));
  add("sink", co_await probe_sink(of.sink, with.client(), with.keys(), first, about.day));
  co_return 0;
}

}  // namespace

std::vector<probe_line> probe_sides(const prepared_spec& with, const report_id& about) {
  auto of = with.spec();
  of.source.connect_timeout =
      std::min<std::chrono::milliseconds>(of.source.connect_timeout, probe_time_limit);
  of.source.timeout = std::min<std::chrono::milliseconds>(of.source.timeout, probe_time_limit);
  of.sink.timeout = std::min<std::chrono::milliseconds>(of.sink.timeout, probe_time_limit);
  std::vector<probe_line> lines;
  if (run_until_stopped(call_all(of, with, about, lines)) != 0) lines.clear();
  return lines;
}

}  // namespace wherry::app
