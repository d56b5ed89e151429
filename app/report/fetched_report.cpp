// SPDX-License-Identifier: Apache-2.0
#include "report/fetched_report.hpp"

namespace wherry::app {
namespace {

using state = fetched_report::state;

/// What is behind the download is its end; a report that has none is complete without rows.
struct ending {
  state operator()(transformable now) const { return fetched{std::move(now.downloaded)}; }
  state operator()(const uploadable&) const { return fetched{}; }
  state operator()(const loadable&) const { return fetched{}; }
  state operator()(const completed&) const { return fetched{}; }
  template <class Earlier>
  state operator()(Earlier now) const {
    return now;
  }
};

state as_fetched(report::state of) { return std::visit(ending{}, std::move(of)); }

struct translation {
  using said = fetched_report::said;
  said operator()(report::state& next) const { return as_fetched(std::move(next)); }
  said operator()(go_back<report::state>& back) const {
    return go_back<state>{as_fetched(std::move(back.to)), std::move(back.error), back.until};
  }
  template <class Other>
  said operator()(Other& other) const {
    return std::move(other);
  }
};

report_parts without_what_follows(report_parts parts) {
  parts.slots = nullptr;
  parts.loader = nullptr;
  return parts;
}

}  // namespace

fetched_report::fetched_report(report_parts parts) : steps_(without_what_follows(parts)) {}

state fetched_report::first(const app::spec& of, std::string client, std::string day) {
  return as_fetched(report::first(of, std::move(client), std::move(day)));
}

template <class State>
task<fetched_report::said> fetched_report::run(State now, step_context context) {
  auto outcome = co_await steps_.step(std::move(now), std::move(context));
  co_return std::visit(translation{}, outcome.get());
}

task<fetched_report::said> fetched_report::step(requestable now, step_context context) {
  return run(std::move(now), std::move(context));
}
task<fetched_report::said> fetched_report::step(pending now, step_context context) {
  return run(std::move(now), std::move(context));
}
task<fetched_report::said> fetched_report::step(downloadable now, step_context context) {
  return run(std::move(now), std::move(context));
}
task<fetched_report::said> fetched_report::step(downloading now, step_context context) {
  return run(std::move(now), std::move(context));
}

}  // namespace wherry::app
