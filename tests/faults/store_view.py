# SPDX-License-Identifier: Apache-2.0
"""What the fault test knows of the SQLite store's schema: read-only, beside the owning process.

Never opened between a kill and the restart: the first to open a store after a crash repairs it, and
that has to be wherry."""

import pathlib
import sqlite3


class store_view:
    def __init__(self, file: pathlib.Path):
        self._db = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10,
                                   isolation_level=None)

    def close(self):
        self._db.close()

    def _one(self, sql: str):
        return self._db.execute(sql).fetchone()[0]

    def transitions(self) -> int:
        return self._one("select count(*) from history")

    def completed(self) -> set[str]:
        sql = "select id from machines where phase = 'completed'"
        return {row[0] for row in self._db.execute(sql)}

    def downloaded(self) -> set[str]:
        """Reports whose download is recorded, but for those that had to go back to it."""
        return {row[0] for row in self._db.execute(
            "select id from machines where state <> 'downloadable' and key not in"
            " (select machine from history where outcome = 'went_back')")}

    def ready(self) -> list[tuple]:
        """(id, state, version) of each machine that may run now, or runs."""
        return self._db.execute(
            "select id, state, version from machines where phase = 'ready'").fetchall()

    def version(self, report: str) -> int:
        return self._db.execute("select version from machines where id = ?", [report]).fetchone()[0]

    def digests(self) -> dict[str, str]:
        """What each completed machine says of its object's bytes."""
        return dict(self._db.execute(
            "select id, json_extract(data, '$.sha256') from machines where phase = 'completed'"))

    def phases(self) -> dict[str, str]:
        """The phase of each machine; fails if one id has two rows."""
        rows = self._db.execute("select id, phase from machines").fetchall()
        found = dict(rows)
        if len(found) != len(rows):
            raise AssertionError("an id has two rows in machines")
        return found

    def counted(self) -> dict[str, int]:
        """The counter rows, by phase."""
        sql = "select phase, sum(n) from counts group by phase having sum(n) <> 0"
        return dict(self._db.execute(sql))

    def history(self) -> list[tuple]:
        """(id, generation, version after, from, to, phase after, outcome), in order of commit."""
        return self._db.execute(
            "select m.id, h.generation, h.version, h.from_state, h.to_state, h.phase, h.outcome"
            " from history h join machines m on m.key = h.machine"
            " order by m.id, h.generation, h.version").fetchall()

    def damage(self) -> str:
        """Empty if SQLite finds the file whole."""
        found = self._one("pragma integrity_check")
        return "" if found == "ok" else found
