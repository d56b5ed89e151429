// SPDX-License-Identifier: Apache-2.0
// The keys of [sink]. A new key is a new line here.
#include "spec/sections.hpp"

namespace wherry::app::toml_file {
namespace {

constexpr auto required = need::required;
constexpr auto optional = need::optional;
constexpr auto secret_key = privacy::secret;

struct checksum_word : any_text {
  static constexpr std::string_view wanted = R"(checksum = "sha256" or "crc32c")";
  static constexpr std::string_view schema = R"({"enum":["sha256","crc32c"]})";
  static void read(reader& r, const value& from, std::optional<checksum>& to) {
    static constexpr std::string_view words[] = {"sha256", "crc32c"};
    read_word(r, from, words, to.emplace(), "known words");
  }
};

struct encryption_word : any_text {
  static constexpr std::string_view wanted = R"(encryption = "s3" or "kms")";
  static constexpr std::string_view schema = R"({"enum":["s3","kms"]})";
  static void read(reader& r, const value& from, std::optional<encryption>& to) {
    static constexpr std::string_view words[] = {"s3", "kms"};
    read_word(r, from, words, to.emplace(), "known words");
  }
};

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
    entry<duration, &sink::timeout>(
        "timeout", "Time for one object, or for one part of a large one; 2m by default."),
    entry<size_text, &sink::multipart_bytes>(
        "multipart",
        "S3 objects over this size go up in parts of a quarter of it; 64MiB by default."),
    entry<checksum_word, &sink::checksum>("checksum",
                                          "Sent with each S3 object, kept by the server and "
                                          "compared with what it says: sha256, crc32c."),
    entry<encryption_word, &sink::encryption>(
        "encryption",
        "S3 encrypts by its own key, s3, or by one of KMS, kms; the bucket decides "
        "by default."),
    entry<one_line, &sink::kms_key>("kms_key",
                                    "Key of KMS: its id or ARN; the bucket's own by default."),
};

}  // namespace

std::vector<key_info> sink_form::keys() { return infos<sink_keys>(); }

void sink_form::read(reader& r, const value& from, sink& to) { read_table(r, from, to, sink_keys); }

}  // namespace wherry::app::toml_file
