// SPDX-License-Identifier: Apache-2.0
#pragma once
// redactor: takes the secrets out of what is exchanged with an API, so that it can be kept, shown
// and committed.
//
// What goes: the values of the spec's secrets and of the variables of the environment that it
// refers to (plain, as an address, JSON or base64 spells them); headers, parameters of addresses
// and members of JSON whose names speak of secrets; the signatures of pre-signed addresses; and
// access tokens, also where they come again after the answer that gave them. What is packed (gzip,
// zip) or in another encoding is not looked into.
//
// What was redacted once is the same when it is redacted again, also by the redactor of a spec that
// was read with the stand-ins: so what is asked now compares with what was asked then. Threads: one
// at a time.

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http_client.hpp"
#include "recording/stand_ins.hpp"
#include "spec/spec.hpp"
#include "spec/spelling.hpp"

namespace wherry::app {

class redactor {
 public:
  /// `by`: what takes the place of the variables that `of` was read with.
  redactor(const spec& of, const stand_ins& by);

  /// Redacts an address, or a body.
  [[nodiscard]] std::string text(std::string_view of) const;
  /// Redacts what is no text: only the values of secrets, as they are.
  [[nodiscard]] std::string bytes(std::string_view of) const { return with_replaced(of, values_); }
  /// The headers of a request, without those that say who asks.
  [[nodiscard]] http_headers sent(const http_headers& of) const;
  /// The headers of an answer, without those that say how its body travelled.
  [[nodiscard]] http_headers answered(const http_headers& of) const;

  /// Redacts from now on what the headers of a request say of who asks, and the access tokens that
  /// a body gives.
  void learn(const http_headers& sent);
  void learn(std::string_view body);

 private:
  void replace(const std::string& secret, const std::string& by);
  [[nodiscard]] bool is_secret_header(std::string_view name) const;

  replacements values_;
  std::set<std::string> parameters_;  // of the spec, besides the usual; as names are compared
  std::set<std::string> headers_;     // likewise
  bool is_aws_ = false;
};

}  // namespace wherry::app
