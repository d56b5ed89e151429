// SPDX-License-Identifier: Apache-2.0
#pragma once
// The commands of the program: what each is asked, and its exit status. Parsing of the command line
// is main.cpp's; the commands read no arguments and call no exit.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "spec/backlog.hpp"

namespace wherry::app {

/// Exit statuses.
enum exit_status : int {
  all_well = 0,
  some_dead = 1,  ///< work ended in dead letters, or could not go on
  mistake_made =
      2  ///< nothing was begun: a mistake in the call or the spec, or no store to work on
};

enum class only { missing, failed, all };

struct import_call {
  std::filesystem::path spec;
  backlog_request range;  ///< neither from nor to: the newest day that has ended, and look_back
  std::optional<int> look_back{};  ///< in place of the spec's; only without a range
  app::only only = only::missing;
  bool json = false;

  [[nodiscard]] bool is_daily() const { return range.from.empty() && range.to.empty(); }
};
int import_reports(const import_call& call);

struct check_call {
  std::filesystem::path spec;
  backlog_request range;  ///< from and to may be empty: no count then
  bool json = false;
  bool probe = false;  ///< call source and sink, too
};
int check_spec(const check_call& call);

struct preview_call {
  std::filesystem::path spec;
  std::string client;
  std::string day;
  std::size_t rows = 10;
  // At most one of the two.
  std::filesystem::path record{};  ///< directory for what is exchanged with the API
  std::filesystem::path replay{};  ///< directory of a recording, in place of the API
};
int preview_report(const preview_call& call);

/// What to look at: the store, and machines in it.
struct inspect_call {
  std::string store;  ///< empty: the one in the working directory
  std::string phase;
  std::string state;
  std::size_t limit = 50;
  std::vector<std::string> ids;
  bool all = false;
  std::string lane;           ///< to pause or to resume
  std::int32_t priority = 0;  ///< to give
  bool json = false;
};
int show_status(const inspect_call& call);
int list_machines(const inspect_call& call);
int show_machines(const inspect_call& call);
int redrive_machines(const inspect_call& call);
int cancel_machines(const inspect_call& call);
int prioritize_machines(const inspect_call& call);
int pause_lane(const inspect_call& call);
int resume_lane(const inspect_call& call);

/// What keeps a store in good order.
struct upkeep_call {
  std::string store;  ///< as of inspect_call
  bool json = false;

  // compact; 0: for ever, all
  int history_days = 90;
  std::size_t history_lines = 1'000;
  int keep_days = 0;

  // backup
  std::filesystem::path to;
  bool replace = false;
};
int check_store(const upkeep_call& call);
int compact_store(const upkeep_call& call);
int back_up_store(const upkeep_call& call);

int write_starting_spec(const std::filesystem::path& to);

}  // namespace wherry::app
