# SPDX-License-Identifier: Apache-2.0
"""Mistakes in a call or a spec: exit status 2, a message that names the place and the remedy, and
nothing begun: no store, no spool, no object, no request. `check` finds each mistake of a spec,
too."""

from harness import TOKEN, program_test

AS_MONEY = (
    ("convert_unit(distance, 'mile', 'km') as distance_km",
     "convert_currency(distance, 'USD', 'EUR', date::date) as cost"),
    ("by departed_at, destination, distance_km", "by departed_at, destination, cost"),
    ('distance_km = "double"', 'cost = "decimal(38,10)"'))
RATES = ("[sink]", 'rates = "rates.csv"\n\n[sink]')


class bad_spec_test(program_test):

    def assert_nothing_begun(self, *files: str):
        self.assertEqual(sorted(str(path.relative_to(self.here)) for path in self.here.rglob("*")),
                         sorted(("flights.toml", *files)), "something was begun")

    def assert_told(self, *words: str):
        """Both check and import refuse the spec with these words."""
        for command in (["check", "flights.toml"],
                        ["import", "flights.toml", *self.days(1)]):
            ended = self.wherry(*command, status=2)
            self.assertEqual(ended.out, "")
            self.assert_says(ended.err, *words)

    def assert_refused(self, *words: str):
        self.assert_told(*words)
        self.assert_nothing_begun()

    def test_an_unknown_key_is_named_with_its_place_and_the_one_that_was_meant(self):
        self.spec(("in_flight = 8", "in_fligth = 8"))
        self.assert_refused('flights.toml:12:27: unknown key "in_fligth" in [source.limit]',
                            'did you mean "in_flight"?')

    def test_a_missing_key_is_named_with_what_it_is_for(self):
        self.spec(('name    = "flights"\n', ""))
        self.assert_refused('flights.toml:5:1: missing key "name" in [import]', "add name:")

    def test_a_value_of_the_wrong_type_is_named_with_the_right_one(self):
        self.spec(("in_flight = 8", 'in_flight = "8"'))
        self.assert_refused("flights.toml:12:39: in_flight in [source.limit] is a string",
                            "write a whole number")

    def test_a_value_of_the_wrong_form_is_named_with_the_right_one(self):
        self.spec(('timeout = "5m"', 'timeout = "20 seconds"'))
        self.assert_refused("flights.toml:13:11: timeout in [source]", '"20 seconds"', "write ")

    def test_a_spec_that_is_not_toml_is_told_by_line_and_column(self):
        self.spec(('name    = "flights"', 'name    = "flights'))
        self.assert_refused("flights.toml:6:19: ", "https://toml.io", '  6 | name    = "flights\n')

    def test_a_variable_that_is_not_set_is_named_with_its_place(self):
        self.spec(("${TOKEN}", "${NO_SUCH_TOKEN}"))
        self.assert_refused("flights.toml:11:23: ", "NO_SUCH_TOKEN, which is not set",
                            "export NO_SUCH_TOKEN=")

    def test_all_mistakes_are_told_at_once(self):
        self.spec(("in_flight = 8", "in_fligth = 8"), ('timeout = "5m"', "timeout = 20"),
                  ("${TOKEN}", "${NO_SUCH_TOKEN}"))
        self.assert_refused("flights.toml:11:23: ", "flights.toml:12:27: ", "flights.toml:13:11: ")

    def test_an_unknown_unit_is_named_with_where_to_look(self):
        self.spec(("'mile', 'km'", "'mile', 'milez'"))
        self.assert_told("[transform] sql", "unknown unit 'milez'", "udunits2")

    def test_units_that_measure_different_things_are_named(self):
        self.spec(("'mile', 'km'", "'mile', 'hour'"))
        self.assert_told("[transform] sql", "mile", "hour")

    def test_an_unknown_currency_is_named_with_the_file_of_rates(self):
        (self.here / "rates.csv").write_text("Date,USD,GBP,\n2001-01-02,0.95,0.63,\n")
        self.spec(*AS_MONEY, RATES, ("'USD'", "'USX'"))
        self.assert_told("[transform] sql", "unknown currency 'USX'", "rates.csv", "ISO 4217")

    def test_a_currency_without_rates_is_told_what_to_set(self):
        self.spec(*AS_MONEY)
        self.assert_told("there are no rates", "Set [transform] rates")

    def test_a_file_of_rates_that_is_not_there_is_told_by_line(self):
        self.spec(*AS_MONEY, RATES)
        self.assert_refused("flights.toml:23:9: rates in [transform] names no file",
                            "relative to the spec")

    def test_sql_that_does_not_parse_is_told_by_its_line(self):
        self.spec(("  from report\n", "  form report\n"))
        self.assert_told("flights.toml: [transform] sql, line 2, column 3",
                         'syntax error at or near "form"')

    def test_sql_over_a_column_that_is_not_there_names_those_that_are(self):
        self.spec(("select origin,", "select orgin,"))
        self.assert_told("[transform] sql", '"orgin" not found', '"origin"')

    def test_declared_columns_that_the_sql_does_not_give_are_named(self):
        self.spec(('distance_km = "double"', 'distance_mi = "double"'))
        self.assert_told('"distance_mi" is declared and does not come',
                            '"distance_km" comes and is not declared', "Correct the SQL")

    def test_a_mistake_in_the_sql_leaves_no_store_behind(self):
        self.spec(("  from report\n", "  form report\n"))
        self.run_import(status=2)
        self.assert_nothing_begun()

    def test_clients_that_would_write_one_object_are_named(self):
        self.spec(("{day}/{client}.csv\"\n\n[retry]", "{day}/all.csv\"\n\n[retry]"))
        self.assert_refused('flights.toml:24:7: url in [sink] gives clients "ATL" and "BOS"',
                            "put {client} into it")

    def test_a_spec_that_is_not_there_is_named_with_the_remedy(self):
        for command in (["check"], ["import", *self.days(1)]):
            ended = self.wherry(command[0], "nowhere.toml", *command[1:], status=2)
            self.assert_says(ended.err, "nowhere.toml: cannot read: No such file", "wherry init")

    def assert_call_refused(self, *arguments: str, says: tuple[str, ...]):
        server = self.start_api()
        self.spec()
        ended = self.wherry("import", "flights.toml", *arguments, status=2)
        self.assertEqual(ended.out, "")
        self.assert_says(ended.err, *says)
        self.assert_nothing_begun()
        self.assertEqual(server.asked(), 0)

    def test_a_day_that_is_not_in_the_calendar_is_refused(self):
        self.assert_call_refused("--from", "2001-02-30", "--to", "2001-03-01",
                                 says=('--from "2001-02-30" is not a day', "2025-01-31"))

    def test_a_word_that_is_no_day_is_refused(self):
        self.assert_call_refused("--from", "2001-01-01", "--to", "yesterday",
                                 says=('--to "yesterday" is not a day', "2025-01-31"))

    def test_a_range_that_ends_before_it_begins_is_refused_with_the_right_order(self):
        self.assert_call_refused("--from", "2001-01-03", "--to", "2001-01-01",
                                 says=("--from 2001-01-03 is after --to 2001-01-01",
                                       "write --from 2001-01-01 --to 2001-01-03"))

    def test_a_call_with_half_a_range_is_refused(self):
        self.assert_call_refused("--from", "2001-01-01", says=("--from", "--to"))

    def test_an_unknown_client_is_refused_with_the_one_that_was_meant(self):
        self.assert_call_refused(*self.days(1), "--client", "ATX",
                                 says=('no client "ATX"', 'did you mean "ATL"?'))

    def test_an_unknown_command_is_named(self):
        ended = self.wherry("imprt", "flights.toml", status=2)
        self.assert_says(ended.err, "imprt")

    def test_a_token_beside_a_mistake_is_not_shown(self):
        secret = "literal-secret-in-the-spec"
        self.secrets.append(secret)
        self.spec(('auth    = { bearer = "${TOKEN}" }', f'auth = {{ barer = "{secret}" }}'))
        self.assert_refused("flights.toml:11:10: unknown key", "barer", "bearer")

    def test_a_key_in_the_address_is_not_shown(self):
        self.variables["KEY"] = "key-in-a-query"
        self.secrets.append("key-in-a-query")
        self.start_api()
        self.spec(("/{day}.csv\"\nauth", "/{day}.xls?key=${KEY}\"\nauth"))
        self.assert_says(self.wherry("check", "flights.toml").out, "/reports/2025-01-31.xls\n")
        ended = self.run_import("--client", "ATL", status=1)
        self.assert_says(ended.err, "dead: ATL/2001-01-01", "answered 404")
        self.wherry("show", "ATL/2001-01-01")

    def test_the_watch_over_secrets_sees_one_that_is_shown(self):
        self.wherry("status", "--store", TOKEN, status=2)
        with self.assertRaisesRegex(AssertionError, "a secret was printed"):
            self._no_secret_is_anywhere()
        self.printed = b""
        (self.here / "store.db").write_text(f"a row with {TOKEN}")
        with self.assertRaisesRegex(AssertionError, "a secret is in"):
            self._no_secret_is_anywhere()
        (self.here / "store.db").unlink()
