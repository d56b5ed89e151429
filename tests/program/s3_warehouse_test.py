# SPDX-License-Identifier: Apache-2.0
"""Imports into a real S3 and from there into a table: of PostgreSQL, and of what stands in for Amazon
Redshift (tests/warehouse/redshift_proxy.py), whose COPY reads manifest and objects from that S3."""

import os
import subprocess

from harness import DUCKDB, ROOT, die_with_parent, wait_until
from s3_harness import s3_test
from warehouse_harness import transform, warehouse_test

ROLE = "arn:aws:iam::123456789012:role/wherry-copy"


class s3_warehouse_test(s3_test, warehouse_test):
    """Both servers' variables and helpers in one."""

    def redshift(self, more: str = "", **options) -> tuple[str, str]:
        return self.warehouse(f'iam_role = "{ROLE}"\n{more}', kind="redshift", **options)

    def start_proxy(self, *flags: str):
        port_file, self.proxy_log = self.apart / "proxy-port", self.apart / "proxy.log"
        with open(self.proxy_log, "w") as log:
            process = subprocess.Popen(
                ["/usr/bin/python3", "-B", ROOT / "tests/warehouse/redshift_proxy.py", "--postgres",
                 f"{self.address[0]}:{self.address[1]}", "--s3", self.endpoint, "--duckdb", DUCKDB,
                 "--port-file", port_file, *flags],
                env=os.environ | self.variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=die_with_parent)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_until(port_file.exists, "the proxy's port", process)
        self.variables["DATABASE"] = self.database_url(port=int(port_file.read_text()))

    def manifests(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.bucket, Prefix="_wherry/manifests/")
        return [each["Key"] for each in found.get("Contents", [])]

    def said(self, word: str) -> list[str]:
        """Lines of the proxy that begin so."""
        return [line for line in self.proxy_log.read_text().splitlines() if line.startswith(word)]

    def test_redshift_copies_every_format_by_manifest(self):
        self.start_api()
        self.start_proxy()
        for ending in ("csv", "csv.gz", "csv.zst", "parquet"):
            self.spec(transform(), self.redshift("batch = 8"),
                      self.s3_sink(name="{client}." + ending))
            ended = self.run_import("--only", "all", days=2)
            self.assertEqual(ended.last_line(), "20 completed, 0 dead")
            self.assert_loaded(2)
        self.assertEqual(self.said("refused") + self.said("failed"), [])
        self.assertGreaterEqual(len(self.said("copied")), 12)
        self.assertLess(len(self.said("copied")), 80)

    def test_redshift_copies_objects_that_are_named_by_their_hash_and_the_spec(self):
        self.start_api()
        self.start_proxy()
        name = "{client}-{sha256}-{spec}.csv"
        self.spec(transform(), self.redshift(), self.s3_sink(name=name))
        self.run_import(days=2)
        self.assert_loaded(2)
        fewer = "destination <> 'LAX'"
        self.spec(transform(fewer), self.redshift(), self.s3_sink(name=name))
        self.run_import("--only", "all", days=2)
        self.assert_loaded(2, fewer)
        self.assertEqual(len(self.stored()), 40)  # those of before stay

    def test_redshift_replaces_restated_and_emptied_days_and_its_manifests_go(self):
        self.start_api()
        self.start_proxy()
        self.spec(transform(), self.redshift(), self.s3_sink())
        self.run_import(days=2)
        self.assert_loaded(2)
        fewer = "destination <> 'LAX' and origin <> 'SEA'"
        self.spec(transform(fewer), self.redshift(), self.s3_sink())
        self.run_import("--only", "all", days=2)
        self.assert_loaded(2, fewer)
        batches = {row[0] for row in self.sql("select distinct batch from wherry_loads")}
        names = {key.rsplit("/", 1)[1].removesuffix(".json") for key in self.manifests()}
        self.assertFalse(batches & names, "a manifest was left behind")

    def test_redshift_tries_again_after_an_isolation_violation(self):
        self.start_api()
        self.start_proxy("--fail-once", "1023 Serializable isolation violation on table:XX000")
        self.spec(transform(), self.redshift(), self.s3_sink())
        self.assertEqual(self.run_import(days=1).last_line(), "10 completed, 0 dead")
        self.assertEqual(len(self.said("failed: 1023")), 1)
        self.assert_loaded(1)

    def test_a_role_that_may_not_read_the_bucket_stops_the_lane(self):
        self.start_api()
        self.start_proxy("--fail-once", "S3ServiceException:Access Denied,Status 403,Error "
                                        "AccessDenied:XX000")
        self.spec(transform(), self.redshift(), self.s3_sink())
        ended = self.run_import(days=1, status=1)
        self.assert_says(ended.err, "lane warehouse stopped", "`warehouse.iam_role`",
                         "s3:GetObject")
        self.assertEqual(self.run_import(days=1).last_line(), "10 completed, 0 dead")
        self.assert_loaded(1)

    def test_of_a_batch_that_redshift_refuses_the_culprit_is_found_and_dies_alone(self):
        self.start_api()
        self.start_proxy()
        self.spec(transform(), self.redshift(), self.s3_sink())
        self.sql("alter table flights add constraint no_denver check (client <> 'DEN')")
        ended = self.run_import(days=2, status=1)
        self.assertEqual(ended.last_line(), "18 completed, 2 dead")
        self.assert_loaded(2, "origin <> 'DEN'")

    def test_an_object_that_is_gone_or_cut_is_made_again(self):
        self.start_api()
        self.start_proxy()
        self.spec(transform(), self.redshift(), self.s3_sink())
        holder = self.hold_lock("flights")
        importing = self.start_import(days=1)
        wait_until(lambda: self.number("select count(*) from pg_locks where not granted") > 0,
                   "a load that waits for the lock", importing.process)
        wait_until(lambda: len(self.stored()) == 10, "all objects", importing.process)
        keys = [f"{self.prefix}/{name}" for name in sorted(self.stored())]
        self.client.delete_object(Bucket=self.bucket, Key=keys[0])
        self.client.put_object(Bucket=self.bucket, Key=keys[1], Body=b"cut")
        holder.kill()
        self.assertEqual(importing.end().last_line(), "10 completed, 0 dead")
        self.assert_loaded(1)
        self.assertEqual(len(self.stored()), 10)

    def test_a_spool_that_holds_few_objects_of_a_batch_spends_no_attempt(self):
        self.start_api()
        self.spec(transform(), self.warehouse(), self.s3_sink())
        self.run_import(days=1)
        budget = 8 * max(len(each) for each in self.stored().values()) // 1024
        self.spec(transform(), self.warehouse(), self.s3_sink(),
                  ("[retry]\n", "[retry]\nattempts = 1\n"),
                  ("[source]\n", f'spool_budget = "{budget}KiB"\n[source]\n'))
        self.assertEqual(self.run_import(days=5).last_line(), "50 completed, 0 dead")
        self.assert_loaded(5)
        self.assertEqual(self.spooled(), [])

    def test_postgresql_is_given_the_rows_of_objects_in_s3(self):
        self.start_api()
        for ending in ("csv.gz", "parquet"):
            self.spec(transform(), self.warehouse("batch = 6"),
                      self.s3_sink(name="{client}." + ending))
            self.run_import("--only", "all", days=2)
            self.assert_loaded(2)
        self.assertEqual(self.spooled(), [])
