// SPDX-License-Identifier: Apache-2.0
// From a file to a spec: bytes, tree, tables of keys, checks of the whole.
#include "spec/read.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "spec/bounded_file.hpp"
#include "spec/table.hpp"

namespace wherry::app {
namespace {

namespace fs = std::filesystem;
using toml_file::place;

constexpr std::size_t most_bytes = 1'000'000;

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    std::abort();  // no SHA-256 in this OpenSSL: nothing that keeps versions can work
  }
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

mistake about_file(const fs::path& file, std::string message, std::string remedy) {
  return {.file = file.string(),
          .line = 0,
          .column = 0,
          .key = {},
          .message = std::move(message),
          .remedy = std::move(remedy),
          .source_line = {},
          .caret = 0};
}

std::expected<std::string, mistake> read_bytes(const fs::path& file) {
  std::error_code error;
  if (fs::is_directory(file, error)) {
    return std::unexpected(about_file(file, "is a directory", "name the spec file in it"));
  }
  auto bytes = read_bounded(file, most_bytes);
  if (bytes) return *std::move(bytes);
  const auto& why = bytes.error();
  if (why.code == EFBIG) {
    return std::unexpected(about_file(file, "is over 1 MB, too large for a spec",
                                      "check that this is the spec and not data"));
  }
  return std::unexpected(about_file(file, fmt::format("cannot read: {}", std::strerror(why.code)),
                                    why.was_opened
                                        ? "check the disk and the path"
                                        : "check the path, or write a spec with: wherry init"));
}

// Without a tree nobody knows which strings are secret. So names decide: the line is not shown
// where it, a line above it in the same table, or one that may open the long string it is in,
// speaks of secrets; and the parser's words, which may quote a number, not where the line itself
// does.
mistake about_syntax(std::string_view text, const fs::path& file,
                     const toml_file::syntax_error& error) {
  auto wrong = about_file(file, error.message, "write TOML as in https://toml.io");
  wrong.line = error.at.line;
  wrong.column = error.at.column;
  if (mentions_secret(toml_file::line_of(text, error.at.line))) {
    wrong.message = "is not valid TOML";
    return wrong;
  }
  const auto begin = toml_file::line_of(text, error.at.line).data() - text.data();
  auto above = text.substr(0, static_cast<std::size_t>(begin));
  for (bool in_table = true; !above.empty();) {
    above.remove_suffix(1);  // the line break
    const auto line = above.substr(above.rfind('\n') + 1);
    above.remove_suffix(line.size());
    const bool opens = line.contains("\"\"\"") || line.contains("'''");
    if ((in_table || opens) && mentions_secret(line)) return wrong;
    if (line.starts_with('[')) in_table = false;
  }
  toml_file::show_line(wrong, text, {});
  return wrong;
}

// A file that is part of the spec lies beside it.
std::string beside(const fs::path& file, const std::string& path) {
  return (file.parent_path() / path).lexically_normal().string();
}

bool is_file(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

void settle_tables(toml_file::reader& r, const fs::path& file, std::vector<lookup_table>& tables) {
  for (auto& each : tables) {
    if (each.file.empty()) continue;  // that is told already
    each.file = beside(file, each.file);
    if (is_file(each.file)) continue;
    const toml_file::reader::inside transform{r, "transform"}, all{r, "tables"}, one{r, each.name},
        key{r, "file"};
    r.wrong(r.place_of({"transform", "tables", each.name, "file"}), "names no file",
            "put the table there; the path is relative to the spec");
  }
}

// Defaults that depend on other keys, and paths. Rates that are fetched are kept beside the store.
void settle(toml_file::reader& r, const fs::path& file, spec& made) {
  if (made.store.empty()) made.store = fmt::format("sqlite:{}.db", made.name);
  if (made.spool.empty()) made.spool = made.name + ".spool";
  settle_tables(r, file, made.transform.tables);
  if (made.client_list) {
    if (!made.client_list->file.empty()) {
      made.client_list->file = beside(file, made.client_list->file);
    }
    made.client_list->directory = file.parent_path().string();
  }
  if (!made.transform.rates_url.empty()) {
    const fs::path store = made.store.substr(made.store.find(':') + 1);
    made.transform.rates = store.parent_path() / (made.name + ".rates");
    return;
  }
  if (made.transform.rates.empty()) return;
  made.transform.rates = beside(file, made.transform.rates);
  if (is_file(made.transform.rates)) return;
  const toml_file::reader::inside transform{r, "transform"}, rates{r, "rates"};
  r.wrong(r.place_of({"transform", "rates"}), "names no file",
          "put the rates there; the path is relative to the spec");
}

std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return text;
}

}  // namespace

environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* const found = std::getenv(name.c_str());
    return found != nullptr ? std::optional<std::string>{found} : std::nullopt;
  };
}

std::expected<spec, std::vector<mistake>> read_spec(const fs::path& file,
                                                    const environment& variables) {
  const auto bytes = read_bytes(file);
  if (!bytes) return std::unexpected(std::vector{bytes.error()});
  return parse_spec(*bytes, file, variables);
}

std::expected<spec, std::vector<mistake>> parse_spec(std::string_view text, const fs::path& file,
                                                     const environment& variables) {
  spec made;
  made.version = sha256(text);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto root = toml_file::parse(text);
  if (!root) return std::unexpected(std::vector{about_syntax(text, file, root.error())});

  toml_file::reader reader{text, *root, variables};
  toml_file::read_all(reader, made);
  toml_file::check_whole(reader, made);
  settle(reader, file, made);
  if (auto mistakes = reader.finish(file.string()); !mistakes.empty()) {
    return std::unexpected(std::move(mistakes));
  }
  made.variables = reader.used();
  return made;
}

std::string to_string(const mistake& wrong) {
  const auto where =
      wrong.line == 0 ? wrong.file : fmt::format("{}:{}:{}", wrong.file, wrong.line, wrong.column);
  auto out = printable(fmt::format("{}: {}; {}", where, wrong.message, wrong.remedy));
  if (wrong.source_line.empty()) return out;
  const auto number = std::to_string(wrong.line);
  const auto indent = std::string(static_cast<std::size_t>(wrong.caret) - 1, ' ');
  return out + fmt::format("\n  {} | {}\n  {} | {}^", number, wrong.source_line,
                           std::string(number.size(), ' '), indent);
}

}  // namespace wherry::app
