// SPDX-License-Identifier: Apache-2.0
// Goal: what an answer says is found, and nothing is taken for it that is cut or only looks alike.
#include "aws/xml.hpp"

#include <doctest/doctest.h>

namespace wherry::app {

TEST_SUITE("aws/xml.hpp") {
  TEST_CASE("the text of an element is found by its whole name") {
    CHECK(xml_text("<?xml?>\n<A><UploadId>2~x</UploadId></A>", "UploadId") == "2~x");
    CHECK(xml_text("<Codes>a</Codes><Code>b</Code>", "Code") == "b");
    CHECK(xml_text("<Code></Code>", "Code").empty());
    CHECK(xml_text("<Code>b</Codes></Code>", "Code") == "b</Codes>");
  }

  TEST_CASE("an element that is not there, or does not end, has no text") {
    CHECK(xml_text("", "Code").empty());
    CHECK(xml_text("<Code>b", "Code").empty());
    CHECK(xml_text("<Code", "Code").empty());
    CHECK(xml_text("</Code><Code>", "Code").empty());
  }

  TEST_CASE("a text that goes into an element cannot end it") {
    CHECK(xml_escaped("\"a-1\"") == "\"a-1\"");
    CHECK(xml_escaped("</ETag>&") == "&lt;/ETag&gt;&amp;");
  }
}

}  // namespace wherry::app
