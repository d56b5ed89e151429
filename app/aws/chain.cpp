// SPDX-License-Identifier: Apache-2.0
#include "aws/chain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "aws/profiles.hpp"
#include "net/origin.hpp"
#include "spec/bounded_file.hpp"

namespace wherry::app {
namespace {

using found_origin = std::expected<std::optional<aws_origin>, std::string>;

constexpr std::size_t most_bytes = 1'000'000;
constexpr const char* usual_session = "wherry";
constexpr const char* usual_metadata = "http://169.254.169.254";

// Plain http goes only where nobody can listen on the way.
// Source: AWS, "SDKs and Tools Reference Guide", "Container credential provider".
bool is_near(const origin& at) {
  static constexpr std::string_view near[] = {"localhost", "[::1]", "169.254.170.2",
                                              "169.254.170.23", "[fd00:ec2::23]"};
  const bool is_address = at.host.find_first_not_of("0123456789.") == at.host.npos;
  return std::ranges::find(near, at.host) != std::end(near) ||
         (is_address && at.host.starts_with("127."));
}

class chain {
 public:
  chain(const sink& of, const environment& variables, const small_file_reader& files)
      : of_(of), variables_(variables), files_(files) {}

  std::expected<aws_setup, std::string> find() {
    aws_setup made;
    auto from = origin();
    if (!from) return std::unexpected(std::move(from.error()));
    made.from = *std::move(from);
    made.region = region();
    made.sts = variable("AWS_ENDPOINT_URL_STS");
    if (made.sts.empty()) {
      made.sts = fmt::format("https://sts.{}.amazonaws.com{}", made.region,
                             made.region.starts_with("cn-") ? ".cn" : "");
    }
    return made;
  }

 private:
  [[nodiscard]] std::string variable(const std::string& name) const {
    return variables_(name).value_or("");
  }

  std::expected<aws_origin, std::string> origin() {
    using place = found_origin (chain::*)();
    for (const place look : {&chain::in_spec, &chain::in_variables, &chain::by_web_identity,
                             &chain::in_profile, &chain::in_container, &chain::on_instance}) {
      auto found = (this->*look)();
      if (!found) return std::unexpected(std::move(found.error()));
      if (*found) return **std::move(found);
    }
    return std::unexpected(no_keys("AWS_EC2_METADATA_DISABLED is set"));
  }

  found_origin in_spec() {
    if (of_.access_key.empty()) return std::nullopt;
    return aws_origin{"access_key of [sink]",
                      aws_keys{of_.access_key, of_.secret_key, of_.session_token}};
  }

  found_origin in_variables() {
    const auto id = variable("AWS_ACCESS_KEY_ID"), key = variable("AWS_SECRET_ACCESS_KEY");
    if (id.empty() && key.empty()) return std::nullopt;
    if (id.empty() || key.empty()) {
      return std::unexpected(fmt::format(
          "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together, and only {} is set: export "
          "the other, or unset it",
          id.empty() ? "the second" : "the first"));
    }
    return aws_origin{"AWS_ACCESS_KEY_ID", aws_keys{id, {key}, {variable("AWS_SESSION_TOKEN")}}};
  }

  found_origin by_web_identity() {
    const auto file = variable("AWS_WEB_IDENTITY_TOKEN_FILE"), role = variable("AWS_ROLE_ARN");
    if (file.empty()) return std::nullopt;
    if (role.empty()) {
      return std::unexpected(
          "AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not: export the role that the token "
          "is for, or unset the first");
    }
    return aws_origin{fmt::format("AWS_WEB_IDENTITY_TOKEN_FILE, as {}", role),
                      web_identity{file, role, session()}};
  }

  found_origin in_profile() {
    const auto asked = variable("AWS_PROFILE");
    if (auto read = read_profiles(); !read) return std::unexpected(std::move(read.error()));
    const auto name = asked.empty() ? "default" : asked;
    if (!profiles_.contains(name)) {
      if (asked.empty()) return std::nullopt;
      return std::unexpected(fmt::format(
          "AWS_PROFILE is {}, and neither {} nor {} has such a profile: correct it, or write one "
          "with: aws configure --profile {}",
          name, credentials_file(), config_file(), name));
    }
    return of_profile(name, 0);
  }

  [[nodiscard]] std::string setting(const std::string& profile, std::string_view key) const {
    const auto& of = profiles_.find(profile)->second;
    const auto at = of.find(key);
    return at == of.end() ? std::string{} : at->second;
  }

  std::unexpected<std::string> wrong_profile(const std::string& name, std::string_view what) const {
    return std::unexpected(
        fmt::format("profile {} ({}, {}) {}", name, credentials_file(), config_file(), what));
  }

  // `depth`: how many roles are to be taken with what is found.
  found_origin of_profile(const std::string& name, int depth) {
    constexpr int deepest = 8;
    const auto role = setting(name, "role_arn"), source = setting(name, "source_profile");
    const auto token_file = setting(name, "web_identity_token_file");
    const auto kind = setting(name, "credential_source");
    if (role.empty() || (token_file.empty() && source.empty() && kind.empty())) {
      return keys_of_profile(name, depth);
    }
    if (depth == deepest) {
      return wrong_profile(name, "comes back to itself by source_profile: correct that");
    }
    auto session_name = setting(name, "role_session_name");
    if (session_name.empty()) session_name = session();
    auto title = fmt::format("profile {}, as {}", name, role);
    if (!token_file.empty()) {
      return aws_origin{std::move(title), web_identity{expanded(token_file), role, session_name}};
    }
    found_origin base;
    if (source == name) {
      base = keys_of_profile(name, depth + 1);
    } else if (!source.empty()) {
      if (!profiles_.contains(source)) {
        return wrong_profile(name, "has a source_profile that is not there: correct it");
      }
      base = of_profile(source, depth + 1);
    } else if (kind == "Environment") {
      base = in_variables();
    } else if (kind == "EcsContainer") {
      base = in_container();
    } else if (kind == "Ec2InstanceMetadata") {
      base = on_instance();
    }
    if (!base) return base;
    if (!*base) return wrong_profile(name, "has a credential_source that gives nothing here");
    (*base)->name = std::move(title);
    (*base)->roles.push_back({role, std::move(session_name), setting(name, "external_id")});
    return base;
  }

  found_origin keys_of_profile(const std::string& name, int depth) {
    const auto id = setting(name, "aws_access_key_id"),
               key = setting(name, "aws_secret_access_key");
    if (id.empty() != key.empty()) {
      return wrong_profile(name,
                           "has one of aws_access_key_id and aws_secret_access_key: add the other");
    }
    if (!id.empty()) {
      return aws_origin{fmt::format("profile {}", name),
                        aws_keys{id, {key}, {setting(name, "aws_session_token")}}};
    }
    for (const auto* by : {"credential_process", "sso_session", "sso_start_url", "login_session"}) {
      if (setting(name, by).empty()) continue;
      return wrong_profile(
          name, fmt::format("signs in by {}, which Wherry does not: let the AWS CLI export the "
                            "keys (aws configure export-credentials --format env), or use a role",
                            by));
    }
    if (!setting(name, "role_arn").empty()) {
      return wrong_profile(
          name, "has role_arn without source_profile or credential_source: add one of them");
    }
    if (depth > 0) return wrong_profile(name, "is a source_profile without keys: add them");
    return std::nullopt;
  }

  found_origin in_container() {
    const auto relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
               full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (relative.empty() && full.empty()) return std::nullopt;
    const auto url = relative.empty() ? full : "http://169.254.170.2" + relative;
    const auto at = parse_origin(url);
    if (!at || (at->scheme == "http" && !is_near(*at))) {
      return std::unexpected(
          "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor http to this machine, "
          "169.254.170.2 or 169.254.170.23: correct it, for keys would go open through the net");
    }
    return aws_origin{fmt::format("the container's credentials at {}", to_string(*at)),
                      container_keys{url,
                                     {variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")},
                                     variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")}};
  }

  found_origin on_instance() {
    if (variable("AWS_EC2_METADATA_DISABLED") == "true") return std::nullopt;
    auto endpoint = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (endpoint.empty()) endpoint = usual_metadata;
    while (endpoint.ends_with('/')) endpoint.pop_back();
    return aws_origin{fmt::format("the EC2 metadata service at {}", place_of(endpoint)),
                      instance_keys{endpoint}};
  }

  std::string region() {
    if (!of_.region.empty()) return of_.region;
    for (const auto* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
      if (auto said = variable(name); !said.empty()) return said;
    }
    auto name = variable("AWS_PROFILE");
    if (name.empty()) name = "default";
    // What is wrong with the files matters only to who takes the keys from there.
    if (read_profiles() && profiles_.contains(name) && profiles_[name].contains("region")) {
      return profiles_[name]["region"];
    }
    return "us-east-1";
  }

  std::expected<void, std::string> read_profiles() {
    if (are_read_) return {};
    const std::pair<std::string, profile_file> both[] = {
        {config_file(), profile_file::config}, {credentials_file(), profile_file::credentials}};
    for (const auto& [path, kind] : both) {
      auto text = files_(path);
      auto added = text && *text ? add_profiles(**text, kind, profiles_)
                                 : std::expected<void, std::string>{};
      if (!text) added = std::unexpected(std::move(text.error()));
      if (!added) {
        return std::unexpected(fmt::format("{}: {}; correct the file", path, added.error()));
      }
    }
    are_read_ = true;
    return {};
  }

  [[nodiscard]] std::string session() const {
    auto named = variable("AWS_ROLE_SESSION_NAME");
    return named.empty() ? usual_session : named;
  }
  [[nodiscard]] std::string expanded(const std::string& path) const {
    return path.starts_with("~/") ? variable("HOME") + path.substr(1) : path;
  }
  [[nodiscard]] std::string file(const char* by, const char* usual) const {
    const auto named = variable(by);
    return expanded(named.empty() ? usual : named);
  }
  [[nodiscard]] std::string config_file() const { return file("AWS_CONFIG_FILE", "~/.aws/config"); }
  [[nodiscard]] std::string credentials_file() const {
    return file("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
  }

  const sink& of_;
  const environment& variables_;
  const small_file_reader& files_;
  aws_profiles profiles_;
  bool are_read_ = false;
};

}  // namespace

small_file_reader machine_files() {
  return [](const std::string& path) -> std::expected<std::optional<std::string>, std::string> {
    auto bytes = read_bounded(path, most_bytes);
    if (bytes) return *std::move(bytes);
    const auto& why = bytes.error();
    if (why.code == ENOENT || why.code == ENOTDIR) return std::nullopt;
    if (why.code == EFBIG) return std::unexpected("is over 1 MB");
    return std::unexpected(fmt::format("cannot be read: {}", std::strerror(why.code)));
  };
}

std::expected<aws_setup, std::string> find_aws(const sink& of, const environment& variables,
                                               const small_file_reader& files) {
  return chain{of, variables, files}.find();
}

std::string no_keys(std::string_view last) {
  return fmt::format(
      "an s3 sink needs AWS credentials, and there are none: looked at access_key of [sink], "
      "AWS_ACCESS_KEY_ID, AWS_WEB_IDENTITY_TOKEN_FILE, the profile of AWS_PROFILE or `default`, "
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and …_FULL_URI, and {}; write access_key and "
      "secret_key = \"${{MY_VARIABLE}}\" in [sink], export AWS_ACCESS_KEY_ID=… and "
      "AWS_SECRET_ACCESS_KEY=…, or run: aws configure",
      last);
}

}  // namespace wherry::app
