"""Tables of the user's own: crv create, crv append --create, crv record --create, crv schema --run."""

import json
import unittest

from support import CommandTest, holdings, json_lines

COLUMNS = ["--column", "tick:i64", "--column", "id:str!", "--column", "energy:f64", "--column", "at:struct{x: f64, y: f64}"]


class Create(CommandTest):
    def test_it_defines_a_table_and_tells_what_it_is(self):
        self.assertEqual("", self.out("create", "run", "sheep", *COLUMNS, "--doc", "One sheep"))
        answer = self.answer("schema", "sheep", "--run", "run")["definition"]
        self.assertEqual(("sheep", "One sheep"), (answer["name"], answer["doc"]))
        self.assertEqual([("bucket", "i64", True), ("tick", "i64", True), ("id", "str", True), ("energy", "f64", False),
                          ("at", "struct{x: f64, y: f64}", False)],
                         [(c["name"], c["type"], c.get("required", False)) for c in answer["columns"]])
        table = self.out("schema", "sheep", "--run", "run")
        self.assertIn("sheep, version 1.0@", table)
        self.assertIn("One sheep", table)

    def test_again_it_grows_or_writes_nothing(self):
        self.out("create", "run", "sheep", *COLUMNS)
        before = self.files()
        self.out("create", "run", "sheep", *COLUMNS)
        self.assertEqual(before, self.files())
        self.assertIn('"version":"1.1@', json.dumps(self.answer("create", "run", "sheep", "--column", "tick:i64",
                                                                "--column", "born:timestamp"), separators=(",", ":")))
        self.assertEqual(["define", "define"], [c["kind"] for c in self.answer("log", "run")["commits"]])

    def test_what_cannot_be_is_refused_and_nothing_changes(self):
        self.out("create", "run", "sheep", *COLUMNS)
        before = self.files()
        for code, table, columns in [
                ("definition_conflict", "sheep", ["tick:i64", "id:i64"]), ("reserved_name", "holdings", ["tick:i64"]),
                ("reserved_name", "quarantine", ["tick:i64"]), ("bad_definition", "Sheep", ["tick:i64"]),
                ("bad_definition", "s" * 101, ["tick:i64"]), ("bad_definition", "wolf", []), ("bad_definition", "wolf", ["tick"]),
                ("bad_definition", "wolf", ["tick:str"]), ("bad_definition", "wolf", ["tick:i64", "x:foo"]),
                ("bad_definition", "wolf", ["tick:i64", "x:list["]), ("duplicate_column", "wolf", ["tick:i64", "x:i64", "x:i64"]),
                ("reserved_name", "wolf", ["tick:i64", "x:i64", "X:i64"]), ("bad_definition", "wolf", ["tick:i64", "x:duration[s]"])]:
            options = [word for column in columns for word in ("--column", column)]
            self.assertEqual(code, self.error("create", "run", table, *options)["code"], (table, columns))
        self.assertEqual(before, self.files())

    def test_like_a_file(self):
        (self.folder / "sheep.jsonl").write_text(json_lines([{"tick": 0, "n": 1, "x": 0.5, "s": "a", "l": [1], "none": None}]))
        self.out("create", "run", "sheep", "--like", "sheep.jsonl")
        columns = self.answer("schema", "sheep", "--run", "run")["definition"]["columns"]
        self.assertEqual([("n", "i64"), ("x", "f64"), ("s", "str"), ("l", "list[i64]"), ("none", "null")],
                         [(c["name"], c["type"]) for c in columns[2:]])
        self.out("append", "run", "sheep", "sheep.jsonl")
        self.out("scan", "run", "sheep", "--format", "parquet", "--output", "sheep.parquet")
        self.out("create", "other", "sheep", "--like", "sheep.parquet")
        self.assertEqual("list[i64]", self.answer("schema", "sheep", "--run", "other")["definition"]["columns"][5]["type"])


class Rows(CommandTest):
    def test_append_creates_from_every_format(self):
        (self.folder / "a.csv").write_text("tick,n,x,s\n0,1,0.5,a\n1,2,1,\n")
        (self.folder / "b.jsonl").write_text(json_lines([{"tick": 2, "n": 2.5, "t": True}]))
        self.assertEqual("unknown_table", self.error("append", "run", "sheep", "a.csv")["code"])
        self.assertEqual(["a.csv", "b.jsonl"], self.files())
        answer = self.answer("append", "run", "sheep", "a.csv", "--create")
        self.assertEqual(["tick: i64", "n: i64", "x: f64", "s: str"], answer["defined"])
        self.assertEqual(["n: f64", "t: bool"], self.answer("append", "run", "sheep", "b.jsonl", "--create")["defined"])
        rows = [json.loads(line) for line in self.out("scan", "run", "sheep", "--format", "jsonl").splitlines()]
        self.assertEqual([(1.0, 0.5, "a", None), (2.0, 1.0, None, None), (2.5, None, None, True)],
                         [(r["n"], r["x"], r["s"], r["t"]) for r in rows])

    def test_record_defines_each_table_from_its_rows(self):
        lines = json_lines([{"table": "sheep", "tick": 0, "n": 1}, {"table": "wolf", "tick": 0, "s": "a"},
                            {"table": "sheep", "tick": 1, "n": 0.5}, {"table": "holdings"} | holdings([1])[0]])
        self.assertEqual("unknown_table", self.error("record", "run", stdin=lines)["code"])
        self.out("record", "run", "--create", stdin=lines)
        self.assertEqual(["holdings", "sheep", "wolf"], [t["table"] for t in self.answer("tables", "run")["tables"]])
        self.assertEqual(["define", "define"], [c["kind"] for c in self.answer("log", "run")["commits"]])
        self.assertEqual("\"tick\",\"n\"\n0,1.0\n1,0.5\n",
                         self.out("scan", "run", "sheep", "--columns", "tick,n", "--format", "csv"))

    def test_a_declared_table_takes_csv_and_json_as_it_is_declared(self):
        self.out("create", "run", "sheep", "--column", "tick:i64", "--column", "b:bool", "--column", "when:timestamp",
                 "--column", "day:date32[day]", "--column", "id:str", "--column", "l:list[f64]")
        (self.folder / "a.csv").write_text('tick,b,when,day,id,l\n0,true,2026-01-31T12:00:00Z,2026-01-31,007,"[1,2]"\n1,,,,,\n')
        self.out("append", "run", "sheep", "a.csv")
        (self.folder / "b.jsonl").write_text(json_lines([{"tick": 2, "b": False, "when": "2026-01-31T13:00:00+01:00"}]))
        self.out("append", "run", "sheep", "b.jsonl")
        rows = [json.loads(line) for line in self.out("scan", "run", "sheep", "--format", "jsonl").splitlines()]
        self.assertEqual([True, None, False], [r["b"] for r in rows])
        self.assertEqual(["2026-01-31T12:00:00.000000Z", None, "2026-01-31T12:00:00.000000Z"], [r["when"] for r in rows])
        self.assertEqual(["007", None, None], [r["id"] for r in rows])
        self.assertEqual([[1.0, 2.0], None, None], [r["l"] for r in rows])
        before = self.files()
        for cell in ("yes", "1", "TRUE"):
            (self.folder / "a.csv").write_text(f"tick,b\n0,{cell}\n")
            self.assertEqual("wrong_type", self.error("append", "run", "sheep", "a.csv")["code"], cell)
        self.assertEqual(before, self.files())


if __name__ == "__main__":
    unittest.main()
