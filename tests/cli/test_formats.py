"""Rows go out in each format and come back as they were."""

import bz2
import gzip
import json
import unittest

from support import CommandTest, holding, holdings, json_lines

EXTENSIONS = {"csv": "csv", "jsonl": "jsonl", "arrow": "arrow", "parquet": "parquet"}

EXCHANGE = [
    {"tick": 0, "venue_id": "market", "token_id": "grain", "exchange_event_type": "trade", "side": "buy",
     "quantity": 2.5, "price": 1.0, "actor_agent_id": "", "counterparty_agent_id": "b,\"c\"\nd",
     "additional_payload": {"fee": 0.25, "tags": ["x", "y"], "maker": {"id": 7}}},
    {"tick": 101, "venue_id": "Märkte €", "token_id": "salt", "exchange_event_type": "swap", "price": 1e300,
     "additional_payload": {"fee": None, "tags": [], "maker": None}},
]
DECISIONS = [
    {"tick": 3, "agent_id": "a", "chosen_action": {"action_type": "gift_token", "parameters": {"quantity": 3}},
     "action_candidates": [{"key": "k1", "score": 0.5}, {"key": "k2", "score": 1.0}],
     "token_value_estimates": {"grain": 1.5}},
    {"tick": 4, "agent_id": "b", "chosen_action": {"action_type": "rest", "parameters": {}},
     "action_candidates": [], "token_value_estimates": {}},
]
MESSAGES = [
    {"tick": 1, "sender_agent_id": "a", "channel_name": "all", "visibility_scope": "public", "audience": {},
     "speech_act": "assert", "topic_label": "price", "claims": {"price": 3}, "style": {}},
]


class RoundTrip(CommandTest):
    def go_round(self, table, rows):
        self.append("first", table, rows)
        expected = self.rows("first", table)
        self.assertEqual(len(rows), len(expected))
        for form, extension in EXTENSIONS.items():
            with self.subTest(table=table, format=form):
                file = f"rows.{extension}"
                self.crv("scan", "first", table, "-o", file)
                self.crv("append", f"by_name_{form}", table, file)
                self.assertEqual(expected, self.rows(f"by_name_{form}", table))
                data = self.crv("scan", "first", table, "--format", form).stdout
                self.assertEqual((self.folder / file).read_bytes(), data)
                self.crv("append", f"piped_{form}", table, "-", stdin=data)
                self.assertEqual(expected, self.rows(f"piped_{form}", table))
        return expected

    def test_plain_table(self):
        self.go_round("holdings", holdings(range(95, 105), agents=3))

    def test_structs_and_texts_that_csv_must_quote(self):
        rows = self.go_round("exchange", EXCHANGE)
        self.assertEqual(EXCHANGE[0]["additional_payload"], rows[0]["additional_payload"])
        self.assertEqual(("", None), (rows[0]["actor_agent_id"], rows[1]["actor_agent_id"]))
        self.assertEqual(EXCHANGE[0]["counterparty_agent_id"], rows[0]["counterparty_agent_id"])

    def test_lists_of_structs(self):
        rows = self.go_round("decisions", DECISIONS)
        self.assertEqual(DECISIONS[0]["action_candidates"], rows[0]["action_candidates"])
        self.assertEqual([], rows[1]["action_candidates"])

    def test_structs_without_fields(self):
        rows = self.go_round("messages", MESSAGES)
        self.assertEqual(({}, {}), (rows[0]["audience"], rows[0]["style"]))

    def test_not_a_number_and_infinity(self):
        rows = [dict(EXCHANGE[0], price=float("nan"), quantity=float("inf"), baseline_value=float("-inf"))]
        self.append("first", "exchange", rows)
        self.assertIn('"price":NaN', self.out("scan", "first", "exchange", "--format", "jsonl"))
        for form in EXTENSIONS:
            data = self.crv("scan", "first", "exchange", "--format", form).stdout
            self.crv("append", form, "exchange", "-", "--format", form, stdin=data)
            text = self.out("scan", form, "exchange", "--columns", "price,quantity,baseline_value", "--format", "jsonl")
            self.assertEqual('{"price":NaN,"quantity":Infinity,"baseline_value":-Infinity}\n', text)

    def test_every_double_and_every_integer(self):
        doubles = [0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e16, 0.1, 1 / 3]
        rows = [{"tick": i, "agent_id": "a", "token_id": "t", "quantity": (-1) ** i * (2**63 - 1 - i), "mark_price": x}
                for i, x in enumerate(doubles)]
        self.append("first", "holdings_valuation", rows)
        for form in EXTENSIONS:
            data = self.crv("scan", "first", "holdings_valuation", "--format", form).stdout
            self.crv("append", form, "holdings_valuation", "-", "--format", form, stdin=data)
            found = self.rows(form, "holdings_valuation")
            self.assertEqual([repr(x) for x in doubles], [repr(row["mark_price"]) for row in found])
            self.assertEqual([row["quantity"] for row in rows], [row["quantity"] for row in found])

    def test_extra_columns_keep_their_types(self):
        (self.folder / "crv.toml").write_text("[io]\nstrict_schema = false\n")
        row = holding(0, "a", 1) | {"n": 5, "x": 2.5, "label": "007", "day": "2025-09-20"}
        found, = self.go_round("holdings", [row])
        self.assertEqual(row, {k: v for k, v in found.items() if k != "bucket"})


class Csv(CommandTest):
    def put(self, text, status=0, table="holdings"):
        return self.crv("append", "run", table, "-", "--format", "csv", "--json", stdin=text, status=status)

    def refused(self, text, table="holdings"):
        return json.loads(self.put(text, status=1, table=table).stderr)["error"]

    def test_structs_are_json_text(self):
        head = "tick,venue_id,token_id,exchange_event_type,additional_payload\n"
        self.put(head + '1,v,t,trade,"{""fee"": 1, ""tags"": [""a""]}"\n2,v,t,trade,{}\n', table="exchange")
        rows = self.rows("run", "exchange")
        self.assertEqual({"fee": 1, "tags": ["a"]}, rows[0]["additional_payload"])
        text = self.out("scan", "run", "exchange", "--format", "csv", "--columns", "tick,additional_payload", "--limit", 1)
        self.assertEqual('"tick","additional_payload"\n1,"{""fee"":1,""tags"":[""a""]}"\n', text)
        error = self.refused(head + "1,v,t,trade,{}\n1,v,t,trade,{oops\n", table="exchange")
        self.assertEqual(("bad_json", "additional_payload", 1), (error["code"], error["column"], error["row"]))

    def test_empty_cell_is_null_and_quoted_empty_cell_is_text(self):
        head = "tick,venue_id,token_id,exchange_event_type,side,price,additional_payload\n"
        self.put(head + '1,v,t,trade,,,{}\n1,"",t,trade,,"",{}\n', table="exchange")
        first, second = self.rows("run", "exchange")
        self.assertEqual((None, None), (first["side"], first["price"]))
        self.assertEqual(("", None), (second["venue_id"], second["price"]))
        error = self.refused("tick,agent_id,token_id,quantity\n1,,t,1\n")
        self.assertEqual(("null_value", "agent_id", 0), (error["code"], error["column"], error["row"]))

    def test_values_that_do_not_fit_are_refused_with_row_and_value(self):
        for cell, code in (("x", "lossy_cast"), ("1.5", "lossy_cast"), ("9223372036854775808", "lossy_cast")):
            error = self.refused(f"tick,agent_id,token_id,quantity\n1,a,t,1\n1,a,t,{cell}\n")
            self.assertEqual((code, "quantity", 1, cell), tuple(error.get(k) for k in ("code", "column", "row", "value")))
        self.assertEqual([], self.files())

    def test_rows_of_another_width(self):
        error = self.refused("tick,agent_id,token_id,quantity\n1,a,t,1\n1,a,t\n")
        self.assertEqual(("read_failed", 3), (error["code"], error["line"]))
        self.assertIn("#3", error["message"])

    def test_a_quote_that_is_never_closed(self):
        error = self.refused('tick,agent_id,token_id,quantity\n1,a,t,1\n1,"a,t,1\n2,b,t,1\n')
        self.assertEqual(("read_failed", 3), (error["code"], error["line"]))
        self.assertEqual([], self.files())

    def test_numbers_follow_the_rule_of_frames(self):
        head = "tick,agent_id,token_id,quantity,mark_price\n"
        self.put(head + "1.0,7,1.0,2.0,NaN\n1e1,NaN,x,1e3,Infinity\n", table="holdings_valuation")
        text = self.out("scan", "run", "holdings_valuation", "--format", "jsonl", "--columns",
                        "tick,agent_id,token_id,quantity,mark_price")
        self.assertEqual('{"tick":1,"agent_id":"7","token_id":"1.0","quantity":2,"mark_price":NaN}\n'
                         '{"tick":10,"agent_id":"NaN","token_id":"x","quantity":1000,"mark_price":Infinity}\n', text)
        for cell in ("NaN", "Infinity", "2.5", "1e-3", "1e19"):
            error = self.refused(head + f"1,a,t,{cell},1\n", table="holdings_valuation")
            self.assertEqual(("lossy_cast", "quantity", cell), tuple(error[k] for k in ("code", "column", "value")))

    def test_semicolons_and_tabs(self):
        for run, delimiter in (("semicolon", ";"), ("tab", "\t")):
            lines = ["tick,agent_id,token_id,quantity", '1,"a,b",t,5', ""]
            text = "\n".join(line.replace(",", delimiter) for line in lines)
            self.crv("append", run, "holdings", "-", "--format", "csv", stdin=text)
            self.assertEqual([f"a{delimiter}b"], [row["agent_id"] for row in self.rows(run, "holdings")])
        error = self.refused("tick|agent_id|token_id|quantity\n1|a|t|5\n")
        self.assertEqual(("read_failed", 1), (error["code"], error["line"]))
        self.assertIn("comma, semicolon or tab", error["message"])

    def test_windows_line_ends_and_byte_order_mark(self):
        self.put("\ufefftick,agent_id,token_id,quantity\r\n1,a,t,5\r\n")
        self.assertEqual([5], [row["quantity"] for row in self.rows("run", "holdings")])

    def test_no_header(self):
        self.assertEqual("read_failed", self.refused("")["code"])

    def test_more_rows_than_one_block(self):
        count = 300_000
        self.put("tick,agent_id,token_id,quantity\n" + "".join(f"1,agent{i},{'t' * 50},{i}\n" for i in range(count)))
        self.assertEqual(count, self.rows_in("run", "holdings"))
        self.assertEqual(count - 1, self.rows("run", "holdings")[-1]["quantity"])


class JsonLines(CommandTest):
    def test_errors_name_the_line(self):
        text = json_lines(holdings([0])) + "\n" + '{"tick": 1,\n'
        error = self.error("append", "run", "holdings", "-", stdin=text)
        self.assertEqual(("bad_json", 4), (error["code"], error["line"]))
        text = json_lines(holdings([0])) + "\n\n" + json_lines([holding(1, "a", "x")])
        error = self.error("append", "run", "holdings", "-", stdin=text)
        self.assertEqual(("type_conflict", 5), (error["code"], error["line"]))
        text = "\n" + json_lines([holding(1, "a", 1), holding(2, "a", 1.5)])
        error = self.error("append", "run", "holdings", "-", stdin=text)
        self.assertEqual(("lossy_cast", 3, "quantity"), (error["code"], error["line"], error["column"]))
        self.assertEqual("bad_json", self.error("append", "run", "holdings", "-", "--format", "jsonl", stdin="[1]")["code"])
        self.assertEqual([], self.files())

    def test_a_key_that_stands_twice_is_refused(self):
        good = json_lines(holdings([0]))
        error = self.error("append", "run", "holdings", "-", stdin=good + '{"tick":1,"agent_id":"a","tick":2}\n')
        self.assertEqual(("duplicate_column", "tick", 3), tuple(error[k] for k in ("code", "column", "line")))
        row = json.dumps(dict(EXCHANGE[0], additional_payload=0)).replace('"additional_payload": 0',
                                                                         '"additional_payload": {"a": [{"b": 1, "b": 1}]}')
        error = self.error("append", "run", "exchange", "-", stdin=row)
        self.assertEqual(("duplicate_column", "additional_payload.a[].b"), (error["code"], error["column"]))
        error = self.error("record", "run", stdin='{"table":"holdings","tick":1,"tick":1}\n')
        self.assertEqual(("duplicate_column", "tick", 1), tuple(error[k] for k in ("code", "column", "line")))
        self.assertEqual([], self.files())

    def test_floats_for_texts(self):
        rows = [dict(EXCHANGE[0], side=float("nan"), token_id=1.0), dict(EXCHANGE[0], token_id=0.1)]
        self.append("run", "exchange", rows)
        self.assertEqual([(None, "1"), ("buy", "0.1")],
                         [(row["side"], row["token_id"]) for row in self.rows("run", "exchange")])
        error = self.error("append", "run", "exchange", "-", stdin=json_lines([dict(EXCHANGE[0], token_id=float("nan"))]))
        self.assertEqual(("null_value", "token_id", 1), tuple(error[k] for k in ("code", "column", "line")))
        error = self.error("append", "run", "exchange", "-", stdin=json_lines([dict(EXCHANGE[0], token_id=float("inf"))]))
        self.assertEqual(("lossy_cast", "token_id"), (error["code"], error["column"]))
        lines = json_lines(dict(row, table="exchange") for row in rows)
        self.crv("record", "recorded", stdin=lines)
        self.assertEqual([None, "buy"], [row["side"] for row in self.rows("recorded", "exchange")])

    def test_last_line_without_end(self):
        self.crv("append", "run", "holdings", "-", stdin=json_lines(holdings([0])).rstrip("\n"))
        self.assertEqual(2, self.rows_in("run", "holdings"))


class Files(CommandTest):
    def test_compressed_files(self):
        text = json_lines(holdings(range(3))).encode()
        csv = b"tick,agent_id,token_id,quantity\n7,a,t,5\n"
        for name, data in (("rows.jsonl.gz", gzip.compress(text)), ("rows.json.bz2", bz2.compress(text)),
                           ("rows", gzip.compress(text)), ("rows.csv.gz", gzip.compress(csv)), ("rows.csv", bz2.compress(csv))):
            (self.folder / name).write_bytes(data)
            run = f"from_{name}"
            summary = self.answer("append", run, "holdings", name)
            self.assertEqual(1 if "csv" in name else 6, summary["rows"])
            self.assertEqual(summary["rows"], len(self.rows(run, "holdings")))
        self.crv("append", "piped", "holdings", "-", stdin=gzip.compress(csv))
        self.assertEqual([5], [row["quantity"] for row in self.rows("piped", "holdings")])
        lines = gzip.compress(json_lines(dict(row, table="holdings") for row in holdings(range(3))).encode())
        self.crv("record", "recorded", stdin=lines)
        self.assertEqual(6, self.rows_in("recorded", "holdings"))
        error = self.error("append", "run", "holdings", "-", stdin=gzip.compress(text)[:-10])
        self.assertEqual("read_failed", error["code"])
        self.assertIn("ends in the middle of its compressed data", error["message"])

    def test_a_json_array_is_rows(self):
        rows = holdings(range(3))
        for name in ("rows.json", "rows.jsonl", "rows"):
            (self.folder / name).write_text(json.dumps(rows, indent=2))
            self.crv("append", name, "holdings", name)
            self.assertEqual(rows, [{k: v for k, v in row.items() if k != "bucket"} for row in self.rows(name, "holdings")])
        (self.folder / "bad.json").write_text("[\n" + json.dumps(rows[0]) + ",\n" + json.dumps(dict(rows[0], tick=-1)) + "]\n")
        error = self.error("append", "run", "holdings", "bad.json")
        self.assertEqual(("bad_tick", "bad.json", 1, 3), tuple(error[k] for k in ("code", "path", "row", "line")))

    def test_an_error_out_of_a_file_names_the_file_and_the_table(self):
        good = json.dumps(holding(0, "a", 1))
        beyond = good.replace('"quantity": 1', '"quantity": 123456789012345678901234567890')
        mixed = [json.dumps(dict(holding(0, "a", 1), more={"x": value})) for value in (1, [1])]
        for name, text, line in (
            ("cut.jsonl", good + '\n{"tick": 1,\n', 2), ("beyond.jsonl", good + "\n" + beyond + "\n", 2),
            ("mixed.jsonl", "\n".join(mixed), 2), ("no_object.jsonl", good + "\n7\n", 2),
            ("cut.json", f"[{good},\n{{7}}]", 2), ("beyond.json", f"[{good},\n{beyond}]", 2),
            ("mixed.json", "[" + ",\n".join(mixed) + "]", 2)):
            (self.folder / name).write_text(text)
            error = self.error("append", "run", "holdings", name)
            self.assertEqual((name, "holdings", line), tuple(error.get(k) for k in ("path", "table", "line")), error)
            self.assertTrue(error["message"].startswith(f"{name}, line {line}: "), error)
            error = self.error("append", "run", "holdings", "-", stdin=text)
            self.assertEqual(("-", "holdings"), (error["path"], error["table"]))
            self.assertTrue(error["message"].startswith(f"standard input, line {line}: "), error)
        (self.folder / "cell.csv").write_text('tick,venue_id,token_id,exchange_event_type,additional_payload\n1,v,t,trade,{}\n1,v,t,trade,{7}\n')
        error = self.error("append", "run", "exchange", "cell.csv")
        self.assertEqual(("bad_json", "cell.csv", "exchange", "additional_payload", 1),
                         tuple(error.get(k) for k in ("code", "path", "table", "column", "row")), error)
        (self.folder / "latin.csv").write_bytes("tick,agent_id,token_id,quantity\n1,é,t,1\n".encode("latin-1"))
        error = self.error("append", "run", "holdings", "latin.csv")
        self.assertEqual(("latin.csv", "holdings", "agent_id", 0), tuple(error.get(k) for k in ("path", "table", "column", "row")))
        self.assertFalse((self.folder / "out").exists())

    def test_a_header_line_of_any_length_and_place_is_found(self):
        names = ",".join(f"a column with a long name {i}" for i in range(80_000))
        for name, text in (
            ("long.csv", names + ",tick,agent_id,token_id,quantity\n"),
            ("below.csv", "\r\n" * 1_500_000 + "tick,agent_id,token_id,quantity\n" + "1,a,t\n")):
            (self.folder / name).write_text(text, newline="")
        long = self.answer("append", "long", "holdings", "long.csv")
        self.assertEqual(0, long["rows"])
        error = self.error("append", "run", "holdings", "below.csv")
        self.assertEqual(("read_failed", 1_500_002), (error["code"], error["line"]))
        self.assertIn("3 cells where the header has 4", error["message"])

    def test_csv_without_a_header_line_says_so(self):
        for name, data in (("empty.csv", b""), ("empty.csv.gz", b""), ("packed.csv.gz", gzip.compress(b"")),
                           ("blank.csv", b"\n\r\n" * 700_000)):
            (self.folder / name).write_bytes(data)
            error = self.error("append", "run", "holdings", name)
            self.assertEqual(("read_failed", name), (error["code"], error["path"]))
            self.assertIn("there is no header line with the names of the columns", error["message"])
        (self.folder / "open.csv").write_bytes(b'\n"tick,agent_id\n1,a\n')
        error = self.error("append", "run", "holdings", "open.csv")
        self.assertEqual(("read_failed", "open.csv", 2), tuple(error[k] for k in ("code", "path", "line")))
        self.assertIn("never closed", error["message"])
        error = self.error("append", "run", "holdings", "--format", "csv", "/dev/zero")
        self.assertEqual(("read_failed", "/dev/zero", 1), tuple(error[k] for k in ("code", "path", "line")))
        self.assertIn("longer than 64 MiB", error["message"])

    def test_text_in_another_encoding_says_so(self):
        text = "tick,agent_id,token_id,quantity\n1,a,t,1\n"
        for encoding, name in (("utf-16", "UTF-16"), ("utf-16-le", "UTF-16LE"), ("utf-16-be", "UTF-16BE"), ("utf-32", "UTF-32")):
            for file in ("rows.csv", "rows"):
                (self.folder / file).write_bytes(text.encode(encoding))
                error = self.error("append", "run", "holdings", file)
                self.assertEqual(("read_failed", file), (error["code"], error["path"]))
                self.assertIn(f"is {name} text; convert it to UTF-8", error["message"])

    def test_what_is_no_table_says_what_it_was_taken_for(self):
        (self.folder / "notes").write_text("Dear all,\n\nno table here\n")
        error = self.error("append", "run", "holdings", "notes")
        self.assertEqual(("read_failed", "notes", 1), tuple(error[k] for k in ("code", "path", "line")))
        for word in ("Dear all,", "taken for CSV", "--format"):
            self.assertIn(word, error["message"])
        (self.folder / "rows.zip").write_bytes(b"PK\x03\x04 and more")
        self.assertIn("is a zip archive or a spreadsheet", self.error("append", "run", "holdings", "rows.zip")["message"])
        self.assertFalse((self.folder / "out").exists())

    def test_nesting_without_end(self):
        head = '{"tick":1,"venue_id":"v","token_id":"t","exchange_event_type":"trade","additional_payload":'
        good = json_lines([EXCHANGE[0]])
        for depth, code in ((200, "wrong_type"), (3000, "bad_json"), (1_000_000, "bad_json")):
            for form in ("jsonl", "csv"):
                payload = '{"a":' * depth + "1" + "}" * depth
                if form == "jsonl":
                    text = good + head + payload + "}\n"
                else:
                    payload = payload.replace('"', '""')
                    text = f'tick,venue_id,token_id,exchange_event_type,additional_payload\n1,v,t,trade,{{}}\n1,v,t,trade,"{payload}"\n'
                error = self.error("append", "run", "exchange", "-", "--format", form, stdin=text)
                self.assertEqual(code, error["code"], (depth, form))
                self.assertIn("nested deeper than", error["message"])
                self.assertEqual(2 if form == "jsonl" else 1, error["line" if form == "jsonl" else "row"])
                self.assertLess(len(error["message"]), 1000)
        self.assertEqual([], self.files())


class Append(CommandTest):
    def test_several_files_of_several_formats_are_one_commit(self):
        self.append("first", "holdings", holdings([0]))
        for extension in ("csv", "jsonl", "arrow", "parquet"):
            self.crv("scan", "first", "holdings", "-o", f"rows.{extension}")
        summary = self.answer("append", "run", "holdings", *(f"rows.{e}" for e in ("csv", "jsonl", "arrow", "parquet")))
        self.assertEqual((8, 1, [0]), (summary["rows"], summary["commits"], summary["buckets"]))
        self.assertEqual(8, len(self.rows("run", "holdings")))
        self.assertEqual(1, len(self.answer("log", "run")["commits"]))

    def test_one_bad_file_and_nothing_is_appended(self):
        (self.folder / "good.jsonl").write_text(json_lines(holdings([0])))
        (self.folder / "bad.jsonl").write_text("\n" + json_lines([holding(0, "a", 1), holding(-1, "a", 1)]))
        error = self.error("append", "run", "holdings", "good.jsonl", "bad.jsonl", "good.jsonl")
        self.assertEqual(("bad_tick", "bad.jsonl", 1, 3), tuple(error[k] for k in ("code", "path", "row", "line")))
        (self.folder / "bad.csv").write_text("tick,agent_id,token_id,quantity\n1,a,t,1\n1,a,t,\n")
        error = self.error("append", "run", "holdings", "bad.csv")
        self.assertEqual(("null_value", "bad.csv", 1), tuple(error[k] for k in ("code", "path", "row")))
        self.assertFalse((self.folder / "out").exists())

    def test_commit_rows_bounds_the_commits_and_keeps_what_is_committed(self):
        text = json_lines(holdings(range(10)) + [holding(-1, "a", 1)])
        done = self.crv("append", "run", "holdings", "-", "--commit-rows", 8, stdin=text, status=1)
        self.assertIn("the first 16 rows stay committed", done.stderr.decode())
        self.assertEqual(16, self.rows_in("run", "holdings"))
        self.assertEqual("bad_argument", self.error("append", "run", "holdings", "-", "--commit-rows=-1", stdin=text)["code"])

    def test_input_that_cannot_be_read(self):
        (self.folder / "cut.parquet").write_bytes(b"PAR1 and no more")
        (self.folder / "folder.csv").mkdir()
        for name in ("none.csv", "cut.parquet", "folder.csv"):
            error = self.error("append", "run", "holdings", name)
            self.assertEqual(("read_failed", name), (error["code"], error["path"]))
        self.assertEqual("read_failed", self.error("append", "run", "holdings", "-")["code"])
        self.assertFalse((self.folder / "out").exists())

    def test_unknown_table_is_told_before_anything_is_read(self):
        process = self.start("append", "run", "nope", "-")
        self.assertEqual(1, process.wait())
        self.assertIn("nope", process.stderr.read().decode())

    def test_no_rows_write_nothing(self):
        summary = self.answer("append", "run", "holdings", "-", "--format", "csv", stdin="tick,agent_id,token_id,quantity\n")
        self.assertEqual((0, []), (summary["rows"], summary["parts"]))
        self.assertFalse((self.folder / "out/runs/run/tables").exists())


class NotUtf8(CommandTest):
    """Text that is not UTF-8 is refused with its place, in an error that is UTF-8, and nothing is written."""

    HEAD = b"tick,agent_id,token_id,quantity\n1,ada,t,1\n"
    ROW = b'{"tick":1,"agent_id":"ada","token_id":"t","quantity":1}\n'

    def refused(self, *arguments, stdin):
        error = self.err(*arguments, stdin=stdin, status=1)  # decodes it
        self.assertEqual([], self.answer("tables", "first") if (self.folder / "runs/first/tables").exists() else [])
        return error

    def test_csv(self):
        error = self.refused("append", "first", "holdings", "-", "--format", "csv", stdin=self.HEAD + b"2,Jos\xe9,t,1\n")
        self.assertIn("agent_id", error)
        self.assertIn("UTF-8", error)

    def test_csv_heads(self):
        self.refused("append", "first", "holdings", "-", "--format", "csv",
                     stdin=b"tick,agent_id,token_id,quantity,caf\xe9\n1,ada,t,1,x\n")

    def test_json_lines(self):
        for bad in (self.ROW.replace(b"ada", b"Jos\xe9"), self.ROW.replace(b"ada", b"\\ud800"),
                    self.ROW.replace(b"quantity", b"caf\xe9")):
            self.refused("append", "first", "holdings", "-", "--format", "jsonl", stdin=self.ROW + bad)

    def test_record(self):
        bad = b'{"table":"holdings",' + self.ROW.replace(b"ada", b"Jos\xe9")[1:]
        self.crv("record", "first", stdin=bad, status=1).stderr.decode()


if __name__ == "__main__":
    unittest.main()
