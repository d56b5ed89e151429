#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Large reports: 5,000 of 1 MB through download, transform, Parquet and a real S3 server (Ceph).

What is asked: is memory bounded whatever the size of a report, how many MB a second, how much CPU a
report, and which step takes which share. `SIZE=1mb make bench-import`; ../README.md says how to read it.
"""
import os
import random
import sqlite3
import subprocess
import sys
import threading
import urllib.request

import boto3

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import contestants as who
from upstream import Upstream
from processes import (ROOT, BenchError, lay_out, machine_busy_seconds, machine_line,
                       print_verdicts, run_child, run_harness, tail)

REPORTS = int(os.environ.get("REPORTS", "5000"))
ROWS = 10_800  # of one report: a little over 1 MB
IN_FLIGHT = 32
PEAK_LIMIT_MB = 400
RUN_LIMIT_S = 3_600
STEPS = {"downloadable": "download", "transformable": "transform, Parquet", "uploadable": "upload"}
READ_BACK = 20


class S3:
    """A Ceph of this benchmark's own, its objects on the disk."""

    def __init__(self, folder):
        self.folder, self.scripts = folder, os.path.join(ROOT, "tools/s3")
        self.stop()
        subprocess.run([os.path.join(self.scripts, "start.sh"), folder, "bluestore"], check=True,
                       stdout=subprocess.DEVNULL)
        with open(os.path.join(folder, "env"), encoding="utf-8") as file:
            lines = [line.strip().removeprefix("export ") for line in file if "=" in line]
        self.settings = {name: value.strip("'\"") for name, _, value in
                         (line.partition("=") for line in lines)}
        self.bucket = self.settings["S3_BUCKET"]
        self.client = boto3.client("s3", endpoint_url=self.settings["S3_ENDPOINT"],
                                   aws_access_key_id=self.settings["S3_ACCESS_KEY"],
                                   aws_secret_access_key=self.settings["S3_SECRET_KEY"],
                                   region_name="us-east-1")

    def stop(self):
        subprocess.run([os.path.join(self.scripts, "stop.sh"), self.folder, "-r"], check=False,
                       stdout=subprocess.DEVNULL)

    def objects(self):
        """Returns key -> size, as the server lists them."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return {each["Key"]: each["Size"] for page in pages for each in page.get("Contents", [])}


def say_progress(upstream, reports, over):
    while not over.wait(30):
        print(f"  {upstream.stats().get('get_200', 0):,.0f} of {reports:,} downloaded", flush=True)


def run(places, s3, upstream, reports):
    """Runs the import once under the kernel's accounting."""
    command = who.wherry_into(places, "wherry-large", reports, {
        "IN_FLIGHT": IN_FLIGHT, "OBJECTS": s3.bucket, "FORMAT": "parquet",
        "BUCKET": s3.settings["S3_ENDPOINT"], "ACCESS_KEY": s3.settings["S3_ACCESS_KEY"],
        "SECRET_KEY": s3.settings["S3_SECRET_KEY"]})
    log = os.path.join(places.build, "import/Wherry-large.log")
    over = threading.Event()
    progress = threading.Thread(target=say_progress, args=(upstream, reports, over))
    progress.start()
    before = machine_busy_seconds()
    try:
        status, wall, usage = run_child(command, os.environ, log, RUN_LIMIT_S)
    finally:
        over.set()
        progress.join()
    if status != 0:
        raise BenchError(f"Wherry ended with status {status}; the end of {log}:\n{tail(log)}")
    return {"wall_s": wall, "cpu_s": usage.ru_utime + usage.ru_stime,
            "peak_mb": usage.ru_maxrss * 1024 / 1e6,
            "machine_s": machine_busy_seconds() - before}


def read_back(places, s3, reports):
    """Lists all objects and lets another DuckDB count the rows of some. Returns their bytes."""
    objects = s3.objects()
    if len(objects) != reports:
        raise BenchError(f"the S3 server lists {len(objects)} objects of {reports}")
    folder = os.path.join(places.build, "import/read-back")
    os.makedirs(folder, exist_ok=True)
    for number, key in enumerate(random.sample(sorted(objects), READ_BACK)):
        s3.client.download_file(s3.bucket, key, os.path.join(folder, f"{number}.parquet"))
    query = ("select count(*) || ' ' || count(distinct client || day) || ' ' || count(cost_usd) "
             f"as found from '{folder}/*.parquet'")
    program = os.path.join(os.path.dirname(places.wherry), "examples/query_results")
    found = subprocess.run([program, query], text=True, check=True, stdout=subprocess.PIPE).stdout
    rows = READ_BACK * ROWS
    if f"{rows} {READ_BACK} {rows}" not in found:
        raise BenchError(f"{READ_BACK} objects should hold {rows} rows, each with its cost:\n{found}")
    print(f"read back: {READ_BACK} objects by boto3 and DuckDB, all {rows:,} rows there")
    return sum(objects.values())


def shares(places):
    """Returns step -> (mean seconds a report, share), from the history that the store keeps."""
    store = os.path.join(places.build, "import/wherry-large/bench.db")
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        rows = database.execute("select from_state, sum(ended_ms - started_ms) / 1000.0 from history "
                                "group by from_state").fetchall()
    total = sum(seconds for _, seconds in rows)
    return {STEPS.get(state, state): (seconds, seconds / total) for state, seconds in rows}


def report_size(places):
    url = f"http://127.0.0.1:{places.get_port}/raw/c00000/{who.FIRST_DAY}.csv"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return len(answer.read())


def print_table(measured, sizes, reports, steps):
    downloaded, stored = sizes
    cells = [["", "MB", "MB/s", "CPU s a report", "reports/s", "peak MB"],
             ["Wherry", f"{downloaded / 1e6:,.0f} in, {stored / 1e6:,.0f} out",
              f"{downloaded / 1e6 / measured['wall_s']:.1f}", f"{measured['cpu_s'] / reports:.4f}",
              f"{reports / measured['wall_s']:.1f}", f"{measured['peak_mb']:.0f}"]]
    print("\n" + "\n".join(lay_out(cells)) + "\n")
    print("\n".join(lay_out([["step", "s a report", "share"]] + [
        [step, f"{seconds / reports:.3f}", f"{share:.0%}"]
        for step, (seconds, share) in sorted(steps.items(), key=lambda each: -each[1][1])])))
    others = measured["machine_s"] - measured["cpu_s"]
    print(f"""
{reports:,} reports of {downloaded / reports / 1e6:.2f} MB ({ROWS:,} rows, 15 columns) in \
{measured['wall_s']:.0f} s, {IN_FLIGHT} in flight; the API's faults: GET 503 2 %, cut body 1 %.
MB in: the size of a report, times their number; out and their number: as the S3 server lists them.
CPU (user + system, {measured['cpu_s']:.0f} s in all) and peak (largest resident set): of Wherry's \
process, by the kernel. Of the machine's {os.cpu_count()} cores all else, the API and Ceph foremost, \
took {others:.0f} CPU s meanwhile. Seconds of a step: from its start to its record in the store's \
history, so of an upload also the waiting for Ceph, of a download that for the API.""")


def main():
    build = os.environ.get("BENCH_BUILD", os.path.join(ROOT, "build/bench"))
    program = os.environ.get("WHERRY", os.path.join(ROOT, "build/release/wherry"))
    places = who.Places(ROOT, build, program, int(os.environ.get("UP_GET_PORT", "18080")),
                        int(os.environ.get("UP_PUT_PORT", "18081")))
    os.makedirs(os.path.join(build, "import"), exist_ok=True)
    print(machine_line())
    reports = who.rounded_up(REPORTS)
    upstream = Upstream(os.path.join(places.peers, "upstream"), os.path.join(build, "upstream"),
                        places.get_port, places.put_port)
    print("starting the API (nginx) and the S3 server (Ceph, bluestore)", flush=True)
    s3 = S3(os.path.join(build, "s3"))
    try:
        upstream.start("discard", up_rows=ROWS)
        size = report_size(places)
        print(f"importing {reports:,} reports of {size / 1e6:.2f} MB", flush=True)
        measured = run(places, s3, upstream, reports)
        stored = read_back(places, s3, reports)
    finally:
        upstream.stop()
        s3.stop()
    print_table(measured, (size * reports, stored), reports, shares(places))
    sentence = f"peak {measured['peak_mb']:.0f} MB, wanted under {PEAK_LIMIT_MB}"
    full = reports >= 5_000 and size >= 1_000_000
    print()
    print_verdicts([(full and measured["peak_mb"] < PEAK_LIMIT_MB,
                     sentence if full else sentence + " (reduced size)")])


if __name__ == "__main__":
    run_harness("bench-import", main)
