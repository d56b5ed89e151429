# SPDX-License-Identifier: Apache-2.0
"""A real S3 server, and before it one that now and then answers as S3 does when it has too much to
do, lies elsewhere, or got other bytes: each report ends as it should, with an error that says what to
do, and no other one waits for it."""

import threading

from harness import wait_until
from s3_front import s3_front
from s3_harness import s3_test

# Every failed attempt would be the last one.
ONE_ATTEMPT = ("[retry]\n", "[retry]\nattempts = 1\n")
LANE_A_CLIENT = ("\n[retry]", '\nlimit = { lane = "{client}" }\n[retry]')


class s3_bad_answers_test(s3_test):

    def start_front(self, judge) -> s3_front:
        front = s3_front(self.endpoint, judge)
        self.addCleanup(front.stop)
        return front

    def put_once(self, status: int, code: str, **headers):
        """The first PUT of each object is refused so."""
        seen = set()

        def judge(request: str):
            if not request.startswith("PUT ") or request in seen:
                return None
            seen.add(request)
            return status, code, headers
        return judge

    def assert_all_there(self):
        found, expected = self.stored(), self.import_into_files(1)
        self.assertEqual(found, expected)
        self.assertEqual(len(found), 10)

    def test_a_server_that_asks_for_fewer_requests_costs_no_attempt(self):
        self.start_api()
        front = self.start_front(self.put_once(503, "SlowDown", **{"Retry-After": "1"}))
        self.spec(self.s3_sink(endpoint=front.endpoint), ONE_ATTEMPT)
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")
        self.assertEqual(len(front.asked), 20)
        self.assert_all_there()

    def test_a_lane_that_is_asked_for_fewer_requests_parks_alone(self):
        self.start_api()
        released = threading.Event()

        def judge(request: str):
            if "ATL" not in request or released.is_set():
                return None
            return 503, "SlowDown", {"Retry-After": "1"}
        front = self.start_front(judge)
        self.spec(self.s3_sink(endpoint=front.endpoint), ONE_ATTEMPT, LANE_A_CLIENT)
        importing = self.start_import()
        self.wait_for_objects(9, importing)
        waiting = wait_until(
            lambda: [each for each in self.wherry("list", "--state", "uploadable", "--json").json()
                     if each.get("error")], "the parked report", importing.process)
        self.assert_says(waiting[0]["error"], "503 SlowDown", "lower `sink.limit.rate`")
        self.assertEqual(waiting[0]["attempt"], 1)
        released.set()
        self.assertEqual(importing.end().last_line(), "10 completed, 0 dead")
        self.assert_all_there()

    def test_a_bucket_that_lies_elsewhere_is_final_and_its_region_is_named(self):
        self.start_api()
        front = self.start_front(lambda request: (301, "PermanentRedirect",
                                                  {"x-amz-bucket-region": "eu-west-3"})
                                 if "ATL" in request else None)
        self.spec(self.s3_sink(endpoint=front.endpoint))
        ended = self.run_import(status=1)
        self.assertEqual(ended.last_line(), "9 completed, 1 dead")
        line, = [line for line in ended.err.splitlines() if line.startswith("dead: ")]
        self.assert_says(line, "uploadable, attempt 1", "301 PermanentRedirect", "`sink.region`",
                         "`sink.endpoint`", "is in region eu-west-3")
        self.assertEqual(len(self.stored()), 9)
        self.spec(self.s3_sink())
        self.wherry("redrive", "--all")
        self.assertEqual(self.run_import().last_line(), "10 completed, 0 dead")
        self.assert_all_there()

    def test_an_object_that_arrived_with_other_bytes_is_made_anew(self):
        for number, code in enumerate(("XAmzContentSHA256Mismatch", "BadDigest"), start=1):
            server = self.start_api()
            front = self.start_front(self.put_once(400, code))
            self.spec(self.s3_sink(endpoint=front.endpoint, name=f"{{client}}-{number}.csv"))
            ended = self.run_import("--only", "all")
            self.assertEqual(ended.last_line(), "10 completed, 0 dead")
            self.assertEqual(server.asked(), 20)  # downloaded, and once more
            self.assertEqual(len(self.stored()), 10 * number)

    def test_an_upload_whose_quota_is_used_up_in_its_midst_leaves_no_parts(self):
        self.start_api()
        front = self.start_front(lambda _: None)
        self.spec(*self.large_sink(front.endpoint, limit='limit = { quotas = ["3/h"] }'), ONE_ATTEMPT)
        importing = self.start_import("--client", "ATL")
        wait_until(lambda: any(each.startswith("DELETE ") for each in front.asked),
                   "the upload to be aborted", importing.process)
        report, = wait_until(lambda: self.wherry("list", "--phase", "ready", "--json").json()
                             or self.wherry("list", "--phase", "waiting", "--json").json(),
                             "the report to be given back", importing.process)
        self.assertEqual((report["state"], report["attempt"]), ("uploadable", 1))
        importing.kill()
        self.assertEqual(self.uploads(), [])
        self.assertEqual(self.stored(), {})
        self.assertFalse([each for each in front.asked if each.startswith("POST ")
                          and "uploadId" in each], "it was completed")
