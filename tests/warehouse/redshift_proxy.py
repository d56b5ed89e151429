#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What of Amazon Redshift a load needs and no local server has, in front of a real PostgreSQL.

It speaks PostgreSQL's protocol, passes on what it does not know, and

- carries out COPY … FROM 's3://…' IAM_ROLE … MANIFEST as Redshift documents it: reads the manifest
  from the real S3, takes none that is malformed, wants every mandatory object at its content_length,
  and no parameter that the format does not allow; then gives the rows to PostgreSQL by COPY FROM
  STDIN. CSV, GZIP and ZSTD by Python and zstd(1), Parquet by DuckDB: none of them is wherry's code.
- refuses what Redshift does not have or what would end a transaction there, so that statements stay
  in what both know.

Source: AWS, "COPY syntax", "COPY from Amazon S3", "Using a manifest to specify data files", "COPY from
columnar data formats", "Unsupported PostgreSQL features", "TRUNCATE".

    redshift_proxy.py --postgres HOST:PORT --s3 ENDPOINT --duckdb LIBRARY --port-file FILE
S3's key and secret come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. One line a COPY and one a
refusal goes to stdout. With --fail-once TEXT:SQLSTATE the first COPY fails with that error instead.
"""
import argparse
import asyncio
import ctypes
import gzip
import json
import os
import pathlib
import re
import struct
import subprocess
import tempfile

import boto3
import botocore.config
import botocore.exceptions

REFUSED = [  # what Redshift does not take, or takes otherwise than a load may bear
    (r"^\s*truncate\b", "TRUNCATE commits the transaction in which it runs"),
    (r"\bon\s+conflict\b", "syntax error at or near \"CONFLICT\""),
    (r"\breturning\b", "syntax error at or near \"RETURNING\""),
    (r"^\s*merge\b", "MERGE is not taken here: not every form of it is there"),
    (r"\bon\s+commit\b", "ON COMMIT is not supported"),
    (r"\bunlogged\b", "UNLOGGED is not supported"),
    (r"\bcreate\s+(unique\s+)?index\b", "indexes are not supported"),
    (r"\b(text|jsonb?|bytea|uuid)\s*\[", "arrays are not supported"),
    (r"::\s*regclass\b|\bto_regclass\b", "regclass is a function of the leader node only"),
    (r"\bfor\s+update\b", "FOR UPDATE is not supported with these tables"),
    (r"\bfrom\s+stdin\b", "COPY FROM STDIN is not supported"),
    (r"\bpg_advisory|\blisten\b|\bnotify\b", "is not supported"),
    (r"'[^']*\\[^']*'", "a backslash in a text means something else here"),
]
COPY = re.compile(
    r'^\s*COPY\s+(?P<table>"(?:[^"]|"")+"|\w+)(?:\s*\((?P<columns>.*?)\))?\s+FROM\s+'
    r"'s3://(?P<bucket>[^/']+)/(?P<key>[^']+)'\s+IAM_ROLE\s+(?P<role>default|'arn:[^']+')"
    r"(?P<options>.*)$", re.IGNORECASE | re.DOTALL)
# Options and the arguments that they take, in Redshift's words.
OPTIONS = re.compile(
    r"\s+(MANIFEST|FORMAT(?:\s+AS)?\s+(?:CSV|PARQUET)|GZIP|ZSTD|EMPTYASNULL|IGNOREHEADER(?:\s+AS)?\s+\d+"
    r"|DATEFORMAT(?:\s+AS)?\s+'auto'|TIMEFORMAT(?:\s+AS)?\s+'auto'|COMPUPDATE\s+(?:ON|OFF)"
    r"|STATUPDATE\s+(?:ON|OFF)|REGION(?:\s+AS)?\s+'[a-z0-9-]+')", re.IGNORECASE)
WITH_COLUMNAR = ("MANIFEST", "FORMAT", "STATUPDATE")  # of these; the others are an error with it


class copy_error(Exception):
    """What Redshift would say of a COPY."""

    def __init__(self, message: str, state: str = "XX000"):
        super().__init__(message)
        self.state = state


def parse_copy(statement: str) -> dict:
    """The parts of a COPY; a copy_error where Redshift has no such form."""
    found = COPY.match(statement)
    if not found:
        raise copy_error("syntax error in COPY", "42601")
    rest, options = found["options"], []
    while rest.strip():
        option = OPTIONS.match(rest)
        if not option:
            raise copy_error(f"syntax error in COPY at {rest.strip()[:40]!r}", "42601")
        options.append(re.sub(r"\s+AS\b", "", option[1], flags=re.IGNORECASE).upper())
        rest = rest[option.end():]
    words = [each.split()[0] for each in options]
    if len(set(words)) != len(words):
        raise copy_error("conflicting or redundant options", "42601")
    if "MANIFEST" not in words:
        raise copy_error("this proxy copies by manifest only", "0A000")
    parquet = "FORMAT PARQUET" in options
    if not parquet and "FORMAT CSV" not in options:
        raise copy_error("this proxy copies CSV and PARQUET only", "0A000")
    if parquet and (extra := [each for each in words if each not in WITH_COLUMNAR]):
        raise copy_error(f"{extra[0]} is not supported for PARQUET", "0A000")
    if parquet and found["columns"]:
        raise copy_error("this proxy takes no column list with PARQUET", "0A000")
    header = next((int(each.split()[1]) for each in options if each.startswith("IGNOREHEADER")), 0)
    return {"table": found["table"], "columns": found["columns"], "bucket": found["bucket"],
            "key": found["key"], "parquet": parquet, "header": header,
            "gzip": "GZIP" in words, "zstd": "ZSTD" in words, "empty_is_null": "EMPTYASNULL" in words}


class storage:
    """The objects that COPY reads."""

    def __init__(self, endpoint: str, duckdb: str):
        self._client = boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1",
            config=botocore.config.Config(s3={"addressing_style": "path"}))
        self._duckdb = duckdb

    def get(self, bucket: str, key: str) -> bytes:
        try:
            return self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except botocore.exceptions.ClientError as wrong:
            code = wrong.response["Error"]["Code"]
            raise copy_error(f"S3ServiceException:{code}, s3://{bucket}/{key}") from wrong

    def manifest(self, bucket: str, key: str) -> list[dict]:
        try:
            entries = json.loads(self.get(bucket, key))["entries"]
            for each in entries:
                if not re.fullmatch(r"s3://[^/]+/.+", each["url"]):
                    raise copy_error(f"Manifest entry {each} is malformed")
        except (ValueError, KeyError, TypeError) as wrong:
            raise copy_error(f"Manifest file is not in correct json format: {wrong}") from wrong
        if not entries:
            raise copy_error("The manifest has no entries")
        return entries

    def rows(self, how: dict) -> list[bytes]:
        """All objects of the manifest, as CSV without headers."""
        pieces = []
        for entry in self.manifest(how["bucket"], how["key"]):
            bucket, key = entry["url"].removeprefix("s3://").split("/", 1)
            if entry.get("mandatory") is not True:
                raise copy_error(f"{entry['url']} is not mandatory: a load must not miss it")
            content = self.get(bucket, key)
            if how["parquet"] and "content_length" not in entry.get("meta", {}):
                raise copy_error("content_length is required for columnar files")
            if len(content) != entry["meta"]["content_length"]:
                raise copy_error(f"{entry['url']} has {len(content)} bytes, its content_length is "
                                 f"{entry['meta']['content_length']}")
            pieces.append(self.csv_of(content, how))
        return pieces

    def csv_of(self, content: bytes, how: dict) -> bytes:
        if how["parquet"]:
            return self.from_parquet(content)
        try:
            if how["gzip"]:
                content = gzip.decompress(content)
            if how["zstd"]:
                content = subprocess.run(["zstd", "-dc"], input=content, capture_output=True,
                                         check=True).stdout
        except (OSError, EOFError, subprocess.CalledProcessError) as wrong:
            raise copy_error(f"File is not compressed as COPY says: {wrong}") from wrong
        for _ in range(how["header"]):
            content = content.partition(b"\n")[2]
        return content

    def from_parquet(self, content: bytes) -> bytes:
        with tempfile.TemporaryDirectory() as name:
            there = pathlib.Path(name)
            (there / "a.parquet").write_bytes(content)
            library = ctypes.CDLL(self._duckdb)
            library.duckdb_result_error.restype = ctypes.c_char_p
            database, connection = ctypes.c_void_p(), ctypes.c_void_p()
            result = ctypes.create_string_buffer(512)
            library.duckdb_open(None, ctypes.byref(database))
            library.duckdb_connect(database, ctypes.byref(connection))
            statement = f"copy (from '{there}/a.parquet') to '{there}/a.csv' (header false)"
            if library.duckdb_query(connection, statement.encode(), result) != 0:
                raise copy_error("Spectrum Scan Error: "
                                 + library.duckdb_result_error(result).decode())
            library.duckdb_disconnect(ctypes.byref(connection))
            library.duckdb_close(ctypes.byref(database))
            return (there / "a.csv").read_bytes()


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def query(statement: str) -> bytes:
    return message(b"Q", statement.encode() + b"\0")


def raising(text: str, state: str) -> bytes:
    """A statement that fails, so that the server itself ends the transaction."""
    quoted = text.replace("'", "''").replace("%", "%%")
    return query(f"do $redshift$ begin raise exception '{quoted}' using errcode = '{state}'; end"
                 " $redshift$")


async def read_message(stream: asyncio.StreamReader) -> tuple[bytes, bytes]:
    kind = await stream.readexactly(1)
    size, = struct.unpack("!i", await stream.readexactly(4))
    return kind, await stream.readexactly(size - 4)


class session:
    """One client, and its own connection to PostgreSQL."""

    def __init__(self, to: tuple[str, int], objects: storage, failures: list[tuple[str, str]]):
        self._to, self._objects, self._failures = to, objects, failures
        self._copies: list[list[bytes]] = []  # what PostgreSQL waits for

    async def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter):
        try:
            size, = struct.unpack("!i", await client.readexactly(4))
            start = await client.readexactly(size - 4)
            while struct.unpack("!i", start[:4])[0] in (80877103, 80877104):  # TLS, GSS: no
                back.write(b"N")
                size, = struct.unpack("!i", await client.readexactly(4))
                start = await client.readexactly(size - 4)
            server, out = await asyncio.open_connection(*self._to)
            out.write(struct.pack("!i", size) + start)
            await asyncio.gather(self._from_client(client, out), self._from_server(server, out, back))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            back.close()
            if "out" in locals():
                out.close()

    async def _from_client(self, client: asyncio.StreamReader, out: asyncio.StreamWriter):
        try:
            while True:
                kind, body = await read_message(client)
                if kind in (b"P", b"F"):
                    raise ConnectionError("only the simple protocol is taken")
                if kind == b"Q":
                    out.write(await self._translated(body[:-1].decode()))
                else:
                    out.write(message(kind, body))
                await out.drain()
        finally:
            out.close()

    async def _translated(self, statement: str) -> bytes:
        for pattern, why in REFUSED:
            if re.search(pattern, statement, re.IGNORECASE | re.DOTALL):
                print(f"refused: {statement}", flush=True)
                return raising(why, "0A000")
        if not re.match(r"\s*copy\b", statement, re.IGNORECASE):
            return query(statement)
        try:
            how = parse_copy(statement)
            if self._failures:
                raise copy_error(*self._failures.pop())
            rows = await asyncio.get_running_loop().run_in_executor(None, self._objects.rows, how)
        except copy_error as wrong:
            print(f"failed: {wrong}", flush=True)
            return raising(str(wrong), wrong.state)
        print(f"copied: {statement}", flush=True)
        self._copies.append(rows)
        columns = f" ({how['columns']})" if how["columns"] else ""
        return query(f"copy {how['table']}{columns} from stdin with (format csv)")

    async def _from_server(self, server: asyncio.StreamReader, out: asyncio.StreamWriter,
                           back: asyncio.StreamWriter):
        while True:
            kind, body = await read_message(server)
            if kind == b"G":  # PostgreSQL wants the rows; the client knows nothing of it
                for piece in self._copies.pop(0):
                    for at in range(0, len(piece), 65536):
                        out.write(message(b"d", piece[at:at + 65536]))
                        await out.drain()
                out.write(message(b"c", b""))
                continue
            back.write(message(kind, body))
            await back.drain()


async def main():
    arguments = argparse.ArgumentParser()
    for name in ("--postgres", "--s3", "--duckdb", "--port-file"):
        arguments.add_argument(name, required=True)
    arguments.add_argument("--fail-once", action="append", default=[])
    given = arguments.parse_args()
    host, port = given.postgres.rsplit(":", 1)
    objects = storage(given.s3, given.duckdb)
    failures = [tuple(each.rsplit(":", 1)) for each in given.fail_once]

    async def accept(client, back):
        await session((host, int(port)), objects, failures).serve(client, back)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    unfinished = given.port_file + ".new"
    pathlib.Path(unfinished).write_text(str(listener.sockets[0].getsockname()[1]))
    os.rename(unfinished, given.port_file)
    async with listener:
        await listener.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
