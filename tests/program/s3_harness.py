# SPDX-License-Identifier: Apache-2.0
"""What the tests with a real S3 server stand on: the one server of tools/s3 that the ctest fixture
has started, boto3 to read back what wherry has written, and more gateways in front of the same
server, to be killed without harm to other tests.

S3_ENV_FILE names the server's file of variables. A server that is missing fails the tests: a sink
that nobody tried is not known to work."""

import os
import pathlib
import signal
import socket
import subprocess
import urllib.request

import boto3
import botocore.config

from harness import die_with_parent, program_test, running, wait_until

FILE_SINK = 'url = "file://${PWD}/objects/day={day}/{client}.csv"\n'


def server_variables() -> dict[str, str]:
    """S3_ENDPOINT and the others, from lines like: export S3_BUCKET=name."""
    lines = pathlib.Path(os.environ["S3_ENV_FILE"]).read_text().splitlines()
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


def server_log() -> str:
    """What the server says of each request."""
    return (pathlib.Path(os.environ["S3_ENV_FILE"]).parent / "log/client.rgw.log").read_text()


class gateway:
    """A second radosgw in front of the same objects; the test may kill it and start it again."""

    def __init__(self, name: str):
        self._state = pathlib.Path(os.environ["S3_ENV_FILE"]).parent
        self._name = name
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.start()

    def start(self):
        with open(self._state / f"log/{self._name}.out", "a") as log:
            self._process = subprocess.Popen(
                ["radosgw", "-c", self._state / "ceph.conf", "-n", f"client.{self._name}", "-f",
                 "--rgw-frontends", "beast endpoint=" + self.endpoint.removeprefix("http://")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent)
        wait_until(self._answers, "the gateway to answer", self._process)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.endpoint, timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def freeze(self):
        """Stands still until `thaw`: what is sent to it stays under way."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def kill(self):
        self._process.kill()
        self._process.wait()


class s3_test(program_test):
    """A test with a place of its own in the server's bucket."""

    def setUp(self):
        super().setUp()
        given = server_variables()
        self.endpoint, self.bucket = given["S3_ENDPOINT"], given["S3_BUCKET"]
        self.access_key, self.secret_key = given["S3_ACCESS_KEY"], given["S3_SECRET_KEY"]
        self.secrets.append(self.secret_key)
        self.variables |= {"AWS_ACCESS_KEY_ID": self.access_key,
                           "AWS_SECRET_ACCESS_KEY": self.secret_key}
        self.prefix = self.here.name
        self.client = boto3.client(
            "s3", endpoint_url=self.endpoint, region_name="us-east-1",
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key,
            config=botocore.config.Config(s3={"addressing_style": "path"}))
        self.addCleanup(self.client.close)

    def start_gateway(self) -> gateway:
        front = gateway(self.prefix)
        self.addCleanup(front.kill)
        return front

    def s3_sink(self, bucket: str = "", endpoint: str = "", path_style: bool = True,
                name: str = "{client}.csv") -> tuple[str, str]:
        """The change of the spec that lets it write into S3."""
        return (FILE_SINK,
                f'url = "s3://{bucket or self.bucket}/{self.prefix}/day={{day}}/{name}"\n'
                f'endpoint = "{endpoint or self.endpoint}"\n'
                f'path_style = {str(path_style).lower()}\n')

    def large_sink(self, endpoint: str = "", limit: str = "") -> list[tuple[str, str]]:
        """The changes of the spec by which objects have some 10 MB, and go up in parts."""
        return [self.s3_sink(endpoint=endpoint), ("  from report\n", "  from report, range(3000)\n"),
                ("\n[retry]", f'\nmultipart = "5MB"\n{limit}\n[retry]')]

    def uploads(self) -> list[str]:
        """Keys of the uploads of this test that have begun and not ended."""
        listed = self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=self.prefix)
        return [each["Key"] for each in listed.get("Uploads", [])]

    def stored(self) -> dict[str, bytes]:
        """Each object of this test, by its path below the prefix, read back by boto3."""
        start = self.prefix + "/"
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket,
                                                                      Prefix=start)
        keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
        return {key.removeprefix(start):
                self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}

    def wait_for_objects(self, number: int, importing: running):
        """Waits until so many objects of this test are there."""
        def are_there():
            listed = self.client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix + "/")
            return listed["KeyCount"] >= number
        wait_until(are_there, f"{number} objects", importing.process)

    def import_into_files(self, days: int) -> dict[str, bytes]:
        """What the same import makes as files, undisturbed, with a store of its own."""
        kept = self.variables["API"]
        self.start_api()
        own = 'store = "sqlite:files.db"\nspool = "files.spool"\n'
        self.spec(("\n[source]\n", f"\n{own}\n[source]\n"), name="files.toml")
        self.wherry("import", "files.toml", *self.days(days))
        self.variables["API"] = kept
        return self.objects()
