// SPDX-License-Identifier: Apache-2.0
#pragma once
// The states of a report, in the order in which it goes through them. Each holds all that the next
// step needs and nothing more; what is written here is what `sqlite3` shows.
//
//   requestable -> pending -> transformable -> uploadable -> completed   if the API makes it
//               downloadable -> transformable -> uploadable -> completed   if it lies there
//                                     uploadable -> loadable -> completed   with a warehouse
//
// and through `downloading` before `transformable` if it comes in pages or parts.
//
// A spool file is known by size and SHA-256: a step that finds other bytes goes back a state.

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "spool/spool.hpp"

namespace wherry::app {

BOOST_DESCRIBE_STRUCT(spool_file, (), (name, size_bytes, sha256))

/// Some of the values of [source.split].
struct report_part {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  friend bool operator==(const report_part&, const report_part&) = default;
};
BOOST_DESCRIBE_STRUCT(report_part, (), (first, count))

/// What is in the spool of a report that comes in pages or parts.
struct collected {
  std::vector<spool_file> pages;   ///< in order
  std::uint32_t whole = 0;         ///< so many of them are of parts that are complete
  std::vector<report_part> parts;  ///< not complete, the first under way; empty: it is not split
  friend bool operator==(const collected&, const collected&) = default;
};
BOOST_DESCRIBE_STRUCT(collected, (), (pages, whole, parts))

/// The API is to be asked to make a report.
struct requestable {
  static constexpr std::string_view tag = "requestable";
  std::string client;
  std::string day;  ///< 2025-01-31
  collected so_far{};
};
BOOST_DESCRIBE_STRUCT(requestable, (), (client, day, so_far))

/// The API makes it, or has made it: it is asked for until it is ready, and then downloaded in the
/// same step: its address is a secret, and expires.
struct pending {
  static constexpr std::string_view tag = "pending";
  std::string client;
  std::string day;
  std::string report;             ///< its id there
  std::int64_t requested_ms = 0;  ///< when, since 1970
  collected so_far{};
};
BOOST_DESCRIBE_STRUCT(pending, (), (client, day, report, requested_ms, so_far))

/// The API has a report to be fetched.
struct downloadable {
  static constexpr std::string_view tag = "downloadable";
  std::string client;
  std::string day;  ///< 2025-01-31
};
BOOST_DESCRIBE_STRUCT(downloadable, (), (client, day))

/// Some of its pages are in the spool.
struct downloading {
  static constexpr std::string_view tag = "downloading";
  std::string client;
  std::string day;
  std::string report;  ///< its id at the API; empty: it lies there
  /// What asks for the next page, ${NAME} for what variables say; empty: the first of a part.
  std::string next;
  collected so_far{};
};
BOOST_DESCRIBE_STRUCT(downloading, (), (client, day, report, next, so_far))

/// Its bytes are in the spool, as the API sent them.
struct transformable {
  static constexpr std::string_view tag = "transformable";
  std::string client;
  std::string day;
  spool_file downloaded;
  std::string report;  ///< its id at the API; empty: it lay there
};
BOOST_DESCRIBE_STRUCT(transformable, (), (client, day, downloaded, report))

/// The object's bytes are in the spool.
struct uploadable {
  static constexpr std::string_view tag = "uploadable";
  std::string client;
  std::string day;
  spool_file transformed;
  std::uint64_t rows = 0;
  std::string spec;    ///< version of the spec by which its bytes were made
  std::string report;  ///< as above
};
BOOST_DESCRIBE_STRUCT(uploadable, (), (client, day, transformed, rows, spec, report))

/// The object is at its place, and its rows are to go into the warehouse.
struct loadable {
  static constexpr std::string_view tag = "loadable";
  std::string client;
  std::string day;
  std::string url;  ///< empty: there are no rows, and those of before are to go
  std::uint64_t size_bytes = 0;
  std::string sha256;
  std::uint64_t rows = 0;
  std::string spec;
  std::string report;
};
BOOST_DESCRIBE_STRUCT(loadable, (), (client, day, url, size_bytes, sha256, rows, spec, report))

/// The object is at its place, and with a warehouse its rows are in the table.
struct completed {
  static constexpr std::string_view tag = "completed";
  std::string url;  ///< empty: the API said that there is no report for the day
  std::uint64_t size_bytes = 0;
  std::string sha256;
  std::uint64_t rows = 0;
  std::string spec;  ///< as above
};
BOOST_DESCRIBE_STRUCT(completed, (), (url, size_bytes, sha256, rows, spec))

}  // namespace wherry::app
