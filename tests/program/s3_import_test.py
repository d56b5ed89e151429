# SPDX-License-Identifier: Apache-2.0
"""Imports into a real S3 server: every object, read back by boto3, has the bytes that the same
import gives to a file, whatever happened on the way."""

import hashlib

from harness import wait_until
from s3_harness import s3_test, server_log

REPORTS, DAYS = 60, 6
FAULTS = ["--seed", "5", "--error-503", "0.1", "--cut", "0.1", "--malformed", "0.05"]


class s3_import_test(s3_test):

    def assert_all_there(self):
        found, expected = self.stored(), self.import_into_files(DAYS)
        self.assertEqual(len(expected), REPORTS)
        self.assertEqual(found.keys(), expected.keys())
        for name, content in expected.items():
            self.assertEqual(found[name], content, name)

    def test_an_import_into_s3_makes_the_objects_that_it_makes_as_files(self):
        server = self.start_api(*FAULTS)
        self.spec(self.s3_sink())
        ended = self.run_import(days=DAYS)
        self.assertEqual(ended.last_line(), f"{REPORTS} completed, 0 dead")
        for fault in ("unavailable", "cut", "malformed"):
            self.assertGreater(server.stats()[fault], 0)
        self.assert_all_there()

    def test_objects_are_reached_by_the_buckets_host_name_too(self):
        self.start_api()
        by_name = self.endpoint.replace("127.0.0.1", "localhost")
        self.assertNotEqual(by_name, self.endpoint)
        self.spec(self.s3_sink(endpoint=by_name, path_style=False))
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")
        self.assertEqual(len(self.stored()), 10)
        asked = [line for line in server_log().splitlines() if self.prefix in line]
        put = [line for line in asked if '"PUT ' in line]
        self.assertEqual(len(put), 10)
        for line in put:
            self.assert_says(line, f'"PUT /{self.prefix}/day%3D2001-01-01/')  # no bucket before it

    def test_parquet_and_csv_gz_arrive_with_their_types(self):
        self.start_api()
        for name, kind in (("{client}.parquet", "application/vnd.apache.parquet"),
                           ("{client}.csv.gz", "application/gzip"), ("{client}.csv", "text/csv")):
            self.spec(self.s3_sink(name=name))
            self.run_import("--only", "all", "--client", "ATL")
            key = f"{self.prefix}/day=2001-01-01/{name.replace('{client}', 'ATL')}"
            found = self.client.head_object(Bucket=self.bucket, Key=key)
            self.assertEqual(found["ContentType"], kind)

    def test_an_object_may_be_named_by_its_hash_and_the_version_of_the_spec(self):
        self.start_api()
        self.spec(self.s3_sink(name="{client}-{sha256}-{spec}.csv"))
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")
        found = self.stored()
        self.assertEqual(len(found), 10)
        version = hashlib.sha256((self.here / "flights.toml").read_bytes()).hexdigest()
        for name, content in found.items():
            self.assertTrue(name.endswith(
                f"-{hashlib.sha256(content).hexdigest()}-{version}.csv"), name)
        shown = self.wherry("show", "ATL/2001-01-01", "--json").json()
        self.assertIn(shown["data"]["sha256"], shown["data"]["url"])
        self.run_import("--only", "all")
        self.assertEqual(self.stored(), found)  # the same bytes, under the same names

    def test_a_large_report_goes_up_in_parts(self):
        self.start_api()
        self.spec(*self.large_sink())
        for more in (), ("--only", "all"):
            ended = self.run_import("--client", "ATL", *more)
            self.assertEqual(ended.last_line(), "1 completed, 0 dead")
            found = self.client.get_object(Bucket=self.bucket,
                                           Key=f"{self.prefix}/day=2001-01-01/ATL.csv")
            self.assertRegex(found["ETag"], '-[1-9][0-9]*"$')
            shown = self.wherry("show", "ATL/2001-01-01", "--json").json()["data"]
            self.assertEqual(hashlib.sha256(found["Body"].read()).hexdigest(), shown["sha256"])
        self.assertEqual(self.uploads(), [])

    def test_after_kill_9_in_the_midst_the_same_command_completes_the_import(self):
        front = self.start_gateway()
        server = self.start_api("--latency", "100ms", *FAULTS)
        self.spec(self.s3_sink(endpoint=front.endpoint), ("in_flight = 8", "in_flight = 4"))
        importing = self.start_import(days=DAYS)
        self.wait_for_requests(server, importing, answered=8)
        front.freeze()  # so that uploads are under way when it is killed
        wait_until(lambda: len(self.wherry("list", "--state", "uploadable").out.splitlines()) >= 8,
                   "uploads under way", importing.process)
        importing.kill()
        front.thaw()
        self.assertLess(self.phases().get("completed", 0), REPORTS)
        self.assertEqual(self.run_import(days=DAYS).last_line(), f"{REPORTS} completed, 0 dead")
        self.assert_all_there()

    def test_a_day_that_has_no_rows_any_more_loses_its_object(self):
        self.start_api()
        self.spec(self.s3_sink())
        self.run_import()
        self.assertIn("day=2001-01-01/BOS.csv", self.stored())
        # All reports that name Boston, not only its own.
        self.spec(self.s3_sink(), ("[transform]\n", '[[source.on]]\ncontains = "BOS"\nis = "empty"\n'
                                                     "[transform]\n"))
        for _ in range(2):
            ended = self.run_import("--only", "all")
            self.assertEqual(ended.last_line(), "10 completed, 0 dead")
            self.assertNotIn("day=2001-01-01/BOS.csv", self.stored())

    def test_an_import_waits_for_a_server_that_died_in_the_midst_and_completes_by_itself(self):
        front = self.start_gateway()
        server = self.start_api("--latency", "100ms")
        self.spec(self.s3_sink(endpoint=front.endpoint), ("in_flight = 8", "in_flight = 4"),
                  ("[retry]\n", "[retry]\nattempts = 1000\n"))
        importing = self.start_import(days=DAYS)
        self.wait_for_requests(server, importing, answered=8)
        server.freeze()
        self.wait_for_objects(4, importing)
        front.kill()
        server.thaw()
        failed = wait_until(lambda: self.wherry("list", "--phase", "waiting", "--json").json(),
                            "an upload that failed", importing.process)
        self.assert_says(failed[0]["error"], f"cannot connect to {front.endpoint}", "sink.endpoint")
        front.start()
        self.assertEqual(importing.end().last_line(), f"{REPORTS} completed, 0 dead")
        self.assert_all_there()
