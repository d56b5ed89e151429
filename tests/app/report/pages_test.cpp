// SPDX-License-Identifier: Apache-2.0
// Goal: a report in pages is whole or told of, whatever its pages say, and gives way in the spool.
// Method: everything real but the API and the store (house.hpp).
#include <atomic>
#include <functional>

#include "house.hpp"

namespace wherry::app {
namespace {

using namespace testing;

constexpr std::string_view header = "day,name,amount\n";

std::string answered(int status, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

std::string row(int amount) { return "2025-01-31,x," + std::to_string(amount) + "\n"; }

std::string page_of(std::size_t size_bytes) {
  std::string text{header};
  while (text.size() < size_bytes) text += row(1'234'567);
  return text;
}

/// Answers by the number of the page that is asked for.
fault_server::handler pages(std::function<std::string(int page)> answer) {
  return [answer = std::move(answer)](connection& with) {
    while (const auto request = with.read_request()) {
      const auto at = request->find("page=");
      if (!with.send(answer(std::atoi(request->c_str() + at + 5)))) return;
    }
  };
}

struct paged : house {
  paged(const fault_server& api, int clients, int size = 2) : house(api, clients) {
    spec.source.url = api.url("/{client}?page={page}");
    auto& how = spec.source.pages.emplace();
    how.by = report_pages::way::page;
    how.size = size;
  }
};

}  // namespace

TEST_SUITE("report/report.hpp: pages") {
  TEST_CASE("pages become one file with the header of the first and an empty one is their end") {
    const fault_server api{pages([](int page) {
      return ok(page > 2 ? std::string() : std::string(header) + row(page) + row(page + 2));
    })};
    paged at{api, 1};
    at.open();
    at.run();
    CHECK(content_of(at.object_of("c0")) ==
          std::string(header) + row(1) + row(3) + row(2) + row(4));
    CHECK(at.spool->used_bytes() == 0);
  }

  TEST_CASE("pages that do not begin with the header of the first are told and lose no row") {
    const fault_server api{pages(
        [](int page) { return ok(page > 1 ? row(3) : std::string(header) + row(1) + row(2)); })};
    paged at{api, 1};
    at.open();
    at.run();
    CHECK(at.machine_of("c0").phase == phase::dead);
    CHECK(at.machine_of("c0").error.starts_with(
        "page 2 of the report does not begin with the header of the first; with [source.pages]"));
    CHECK(at.spool->used_bytes() == 0);
  }

  TEST_CASE("a dead letter keeps none of its pages and completes once the cause is gone") {
    std::atomic<int> status = 400;
    const fault_server api{pages([&](int page) {
      if (page > 1 && status != 200) return answered(status, "no");
      return ok(std::string(header) + row(page) + (page == 1 ? row(2) : ""));
    })};
    paged at{api, 1};
    SUBCASE("which a rule gives up") {
      at.spec.source.on.emplace_back().is = answer_rule::meaning::permanent;
      at.spec.source.on.back().status = 400;
    }
    SUBCASE("whose last attempt failed") {
      status = 500;
      at.spec.retry.attempts = 2;
    }
    at.open();
    at.run();
    CHECK(at.machine_of("c0").phase == phase::dead);
    CHECK(at.machine_of("c0").state == downloading::tag);
    CHECK(at.spool->used_bytes() == 0);
    status = 200;
    at.redrive();
    CHECK(content_of(at.object_of("c0")) == std::string(header) + row(1) + row(2) + row(2));
  }

  TEST_CASE("a page that is gone begins the report anew, a few times") {
    std::atomic<int> begun = 0, good = 3;
    const fault_server api{pages([&](int page) {
      if (page == 1) ++begun;
      if (page > 1 && begun < good) return answered(404, "the cursor has expired");
      return ok(std::string(header) + row(page) + (page == 1 ? row(2) : ""));
    })};
    paged at{api, 1};
    at.spec.retry.attempts = 4;
    at.open();
    at.run();
    CHECK(at.count(phase::completed) == 1);
    CHECK(begun == 3);
    CHECK(at.machine_of("c0").setbacks == 2);
  }

  TEST_CASE("reports in pages that fill the spool together make way and all complete") {
    const auto page = page_of(10'000);
    const fault_server api{
        pages([&](int number) { return ok(number < 8 ? page : std::string(header)); })};
    paged at{api, 6, 100};
    at.spec.retry.attempts = 2;
    at.spec.spool_budget_bytes = 300'000;
    at.open();
    at.run();
    CHECK(at.count(phase::completed) == 6);
    CHECK(at.spool->used_bytes() == 0);
  }

  TEST_CASE("pages of one report over a quarter of the budget are told") {
    const auto page = page_of(10'000);
    const fault_server api{pages([&](int) { return ok(page); })};
    paged at{api, 1, 100};
    at.spec.spool_budget_bytes = 50'000;
    at.open();
    at.run();
    CHECK(at.machine_of("c0").phase == phase::dead);
    CHECK(at.machine_of("c0").error.contains("`spool_budget`"));
    CHECK(at.spool->used_bytes() == 0);
  }
}

}  // namespace wherry::app
