# SPDX-License-Identifier: Apache-2.0
"""What the tests with a real PostgreSQL stand on: the one server of tools/postgres that the ctest
fixture has started, a database of its own for each test, and psql to read back what wherry has
written.

POSTGRES_ENV_FILE names the server's file of variables. A server that is missing fails the tests."""

import csv
import io
import os
import pathlib
import socket
import subprocess
import threading

from harness import die_with_parent, duckdb, program_test, records

FILE_SINK = 'url = "file://${PWD}/objects/day={day}/{client}.csv"\n'
OLD_TRANSFORM = """sql = \"\"\"
  select origin, destination, date as departed_at, convert_unit(distance, 'mile', 'km') as distance_km
  from report
  order by departed_at, destination, distance_km\"\"\"
columns = { origin = "varchar", destination = "varchar", departed_at = "timestamp", distance_km = "double" }
"""
COLUMNS = """columns = { client = "varchar", day = "date", destination = "varchar", departed_at = "timestamp", distance_km = "double" }
"""
TABLE = """create table flights (client varchar(8) not null, day date not null, destination varchar(8),
  departed_at timestamp, distance_km double precision, note varchar(20) default 'none')"""


def transform(where: str = "true") -> tuple[str, str]:
    """The change of the spec that gives rows their client and day."""
    return (OLD_TRANSFORM, f"""sql = \"\"\"
  select origin as client, cast(date as date) as day, destination, date as departed_at,
         convert_unit(distance, 'mile', 'km') as distance_km
  from report where {where}
  order by departed_at, destination, distance_km\"\"\"
{COLUMNS}""")


def server_variables() -> dict[str, str]:
    lines = pathlib.Path(os.environ["POSTGRES_ENV_FILE"]).read_text().splitlines()
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


class relay:
    """A way to the server that the test can close and open again; counts who came."""

    def __init__(self, to: tuple[str, int]):
        self._to, self._open = to, True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self._held = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                if not self._open:
                    client.close()
                    continue
                server = socket.create_connection(self._to)
                self._held += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket):
        try:
            while piece := source.recv(65536):
                target.sendall(piece)
        except OSError:
            pass
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """Ends what is under way, and lets nobody through."""
        with self._lock:
            self._open = False
            for each in self._held:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                each.close()
            self._held = []

    def mend(self):
        with self._lock:
            self._open = True

    def close(self):
        self.cut()
        self._listener.close()


class warehouse_test(program_test):
    """A test with a database of its own, whose table `flights` is empty."""

    def setUp(self):
        super().setUp()
        self._server = server_variables()
        self.password = self._server["PG_PASSWORD"]
        self.secrets.append(self.password)
        self.address = (self._server["PG_HOST"], int(self._server["PG_PORT"]))
        self.database = "t_" + self.here.name.replace("-", "_").lower()
        self._psql(self._server["PG_DATABASE"], f'create database "{self.database}"')
        self.addCleanup(self._psql, self._server["PG_DATABASE"],
                        f'drop database "{self.database}" with (force)')
        self.sql(TABLE)
        self.variables["DATABASE"] = self.database_url()

    def database_url(self, port: int = 0, user: str = "", password: str = "",
                     database: str = "") -> str:
        host, usual = self.address
        return (f"postgres://{user or self._server['PG_USER']}:{password or self.password}"
                f"@{host}:{port or usual}/{database or self.database}")

    def _psql(self, database: str, statement: str) -> list[list[str]]:
        host, port = self.address
        done = subprocess.run(
            ["psql", "-X", "-q", "--csv", "-t", "-v", "ON_ERROR_STOP=1", "-h", host, "-p", str(port),
             "-U", self._server["PG_USER"], "-d", database, "-c", statement],
            env=os.environ | {"PGPASSWORD": self.password}, capture_output=True, text=True,
            preexec_fn=die_with_parent)
        self.assertEqual(done.returncode, 0, done.stderr)
        return list(csv.reader(io.StringIO(done.stdout)))

    def sql(self, statement: str) -> list[list[str]]:
        return self._psql(self.database, statement)

    def number(self, statement: str) -> int:
        return int(self.sql(statement)[0][0])

    def warehouse(self, more: str = "", table: str = "public.flights",
                  kind: str = "postgresql") -> tuple[str, str]:
        """The change of the spec that loads into the table."""
        return ("[retry]\n", f'[warehouse]\n{kind} = "${{DATABASE}}"\ntable = "{table}"\n'
                             f'linger = "50ms"\n{more}\n[retry]\n')

    def hold_lock(self, table: str) -> subprocess.Popen:
        """Somebody who has locked the table, until he is killed."""
        host, port = self.address
        holder = subprocess.Popen(
            ["psql", "-X", "-q", "-h", host, "-p", str(port), "-U", self._server["PG_USER"], "-d",
             self.database], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=os.environ | {"PGPASSWORD": self.password}, preexec_fn=die_with_parent, text=True)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        holder.stdin.write(f"begin; lock table {table}; select 'locked';\n")
        holder.stdin.flush()
        while "locked" not in (line := holder.stdout.readline()):
            self.assertTrue(line, "psql ended")
        return holder

    def start_relay(self) -> relay:
        made = relay(self.address)
        self.addCleanup(made.close)
        self.variables["DATABASE"] = self.database_url(port=made.port)
        return made

    def complete(self) -> int:
        """How many files are in the sink under their own name: others may come and go just now."""
        return len(list((self.here / "objects").glob("day=*/[!.]*")))

    def truth(self, days: int, where: str = "true") -> list[list[str]]:
        """Rows and kilometres of each client and day, by DuckDB, from what the API serves."""
        out = self.here / "truth.csv"
        duckdb(f"""copy (select origin as client, cast(date as date) as day, count(*) as n,
                 cast(round(sum(distance * 1.609344)) as bigint) as km
               from '{records()}/flights-3m.parquet'
               where date < timestamp '2001-01-01' + interval {days} day and {where}
               group by all order by all) to '{out}' (header false)""")
        return list(csv.reader(io.StringIO(out.read_text())))

    def table(self) -> list[list[str]]:
        """The same of the table."""
        return self.sql("""select client, day, count(*), cast(round(sum(distance_km)) as bigint)
                           from flights group by 1, 2 order by 1, 2""")

    def assert_loaded(self, days: int, where: str = "true"):
        self.assertEqual(self.table(), self.truth(days, where))
        # wherry_loads says of each report what is there.
        wrong = self.number("""select count(*) from wherry_loads l where row_count <>
          (select count(*) from flights f where f.client = l.client and f.day = l.day)""")
        self.assertEqual(wrong, 0, "wherry_loads says other numbers of rows")
        self.assertEqual(self.number("select count(*) from (select distinct import, table_name,"
                                     " client, day from wherry_loads) as d"),
                         self.number("select count(*) from wherry_loads"))
