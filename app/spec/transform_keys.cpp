// SPDX-License-Identifier: Apache-2.0
// The keys of [transform]. A new key is a new line here.
#include "spec/sections.hpp"

namespace wherry::app::toml_file {
namespace {

constexpr auto required = need::required;

constexpr key<transform> transform_keys[] = {
    whole_entry<sql_text, transform>("sql",
                                     "SQL over the table report; none: select * from report."),
    entry<column_list, &transform::columns>("columns", "Name, order and type of what comes out.",
                                            required),
    entry<one_line, &transform::rates>("rates", "File of exchange rates, beside this file."),
    entry<number<1, 256>, &transform::threads>("threads", "Transforms at once; 2 by default."),
};

}  // namespace

std::vector<key_info> transform_form::keys() { return infos<transform_keys>(); }

void transform_form::read(reader& r, const value& from, transform& to) {
  read_table(r, from, to, transform_keys);
}

}  // namespace wherry::app::toml_file
