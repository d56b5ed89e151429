# SPDX-License-Identifier: Apache-2.0
"""Imports into a real S3 server with keys from each place that AWS's tools know: each test gives
them in one place only, and the harness sees that they are printed and kept nowhere."""

from aws_places import aws_places, front
from s3_harness import s3_test


class s3_credentials_test(s3_test):

    def setUp(self):
        super().setUp()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            del self.variables[name]
        self.variables["AWS_EC2_METADATA_DISABLED"] = "true"
        self.secrets += ["a-container-token", "a-metadata-token", "an-identity-token"]

    def file(self, name: str, text: str) -> str:
        """A file that the harness does not search for secrets: it is the user's own."""
        path = self.apart / name
        path.write_text(text)
        return str(path)

    def keys_line(self) -> str:
        """Where `wherry check` says that the keys come from, which asks nobody."""
        lines = self.wherry("check", "flights.toml").out.splitlines()
        return next(line for line in lines if line.startswith("  keys ")).strip()

    def assert_imports(self, says: str, **sink):
        self.start_api()
        self.spec(self.s3_sink(**sink))
        self.assert_says(self.keys_line(), says)
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")
        self.assertEqual(len(self.stored()), 10)

    def by_container(self, places: aws_places):
        self.variables |= {"AWS_CONTAINER_CREDENTIALS_FULL_URI": places.url + "/container",
                           "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a-container-token"}

    def test_keys_of_the_spec_go_before_all_others(self):
        self.start_api()
        self.variables |= {"MY_ID": self.access_key, "MY_KEY": self.secret_key,
                           "AWS_ACCESS_KEY_ID": "NOBODY", "AWS_SECRET_ACCESS_KEY": "nothing"}
        file_sink, s3_sink = self.s3_sink()
        self.spec((file_sink,
                   s3_sink + 'access_key = "${MY_ID}"\nsecret_key = "${MY_KEY}"\n'))
        self.assert_says(self.keys_line(), "access_key of [sink]")
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")

    def test_keys_of_a_profile_import_into_its_region(self):
        self.variables |= {
            "AWS_PROFILE": "tests",
            "AWS_CONFIG_FILE": self.file("config", "[profile tests]\nregion = us-east-1\n"),
            "AWS_SHARED_CREDENTIALS_FILE": self.file(
                "credentials", f"[tests]\naws_access_key_id = {self.access_key}\n"
                               f"aws_secret_access_key = {self.secret_key}\n")}
        self.assert_imports("profile tests; region us-east-1")

    def test_a_profile_that_takes_a_role_asks_the_token_service_with_its_sources_keys(self):
        places = aws_places(self)
        self.variables |= {
            "AWS_ENDPOINT_URL_STS": places.url,
            "AWS_CONFIG_FILE": self.file(
                "config", "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = own\n"),
            "AWS_SHARED_CREDENTIALS_FILE": self.file(
                "credentials", "[own]\naws_access_key_id = OWN\naws_secret_access_key = secret\n")}
        self.assert_imports("profile default, as arn:aws:iam::1:role/r")
        self.assertEqual(places.asked,
                         ["AssumeRole arn:aws:iam::1:role/r by AWS4-HMAC-SHA256 Credential=OWN"])

    def test_a_web_identity_is_exchanged_for_keys(self):
        places = aws_places(self)
        self.variables |= {
            "AWS_ENDPOINT_URL_STS": places.url, "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
            "AWS_WEB_IDENTITY_TOKEN_FILE": self.file("token", "an-identity-token\n")}
        self.assert_imports("AWS_WEB_IDENTITY_TOKEN_FILE, as arn:aws:iam::1:role/r")
        self.assertEqual(
            places.asked,
            ["AssumeRoleWithWebIdentity arn:aws:iam::1:role/r by an-identity-token"])

    def test_a_container_gives_keys_once_for_all_reports(self):
        places = aws_places(self)
        self.by_container(places)
        self.assert_imports(f"the container's credentials at {places.url}")
        self.assertEqual(places.asked, ["container"])

    def test_the_metadata_service_gives_keys_once_for_all_reports(self):
        places = aws_places(self)
        del self.variables["AWS_EC2_METADATA_DISABLED"]
        self.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = places.url
        self.assert_imports(f"the EC2 metadata service at {places.url}")
        self.assertEqual(places.asked, ["token", "role", "instance"])

    def test_keys_that_have_expired_are_asked_for_anew(self):
        places = aws_places(self, lives_for=-1)
        self.by_container(places)
        self.assert_imports("the container's credentials")
        self.assertGreater(len(places.asked), 1)

    def test_keys_that_the_server_finds_expired_are_asked_for_anew_and_no_report_fails(self):
        places = aws_places(self)
        self.by_container(places)
        s3 = front(self, lambda: len(places.asked) < 2)
        self.start_api()
        self.spec(self.s3_sink(endpoint=s3.url))
        ended = self.run_import("--json").json()
        self.assertEqual((ended["completed"], ended["dead"], ended["retried"]), (10, 0, 0))
        self.assertEqual(places.asked, ["container"] * 2)
        self.assertEqual(len(self.stored()), 10)

    def test_a_session_that_nobody_renews_stops_the_lane_and_no_report_dies(self):
        has_expired = True
        s3 = front(self, lambda: has_expired)
        self.start_api()
        self.variables |= {"AWS_ACCESS_KEY_ID": self.access_key,
                           "AWS_SECRET_ACCESS_KEY": self.secret_key}
        self.spec(self.s3_sink(endpoint=s3.url))
        ended = self.run_import(status=1)
        self.assertEqual(ended.last_line(), "0 completed, 0 dead")
        self.assert_says(ended.err, "lane sink stopped: ", "400 ExpiredToken",
                         "AWS_SESSION_TOKEN", "run the same command")
        has_expired = False
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")

    def test_a_probe_signs_with_the_machines_keys(self):
        places = aws_places(self)
        self.by_container(places)
        self.start_api()
        self.spec(self.s3_sink())
        ended = self.wherry("check", "flights.toml", "--probe", "--json").json()
        self.assert_says(ended["keys"], "the container's credentials")
        self.assert_says(ended["probes"][1]["says"], "aborted it")
        self.assertEqual(places.asked, ["container"])

    def assert_begins_nothing(self, *words: str):
        server = self.start_api()
        self.spec(self.s3_sink())
        ended = self.run_import(status=2)
        self.assert_says(ended.err, *words)
        self.assertEqual([path.name for path in self.here.iterdir()], ["flights.toml"])
        self.assertEqual(server.asked(), 0)

    def test_without_keys_anywhere_nothing_is_begun(self):
        self.assert_begins_nothing(
            "an s3 sink needs AWS credentials", "access_key of [sink]", "AWS_ACCESS_KEY_ID",
            "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "aws configure")

    def test_a_machine_that_is_none_of_aws_says_so_before_anything_is_begun(self):
        del self.variables["AWS_EC2_METADATA_DISABLED"]
        self.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:9"
        self.assert_begins_nothing("an s3 sink needs AWS credentials",
                                   "cannot connect to http://127.0.0.1:9", "aws configure")

    def test_half_of_the_keys_in_the_environment_is_a_mistake(self):
        self.variables["AWS_ACCESS_KEY_ID"] = self.access_key
        self.assert_begins_nothing("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together")

    def test_a_container_that_refuses_is_named_with_what_to_look_at(self):
        places = aws_places(self)
        self.by_container(places)
        self.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "a-wrong-token"
        self.assert_begins_nothing(f"{places.url} answered 403 to the request for keys",
                                   "AWS_CONTAINER_")
