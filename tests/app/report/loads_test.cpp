// SPDX-License-Identifier: Apache-2.0
// Goal: a report is completed when its rows are loaded, and what is in the loader's way has the
// right consequence for the report and for its lane. Method: everything real but the API, the store
// and the loader, which says what the test lets it say.
#include <mutex>
#include <vector>

#include "house.hpp"
#include "report/outcomes.hpp"

namespace wherry::app {
namespace {

using namespace testing;

fault_server::handler serving(std::string answer) {
  return [answer = std::move(answer)](connection& with) {
    while (with.read_request() && with.send(answer)) {}
  };
}

/// Says these one after the other, then that all is loaded; keeps what it was given.
class scripted_loader final : public report_loader {
 public:
  std::vector<load_outcome> script;
  std::vector<load_item> given;

  task<load_outcome> load(load_item item) override {
    const std::lock_guard lock{mutex_};
    given.push_back(std::move(item));
    if (script.empty()) co_return load_result::loaded;
    auto next = std::move(script.front());
    script.erase(script.begin());
    co_return next;
  }

 private:
  std::mutex mutex_;
};

struct loading_house : house {
  scripted_loader loader;

  explicit loading_house(const fault_server& api, int clients = 1) : house(api, clients) {
    spec.warehouse.emplace();
    open();
    driver = std::make_unique<engine<report>>(
        *machines, report{{spec, *source, *spool, *transformer, *sink, nullptr, &loader}},
        options_of(spec));
  }
  void fails(load_error_kind how) {
    loader.script.push_back(std::unexpected(load_error{how, "the loader says no"}));
  }
};

const std::string one_row = ok("day,name,amount\n2025-01-31,x,1\n");

}  // namespace

TEST_SUITE("report/report.hpp loads") {
  TEST_CASE("the loader is given the object as it was stored") {
    const fault_server api{serving(one_row)};
    loading_house at{api};
    at.run();
    CHECK(at.machine_of("c0").phase == phase::completed);
    REQUIRE(at.loader.given.size() == 1);
    const auto& item = at.loader.given.front();
    CHECK(item.client == "c0");
    CHECK(item.day == "2025-01-31");
    CHECK(item.rows == 1);
    CHECK(item.generation == 1);
    CHECK(item.url == "file://" + at.object_of("c0").native());
    CHECK(item.size_bytes == std::filesystem::file_size(at.object_of("c0")));
    CHECK(item.sha256.size() == 64);
  }

  TEST_CASE("a day of which the API has no report is loaded as one without rows") {
    const fault_server api{serving("HTTP/1.1 204 No Content\r\n\r\n")};
    loading_house at{api};
    at.run();
    CHECK(at.machine_of("c0").phase == phase::completed);
    REQUIRE(at.loader.given.size() == 1);
    CHECK(at.loader.given.front().url.empty());
    CHECK(at.loader.given.front().rows == 0);
  }

  TEST_CASE("a report that passes is tried again and one that is to blame dies at once") {
    const fault_server api{serving(one_row)};
    loading_house at{api};
    SUBCASE("transient") {
      at.fails(load_error_kind::transient);
      at.run();
      CHECK(at.machine_of("c0").phase == phase::completed);
      CHECK(at.loader.given.size() == 2);
    }
    SUBCASE("permanent") {
      at.fails(load_error_kind::permanent);
      at.run();
      CHECK(at.machine_of("c0").phase == phase::dead);
      CHECK(at.machine_of("c0").state == loadable::tag);
      CHECK(at.machine_of("c0").error == "the loader says no");
      at.redrive();
      CHECK(at.machine_of("c0").phase == phase::completed);
    }
  }

  TEST_CASE(
      "a report whose day a newer pass has loaded, which the store does not know, is no success") {
    const fault_server api{serving(one_row)};
    loading_house at{api};
    at.loader.script.emplace_back(load_result::superseded);
    at.run();
    CHECK(at.machine_of("c0").phase == phase::dead);
    CHECK_MESSAGE(at.machine_of("c0").error.contains("--only all"), at.machine_of("c0").error);
  }

  TEST_CASE("an object that vanished is made anew from the download on") {
    const fault_server api{serving(one_row)};
    loading_house at{api};
    at.fails(load_error_kind::vanished);
    at.run();
    CHECK(at.machine_of("c0").phase == phase::completed);
    CHECK(at.loader.given.size() == 2);
    CHECK(at.loader.given[0].sha256 == at.loader.given[1].sha256);
  }

  TEST_CASE("a warehouse that is down spends no attempt") {
    const fault_server api{serving(one_row)};
    loading_house at{api};
    for (int i = 0; i < 3 * at.spec.retry.attempts; ++i) at.fails(load_error_kind::unreachable);
    at.run();
    CHECK(at.machine_of("c0").phase == phase::completed);
    CHECK(at.driver->progress().throttled > 0);
  }

  TEST_CASE("what is wrong for all reports stops the lane and kills none") {
    const fault_server api{serving(one_row)};
    loading_house at{api, 3};
    for (int i = 0; i < 3; ++i) at.fails(load_error_kind::stopped);
    at.run();
    CHECK(at.count(phase::dead) == 0);
    CHECK(at.driver->stopped_lanes() ==
          std::map<std::string, std::string>{{"warehouse", "the loader says no"}});
    at.loader.script.clear();
    at.run();  // the next run tries at once
    CHECK(at.count(phase::completed) == 3);
  }

  TEST_CASE("what waits to be loaded completes if the spec has no warehouse any more") {
    const fault_server api{serving(one_row)};
    loading_house at{api};
    at.fails(load_error_kind::stopped);
    at.run();
    REQUIRE(at.machine_of("c0").state == loadable::tag);
    at.spec.warehouse.reset();
    at.make_engine(options_of(at.spec));
    at.run();
    CHECK(at.machine_of("c0").phase == phase::completed);
    CHECK(at.loader.given.size() == 1);
  }
}

}  // namespace wherry::app
