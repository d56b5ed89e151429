// SPDX-License-Identifier: Apache-2.0
#pragma once
// Templates: "https://…/{client}/{day}.csv" becomes one address per report, "{account}" one lane
// per client. Placeholders are {client} {account} {currency} and {day}, which is 2025-01-31, or
// {day:%Y%m%d} with %Y %m %d; some templates have more. "{{" and "}}" are braces.
//
// 1. A value never changes the shape of an address: http, https and s3 get it percent-encoded
//    (only A-Z a-z 0-9 - . _ ~ stay), file gets it plain and refuses a "/"; all refuse an address
//    with a segment "." or "..". What the template itself says is taken as it stands.
// 2. A template that passed check_template fails to expand only by a client's values; read_spec has
//    tried those of every client.

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "spec/day.hpp"
#include "spec/spec.hpp"

namespace wherry::app {

/// Says which part of a template is wrong, as the template spells it, and what to write instead.
struct template_error {
  std::string part;
  std::string message;
  std::string remedy;
};

/// Says what a template may speak of: a client; a report, which also has a day; an object of a
/// report, which also has the hash of its bytes, {sha256}, and the version of the spec that made
/// it, {spec}; a request for a report, which may be for a part of it, {part}, or a page, {cursor}
/// {offset} {page} {size}; or one for a report that the API has made, which also has its id there,
/// {report}.
enum class template_scope { client, report, object, request, remote };

/// Values of placeholders that only some templates have, by name; they may be empty.
using template_values = std::map<std::string, std::string, std::less<>>;

/// What stands in the name of an object that is not there yet.
inline const template_values no_object_yet{{"sha256", "sha256"}, {"spec", "spec"}};

/// Finds everything that is wrong with a template itself.
[[nodiscard]] std::vector<template_error> check_template(std::string_view text,
                                                         template_scope scope);

/// Tells whether two days always give two texts: year, month and day are all in it.
[[nodiscard]] bool tells_days_apart(std::string_view text);

/// Makes the address of a report. Errors: the client lacks a value, or has one that does not fit.
[[nodiscard]] std::expected<std::string, template_error> expand_url(
    std::string_view text, const client& of, day on, const template_values& more = {});

/// Makes any other text about a report; values are taken plain.
[[nodiscard]] std::expected<std::string, template_error> expand_text(
    std::string_view text, const client& of, day on, const template_values& more = {});

/// Makes a body of JSON from one whose texts are templates; values are taken plain, and a text that
/// is but {offset}, {page} or {size} becomes a number. Empty: empty.
[[nodiscard]] std::expected<std::string, template_error> expand_body(
    std::string_view json, const client& of, day on, const template_values& more = {});

/// Makes the name of a client's lane; values are taken plain.
[[nodiscard]] std::expected<std::string, template_error> expand_lane(std::string_view text,
                                                                     const client& of);

/// A text as a template that expands to it: each brace twice.
[[nodiscard]] std::string with_doubled_braces(std::string_view text);

/// An address with ${NAME} in place of what variables say, plain or percent-encoded (${NAME%}), so
/// that it can be stored; and back.
[[nodiscard]] std::string address_without_variables(std::string text,
                                                    const std::map<std::string, secret>& variables);
[[nodiscard]] std::string address_with_variables(std::string text,
                                                 const std::map<std::string, secret>& variables);

/// The text with ${NAME} in place of what variables say, so that it can be shown.
[[nodiscard]] std::string without_variables(std::string text,
                                            const std::map<std::string, secret>& variables);

/// The same of a template: one that expands to such a text.
[[nodiscard]] std::string template_without_variables(
    std::string text, const std::map<std::string, secret>& variables);

}  // namespace wherry::app
