// SPDX-License-Identifier: Apache-2.0
// The keys of a spec: name, form, field, sentence. A new key is a new line here, or in the file of
// its section (sections.hpp).
#include "spec/limits.hpp"
#include "spec/sections.hpp"
#include "spec/warehouse_keys.hpp"

namespace wherry::app::toml_file {
namespace {

constexpr auto required = need::required;

constexpr key<retry> retry_keys[] = {
    entry<number<1, 1'000>, &retry::attempts>("attempts",
                                              "Tries before a report is dead; 12 by default."),
    entry<duration, &retry::first>("first",
                                   "Longest first delay, doubled each time; 500ms by default."),
    entry<duration, &retry::cap>("cap", "Longest delay; 1m by default."),
};

// These are keys of [import], and a struct of their own.
template <class Form, auto Field>
struct kept : Form {
  static void read(reader& r, const value& from, spec& to) {
    Form::read(r, from, to.retention.*Field);
  }
};

constexpr key<spec> import_keys[] = {
    entry<id_text, &spec::name>("name", "Name of the import; files are called after it.", required),
    whole_entry<clients_form, spec>("clients",
                                    "Whose reports: ids, or tables of id and more, or a list "
                                    "elsewhere: file, command or url.",
                                    required),
    entry<store_url, &spec::store>("store", "Where progress is kept; sqlite:<name>.db by default."),
    entry<one_line, &spec::spool>("spool",
                                  "Directory for bytes under way; <name>.spool by default."),
    entry<size_text, &spec::spool_budget_bytes>("spool_budget",
                                                "Most the spool may hold; 4GiB by default."),
    entry<number<1, 1'000'000>, &spec::window>("window",
                                               "Reports in memory at once; 512 by default."),
    entry<duration, &spec::delay>(
        "delay", "How long after the end of its day a report is due; at once by default."),
    entry<number<0, 400>, &spec::look_back>(
        "look_back", "Days before the newest that are imported again each day; 0 by default."),
    whole_entry<kept<keeping_time, &retention::keep_for>, spec>(
        "keep_for", "How long a completed report stays in the store; forever by default."),
    whole_entry<kept<keeping_time, &retention::history_for>, spec>(
        "history_for", "How long the history of a report that ended stays; 90d by default."),
    whole_entry<kept<number<2, 1'000'000'000>, &retention::history_lines>, spec>(
        "history_lines", "Most lines of history that a report keeps; 1000 by default."),
};

constexpr key<spec> root_keys[] = {
    whole_entry<table_of<import_keys>, spec>(
        "import", "What is imported, and where its state lives.", required),
    entry<source_form, &spec::source>("source", "Where reports come from.", required),
    entry<transform_form, &spec::transform>("transform", "How rows are converted.", required),
    entry<sink_form, &spec::sink>("sink", "Where objects go.", required),
    entry<warehouse_form, &spec::warehouse>("warehouse", "The table that rows are loaded into."),
    entry<table_of<retry_keys>, &spec::retry>("retry", "How often a failed step is tried again."),
};

}  // namespace

std::vector<key_info> spec_keys() { return infos<root_keys>(); }

void read_all(reader& r, spec& to) { read_table(r, r.root(), to, root_keys); }

void report_unknown(reader& r, const member& stray, std::span<const std::string_view> known) {
  r.hide(stray.item);  // nobody knows what it is: it may be a secret under a misspelt name
  r.report(stray.at, fmt::format("unknown key {} {}", in_quotes(stray.name), r.table_name()),
           did_you_mean(stray.name, known, "known keys"));
}

void report_kind(reader& r, const value& from, const form_info& form) {
  r.wrong(from.begin, fmt::format("is {}", name_of(from.is)), fmt::format("write {}", form.wanted));
}

void report_missing(reader& r, const value& in, const key_info& key) {
  const reader::inside here{r, std::string{key.name}};
  const bool is_section = key.form.takes == table && r.table_name() == "at the top level";
  r.report(
      in.begin, fmt::format("missing key {} {}", in_quotes(key.name), r.table_name()),
      fmt::format("add {}: {}", is_section ? fmt::format("[{}]", key.name) : std::string{key.name},
                  key.doc));
}

}  // namespace wherry::app::toml_file
