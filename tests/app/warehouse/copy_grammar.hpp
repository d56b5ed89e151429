// SPDX-License-Identifier: Apache-2.0
#pragma once
// Redshift's COPY from S3, as its pages document it, as far as a load could want it: a checker that
// knows nothing of how wherry writes it.
// Source: AWS, "COPY syntax", "Data format parameters", "File compression parameters", "Data
// conversion parameters", "Data load operations", "COPY from columnar data formats".

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::app::testing {

/// A word, a text in quotes, or a sign.
struct copy_token {
  std::string text;  ///< words in upper case
  enum class kind { word, literal, identifier, sign } is;
};

inline std::vector<copy_token> copy_tokens(std::string_view in) {
  std::vector<copy_token> tokens;
  for (std::size_t i = 0; i < in.size();) {
    const char c = in[i];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++i;
    } else if (c == '\'' || c == '"') {
      std::string text;
      for (++i; i < in.size(); ++i) {
        if (in[i] == c && i + 1 < in.size() && in[i + 1] == c)
          ++i;
        else if (in[i] == c)
          break;
        text += in[i];
      }
      ++i;
      tokens.push_back({text, c == '"' ? copy_token::kind::identifier : copy_token::kind::literal});
    } else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      std::string text;
      for (;
           i < in.size() && (std::isalnum(static_cast<unsigned char>(in[i])) != 0 || in[i] == '_');
           ++i) {
        text += static_cast<char>(std::toupper(static_cast<unsigned char>(in[i])));
      }
      tokens.push_back({text, copy_token::kind::word});
    } else {
      tokens.push_back({std::string(1, c), copy_token::kind::sign});
      ++i;
    }
  }
  return tokens;
}

/// A parameter: its word, what may follow it, and whether columnar formats allow it.
struct copy_parameter {
  std::string_view word;
  enum class argument { none, literal, number, on_off } takes;
  bool columnar;
};
inline constexpr copy_parameter copy_parameters[] = {
    {"MANIFEST", copy_parameter::argument::none, true},
    {"REGION", copy_parameter::argument::literal, false},
    {"GZIP", copy_parameter::argument::none, false},
    {"ZSTD", copy_parameter::argument::none, false},
    {"BZIP2", copy_parameter::argument::none, false},
    {"LZOP", copy_parameter::argument::none, false},
    {"EMPTYASNULL", copy_parameter::argument::none, false},
    {"BLANKSASNULL", copy_parameter::argument::none, false},
    {"ESCAPE", copy_parameter::argument::none, false},
    {"REMOVEQUOTES", copy_parameter::argument::none, false},
    {"DATEFORMAT", copy_parameter::argument::literal, false},
    {"TIMEFORMAT", copy_parameter::argument::literal, false},
    {"IGNOREHEADER", copy_parameter::argument::number, false},
    {"ACCEPTINVCHARS", copy_parameter::argument::literal, true},
    {"MAXERROR", copy_parameter::argument::number, false},
    {"COMPUPDATE", copy_parameter::argument::on_off, false},
    {"STATUPDATE", copy_parameter::argument::on_off, true},
    {"FILLRECORD", copy_parameter::argument::none, true},
};

/// Walks the tokens of one statement.
class copy_reader {
 public:
  explicit copy_reader(std::string_view statement) : tokens_(copy_tokens(statement)) {}

  std::string mistake() {
    if (!word("COPY")) return "no COPY";
    if (!name()) return "no table";
    if (at_ < tokens_.size() && tokens_[at_].text == "(") {
      has_columns_ = true;
      do {
        ++at_;
        if (!name()) return "no column";
      } while (at_ < tokens_.size() && tokens_[at_].text == ",");
      if (!sign(")")) return "columns are not closed";
    }
    if (!word("FROM") || !literal() || !tokens_[at_ - 1].text.starts_with("s3://")) {
      return "no data source";
    }
    if (!word("IAM_ROLE") || (!word("DEFAULT") && !literal())) return "no authorization";
    while (at_ < tokens_.size()) {
      if (auto wrong = parameter(); !wrong.empty()) return wrong;
    }
    return together();
  }

 private:
  bool is(copy_token::kind kind) const { return at_ < tokens_.size() && tokens_[at_].is == kind; }
  bool word(std::string_view text) {
    const bool fits = is(copy_token::kind::word) && tokens_[at_].text == text;
    if (fits) ++at_;
    return fits;
  }
  bool sign(std::string_view text) {
    const bool fits = is(copy_token::kind::sign) && tokens_[at_].text == text;
    if (fits) ++at_;
    return fits;
  }
  bool literal() {
    const bool fits = is(copy_token::kind::literal);
    if (fits) ++at_;
    return fits;
  }
  bool name() {
    const bool fits = is(copy_token::kind::identifier) || is(copy_token::kind::word);
    if (fits) ++at_;
    return fits;
  }

  std::string format() {
    word("AS");
    for (const auto* each : {"CSV", "PARQUET", "ORC", "JSON", "AVRO"}) {
      if (!word(each)) continue;
      if (!format_.empty()) return "a format twice";
      format_ = each;
      return "";
    }
    return "no such format";
  }

  std::string parameter() {
    if (word("FORMAT")) return format();
    for (const auto* each : {"CSV", "PARQUET", "ORC"}) {
      if (is(copy_token::kind::word) && tokens_[at_].text == each) return format();
    }
    const auto* const found = std::ranges::find_if(
        copy_parameters, [&](const copy_parameter& each) { return word(each.word); });
    if (found == std::end(copy_parameters)) return "no such parameter: " + tokens_[at_].text;
    if (!seen_.insert(found->word).second) return std::string{found->word} + " twice";
    word("AS");
    switch (found->takes) {
      case copy_parameter::argument::none: return "";
      case copy_parameter::argument::literal:
        return literal() ? "" : std::string{found->word} + " without its text";
      case copy_parameter::argument::on_off:
        return word("ON") || word("OFF") ? "" : std::string{found->word} + " is ON or OFF";
      case copy_parameter::argument::number: break;
    }
    const bool is_number =
        is(copy_token::kind::word) &&
        std::ranges::all_of(tokens_[at_].text, [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number) return std::string{found->word} + " without its number";
    ++at_;
    return "";
  }

  std::string together() const {
    int codecs = 0;
    for (const auto* each : {"GZIP", "ZSTD", "BZIP2", "LZOP"})
      codecs += seen_.contains(each) ? 1 : 0;
    if (codecs > 1) return "compressed twice";
    if (format_ == "CSV" && (seen_.contains("ESCAPE") || seen_.contains("REMOVEQUOTES"))) {
      return "CSV goes with neither ESCAPE nor REMOVEQUOTES";
    }
    if (format_ != "PARQUET" && format_ != "ORC") return "";
    if (has_columns_) return "columnar files go by position";
    for (const auto& each : copy_parameters) {
      if (!each.columnar && seen_.contains(each.word)) {
        return std::string{each.word} + " does not go with columnar files";
      }
    }
    return "";
  }

  const std::vector<copy_token> tokens_;
  std::size_t at_ = 0;
  bool has_columns_ = false;
  std::string format_;
  std::set<std::string_view> seen_;
};

/// What is wrong with a COPY; empty: nothing.
inline std::string copy_mistake(std::string_view statement) {
  return copy_reader(statement).mistake();
}

}  // namespace wherry::app::testing
