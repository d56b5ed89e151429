# SPDX-License-Identifier: Apache-2.0
"""A real S3 server that refuses, or is not there: the server's code and the remedy are told, exit
status 1, no secret shown. Of wrong keys nobody dies, and the same command goes on with the right ones;
of the rest there are dead letters, and once the cause is gone a redrive completes."""

from s3_harness import s3_test


class s3_refusals_test(s3_test):

    def assert_dies(self, *words: str, attempt: int = 1, **sink):
        """An import of ten reports is in vain; each dead letter has these words."""
        self.start_api()
        self.spec(self.s3_sink(**sink), ("[retry]\n", "[retry]\nattempts = 2\n"))
        ended = self.run_import(status=1)
        self.assertEqual(ended.last_line(), "0 completed, 10 dead")
        dead = [line for line in ended.err.splitlines() if line.startswith("dead: ")]
        self.assertEqual(len(dead), 10)
        for line in dead:
            self.assert_says(line, f"uploadable, attempt {attempt}", *words)
        self.assertEqual(self.stored(), {})

    def assert_stops(self, *words: str):
        """The lane stops for the sake of all reports, and goes on from where it was."""
        self.start_api()
        self.spec(self.s3_sink())
        ended = self.run_import(status=1)
        self.assertTrue(ended.last_line().startswith("0 completed, 0 dead"), ended.last_line())
        self.assert_says(ended.err, "lane sink stopped: ", *words)
        self.assertEqual(self.stored(), {})

    def assert_goes_on(self):
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")
        self.assertEqual(len(self.stored()), 10)

    def assert_completes(self):
        self.spec(self.s3_sink())
        self.wherry("redrive", "--all")
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")
        self.assertEqual(len(self.stored()), 10)

    def test_a_wrong_secret_stops_the_lane_and_names_its_key(self):
        self.secrets.append("not-the-secret-of-this-key")
        self.variables["AWS_SECRET_ACCESS_KEY"] = "not-the-secret-of-this-key"
        self.assert_stops(self.endpoint, "403 SignatureDoesNotMatch", "`sink.secret_key`",
                          "AWS_SECRET_ACCESS_KEY")
        self.variables["AWS_SECRET_ACCESS_KEY"] = self.secret_key
        self.assert_goes_on()

    def test_a_wrong_access_key_stops_the_lane_and_names_its_key(self):
        self.variables["AWS_ACCESS_KEY_ID"] = "NOBODY"
        self.assert_stops(self.endpoint, "403 InvalidAccessKeyId", "`sink.access_key`",
                          "AWS_ACCESS_KEY_ID")
        self.variables["AWS_ACCESS_KEY_ID"] = self.access_key
        self.assert_goes_on()

    def test_an_unknown_bucket_is_final_and_named(self):
        self.assert_dies("refused s3://no-such-bucket/", "404 NoSuchBucket", "`sink.url`",
                         bucket="no-such-bucket")
        self.assert_completes()

    def test_an_endpoint_that_is_not_there_is_tried_as_often_as_the_spec_says_and_named(self):
        self.assert_dies("cannot connect to http://127.0.0.1:9", "Connection refused",
                         "`sink.endpoint`", attempt=2, endpoint="http://127.0.0.1:9")
        self.assert_completes()
