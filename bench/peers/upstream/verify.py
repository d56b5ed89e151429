#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""verify.py N [STORE]: checks N objects of a store-mode upstream against an independent transform.

Every object STORE/bucket/{client}/{day}.csv.gz must exist, hold 200 rows in the order of the
report, and equal a transform of the upstream's /raw/ page done here: numbers to 1 in the last digit,
all other fields to the character. UP_GET_PORT (18080) says where the upstream is.
"""
import collections
import csv
import datetime
import gzip
import http.client
import io
import os
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = 200


def load_rates():
    rates = collections.defaultdict(dict)
    with open(os.path.join(HERE, "rates.csv"), encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rates[row["day"]][row["currency"]] = float(row["usd"])
    return rates


def difference(source, got, rates):
    """Says how the object's rows differ from the report's, or nothing."""
    if len(source) != ROWS or len(got) != len(source):
        return f"{len(got)} rows instead of {ROWS}"
    for number, (before, after) in enumerate(zip(source, got), 1):
        cost = float(before.pop("cost_micros")) / 1e6 * rates[before["currency"]]
        distance = float(before.pop("distance_miles")) * 1.609344
        if abs(float(after.pop("cost_usd")) - cost) >= 1.1e-6:
            return f"row {number}: cost_usd, expected {cost:.6f}"
        if abs(float(after.pop("distance_km")) - distance) >= 1.1e-3:
            return f"row {number}: distance_km, expected {distance:.3f}"
        if before != after:
            return f"row {number}: {after}, expected {before}"
    return None


def main(n, store):
    rates = load_rates()
    upstream = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("UP_GET_PORT", "18080")))
    bad = 0
    for i in range(n):
        client = f"c{i // 30:05d}"
        day = (datetime.date(2025, 1, 1) + datetime.timedelta(i % 30)).isoformat()
        path = f"{store}/bucket/{client}/{day}.csv.gz"
        upstream.request("GET", f"/raw/{client}/{day}.csv")
        source = list(csv.DictReader(io.StringIO(upstream.getresponse().read().decode())))
        try:
            with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                wrong = difference(source, list(csv.DictReader(file)), rates[day])
        except (OSError, EOFError, zlib.error, ValueError, KeyError) as error:
            wrong = repr(error)
        if wrong:
            bad += 1
            if bad <= 5:
                print(f"{path}: {wrong}")
    print(f"{n - bad} of {n} objects right")
    return 1 if bad else 0


if __name__ == "__main__":
    default_store = os.path.join(HERE, "../../../build/bench/upstream/store")
    sys.exit(main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else default_store))
