// SPDX-License-Identifier: Apache-2.0
#pragma once
// The spec of an import, as plain data: what a checked TOML file says, with every default filled in
// and every ${VARIABLE} replaced. Everything below app/ that acts on an import reads these structs;
// only app/spec knows TOML.
//
// A spec holds secrets (tokens, keys): it is never printed or stored whole. `secret` marks them.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace wherry::app {

/// Holds a value that must never reach a log, an error or the store. Has no stream or fmt
/// formatter.
struct secret {
  std::string reveal;
};

/// Names one client of the import. `account` groups clients that share an API limit; by default
/// `id`.
struct client {
  std::string id;
  std::string account;
  std::string currency;  ///< ISO 4217 code, or empty
  /// IANA name, "UTC" by default: its days end at midnight there.
  std::string timezone;
};

/// Says where a list of clients is that is read anew at the start of each run: one of the three.
struct client_list {
  std::string file;                           ///< path
  std::vector<std::string> command;           ///< a program and its arguments; no shell
  std::string directory;                      ///< of the spec: where the command runs
  std::string url;                            ///< asked with the credentials of the source
  std::chrono::milliseconds timeout{60'000};  ///< for a command, and for each page of an address
  std::string rows;  ///< dotted path of the array of clients in JSON; empty: the document itself
  std::string next;  ///< dotted path of the next page's address; empty: there is one page
  // Columns of CSV, or dotted paths in a row of JSON.
  std::string id = "id";
  std::string account = "account";
  std::string currency = "currency";
  std::string timezone = "timezone";
};

/// So many calls in any window of that length, however they are spread.
struct quota {
  std::int64_t calls = 1;
  std::chrono::milliseconds per{60'000};
};

/// Stops a lane after so many failures in a row for a while, then lets one call try.
struct breaker {
  int failures = 0;                            ///< 0: never
  std::chrono::milliseconds open_for{30'000};  ///< doubles each time that the try fails
  std::chrono::milliseconds longest{600'000};
};

/// Says how many calls a lane may make per time, and how many may be under way at once.
struct limit {
  std::string lane;  ///< template over the client; by default "{account}", of a sink "sink"
  double calls = 0;  ///< 0: no rate limit
  std::chrono::milliseconds per{1000};
  int in_flight = 8;
  std::vector<quota> quotas{};  ///< all hold at once, beside the rate; no two of one window
  bool adaptive = false;        ///< finds out by trying how many of in_flight the other side bears
  app::breaker breaker{};
  double weight = 1;  ///< share of the window beside other lanes
};

/// Names a column and its SQL type in lower case, as DuckDB spells it ("decimal(18,6)").
struct column {
  std::string name;
  std::string type;
  // Only of a report's columns.
  std::string path{};     ///< its header, or its dotted path in a row of JSON; empty: its name
  bool optional = false;  ///< a report may lack it: then it is NULL
};

struct bearer_auth {
  secret token;
};
struct basic_auth {
  std::string user;
  secret password;
};
struct header_auth {
  std::string name;
  secret value;
};
/// Goes into the query of each address.
struct query_auth {
  std::string name;
  secret value;
};
/// Access tokens of RFC 6749: by refresh token if there is one, else by client credentials.
struct oauth2_auth {
  enum class place { header, body };
  std::string token_url;
  std::string client_id;
  secret client_secret;          ///< empty: none, which only a refresh token allows
  std::string scope;             ///< empty: not said
  secret refresh_token;          ///< empty: none
  place client = place::header;  ///< where a token request says who asks
};
/// AWS Signature Version 4.
struct sigv4_auth {
  std::string access_key;
  secret secret_key;
  secret session_token;  ///< empty: none
  std::string region;
  std::string service;
};
/// HMAC-SHA-256 over a text that the request makes, in a header of its own.
struct hmac_auth {
  enum class encoding { hex, base64 };
  secret key;
  std::string header;
  std::string over;  ///< {method} {path} {query} {timestamp} {body_sha256}
  encoding written_in = encoding::hex;
  std::string timestamp_header = "X-Timestamp";  ///< sent if `over` has {timestamp}
};
using auth = std::variant<std::monostate, bearer_auth, basic_auth, header_auth, query_auth,
                          oauth2_auth, sigv4_auth, hmac_auth>;

/// Says where an answer tells how long to wait. A number, perhaps with the letter of its unit.
struct wait_place {
  enum class unit { milliseconds, seconds, minutes, epoch };  ///< epoch: seconds since 1970
  std::string header;                                         ///< empty: it stands in the body
  std::string json;  ///< dotted path, in the body or in that header; empty: all of the header
  unit in = unit::seconds;
  friend bool operator==(const wait_place&, const wait_place&) = default;
};

/// Says what an answer means. The first rule whose conditions all hold decides; without one, the
/// status does (source/answer.hpp).
struct answer_rule {
  enum class meaning {
    rows,
    empty,        ///< the report exists and has no rows
    pending,      ///< it is not ready yet: asked again, without spending an attempt
    transient,    ///< tried again
    throttled,    ///< the lane waits
    split,        ///< it is too large: asked for in smaller parts
    credentials,  ///< the lane stops until somebody has mended them
    permanent     ///< given up
  };
  std::optional<int> status;
  std::map<std::string, std::string> headers;  ///< name -> its whole value
  std::string body_contains;                   ///< empty: any body
  std::map<std::string, std::string> json;     ///< dotted path in a JSON body -> its value as text
  meaning is = meaning::transient;
  std::optional<std::chrono::milliseconds> wait;  ///< for pending, transient and throttled
  std::optional<wait_place> wait_from;            ///< likewise
};

/// Says how an API is asked to make a report, where that takes it a while: a POST.
struct report_request {
  std::string url;        ///< template: {client} {account} {day} {currency}
  std::string body;       ///< JSON, its texts are templates; empty: none
  std::string id = "id";  ///< dotted path of the report's id in the answer
  std::string duplicate;  ///< how an answer names the report that it made before; empty: never
  int slots = 0;  ///< reports of a lane that the API makes at a time; 0: as many as there are
};

/// Says how such a report is asked for until it is ready.
struct report_poll {
  std::string url;                            ///< template, also {report}
  std::string body;                           ///< JSON, its texts likewise, to POST; empty: a GET
  std::map<std::string, std::string> ready;   ///< dotted path -> value; empty: once there is a link
  std::map<std::string, std::string> failed;  ///< it is requested anew; empty: never
  // One of the two says where it is then.
  std::string link;      ///< dotted path of its address in the answer; asked without credentials
  std::string download;  ///< template, as `url`; asked with the credentials of the API
  std::chrono::milliseconds every{30'000};
  std::chrono::milliseconds give_up{6 * 3'600'000};  ///< then it is requested anew
};

/// Says how a report comes in pages, each by a request of its own: how the next one is asked for,
/// and which one is the last.
struct report_pages {
  enum class way {
    link,    ///< its address stands in the answer; none: that was the last
    cursor,  ///< {cursor} is what the answer says; nothing: that was the last
    offset,  ///< {offset} is how many rows there were
    page     ///< {page} counts
  };
  way by = way::link;
  std::string url;  ///< template of the later pages' address; empty: that of the first
  // Where the link stands, one of the two; of a cursor, `json`.
  std::string json;    ///< dotted path in the answer
  std::string header;  ///< RFC 8288, rel="next", or an address and nothing else
  int first = 1;       ///< number of the first page
  int size = 0;        ///< rows of a full page, {size}: a shorter one is the last; 0: not known
  std::string last;    ///< dotted path of the number of the last page; empty: nowhere
  std::string more;    ///< dotted path of whether there are more; empty: nowhere
  /// What the state of a report has room for, with the longest names of their files.
  static constexpr int most_pages = 4'000;
  int most = most_pages;  ///< pages of one report
};

/// Says how a report that is too large is asked for in parts: {part} stands for some of these
/// values, joined. At first for all of them; on an answer that says `split`, for half as many.
struct report_split {
  std::vector<std::string> values;
  std::string join = ",";
};

/// Says what the bytes of a report are.
struct report_format {
  enum class kind { csv, tsv, json, jsonl };
  enum class encoding { utf_8, utf_16, utf_16le, utf_16be, latin_1, windows_1252 };
  enum class packing { by_content, none, gzip, zip };

  kind type = kind::csv;
  // Of CSV and TSV.
  char delimiter = '\0';     ///< '\0': a comma, of TSV a tab
  char quote = '"';          ///< '\0': none
  char escape = '\0';        ///< before a quote within quotes; '\0': the quote is doubled
  int skip = 0;              ///< lines before the header
  bool header = true;        ///< false: the columns come in the order in which they are declared
  int totals = 0;            ///< rows at the end that are none
  std::string totals_begin;  ///< so do the rows at the end that are none; empty: there are none

  encoding text = encoding::utf_8;  ///< UTF-16 with a byte order mark is known by that

  // Of JSON.
  std::string rows;            ///< dotted path of the array of rows; empty: the document itself
  bool rows_optional = false;  ///< a document may lack it: then it has no rows

  packing packed = packing::by_content;
  std::string member;  ///< glob of the file in a zip; empty: the only one
};

/// Says where reports come from.
struct source {
  std::string url;   ///< template: {client} {account} {day} {currency}; {report} if it is requested
  std::string body;  ///< JSON, its texts are templates as `url`; empty: a GET, else a POST
  std::optional<report_request> request;  ///< then also `poll`
  std::optional<report_poll> poll;
  std::optional<report_pages> pages;
  std::optional<report_split> split;
  app::auth auth;
  std::vector<app::auth> more_auth;            ///< by turns with `auth`
  std::map<std::string, std::string> headers;  ///< templates: {client} {account} {day} {currency}
  app::limit limit;
  std::vector<app::limit> shared;  ///< each call falls under these as well; lane, rate and quotas
  std::vector<answer_rule> on;
  report_format format;
  std::vector<column>
      columns;  ///< declared columns of the report; empty: DuckDB guesses each CSV (slower)
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds timeout{300'000};  ///< for the whole answer
  std::uint64_t max_size_bytes = 1ull << 30;   ///< of the body after decompression
};

/// A file that the SQL can look things up in, by name.
struct lookup_table {
  std::string name;
  std::string file;             ///< path of a CSV, Parquet or JSON lines file, by its ending
  std::vector<column> columns;  ///< empty: whatever the file has
};

/// How many rows of a report may be put aside because they cannot be read. One of the two is set.
struct quarantine {
  double share = 0;       ///< of the rows of the report, up to 1
  std::int64_t rows = 0;  ///< of one report
};

/// Says how rows are converted: SQL over the table `report`, and what must come out.
struct transform {
  std::string sql;                          ///< empty: select * from report
  std::map<std::string, secret> variables;  ///< what stands in `sql` for each ${NAME}
  std::vector<column> columns;              ///< exact names, order and types of the result
  std::vector<lookup_table> tables;
  std::string rates;      ///< path of a rates file in the ECB's format; empty: no convert_currency
  std::string rates_url;  ///< where `rates` is fetched from at each start; empty: it lies there
  std::optional<quarantine> bad_rows;  ///< none: a row that cannot be read is an error
  int threads = 2;
};

enum class file_format { csv, parquet, json_lines };
enum class compression { none, gzip, zstd };

/// What S3 takes beside an object and keeps, to compare it by.
enum class checksum { sha256, crc32c };

/// By whose key S3 encrypts an object: its own, or one of a key management service.
enum class encryption { s3, kms };

/// Says where objects go. Format and compression follow from the name: .parquet, .csv
/// .csv.gz .csv.zst, .jsonl .jsonl.gz .jsonl.zst.
struct sink {
  std::string url;  ///< template: {client} {account} {day}; file:///… or s3://bucket/…
  file_format format = file_format::csv;
  app::compression compression = app::compression::none;
  bool overwrite = true;  ///< false: an object that is there with other bytes stays as it is
  app::limit limit;

  // Only for s3://
  std::string endpoint;    ///< empty: https://s3.<region>.amazonaws.com
  std::string region;      ///< empty: what the machine says (aws/chain.hpp)
  std::string access_key;  ///< empty: likewise
  secret secret_key;
  secret session_token;     ///< empty: none
  bool path_style = false;  ///< http://host/bucket/key rather than http://bucket.host/key
  std::chrono::milliseconds timeout{120'000};   ///< for an object, or for a part of a large one
  std::uint64_t multipart_bytes = 64ull << 20;  ///< a larger object goes up in parts
  std::optional<app::checksum> checksum;        ///< sent with the bytes, beside their signature
  std::optional<app::encryption> encryption;    ///< none: as the bucket has it
  std::string kms_key;                          ///< of kms; empty: the bucket's, or the account's
};

/// Says into which table of a warehouse the rows go, beside the objects.
struct warehouse {
  enum class kind { redshift, postgresql };
  kind is = kind::postgresql;
  secret url;          ///< postgres://user:password@host:port/database
  std::string schema;  ///< empty: found by the server's search_path
  std::string table;
  std::string iam_role;                        ///< of Redshift's COPY: an ARN, or "default"
  int batch = 200;                             ///< most reports in a load
  std::chrono::milliseconds linger{2'000};     ///< how long a load waits for more
  std::chrono::milliseconds timeout{600'000};  ///< for a load
  // Columns of the table, among those of the transform, by whose values a report's rows are found.
  std::string client = "client";
  std::string day = "day";
};

/// Says how often a failed step is tried again, and how long between.
struct retry {
  int attempts = 12;
  std::chrono::milliseconds first{500};  ///< the upper bound of the first delay; doubles
  std::chrono::milliseconds cap{60'000};
};

/// Says how long the store keeps what is no longer needed. Zero: for ever.
struct retention {
  std::chrono::milliseconds keep_for{};  ///< a completed report; then it is known no more
  std::chrono::milliseconds history_for = std::chrono::days(90);  ///< of a report that ended
  int history_lines = 1'000;                                      ///< of one report
};

struct spec {
  std::string name;
  std::string store;  ///< "sqlite:<path>"; default "sqlite:<name>.db"
  std::string spool;  ///< directory; default "<name>.spool"
  std::uint64_t spool_budget_bytes = 4ull << 30;
  int window = 512;  ///< machines in memory at once
  app::retention retention;
  std::chrono::milliseconds delay{};  ///< a report is due so long after its day has ended
  int look_back = 0;  ///< so many days before the newest are imported again each day
  std::vector<client> clients;
  std::optional<app::client_list> client_list;  ///< then `clients` is empty until it was read
  app::source source;
  app::transform transform;
  app::sink sink;
  std::optional<app::warehouse> warehouse;
  app::retry retry;
  std::map<std::string, secret> variables;  ///< of the environment, that the file refers to
  std::string version;  ///< SHA-256 of the file's bytes, hex: kept with each machine
};

}  // namespace wherry::app
