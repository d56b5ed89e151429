// SPDX-License-Identifier: Apache-2.0
// Goal: what older programs stored is read by this one. Method: samples, as stores of that time
// have them; one that was released is never changed.
#include <doctest/doctest.h>

#include "report/report.hpp"
#include "spool/spool_names.hpp"

using namespace wherry;
using namespace wherry::app;

TEST_SUITE("report/states.hpp") {
  TEST_CASE("states of shape 0 are read, and their reports lay at an address") {
    const auto transformed =
        read_state<report>({"transformable",
                            R"({"client":"acme","day":"2025-01-31",)"
                            R"("downloaded":{"name":"a.download","size_bytes":7,"sha256":"ab"}})",
                            0});
    REQUIRE(transformed.has_value());
    CHECK(std::get<transformable>(*transformed).downloaded.size_bytes == 7);
    CHECK(std::get<transformable>(*transformed).report.empty());
    const auto uploaded = read_state<report>(
        {"uploadable",
         R"({"client":"acme","day":"2025-01-31",)"
         R"("transformed":{"name":"a","size_bytes":7,"sha256":"ab"},"rows":3,"spec":"v"})",
         0});
    REQUIRE(uploaded.has_value());
    CHECK(std::get<uploadable>(*uploaded).rows == 3);
    CHECK(std::get<uploadable>(*uploaded).report.empty());
    for (const auto& [tag, data] :
         {std::pair{"downloadable", R"({"client":"acme","day":"2025-01-31"})"},
          std::pair{"completed",
                    R"({"url":"file:///a","size_bytes":1,"sha256":"ab","rows":0,"spec":"v"})"}}) {
      CHECK_MESSAGE(read_state<report>({tag, data, 0}).has_value(), tag);
    }
  }

  TEST_CASE("states of shape 1 are read, and none of their rows was put aside") {
    const auto uploaded = read_state<report>(
        {"uploadable",
         R"({"client":"acme","day":"2025-01-31",)"
         R"("transformed":{"name":"a","size_bytes":7,"sha256":"ab"},"rows":3,"spec":"v",)"
         R"("report":"r-1"})",
         1});
    REQUIRE(uploaded.has_value());
    CHECK(std::get<uploadable>(*uploaded).report == "r-1");
    CHECK(std::get<uploadable>(*uploaded).rejected.name.empty());
    CHECK(std::get<uploadable>(*uploaded).rejected_rows == 0);
    const auto ended = read_state<report>(
        {"completed", R"({"url":"file:///a","size_bytes":1,"sha256":"ab","rows":5,"spec":"v"})",
         1});
    REQUIRE(ended.has_value());
    CHECK(std::get<completed>(*ended).rows == 5);
    CHECK(std::get<completed>(*ended).rejected_rows == 0);
    const auto waiting = read_state<report>(
        {"pending",
         R"({"client":"acme","day":"2025-01-31","report":"r-1","requested_ms":1738000000000})", 1});
    REQUIRE(waiting.has_value());
    CHECK(std::get<pending>(*waiting).report == "r-1");
    CHECK(std::get<pending>(*waiting).so_far == collected{});
    CHECK(read_state<report>({"requestable", R"({"client":"acme","day":"2025-01-31"})", 1}));
  }

  TEST_CASE("states of shape 2 are read") {
    const auto paged = read_state<report>(
        {"downloading",
         R"({"client":"acme","day":"2025-01-31","report":"","next":"https://api/${TOKEN}",)"
         R"("so_far":{"pages":[{"name":"a.page","size_bytes":7,"sha256":"ab"}],"whole":1,)"
         R"("parts":[{"first":2,"count":3}]}})",
         2});
    REQUIRE(paged.has_value());
    CHECK(read_state<report>(
        {"uploadable",
         R"({"client":"acme","day":"2025-01-31","report":"",)"
         R"("transformed":{"name":"a","size_bytes":7,"sha256":"ab"},"rows":3,"spec":"v"})",
         2}));
    const auto& at = std::get<downloading>(*paged);
    CHECK(at.so_far.pages.front().name == "a.page");
    CHECK(at.so_far.parts == std::vector<report_part>{{.first = 2, .count = 3}});
  }

  TEST_CASE("a report of as many pages as it may have finds room in its state") {
    downloading at{.client = std::string(200, 'c'),
                   .day = "2025-01-31",
                   .report = std::string(500, 'r'),
                   .next = std::string(4'000, 'n'),
                   .so_far = {}};
    for (std::size_t i = 0; i < report_pages::most_pages; ++i) {
      const auto key = page_key(at.client + "/2025-01-31", 1'800'000'000'000, 9'000 + i);
      at.so_far.pages.push_back({spool_name(key), 64u << 20, std::string(64, 'f')});
    }
    CHECK(wherry::detail::encode(at).size() <= data_size_limit);
  }

  TEST_CASE("states of shape 3 are read") {
    const auto uploaded = read_state<report>(
        {"loadable",
         R"({"client":"acme","day":"2025-01-31","url":"s3://b/k","size_bytes":7,"sha256":"ab",)"
         R"("rows":3,"spec":"v","report":"","rejected_rows":2})",
         3});
    REQUIRE(uploaded.has_value());
    CHECK(std::get<loadable>(*uploaded).url == "s3://b/k");
    CHECK(std::get<loadable>(*uploaded).rejected_rows == 2);
  }
}
