// SPDX-License-Identifier: Apache-2.0
// Goal: a recording answers each question as often as it was asked, in order, and by nothing else.
#include "recording/replayer.hpp"

#include <doctest/doctest.h>

#include "../scratch.hpp"
#include "recording/recorder.hpp"
#include "wherry/csp/scheduler.hpp"

using namespace wherry;
using namespace wherry::app;

namespace {

/// Says the number of the request.
class counting final : public http_fetcher {
 public:
  task<std::expected<http_response, net_error>> fetch(http_request) override {
    http_response answer;
    answer.status = 302;
    answer.headers = {{"Location", "/next"}};
    answer.body = std::to_string(++asked_);
    co_return answer;
  }

 private:
  int asked_ = 0;
};

std::expected<http_response, net_error> ask(http_fetcher& of, std::string url) {
  http_request request;
  request.url = std::move(url);
  return virtual_scheduler().run(of.fetch(std::move(request)));
}

}  // namespace

TEST_SUITE("recording/replayer.hpp") {
  TEST_CASE("a question is answered as often as it was asked, in order") {
    const testing::scratch at;
    counting api;
    {
      auto into = recording_writer::open(at.path / "said", {}, {});
      REQUIRE(into);
      recorder network(api, redactor({}, {}), std::move(*into));
      for (const auto* url : {"http://x/a", "http://x/b", "http://x/a"}) {
        CHECK(ask(network, url).has_value());
      }
    }
    auto said = read_recording(at.path / "said");
    REQUIRE(said);
    replayer replayed(std::move(*said), redactor({}, {}));
    CHECK(ask(replayed, "http://x/a")->body == "1");
    CHECK(ask(replayed, "http://x/a")->body == "3");
    CHECK(ask(replayed, "http://x/b")->redirect_url == "http://x/next");
    const auto none = ask(replayed, "http://x/a");
    REQUIRE(!none);
    CHECK(!none.error().transient);
    CHECK(none.error().message.contains("is asked once more than the 2 times"));
    CHECK(ask(replayed, "http://x/c").error().message.contains("differs in the address"));
  }
}
