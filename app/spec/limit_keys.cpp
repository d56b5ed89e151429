// SPDX-License-Identifier: Apache-2.0
// The keys of [source.limit], [sink.limit] and [[source.shared]]. A new key is a new line here.
#include "spec/limits.hpp"
#include "spec/sections.hpp"

namespace wherry::app::toml_file {
namespace {

constexpr auto required = need::required;

constexpr key<breaker> breaker_keys[] = {
    entry<number<1, 1'000'000>, &breaker::failures>("failures", "Failures in a row that open it.",
                                                    required),
    entry<duration, &breaker::open_for>("open_for",
                                        "How long it is open, doubled each time; 30s by default."),
    entry<duration, &breaker::longest>("longest", "How long at most; 10m by default."),
};

struct breaker_form : table_of<breaker_keys> {
  static constexpr std::string_view wanted =
      R"(breaker = { failures = 5, open_for = "30s", longest = "10m" })";
  static void read(reader& r, const value& from, breaker& to) {
    read_table(r, from, to, breaker_keys);
    check_times(r, from, to);
  }
};

constexpr key<limit> limit_keys[] = {
    entry<lane_name, &limit::lane>("lane",
                                   "Who shares the limit: a name per client, such as {account}."),
    whole_entry<rate_text, limit>("rate", "Calls per time; none: as many as there is room for."),
    entry<number<1, 100'000>, &limit::in_flight>("in_flight",
                                                 "Calls under way at once; 8 by default."),
    entry<quota_list, &limit::quotas>(
        "quotas", "Most calls in any window of some length; all of them hold at once."),
    entry<yes_or_no, &limit::adaptive>(
        "adaptive", "Find out how many of in_flight the other side bears; false by default."),
    entry<breaker_form, &limit::breaker>(
        "breaker", "Stop for a while after failures in a row; none by default."),
    entry<weight_number, &limit::weight>("weight",
                                         "Share of the window beside other lanes; 1 by default."),
};

constexpr key<limit> shared_keys[] = {
    entry<lane_name, &limit::lane>("lane", "Who shares it, such as app or {account}/insights.",
                                   need::required),
    whole_entry<rate_text, limit>("rate", "Calls per time."),
    entry<quota_list, &limit::quotas>("quotas", "Most calls in any window of some length."),
};

}  // namespace

std::vector<key_info> shared_limits::keys() { return infos<shared_keys>(); }

void shared_limits::read(reader& r, const value& from, std::vector<limit>& to) {
  for (const auto& item : from.items) {
    if (item.is != table) {
      r.wrong(item.begin, fmt::format("holds {}", name_of(item.is)),
              fmt::format("write {}", wanted));
      continue;
    }
    auto& made = to.emplace_back();
    read_table(r, item, made, shared_keys);
    if (item.find({"rate"}) == nullptr && item.find({"quotas"}) == nullptr) {
      r.wrong(item.begin, "has a limit that allows everything", "give it a rate or quotas");
    }
  }
}

std::vector<key_info> limit_form::keys() { return infos<limit_keys>(); }

void limit_form::read(reader& r, const value& from, limit& to) {
  read_table(r, from, to, limit_keys);
}

}  // namespace wherry::app::toml_file
