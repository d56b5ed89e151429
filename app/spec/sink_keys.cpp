// SPDX-License-Identifier: Apache-2.0
// The keys of [sink]. A new key is a new line here.
#include "spec/sections.hpp"

namespace wherry::app::toml_file {
namespace {

constexpr auto required = need::required;
constexpr auto optional = need::optional;
constexpr auto secret_key = privacy::secret;

constexpr key<sink> sink_keys[] = {
    whole_entry<sink_url, sink>("url",
                                "Where objects go: file:///… or s3://…; ends in .parquet, .csv or "
                                ".jsonl, or those and .gz .zst.",
                                required),
    entry<yes_or_no, &sink::overwrite>(
        "overwrite", "Replace an object that is there with other bytes; true by default."),
    entry<limit_form, &sink::limit>("limit", "How much the sink can take."),
    entry<endpoint_url, &sink::endpoint>("endpoint", "S3 server; AWS by default."),
    entry<one_line, &sink::region>(
        "region", "S3 region; by default AWS_REGION, the AWS profile's, or us-east-1."),
    entry<one_line, &sink::access_key>(
        "access_key", "S3 key id; by default that of the environment, AWS profile or machine.",
        optional, secret_key),
    entry<one_line, &sink::secret_key>("secret_key", "The secret of access_key.", optional,
                                       secret_key),
    entry<one_line, &sink::session_token>("session_token", "The session's token; none.", optional,
                                          secret_key),
    entry<yes_or_no, &sink::path_style>("path_style",
                                        "http://host/bucket/… instead of http://bucket.host/…."),
    entry<duration, &sink::timeout>("timeout", "Time for one object; 2m by default."),
};

}  // namespace

std::vector<key_info> sink_form::keys() { return infos<sink_keys>(); }

void sink_form::read(reader& r, const value& from, sink& to) { read_table(r, from, to, sink_keys); }

}  // namespace wherry::app::toml_file
