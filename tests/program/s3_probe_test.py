# SPDX-License-Identifier: Apache-2.0
"""`wherry check --probe` of a sink in a real S3 server: it tells whether an object could be written,
and leaves neither an object nor an upload there."""

from s3_harness import s3_test


class s3_probe_test(s3_test):

    def probe(self, status: int = 0) -> dict:
        ended = self.wherry("check", "flights.toml", "--probe", "--json", status=status)
        return next(line for line in ended.json()["probes"] if line["side"] == "sink")

    def test_a_probe_of_s3_writes_no_object_and_leaves_no_upload(self):
        self.start_api()
        self.spec(self.s3_sink())
        seen = self.probe()
        self.assert_says(seen["says"], "began an upload beside", "aborted it")
        self.assertEqual(self.stored(), {})
        self.assertEqual(self.uploads(), [])

    def test_a_probe_of_s3_says_which_key_is_wrong(self):
        self.start_api()
        self.spec(self.s3_sink())
        self.variables["AWS_SECRET_ACCESS_KEY"] = "wrong"
        self.assert_says(self.probe(status=1)["says"], "SignatureDoesNotMatch", "sink.secret_key")

    def test_a_probe_of_s3_says_that_there_is_no_such_bucket(self):
        self.start_api()
        self.spec(self.s3_sink(bucket="nobodys-bucket"))
        self.assert_says(self.probe(status=1)["says"], "NoSuchBucket", "sink.url")

    def test_a_check_of_an_s3_sink_names_the_rule_that_removes_what_a_kill_leaves(self):
        self.spec(self.s3_sink())
        self.assert_says(self.wherry("check", "flights.toml").out, "AbortIncompleteMultipartUpload")
        self.spec()
        self.assertNotIn("lifecycle", self.wherry("check", "flights.toml").out)
