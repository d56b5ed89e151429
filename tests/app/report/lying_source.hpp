// SPDX-License-Identifier: Apache-2.0
#pragma once
// A source whose reports lie there, for tests of imports that request none.

#include <doctest/doctest.h>

#include "source/source.hpp"

namespace wherry::app::testing {

class lying_source : public report_source {
 public:
  using report_source::fetch;
  task<std::expected<std::string, source_error>> request(client, day, std::string) override {
    FAIL("a report was requested that lies there");
    co_return std::string();
  }
  task<std::expected<remote_progress, source_error>> poll(client, day, std::string) override {
    FAIL("a report was polled that lies there");
    co_return remote_progress{};
  }
  task<std::expected<page, source_error>> fetch_page(client, day, asked_page,
                                                     std::optional<remote_place>,
                                                     spool_writer&) override {
    FAIL("a page was fetched of a report that is whole");
    co_return page{};
  }
  task<std::expected<download, source_error>> fetch(remote_place, spool_writer&) override {
    FAIL("a report was fetched from elsewhere");
    co_return download{};
  }
};

}  // namespace wherry::app::testing
