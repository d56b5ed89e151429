// SPDX-License-Identifier: Apache-2.0
#pragma once
// fetched_report: a report up to where its bytes are there, for who only wants to look at them. Its
// steps are those of `report`, so that what is seen is what an import would get; they end before
// anything is converted or written.

#include <boost/describe.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "report/report.hpp"

namespace wherry::app {

/// Its bytes are in the spool, as the API sent them.
struct fetched {
  static constexpr std::string_view tag = "fetched";
  spool_file file;  ///< without a name: the API has no rows
};
BOOST_DESCRIBE_STRUCT(fetched, (), (file))

class fetched_report {
 public:
  static constexpr std::string_view name = "fetched_report";
  using state = std::variant<requestable, pending, downloadable, downloading, fetched>;
  using said = outcome<state>;

  /// Slots and loader are not used.
  explicit fetched_report(report_parts parts);

  /// The state in which a report of that import begins.
  [[nodiscard]] static state first(const app::spec& of, std::string client, std::string day);

  task<said> step(requestable now, step_context context);
  task<said> step(pending now, step_context context);
  task<said> step(downloadable now, step_context context);
  task<said> step(downloading now, step_context context);

  template <class State>
  [[nodiscard]] std::string lane(const State& now) const
    requires requires(const report& of) { of.lane(now); }
  {
    return steps_.lane(now);
  }

 private:
  template <class State>
  task<said> run(State now, step_context context);

  report steps_;
};

}  // namespace wherry::app
