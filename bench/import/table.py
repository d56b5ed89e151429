# SPDX-License-Identifier: Apache-2.0
"""From measured runs to the table and the verdicts. Pure: no process is started here.

A run is what measure() of run.py returns. Choices that could favour somebody are made against
Wherry: its rate is over the whole life of its process, a peer's over the server's span from the
first request to the last accepted PUT.
"""
import statistics

from processes import lay_out

HEAD = ["contestant", "reports", "reports/s", "per CPU s", "peak MB", "retries", "in flight",
        "ideal/s", "of ideal", "x serial", "x core.async", "x Go", "x Node", "x BullMQ", "x Graphile",
        "server CPU"]


def figures(run):
    """Derives the figures of one run."""
    reports = run["reports"]
    seconds = run["wall_s"] if run["family"] == "Wherry" else run["span_s"]
    # Latency x expected attempts, per kind of call, with the attempts the server saw.
    busy = (run["lat_get"] * run["get_attempts"] + run["lat_put"] * run["put_attempts"]) / reports
    rate, ideal = reports / seconds, run["max_in_flight"] / busy
    return {
        "rate": rate, "ideal": ideal, "of_ideal": rate / ideal,
        "cpu_rate": reports / run["client_cpu_s"],
        "retries": run["get_attempts"] + run["put_attempts"] - 2 * reports,
        "server_busy": run["server_cpu_s"] / run["wall_s"], "elsewhere": run["elsewhere"],
    }


def summarize(contestants, runs):
    """Takes the median over the rounds, of memory and number in flight the highest."""
    rows = []
    for contestant in contestants:
        mine = [run for run in runs if run["name"] == contestant.name]
        derived = [figures(run) for run in mine]
        row = {key: statistics.median(one[key] for one in derived) for key in derived[0]}
        row |= {"name": contestant.name, "family": contestant.family, "told": contestant.in_flight,
                "reports": int(mine[0]["reports"]),
                "full_size": mine[0]["reports"] >= contestant.size,
                "peak_mb": max(run["peak_mb"] for run in mine),
                "in_flight": int(max(run["max_in_flight"] for run in mine)),
                "others": int(max(run["other_attempts"] for run in mine))}
        rows.append(row)
    return rows


def best(rows, family, key):
    return max((row[key] for row in rows if row["family"] == family), default=None)


def reference(rows, family, in_flight):
    """Returns the rate to compare with: that at the same number in flight, else the best."""
    same = [row["rate"] for row in rows if row["family"] == family and row["told"] == in_flight]
    if same and family != "core.async":
        return same[0]
    return best(rows, family, "rate")


def lines(rows):
    """Lays out the table."""
    cells = [HEAD]
    for row in rows:
        ratios = []
        for family in ("serial", "core.async", "Go", "Node", "BullMQ", "Graphile"):
            against = reference(rows, family, row["told"])
            ratios.append("-" if against is None else f"{row['rate'] / against:.2f}")
        cells.append([
            row["name"], f"{row['reports']:,}", f"{row['rate']:,.0f}", f"{row['cpu_rate']:,.0f}",
            f"{row['peak_mb']:.0f}", f"{row['retries']:.0f}", str(row["in_flight"]),
            f"{row['ideal']:,.0f}", f"{row['of_ideal']:.2f}", *ratios, f"{row['server_busy']:.0%}"])
    return lay_out(cells)


def verdicts(rows):
    """Judges the targets: (met, sentence) each; a reduced size is always a miss."""
    by_name = {row["name"]: row for row in rows}
    ours = [row for row in rows if row["family"] == "Wherry"]
    narrow = by_name.get("Wherry 32")
    judged = []

    def judge(met, sentence, *needed):
        if any(row is None for row in needed):
            return judged.append((False, sentence + " (not run)"))
        if not all(row["full_size"] for row in needed):
            return judged.append((False, sentence + " (reduced size)"))
        return judged.append((met, sentence))

    if narrow:
        judge(narrow["of_ideal"] >= 0.9,
              f"Wherry 32 reaches {narrow['of_ideal']:.3f} of the ideal, wanted 0.9", narrow)
        judge(narrow["in_flight"] <= 32,
              f"the server saw {narrow['in_flight']} calls of Wherry 32 at once, wanted 32 at most",
              narrow)
        serial = by_name.get("serial 1")
        times = narrow["rate"] / serial["rate"] if serial else 0
        judge(times >= 30, f"Wherry 32 is {times:.1f} times as fast as serial, wanted 30",
              narrow, serial)
    # Where CPU is what limits: 256 in flight. Each family with its best.
    wide = by_name.get("Wherry 256")
    for family, times in (("Go", 1), ("BullMQ", 3), ("Graphile", 3), ("core.async", 1), ("Node", 1)):
        rivals = [rival for rival in rows if rival["family"] == family]
        top = max(rivals, key=lambda rival: rival["cpu_rate"], default=None)
        rate = times * top["cpu_rate"] if top else 0
        judge(wide is not None and wide["cpu_rate"] >= rate,
              f"Wherry 256: {wide['cpu_rate'] if wide else 0:.0f} reports per CPU second, wanted "
              f"{rate:.0f}, {times}x the best of {family}", wide, top)
    for row in ours:
        judge(row["peak_mb"] < 100,
              f"{row['name']}: peak {row['peak_mb']:.0f} MB, wanted under 100", row)
    return judged
