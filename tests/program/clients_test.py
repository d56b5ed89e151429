# SPDX-License-Identifier: Apache-2.0
"""Clients of a list elsewhere: a file, what a command prints, what the API itself answers; read
anew by each run. What is wrong with a list is told with its place, and nothing is begun."""

import http.server
import json
import signal
import threading

from harness import TOKEN, program_test, wait_until

CLIENTS = 'clients = ["ATL", "BOS", "DEN", "DFW", "JFK", "LAX", "MIA", "ORD", "PHX", "SEA"]'


class clients_test(program_test):

    def start_accounts(self, pages: list[list[dict]]):
        """An API that has its accounts in pages, for those who know the token."""
        class handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                is_known = self.headers["Authorization"] == f"Bearer {TOKEN}"
                page = int(self.path.rpartition("=")[2])
                body = {"data": {"accounts": pages[page]}}
                if page + 1 < len(pages):
                    body["next"] = f"/accounts?page={page + 1}"
                self.send_response(200 if is_known else 401)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode() if is_known else b"")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.variables["ACCOUNTS"] = f"http://127.0.0.1:{server.server_port}/accounts?page=0"

    def listed(self, table: str):
        self.spec((CLIENTS, f"clients = {{ {table} }}"))

    def write(self, name: str, text: str, mode: int = 0o644):
        path = self.here / name
        path.write_text(text)
        path.chmod(mode)

    def days_of(self, *clients: str) -> set[str]:
        return {f"day=2001-01-01/{client}.csv" for client in clients}

    def assert_imports(self, *clients: str):
        self.assertEqual(self.run_import().last_line(), f"{len(clients)} completed, 0 dead")
        self.assertEqual(self.objects().keys(), self.days_of(*clients))

    def assert_begins_nothing(self, *words: str):
        server = self.start_api()
        ended = self.run_import(status=2)
        self.assert_says(ended.err, *words)
        self.assertFalse((self.here / "flights.db").exists())
        self.assertEqual(server.asked(), 0)

    def test_clients_of_a_file_are_imported_and_more_of_them_by_the_next_run(self):
        self.start_api()
        self.listed('file = "clients.csv", id = "airport"')
        self.write("clients.csv", "city,airport\nAtlanta,ATL\nBoston,BOS\n")
        plan = self.wherry("check", "flights.toml", *self.days(1)).out
        self.assert_says(plan, "import flights: 2 clients, 2 reports")
        self.assert_imports("ATL", "BOS")
        self.write("clients.csv", "city,airport\nAtlanta,ATL\nBoston,BOS\nDenver,DEN\n")
        self.assertEqual(self.run_import().last_line(), "3 completed, 0 dead")
        self.assertEqual(self.objects().keys(), self.days_of("ATL", "BOS", "DEN"))

    def test_a_file_lies_beside_the_spec_wherever_the_call_is_made(self):
        self.start_api()
        (self.here / "specs").mkdir()
        self.spec((CLIENTS, 'clients = { file = "clients.json" }'), name="specs/flights.toml")
        self.write("specs/clients.json", '["SEA"]')
        self.wherry("import", "specs/flights.toml", *self.days(1))
        self.assertEqual(self.objects().keys(), self.days_of("SEA"))

    def test_clients_that_a_command_prints_are_imported(self):
        self.start_api()
        self.listed('command = ["./clients.sh", "--all", "JFK; exit 1"]')
        self.write("clients.sh", '#!/bin/sh\necho "{\\"id\\": \\"LAX\\"}"\n'
                                 'echo "{\\"id\\": \\"${2%%;*}\\"}"\n', mode=0o755)
        self.assert_imports("LAX", "JFK")

    def test_clients_that_the_api_names_are_imported_page_by_page(self):
        self.start_api()
        self.start_accounts([[{"account_id": "MIA"}, {"account_id": "ORD"}], [{"account_id": "PHX"}]])
        self.listed('url = "${ACCOUNTS}", rows = "data.accounts", next = "next", id = "account_id"')
        self.assert_imports("MIA", "ORD", "PHX")

    def test_a_preview_knows_the_clients_of_a_list(self):
        self.start_api()
        self.listed('file = "clients.csv"')
        self.write("clients.csv", "id\nATL\n")
        call = ("preview", "flights.toml", "--day", "2001-01-01", "--client")
        self.assert_says(self.wherry(*call, "ATL").out, "before", "after")
        self.assert_says(self.wherry(*call, "BOS", status=2).err, 'no client "BOS"')

    def test_what_is_wrong_in_a_file_is_told_with_its_line(self):
        self.listed('file = "clients.csv"')
        self.write("clients.csv", "id,timezone\nATL,\nA/B,CEST\n")
        self.assert_begins_nothing('clients.csv, line 3: id "A/B" is no name',
                                   'clients.csv, line 3: timezone "CEST" is none')

    def test_a_file_that_is_not_there_is_told_with_its_path(self):
        self.listed('file = "clients.csv"')
        self.assert_begins_nothing("clients.csv: cannot read the list of clients: No such file")

    def test_a_command_that_fails_is_told_with_its_status_and_what_it_said_but_no_secret(self):
        self.listed('command = ["./clients.sh", "${TOKEN}"]')
        self.write("clients.sh", '#!/bin/sh\necho "not with $1" >&2\nexit 7\n', mode=0o755)
        self.assert_begins_nothing('the command "./clients.sh": ended with status 7',
                                   "not with ${TOKEN}")

    def test_a_command_that_takes_too_long_is_told_with_the_key(self):
        self.listed('command = ["sleep", "1000"], timeout = "50ms"')
        self.assert_begins_nothing('the command "sleep": has not ended within 50 ms', "`timeout`")

    def test_an_api_that_refuses_is_told_with_its_place(self):
        self.listed('url = "${ACCOUNTS}", rows = "data.accounts"')
        self.start_accounts([[]])
        self.variables["TOKEN"] = "another"
        self.assert_begins_nothing("no list of clients: ", "answered 401")

    def test_a_list_of_nobody_begins_nothing(self):
        self.listed('file = "clients.csv"')
        self.write("clients.csv", "id\n")
        self.assert_begins_nothing("clients.csv: the list of clients is empty")

    def test_sigterm_ends_a_command_that_hangs(self):
        self.start_api()
        self.listed('command = ["./clients.sh"]')
        self.write("clients.sh", "#!/bin/sh\necho > begun\nsleep 1000\n", mode=0o755)
        importing = self.start_import()
        wait_until((self.here / "begun").exists, "the command to begin", importing.process)
        importing.signal(signal.SIGTERM)
        self.assertEqual(importing.end().status, 130)

    def test_a_client_that_has_left_the_list_ends_with_a_remedy_and_comes_back_with_it(self):
        server = self.start_api("--error-503", "1", "--seed", "1")
        self.write("clients.csv", "id\nATL\nBOS\n")
        self.spec((CLIENTS, 'clients = { file = "clients.csv" }'),
                  ("[retry]\n", "[retry]\nattempts = 1000\n"))
        importing = self.start_import()
        wait_until(lambda: server.asked() >= 3, "both reports to fail", importing.process)
        importing.kill()
        self.start_api()
        self.write("clients.csv", "id\nATL\n")
        self.run_import(status=None)
        dead = self.wherry("list", "--phase", "dead", "--json").json()
        self.assertEqual([each["id"] for each in dead], ["BOS/2001-01-01"])
        self.assert_says(dead[0]["error"], "is not in the spec any more", "the list that it names")
        self.write("clients.csv", "id\nATL\nBOS\n")
        self.wherry("redrive", "--all")
        self.assertEqual(self.run_import().last_line(), "2 completed, 0 dead")
