// SPDX-License-Identifier: Apache-2.0
#pragma once
// The reader: what every rule about a spec needs while it walks the tree: where in the tree we are,
// the environment, and the list of mistakes. Internal to app/spec.
//
// 1. A value that was hidden before report() or finish() never shows in a mistake.
// 2. text() and line() report what is wrong and return nothing; the caller then checks no further,
// so
//    one slip makes one mistake.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec/document.hpp"
#include "spec/read.hpp"

namespace wherry::app::toml_file {

class reader {
 public:
  reader(std::string_view source, const value& root, const environment& variables)
      : source_(source), root_(root), variables_(variables) {}
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;

  /// Stands for "we are inside this key" as long as it lives.
  class [[nodiscard]] inside {
   public:
    inside(reader& of, std::string name) : of_(of) { of_.path_.push_back(std::move(name)); }
    ~inside() { of_.path_.pop_back(); }
    inside(const inside&) = delete;
    inside& operator=(const inside&) = delete;

   private:
    reader& of_;
  };

  /// Reports a mistake of the key that we are in: `rate in [source.limit] <what>`.
  void wrong(place at, std::string_view what, std::string remedy);

  /// Reports a mistake in words of its own.
  void report(place at, std::string message, std::string remedy);

  /// Replaces each ${NAME} and "$$". `braces`: double those of variables, for a template.
  enum class braces { keep, doubled };
  /// `used`: receives the variables by name.
  [[nodiscard]] std::optional<std::string> text(const value& from, braces how = braces::keep,
                                                std::map<std::string, secret>* used = nullptr);

  /// As text, and it must be a line: no control characters, and not empty unless that is allowed.
  enum class emptiness { refused, allowed };
  [[nodiscard]] std::optional<std::string> line(const value& from, braces how = braces::keep,
                                                emptiness empty = emptiness::refused);

  /// Keeps a value out of every mistake, unless it is only a reference to the environment.
  void hide(const value& secret);

  /// Where a part of a value stands in the file.
  [[nodiscard]] place locate(const value& in, std::string_view needle) const;

  /// The place of a key's value, or of the nearest table around it that is there.
  [[nodiscard]] place place_of(std::initializer_list<std::string_view> path) const;

  [[nodiscard]] const value& root() const { return root_; }
  /// The variables that texts have referred to so far.
  [[nodiscard]] const std::map<std::string, secret>& used() const { return used_; }
  [[nodiscard]] std::string table_name() const;  ///< "in [source.limit]", of the table around
  [[nodiscard]] std::vector<mistake> finish(const std::string& file);

 private:
  std::string_view source_;
  const value& root_;
  const environment& variables_;
  std::vector<std::string> path_;
  std::vector<std::pair<place, place>> hidden_;
  std::vector<mistake> mistakes_;
  std::map<std::string, secret> used_;
};

/// Fills in a mistake's source_line and caret, without a comment; what is `hidden` stands as ***.
void show_line(mistake& wrong, std::string_view source,
               const std::vector<std::pair<place, place>>& hidden);

}  // namespace wherry::app::toml_file
