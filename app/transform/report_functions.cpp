// SPDX-License-Identifier: Apache-2.0
// What SQL knows of the report itself: functions without arguments. One prepared statement serves
// all clients, so they are looked up when it runs, by the connection that it runs on.

#include "transform/function_parts.hpp"

namespace wherry::app {
namespace {

struct subject_bound {
  const report_subject* subject;  // null: of none
};

void bind_subject(duckdb_bind_info info) {
  context_handle context;
  duckdb_scalar_function_get_client_context(info, context.out());
  set_bound(info, subject_bound{context_of(info).subjects->find(context.get())});
}

void set_all_null(duckdb_data_chunk input, duckdb_vector output) {
  for (idx_t row = 0, rows = duckdb_data_chunk_get_size(input); row < rows; ++row) {
    set_null(output, row);
  }
}

template <std::string report_subject::* Field>
void run_text(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto* const subject = bound_of<subject_bound>(info).subject;
  const bool is_known = subject != nullptr && subject->is_known;
  if (!is_known || (subject->*Field).empty()) return set_all_null(input, output);
  const auto& text = subject->*Field;
  for (idx_t row = 0, rows = duckdb_data_chunk_get_size(input); row < rows; ++row) {
    duckdb_vector_assign_string_element_len(output, row, text.data(), text.size());
  }
}

void run_day(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto* const subject = bound_of<subject_bound>(info).subject;
  if (subject == nullptr || !subject->is_known) return set_all_null(input, output);
  auto* const result = static_cast<duckdb_date*>(duckdb_vector_get_data(output));
  for (idx_t row = 0, rows = duckdb_data_chunk_get_size(input); row < rows; ++row) {
    result[row].days = subject->day;
  }
}

}  // namespace

void report_subjects::attach(duckdb_connection connection, const report_subject& subject) {
  context_handle context;
  duckdb_connection_get_client_context(connection, context.out());
  const std::lock_guard lock(mutex_);
  by_connection_[duckdb_client_context_get_connection_id(context.get())] = &subject;
}

const report_subject* report_subjects::find(duckdb_client_context context) {
  const std::lock_guard lock(mutex_);
  const auto found = by_connection_.find(duckdb_client_context_get_connection_id(context));
  return found == by_connection_.end() ? nullptr : found->second;
}

bool register_report_functions(duckdb_connection connection, const function_context& context) {
  constexpr auto none = DUCKDB_TYPE_INVALID;
  const type_handle text(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
  const type_handle date(duckdb_create_logical_type(DUCKDB_TYPE_DATE));
  const auto add = [&](const char* name, duckdb_scalar_function_t run, const type_handle& type) {
    return register_one(connection, context,
                        {name, {none, none, none, none}, bind_subject, run, true}, type);
  };
  return add("client_id", run_text<&report_subject::client>, text) &&
         add("client_account", run_text<&report_subject::account>, text) &&
         add("client_currency", run_text<&report_subject::currency>, text) &&
         add("client_timezone", run_text<&report_subject::timezone>, text) &&
         add("report_day", run_day, date);
}

}  // namespace wherry::app
