// SPDX-License-Identifier: Apache-2.0
#pragma once
// report: the kind of machine that this program carries, one per (client, day). Its steps join
// source, spool, transform, sink and warehouse; what their errors mean for the machine is decided
// in outcomes.hpp.
//
// Every step may run again after a crash: it writes the same bytes to the same place.
//
// A dead letter keeps no room in the spool: a step that gives up removes its files. Only one that
// the engine itself ends (time limit) leaves them, until `remove_files` or the next start.

#include <array>
#include <expected>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "report/slots.hpp"
#include "report/states.hpp"
#include "sink/sink.hpp"
#include "source/source.hpp"
#include "spec/spec.hpp"
#include "spool/spool.hpp"
#include "transform/transformer.hpp"
#include "warehouse/loader.hpp"
#include "wherry/engine/engine.hpp"

namespace wherry::app {

/// What the steps work with. Requires: outlives the engine.
struct report_parts {
  const app::spec& spec;
  report_source& source;
  app::spool& spool;
  app::transformer& transformer;
  object_sink& sink;
  remote_slots* slots = nullptr;    ///< of [source.request]; null: no limit
  report_loader* loader = nullptr;  ///< null: the spec has no warehouse
};

class report {
 public:
  static constexpr std::string_view name = "report";
  using state = std::variant<requestable, pending, downloadable, downloading, transformable,
                             uploadable, loadable, completed>;
  using said = outcome<state>;

  /// Shape 1: a report that is past its download knows its id at the API.
  static void name_the_remote_report(state_json& old);
  /// Shape 2: a report may come in pages and parts.
  static void begin_without_pages(state_json& old);
  /// Shape 3: rows may have been put aside.
  static void count_rejected_rows(state_json& old);
  static constexpr std::array upgrades{&name_the_remote_report, &begin_without_pages,
                                       &count_rejected_rows};

  explicit report(report_parts parts);

  /// The state in which a report of that import begins.
  [[nodiscard]] static state first(const app::spec& of, std::string client, std::string day);

  task<said> step(requestable now, step_context context);
  task<said> step(pending now, step_context context);
  task<said> step(downloadable now, step_context context);
  task<said> step(downloading now, step_context context);
  task<said> step(transformable now, step_context context);
  task<said> step(uploadable now, step_context context);
  task<said> step(loadable now, step_context context);

  /// The lane whose limit a step falls under: the source's, the transform's, the sink's, the
  /// warehouse's.
  [[nodiscard]] std::string lane(const requestable& now) const;
  [[nodiscard]] std::string lane(const pending& now) const;
  [[nodiscard]] std::string lane(const downloadable& now) const;
  [[nodiscard]] std::string lane(const downloading& now) const;
  [[nodiscard]] std::string lane(const transformable& now) const;
  [[nodiscard]] std::string lane(const uploadable& now) const;
  [[nodiscard]] std::string lane(const loadable& now) const;

 private:
  using conversion_error = std::variant<spool_error, transform_error>;
  using conversion = std::expected<uploadable, conversion_error>;
  [[nodiscard]] conversion convert(const transformable& now, const step_context& context,
                                   const std::stop_token& stop);
  [[nodiscard]] std::expected<transform_result, conversion_error> run_transform(
      const transformable& now, const transform_job& job, const std::stop_token& stop);
  [[nodiscard]] transform_job job_of(const transformable& now, const step_context& context) const;
  // In collect.cpp.
  /// Fetches the next page, which lies at `from` if it is given, and says what follows from it.
  task<said> collect(const client& of, day on, downloading now, std::optional<remote_place> from,
                     const step_context& context);
  /// The part under way is complete: what follows is the next one, or all pages become one file.
  task<said> end_part(downloading now, const step_context& context);
  /// Asks for the first page of the part under way.
  [[nodiscard]] said begin_part(downloading now) const;
  [[nodiscard]] said split(downloading now, const source_error& why) const;
  using join_error = std::variant<spool_error, permanent>;
  [[nodiscard]] std::expected<spool_file, join_error> join(const std::vector<spool_file>& pages,
                                                           const spool_key& as,
                                                           const std::stop_token& stop);
  [[nodiscard]] bool comes_in_pieces() const;
  [[nodiscard]] const client* find_client(const std::string& id) const;
  /// What follows from an answer without rows: `no_rows`, if there are none; smaller parts, if it
  /// asks for them; else the error. `at`: how far the report has come.
  task<said> without_rows(downloading at, source_error why, const step_context& context);
  /// Pays for a call in the lanes of [[source.shared]], besides the step's own.
  [[nodiscard]] task<> pay_shared(const client& of, const step_context& context) const;
  /// Completed, or with a warehouse loadable, for rows of before may be there.
  [[nodiscard]] state no_rows(const std::string& client, const std::string& day) const;
  /// The lane of the API that the client's reports come from.
  [[nodiscard]] std::string source_lane(const std::string& client) const;
  /// The state that downloads again what a later one finds missing.
  template <class Later>
  [[nodiscard]] state again(const Later& now, const step_context& context) const;
  /// Frees the spool of what `outcome` makes useless: a machine that dies or is downloaded again.
  [[nodiscard]] said settled(said outcome, const step_context& context) const;

  report_parts parts_;
  std::map<std::string, const client*, std::less<>> clients_;
  std::map<std::string, state_policy, std::less<>> policies_;
};

/// The engine's options for an import: window, limits of all lanes, policies of all states.
[[nodiscard]] engine_options options_of(const spec& spec);

/// How often and how long the step of each state is tried, by tag.
[[nodiscard]] std::map<std::string, state_policy, std::less<>> policies_of(const spec& spec);

/// The spool files that a report in that state needs.
[[nodiscard]] std::vector<spool_file> files_of(const report::state& of);

/// Removes what of a report was downloaded, pages and all.
void remove_downloads(spool& from, const std::string& id, std::int64_t generation) noexcept;

/// Removes the spool files of a machine that has ended (completed, dead, cancelled) or whose object
/// is at its place, whichever there are. One that is redriven finds them gone and goes back to its
/// download.
void remove_files(spool& from, const std::string& id, std::int64_t generation) noexcept;

/// Names the spool files of a machine: of its download, or the first page; of a later page, by its
/// number; of all pages; of what goes to the sink.
[[nodiscard]] spool_key downloaded_key(const std::string& id, std::int64_t generation);
[[nodiscard]] spool_key page_key(const std::string& id, std::int64_t generation,
                                 std::size_t number);
[[nodiscard]] spool_key joined_key(const std::string& id, std::int64_t generation);
[[nodiscard]] spool_key transformed_key(const std::string& id, std::int64_t generation);
[[nodiscard]] spool_key rejected_key(const std::string& id, std::int64_t generation);

}  // namespace wherry::app
