// SPDX-License-Identifier: Apache-2.0
// Goal: the place that AWS's tools would take the keys from is found, and what cannot be right is
// said. Method: surroundings of the test's own; no file and no variable of this machine is looked
// at.
#include "aws/chain.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "../scratch.hpp"

namespace wherry::app {
namespace {

using words = std::map<std::string, std::string>;

struct place {
  words variables{{"HOME", "/home/me"}};
  words files{};
  sink of{};

  std::expected<aws_setup, std::string> look() {
    return find_aws(
        of,
        [this](const std::string& name) -> std::optional<std::string> {
          const auto at = variables.find(name);
          return at == variables.end() ? std::nullopt : std::optional{at->second};
        },
        [this](const std::string& path) -> std::expected<std::optional<std::string>, std::string> {
          const auto at = files.find(path);
          return at == files.end() ? std::nullopt : std::optional{at->second};
        });
  }
  aws_setup found() {
    auto made = look();
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error()));
    return *std::move(made);
  }
  std::string name() { return found().from.name; }
  std::string error() {
    const auto made = look();
    return made ? "" : made.error();
  }
  void config(std::string text) { files["/home/me/.aws/config"] = std::move(text); }
  void credentials(std::string text) { files["/home/me/.aws/credentials"] = std::move(text); }
};

constexpr const char* keys = "aws_access_key_id=PID\naws_secret_access_key=hunter2\n";

}  // namespace

TEST_SUITE("aws/chain.hpp") {
  TEST_CASE("the first place that is set decides, in the documented order") {
    place at;
    CHECK(at.name() == "the EC2 metadata service at http://169.254.169.254");
    at.variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/x";
    CHECK(at.name() == "the container's credentials at http://169.254.170.2");
    CHECK(std::get<container_keys>(at.found().from.base).url == "http://169.254.170.2/v2/x");
    at.credentials(std::string{"[default]\n"} + keys + "aws_session_token = T\n");
    CHECK(at.name() == "profile default");
    const auto in_file = std::get<aws_keys>(at.found().from.base);
    CHECK(in_file.access_key == "PID");
    CHECK(in_file.secret_key.reveal == "hunter2");
    CHECK(in_file.session_token.reveal == "T");
    at.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
    at.variables["AWS_ROLE_ARN"] = "arn:r";
    CHECK(at.name() == "AWS_WEB_IDENTITY_TOKEN_FILE, as arn:r");
    CHECK(std::get<web_identity>(at.found().from.base).session == "wherry");
    at.variables["AWS_ACCESS_KEY_ID"] = "EID";
    at.variables["AWS_SECRET_ACCESS_KEY"] = "hunter3";
    at.variables["AWS_SESSION_TOKEN"] = "ET";
    CHECK(at.name() == "AWS_ACCESS_KEY_ID");
    CHECK(std::get<aws_keys>(at.found().from.base).session_token.reveal == "ET");
    at.of.access_key = "SID";
    at.of.secret_key.reveal = "hunter4";
    CHECK(at.name() == "access_key of [sink]");
    CHECK(std::get<aws_keys>(at.found().from.base).session_token.reveal.empty());
  }

  TEST_CASE("a variable that is empty counts as not set") {
    place at;
    for (const auto* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE",
                             "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"}) {
      at.variables[name] = "";
    }
    CHECK(at.name() == "the EC2 metadata service at http://169.254.169.254");
  }

  TEST_CASE("a profile is found by its name, in files of any name") {
    place at;
    at.variables["AWS_PROFILE"] = "x";
    CHECK(
        at.error().starts_with("AWS_PROFILE is x, and neither /home/me/.aws/credentials nor "
                               "/home/me/.aws/config has such a profile"));
    at.variables["AWS_SHARED_CREDENTIALS_FILE"] = "~/c";
    at.files["/home/me/c"] = std::string{"[x]\n"} + keys;
    CHECK(at.name() == "profile x");
    at.variables["AWS_CONFIG_FILE"] = "/conf";
    at.files["/conf"] = "[profile x]\nregion = eu-west-3\n";
    CHECK(at.found().region == "eu-west-3");
  }

  TEST_CASE("a profile takes a role with the keys of another, and that one's role before") {
    place at;
    at.config(
        "[profile base]\nrole_arn=arn:1\nsource_profile=own\n"
        "[default]\nrole_arn=arn:2\nsource_profile=base\nexternal_id=ext\nrole_session_name=me\n");
    at.credentials(std::string{"[own]\n"} + keys);
    const auto from = at.found().from;
    CHECK(from.name == "profile default, as arn:2");
    CHECK(std::get<aws_keys>(from.base).access_key == "PID");
    REQUIRE(from.roles.size() == 2);
    CHECK(from.roles[0].arn == "arn:1");
    CHECK(from.roles[1].arn == "arn:2");
    CHECK(from.roles[1].external_id == "ext");
    CHECK(from.roles[1].session == "me");
  }

  TEST_CASE("a profile may be its own source, or have one in the machine") {
    place at;
    at.config(std::string{"[default]\nrole_arn=arn:1\nsource_profile=default\n"} + keys);
    CHECK(at.found().from.roles.size() == 1);
    at.config("[default]\nrole_arn=arn:1\ncredential_source=Ec2InstanceMetadata\n");
    CHECK(std::holds_alternative<instance_keys>(at.found().from.base));
    at.config("[default]\nrole_arn=arn:1\ncredential_source=Environment\n");
    CHECK(at.error().contains("has a credential_source that gives nothing here"));
    at.config("[default]\nrole_arn=arn:1\nweb_identity_token_file=~/t\n");
    CHECK(std::get<web_identity>(at.found().from.base).token_file == "/home/me/t");
  }

  TEST_CASE("a profile that cannot be right is an error with a remedy and no secret") {
    place at;
    const auto says = [&](std::string text, std::string_view what) {
      at.config(std::move(text));
      CHECK(at.error().contains(what));
      CHECK_FALSE(at.error().contains("hunter"));
    };
    says("[default]\naws_secret_access_key=hunter2\n", "has one of aws_access_key_id and");
    says("[default]\ncredential_process=/bin/x hunter2\n", "signs in by credential_process");
    says("[default]\nsso_session=x\n", "export-credentials");
    says("[default]\nrole_arn=arn:1\n", "has role_arn without source_profile");
    says("[default]\nrole_arn=arn:1\nsource_profile=no\n",
         "has a source_profile that is not there");
    says(
        "[default]\nrole_arn=a\nsource_profile=b\n[profile "
        "b]\nrole_arn=b\nsource_profile=default\n",
        "comes back to itself");
    says("[default]\nhunter2\n", "/home/me/.aws/config: line 2 is neither");
  }

  TEST_CASE("a profile that says nothing of keys leaves them to the next place") {
    place at;
    at.config("[default]\nregion = eu-west-1\n");
    CHECK(at.name() == "the EC2 metadata service at http://169.254.169.254");
  }

  TEST_CASE("half of what belongs together is an error") {
    place at;
    at.variables["AWS_ACCESS_KEY_ID"] = "EID";
    CHECK(at.error().contains("belong together, and only the first is set"));
    at.variables.erase("AWS_ACCESS_KEY_ID");
    at.variables["AWS_SECRET_ACCESS_KEY"] = "hunter2";
    CHECK(at.error().contains("belong together, and only the second is set"));
    at.variables.erase("AWS_SECRET_ACCESS_KEY");
    at.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/t";
    CHECK(at.error().contains("AWS_ROLE_ARN is not"));
  }

  TEST_CASE("a container is asked over http only where nobody listens on the way") {
    place at;
    const auto with = [&](const char* url) {
      at.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
      return at.look().has_value();
    };
    CHECK(with("https://keys.example.com/x"));
    CHECK(with("http://127.0.0.1:8080/x"));
    CHECK(with("http://localhost/x"));
    CHECK(with("http://[::1]/x"));
    CHECK(with("http://169.254.170.2/x"));
    CHECK(with("http://169.254.170.23/v1/credentials"));
    CHECK(with("http://[fd00:ec2::23]/v1/credentials"));
    CHECK_FALSE(with("http://keys.example.com/x"));
    CHECK_FALSE(with("http://127.0.0.1.example.com/x"));
    CHECK_FALSE(with("http://127.0.0.1@example.com/x"));
    CHECK_FALSE(with("ftp://127.0.0.1/x"));
  }

  TEST_CASE("without any place it is said what was looked at and what to do") {
    place at;
    at.variables["AWS_EC2_METADATA_DISABLED"] = "true";
    const auto said = at.error();
    for (const auto* word :
         {"access_key of [sink]", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
          "AWS_CONTAINER_CREDENTIALS", "AWS_EC2_METADATA_DISABLED", "aws configure"}) {
      CHECK(said.contains(word));
    }
  }

  TEST_CASE("the region is the spec's, the environment's, the profile's, or the usual one") {
    place at;
    CHECK(at.found().region == "us-east-1");
    at.config("[default]\nregion = eu-west-1\n");
    CHECK(at.found().region == "eu-west-1");
    at.variables["AWS_DEFAULT_REGION"] = "eu-west-2";
    CHECK(at.found().region == "eu-west-2");
    at.variables["AWS_REGION"] = "eu-west-3";
    CHECK(at.found().region == "eu-west-3");
    at.of.region = "cn-north-1";
    CHECK(at.found().region == "cn-north-1");
    CHECK(at.found().sts == "https://sts.cn-north-1.amazonaws.com.cn");
    at.variables["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:1";
    CHECK(at.found().sts == "http://127.0.0.1:1");
  }

  TEST_CASE("a file of this machine is read whole, or said why not") {
    const testing::scratch at;
    const auto read = machine_files();
    CHECK(read((at.path / "none").native()).value() == std::nullopt);
    std::ofstream{at.path / "some"} << "a\nb";
    CHECK(read((at.path / "some").native()).value() == "a\nb");
    CHECK(read(at.path.native()).error().contains("cannot be read"));
    std::ofstream{at.path / "large"} << std::string(1'000'001, 'x');
    CHECK(read((at.path / "large").native()).error() == "is over 1 MB");
  }
}
}  // namespace wherry::app
