"""Every command: what it answers, for people and as JSON."""

import json
import resource
import subprocess
import unittest

from support import CommandTest, environment, holding, holdings, json_lines


class Listing(CommandTest):
    def test_runs_lists_run_ids_one_a_line(self):
        self.assertEqual("", self.out("runs"))
        self.append("b", "holdings", holdings([0]))
        self.append("a", "holdings", holdings([0]))
        self.assertEqual("a\nb\n", self.out("runs"))
        self.assertEqual({"root_dir": "out", "runs": ["a", "b"]}, self.answer("runs"))

    def test_tables_tells_rows_parts_buckets_and_ticks(self):
        self.append("run", "holdings", holdings(range(150)))
        self.append("run", "holdings", holdings([7], agents=5))
        table, = self.answer("tables", "run")["tables"]
        self.assertEqual(("holdings", 305, 3, 0, 149, [0, 1]),
                         tuple(table[k] for k in ("table", "rows", "parts", "tick_min", "tick_max", "buckets")))
        head, _, line = self.out("tables", "run").splitlines()
        self.assertEqual(["table", "rows", "size", "parts", "buckets", "ticks"], head.split())
        self.assertEqual("holdings", line.split()[0])
        self.assertEqual("0..149", line.split()[-1])
        self.assertIn("KiB", line)

    def test_a_run_that_is_not_there(self):
        for command in (["tables", "no"], ["log", "no"], ["verify", "no"], ["bundle", "no"], ["rebuild", "no", "holdings"]):
            error = self.error(*command)
            self.assertEqual(("run_missing", "no", "IoManifestError"),
                             tuple(error[k] for k in ("code", "run_id", "class")), command)
        self.assertEqual([], self.files())

    def test_near_names_of_a_run_that_is_not_there(self):
        for run in ("market_1", "market_2", "other"):
            self.append(run, "holdings", holdings([0]))
        before = self.files()
        for command in (["tables"], ["log"], ["verify"], ["bundle"], ["rebuild", "holdings"], ["scan", "holdings"],
                        ["manifest", "holdings"], ["schema", "holdings", "--run"]):
            if command[0] == "schema":
                error = self.error(*command, "markte_1")
            else:
                error = self.error(command[0], "markte_1", *command[1:])
            self.assertEqual("run_missing", error["code"], command)
            self.assertIn('did you mean "market_1" or "market_2"?', error["message"])
            self.assertTrue(error["path"].endswith("out/runs/markte_1"), error)
        self.assertEqual(before, self.files())
        self.assertNotIn("did you mean", self.error("tables", "nothing-like-it")["message"])

    def test_runs_are_folders_that_hold_one(self):
        self.append("run", "holdings", holdings([0]))
        for folder in ("empty", "notes", "lab/artifacts/lab", "older/tables"):
            (self.folder / "out/runs" / folder).mkdir(parents=True)
        (self.folder / "out/runs/notes/todo.txt").write_text("rows")
        (self.folder / "out/runs/file").write_text("no folder")
        self.assertEqual(["older", "run"], self.answer("runs")["runs"])
        self.assertEqual("run_missing", self.error("tables", "notes")["code"])
        self.assertEqual("run_missing", self.error("scan", "notes", "holdings")["code"])

    def test_near_names_of_tables_columns_and_settings(self):
        self.append("run", "holdings", holdings([0]))
        for line, name in ((["append", "run", "holdigns", "-"], "holdings"), (["scan", "run", "holdigns"], "holdings"),
                           (["manifest", "run", "holdigns"], "holdings"), (["schema", "holdigns"], "holdings"),
                           (["scan", "run", "holdings", "--columns", "tick,quantty"], "quantity"),
                           (["--config", "typo.toml", "runs"], "tick_bucket_size"),
                           (["--config", "value.toml", "runs"], "snappy")):
            (self.folder / "typo.toml").write_text("[io]\ntick_bucket_sise = 5\n")
            (self.folder / "value.toml").write_text("[io]\ncompression = 'snapy'\n")
            self.assertIn(f'did you mean "{name}"?', self.error(*line, stdin="{}")["message"], line)
        error = self.error("record", "run", stdin='{"table": "holdigns", "tick": 1}\n')
        self.assertEqual(("unknown_table", "holdigns", 1), tuple(error[k] for k in ("code", "value", "line")))
        self.assertIn('did you mean "holdings"?', error["message"])
        text = self.err("runs", env={"CRV_IO_TICK_BUCKET_SISE": "5"})
        self.assertIn('did you mean "CRV_IO_TICK_BUCKET_SIZE"?', text)

    def test_schema_lists_tables_and_columns(self):
        names = [table["table"] for table in self.answer("schema")["tables"]]
        self.assertEqual(["exchange", "identity_edges", "scenarios_seen", "messages", "decisions", "oracle_calls",
                          "holdings", "holdings_valuation"], names)
        columns = self.answer("schema", "holdings")["columns"]
        self.assertEqual(["bucket", "tick", "agent_id", "token_id", "quantity"], [c["name"] for c in columns])
        self.assertEqual({"i64", "str"}, {c["dtype"] for c in columns})
        self.assertIn("quantity", self.out("schema", "holdings"))
        for name in names:
            self.assertIn(name, self.out("schema"))

    def test_schema_of_a_run_shows_what_it_holds(self):
        row = {"tick": 0, "venue_id": "v", "token_id": "t", "exchange_event_type": "trade",
               "additional_payload": {"fee": 0.5}}
        self.append("run", "exchange", [row])
        columns = self.answer("schema", "exchange", "--run", "run")["columns"]
        self.assertEqual("i64", columns["tick"])
        self.assertEqual({"struct": {"fee": "f64"}}, columns["additional_payload"])
        self.assertIn("additional_payload", self.out("schema", "exchange", "--run", "run"))

    def test_schema_of_a_run_lists_extra_columns(self):
        self.append("run", "holdings", [holding(0, "a", 1) | {"mood": 0.5, "notes": {"by": "b"}}],
                    env={"CRV_IO_STRICT_SCHEMA": "false"})
        columns = self.answer("schema", "holdings", "--run", "run")["columns"]
        self.assertEqual(["bucket", "tick", "agent_id", "token_id", "quantity", "mood", "notes"], list(columns))
        self.assertEqual(("f64", {"struct": {"by": "str"}}), (columns["mood"], columns["notes"]))
        self.assertIn("mood", self.out("schema", "holdings", "--run", "run"))


class Rules(CommandTest):
    given = [holding(0, "a", 1), holding(1, "", 2), holding(2, "b", 3), holding(3, "", 4)]

    def test_one_error_tells_of_all_rows(self):
        (self.folder / "rows.jsonl").write_text(json_lines(self.given))
        error = self.error("append", "run", "holdings", "rows.jsonl", "--validate-rows")
        self.assertEqual(("row_rule", "agent_id", 1, 2), tuple(error[k] for k in ("code", "column", "row", "line")))
        self.assertEqual([{"rule": "column.not_empty", "column": "agent_id", "reason": "must not be empty", "count": 2,
                           "first": [{"row": 1, "value": ""}, {"row": 3, "value": ""}]}], error["violations"])
        text = self.err("append", "run", "holdings", "rows.jsonl", "--validate-rows", status=1)
        self.assertIn('agent_id: must not be empty (column.not_empty): 2 rows: row 1 holds "", row 3 holds ""', text)
        self.assertEqual([], self.answer("runs")["runs"])

    def test_bad_rows_can_be_quarantined(self):
        (self.folder / "rows.jsonl").write_text(json_lines(self.given))
        command = ["append", "run", "holdings", "rows.jsonl", "--validate-rows", "--on-invalid", "quarantine"]
        summary = self.answer(*command)
        self.assertEqual((2, 2, 1), tuple(summary[k] for k in ("rows", "quarantined", "commits")))
        self.assertIn("appended 2 rows to holdings", self.err(*command))
        self.assertIn("2 rows to quarantine", self.err(*command))
        bad = self.rows("run", "quarantine")
        self.assertEqual([1, 3] * 3, [row["tick"] for row in bad])
        self.assertEqual(self.given[1], json.loads(bad[0]["row_json"]))
        self.assertEqual(["holdings", "quarantine"], [t["table"] for t in self.answer("tables", "run")["tables"]])
        self.assertIn("row_json", self.out("schema", "quarantine"))
        self.assertIn("row_json", self.out("schema", "quarantine", "--run", "run"))
        self.assertTrue(self.answer("verify", "run")["ok"])
        self.assertEqual("unknown_table", self.error("append", "run", "quarantine", "rows.jsonl")["code"])
        self.crv("append", "run", "holdings", "rows.jsonl", "--on-invalid", "quarantine", status=2)

    def test_record_quarantines_too(self):
        lines = json_lines([{"table": "holdings"} | row for row in self.given])
        summary = self.answer("record", "run", "--validate-rows", "--on-invalid", "quarantine", stdin=lines)
        self.assertEqual((2, 2, {"holdings": 2}), tuple(summary[k] for k in ("rows", "quarantined", "tables")))
        self.assertEqual(2, self.rows_in("run", "quarantine"))


class State(CommandTest):
    def setUp(self):
        super().setUp()
        self.append("run", "holdings", holdings(range(120)))

    def test_manifest_is_the_file(self):
        shown = self.answer("manifest", "run", "holdings")
        on_disk = json.loads((self.folder / "out/runs/run/tables/holdings/manifest.json").read_text())
        self.assertEqual(on_disk["partitions"].keys(), shown["partitions"].keys())
        self.assertEqual([200, 40], [p["row_count"] for p in shown["partitions"].values()])
        text = self.out("manifest", "run", "holdings")
        self.assertIn("240 rows", text)
        self.assertIn("0..99", text)
        self.assertEqual("table_missing", self.error("manifest", "run", "exchange")["code"])

    def test_log_lists_commits(self):
        self.append("run", "holdings", holdings([5], agents=7))
        commits = self.answer("log", "run")["commits"]
        keys = ["seq", "id", "time", "writer", "kind", "tables", "complete_through"]
        self.assertEqual([keys] * len(commits), [list(commit) for commit in commits])
        self.assertEqual([1, 2], [c["seq"] for c in commits])
        self.assertEqual([[("holdings", 240)], [("holdings", 7)]],
                         [[(t["table"], t["rows_added"]) for t in c["tables"]] for c in commits])
        self.assertEqual([2], [c["seq"] for c in self.answer("log", "run", "--after", 1)["commits"]])
        self.assertIn("holdings +7 rows in 1 part", self.out("log", "run"))

    def test_rebuild_makes_a_lost_manifest_anew(self):
        (self.folder / "out/runs/run/tables/holdings/manifest.json").unlink()
        self.assertEqual("table_missing", self.error("scan", "run", "holdings")["code"])
        text = self.out("rebuild", "run", "holdings")
        self.assertTrue(text.startswith("rebuilt from the log\n"), text)
        self.assertEqual(240, len(self.rows("run", "holdings")))
        self.assertTrue(self.answer("rebuild", "run", "holdings")["from_log"])

    def test_verify_says_ok_or_what_is_wrong_and_exits_accordingly(self):
        self.assertTrue(self.answer("verify", "run")["ok"])
        self.assertTrue(self.out("verify", "run").startswith("ok: 1 commit, 1 table, 2 parts, 240 rows"))
        part = next((self.folder / "out/runs/run/tables/holdings").glob("bucket=000001/part-*.parquet"))
        whole = part.read_bytes()
        part.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
        done = self.crv("verify", "run", status=1)
        self.assertIn("NOT ok", done.stdout.decode())
        self.assertIn(part.name, done.stdout.decode())
        self.assertFalse(json.loads(self.out("verify", "run", "--json", status=1))["ok"])
        self.crv("verify", "run", "--quick")
        part.unlink()
        self.crv("verify", "run", "--quick", status=1)

    def test_bundle_writes_the_file_that_it_shows(self):
        shown = self.answer("bundle", "run", "--meta", '{"seed": 7}')
        self.assertEqual(shown, json.loads((self.folder / "out/runs/run/bundle.manifest.json").read_text()))
        self.assertIn('"seed": 7', json.dumps(shown))
        self.assertEqual("bad_argument", self.error("bundle", "run", "--meta", "[1]")["code"])
        self.assertEqual("bad_json", self.error("bundle", "run", "--meta", "{")["code"])

    def test_bundle_tells_of_git_in_the_working_directory(self):
        env = {"GIT_CEILING_DIRECTORIES": str(self.folder.parent), "GIT_CONFIG_GLOBAL": "/dev/null"}
        nothing = {"sha": None, "dirty": None}
        self.assertEqual(nothing, self.answer("bundle", "run", env=env)["run"]["git"])

        def git(*arguments):
            command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
            return subprocess.run(command, cwd=self.folder, env=environment() | env, check=True,
                                  capture_output=True, text=True).stdout.strip()

        git("init", "-q")
        self.assertEqual(nothing, self.answer("bundle", "run", env=env)["run"]["git"], "there is no commit yet")
        (self.folder / ".gitignore").write_text("out/\n")
        git("add", ".gitignore")
        git("commit", "-q", "-m", "one")
        sha = git("rev-parse", "HEAD")
        self.assertEqual({"sha": sha, "dirty": False}, self.answer("bundle", "run", env=env)["run"]["git"])
        (self.folder / "new").touch()
        self.assertEqual({"sha": sha, "dirty": True}, self.answer("bundle", "run", env=env)["run"]["git"])
        self.assertEqual(nothing, self.answer("bundle", "run", env=env | {"PATH": "/nowhere"})["run"]["git"])


class Tokens(CommandTest):
    def setUp(self):
        super().setUp()
        (self.folder / "rows.jsonl").write_text(json_lines(holdings(range(5))))

    def test_the_same_again_gives_the_first_answer_and_says_so(self):
        command = ["append", "run", "holdings", "rows.jsonl", "--token", "night shift:7"]
        first = self.answer(*command)
        self.assertEqual(0, first.pop("repeated"))
        for _ in range(2):
            again = self.answer(*command)
            self.assertEqual(1, again.pop("repeated"))
            self.assertEqual(first, again)
        self.assertIn("appended 10 rows to holdings of run run: 1 part", self.err(*command))
        self.assertIn("the token named all of it before, so nothing was added", self.err(*command))
        self.assertEqual(10, self.rows_in("run", "holdings"))
        self.assertEqual([["night shift", 7]], [[c["token"]["writer"], c["token"]["number"]] for c in self.answer("log", "run")["commits"]])
        self.assertNotIn("repeated", self.answer("append", "run", "holdings", "rows.jsonl"))

    def test_other_rows_or_a_lower_number_are_refused(self):
        self.crv("append", "run", "holdings", "rows.jsonl", "--token", "w:7")
        more = json_lines(holdings([1]))
        command = ["append", "run", "holdings", "-", "--format", "jsonl", "--token"]
        for token in ("w:7", "w:6", "w:-1"):
            error = self.error(*command, token, stdin=more)
            self.assertEqual(("token_order", "token.number"), (error["code"], error["key"]))
        self.assertEqual(0, self.answer(*command, "w:8", stdin=more)["repeated"])
        self.assertEqual(0, self.answer(*command, "v:0", stdin=more)["repeated"])
        self.assertEqual(14, self.rows_in("run", "holdings"))

    def test_what_is_no_token_is_a_usage_error(self):
        for bad in ("", "w", "w:", ":1", "w:x", "w:1.5", f"w:{2**63}", "w:1:", "x" * 201 + ":1", "a\tb:1", b"\xff:1"):
            for command in (["append", "run", "holdings", "rows.jsonl"], ["record", "run"]):
                done = subprocess.run([*self.command(*command), "--token", bad], capture_output=True, cwd=self.folder,
                                      stdin=subprocess.DEVNULL)
                self.assertEqual((2, b""), (done.returncode, done.stdout), bad)
                self.assertIn(b"--token", done.stderr)
        self.assertEqual(["rows.jsonl"], self.files())

    def test_an_append_in_several_commits_may_be_begun_again(self):
        (self.folder / "torn.jsonl").write_text(json_lines(holdings(range(4))) + "{")
        options = ["--commit-rows", "4", "--token", "w:7"]
        error = self.error("append", "run", "holdings", "torn.jsonl", *options)
        self.assertEqual(("bad_json", {"table": "holdings", "rows": 8, "commits": 2}), (error["code"], error["committed"]))
        for quiet in ([], ["--quiet"]):
            text = self.err("append", "other" + "".join(quiet), "holdings", "torn.jsonl", "--commit-rows", "4", *quiet, status=1)
            self.assertIn("the first 8 rows stay committed", text)
        summary = self.answer("append", "run", "holdings", "rows.jsonl", *options)
        self.assertEqual((10, 3, 2), (summary["rows"], summary["commits"], summary["repeated"]))
        self.assertIn("the token named all of it before", self.err("append", "run", "holdings", "rows.jsonl", *options))
        self.assertEqual(10, self.rows_in("run", "holdings"))


class WhatStandsIsReportedAsStanding(CommandTest):
    """A script goes by the exit status: any other than 0 means to it that the rows are not there."""

    lines = json_lines(holdings([1]))

    def commands(self, run):
        return [(["append", run, "holdings", "-", "--format", "jsonl"], self.lines),
                (["record", run], json_lines([{"table": "holdings"} | row for row in holdings([1])]))]

    def test_where_the_manifest_cannot_be_refreshed(self):
        """No file may grow beyond 8 KiB: parts and commits are smaller, the manifest of 40 parts is not."""
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

        self.crv("record", "run", stdin=json_lines([{"table": "holdings"} | row for row in holdings(range(40))]))
        for option in ([], ["--json"]):
            for number, (command, stdin) in enumerate(self.commands("run")):
                before = self.rows_in("run", "holdings")
                done = subprocess.run(self.command(*command, *option), input=stdin.encode(), capture_output=True,
                                      cwd=self.folder, env=environment(), preexec_fn=limit)
                self.assertEqual(0, done.returncode, done.stderr)
                self.assertIn(b"crv: warning: The rows are committed, but the manifest of table holdings", done.stderr)
                if option:
                    self.assertEqual(2, json.loads(done.stdout)["rows"])
                else:
                    self.assertIn([b"appended 2 rows", b"recorded 1 tick"][number], done.stderr)
                self.assertEqual(before + 2, self.rows_in("run", "holdings"))
        self.assertTrue(self.answer("verify", "run")["ok"])
        # What cannot even write its part fails, and is not killed.
        def tiny():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

        for command, stdin in self.commands("run"):
            done = subprocess.run(self.command(*command, "--json"), input=stdin.encode(), capture_output=True,
                                  cwd=self.folder, env=environment(), preexec_fn=tiny)
            self.assertEqual(1, done.returncode, done.stderr)
            self.assertEqual("write_failed", json.loads(done.stderr.splitlines()[-1])["error"]["code"])
        self.assertEqual(before + 2, self.rows_in("run", "holdings"))

    def test_where_the_answer_cannot_be_written(self):
        for command, stdin in self.commands("run"):
            with open("/dev/full", "wb") as full:
                done = subprocess.run(self.command(*command, "--json"), input=stdin.encode(), stdout=full,
                                      stderr=subprocess.PIPE, cwd=self.folder, env=environment())
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertIn(b"the rows are committed, but the answer could not be written", done.stderr)
        self.assertEqual(4, self.rows_in("run", "holdings"))
        with open("/dev/full", "wb") as full:  # what changes nothing fails as ever
            done = subprocess.run(self.command("scan", "run", "holdings"), stdout=full, stderr=subprocess.PIPE,
                                  cwd=self.folder, env=environment())
        self.assertEqual(1, done.returncode)


MOST = 2**63 - 1
EDGES = [0, 1, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1, 2**32, 2**32 + 1, 5_000_000_000, 2**53 - 1, 2**53, 2**53 + 1,
         MOST - 1, MOST]


class NumbersAtTheEdges(CommandTest):
    """Of what 32, 53 and 64 bits hold: what was appended can be read, whatever the command is."""

    def test_ticks(self):
        for run, size in (("small", "1"), ("usual", "100"), ("large", str(MOST))):
            env = {"CRV_IO_TICK_BUCKET_SIZE": size}
            self.append(run, "holdings", [holding(t, f"a{t}", t) for t in EDGES[::2]], env=env)
            lines = json_lines([{"table": "holdings"} | holding(t, f"a{t}", t) for t in EDGES[1::2]])
            summary = self.answer("record", run, stdin=lines, env=env)
            self.assertEqual((1, MOST), (summary["first_tick"], summary["last_tick"]))
            rows = self.rows(run, "holdings", env=env)
            self.assertEqual(EDGES, sorted(row["tick"] for row in rows))
            self.assertEqual([(row["tick"], f"a{row['tick']}") for row in rows], [(r["quantity"], r["agent_id"]) for r in rows])
            for tick in EDGES:
                for asked in (f"{tick}", f"{tick}..{tick}"):
                    found = self.rows(run, "holdings", "--ticks", asked, env=env)
                    self.assertEqual([tick], [row["tick"] for row in found], asked)
            late = self.rows(run, "holdings", "--ticks", f"{2**53}..", env=env)
            self.assertEqual([2**53, 2**53 + 1, MOST - 1, MOST], sorted(row["tick"] for row in late))
            for limit in EDGES:
                self.assertEqual(min(limit, len(EDGES)), len(self.rows(run, "holdings", "--limit", limit, env=env)), limit)
            table, = self.answer("tables", run, env=env)["tables"]
            self.assertEqual((len(EDGES), 0, MOST), (table["rows"], table["tick_min"], table["tick_max"]))
            manifest = self.answer("manifest", run, "holdings", env=env)
            self.assertEqual({f"{t // int(size):06d}" for t in EDGES}, set(manifest["partitions"]))
            self.assertIn(str(MOST), self.out("manifest", run, "holdings", env=env))
            self.assertIn(str(MOST), self.out("tables", run, env=env))
            self.assertEqual(MOST, self.answer("bundle", run, env=env)["tables"]["holdings"]["tick_max"])
            self.assertTrue(self.answer("rebuild", run, "holdings", env=env)["from_log"])
            self.assertTrue(self.answer("verify", run, env=env)["ok"])
            plan = self.answer("scan", run, "holdings", "--ticks", str(MOST), "--explain", env=env)["parts"]
            self.assertEqual([MOST], [part["tick_max"] for part in plan if part["kept"]])

    def test_files_of_every_format(self):
        self.append("run", "holdings", [holding(t, "a", t) for t in EDGES])
        for name in ("all.csv", "all.jsonl", "all.parquet", "all.arrow"):
            self.crv("scan", "run", "holdings", "-o", name)
            self.crv("append", name.replace(".", "-"), "holdings", name)
            self.assertEqual(self.rows("run", "holdings"), self.rows(name.replace(".", "-"), "holdings"), name)

    def test_numbers_of_options(self):
        self.append("run", "holdings", holdings([1]))
        for after in (0, *EDGES, -5):
            commits = self.answer("log", "run", f"--after={after}")["commits"]
            self.assertEqual(1 if after < 1 else 0, len(commits), after)
        for beyond in (MOST + 1, 2**64, 10**30):
            self.assertEqual("usage", self.error("scan", "run", "holdings", "--limit", beyond, status=2)["code"])
            self.assertEqual("usage", self.error("log", "run", "--after", beyond, status=2)["code"])
            self.assertEqual("bad_where", self.error("scan", "run", "holdings", "--ticks", beyond)["code"])
            self.assertEqual("bad_tick", self.error("record", "run", stdin=json_lines(
                [{"table": "holdings"} | holding(beyond, "a", 1)]))["code"])
            setting = self.error("append", "new", "holdings", "-", "--format", "jsonl",
                                 stdin=json_lines(holdings([1])), env={"CRV_IO_TICK_BUCKET_SIZE": str(beyond)})
            self.assertEqual("config_value", setting["code"])
        (self.folder / "rows.jsonl").write_text(json_lines(holdings(range(5))))
        for n in EDGES[1:]:
            summary = self.answer("append", f"of{n}", "holdings", "rows.jsonl", "--commit-rows", n,
                                  env={"CRV_IO_ROW_GROUP_SIZE": str(n)})
            self.assertEqual((10, 10 if n == 1 else 1), (summary["rows"], summary["commits"]), n)

    def test_decimal_digits_mean_what_they_say(self):
        self.append("run", "holdings", holdings(range(20)))
        self.assertEqual(10, len(self.rows("run", "holdings", "--limit", "010")))
        for odd in ("0x10", "1e1", "1_0", "ten", "", " 5"):
            for command in (["scan", "run", "holdings", "--limit"], ["log", "run", "--after"],
                            ["append", "run", "holdings", "-", "--commit-rows"]):
                self.assertEqual("usage", self.error(*command, odd, status=2)["code"], odd)


class Scan(CommandTest):
    def setUp(self):
        super().setUp()
        self.append("run", "holdings", holdings(range(120)))

    def ticks(self, *options):
        return sorted({row["tick"] for row in self.rows("run", "holdings", *options)})

    def test_tick_ranges(self):
        self.assertEqual(list(range(98, 103)), self.ticks("--ticks", "98..102"))
        self.assertEqual([118, 119], self.ticks("--ticks", "118.."))
        self.assertEqual([0, 1], self.ticks("--ticks", "..1"))
        self.assertEqual([50], self.ticks("--ticks", "50"))
        self.assertEqual([], self.ticks("--ticks", "500.."))
        for bad in ("x", "3..1", "1.5..2", "1..2..3"):
            self.assertEqual("bad_where", self.error("scan", "run", "holdings", "--ticks", bad)["code"], bad)
        error = self.error("scan", "run", "holdings", "--ticks", "9..5")
        self.assertEqual(("--ticks", "9..5"), (error["key"], error["value"]))
        self.assertIn("9 is above 5", error["message"])

    def test_columns_and_limit(self):
        rows = self.rows("run", "holdings", "--columns", "quantity,tick", "--limit", 3)
        self.assertEqual([{"quantity": 0, "tick": 0}, {"quantity": 1, "tick": 0}, {"quantity": 100, "tick": 1}], rows)
        self.assertEqual(["quantity", "tick"], list(rows[0]))
        self.assertEqual("bad_projection", self.error("scan", "run", "holdings", "--columns", "price")["code"])
        self.assertEqual("bad_limit", self.error("scan", "run", "holdings", "--limit=-1")["code"])

    def test_table_for_people_is_aligned(self):
        lines = self.out("scan", "run", "holdings", "--ticks", "99..100").splitlines()
        self.assertEqual(["bucket", "tick", "agent_id", "token_id", "quantity"], lines[0].split())
        self.assertEqual(["1", "100", "a1", "grain", "10001"], lines[-1].split())
        self.assertEqual(1, len({len(line) for line in lines}), lines)
        self.assertEqual(2, len(self.out("scan", "run", "holdings", "--ticks", "500").splitlines()))

    def test_explain_tells_parts_kept_and_skipped(self):
        parts = self.answer("scan", "run", "holdings", "--ticks", "3", "--explain")["parts"]
        self.assertEqual([(0, True), (1, False)], [(p["bucket_id"], p["kept"]) for p in parts])
        self.assertTrue(all(p["reason"] for p in parts))
        self.assertIn("part-", self.out("scan", "run", "holdings", "--explain"))

    def test_json_means_json_lines(self):
        text = self.out("scan", "run", "holdings", "--json", "--limit", 2)
        self.assertEqual([0, 1], [json.loads(line)["quantity"] for line in text.splitlines()])

    def test_output_file_appears_whole_or_not_at_all(self):
        (self.folder / "rows.csv").write_text("old")
        (self.folder / "link.csv").symlink_to("rows.csv")
        self.assertIn("wrote 240 rows", self.err("scan", "run", "holdings", "-o", "link.csv"))
        self.assertTrue((self.folder / "link.csv").is_symlink())
        self.assertEqual(241, len((self.folder / "rows.csv").read_text().splitlines()))
        self.assertEqual("write_failed", self.error("scan", "run", "holdings", "-o", "none/rows.csv")["code"])
        for part in (self.folder / "out/runs/run/tables/holdings").glob("bucket=000001/part-*.parquet"):
            part.write_bytes(b"PAR1")
        self.crv("scan", "run", "holdings", "-o", "rows.csv", status=1)
        self.assertEqual(241, len((self.folder / "rows.csv").read_text().splitlines()))
        self.assertEqual([], [name for name in self.files() if name.endswith(".tmp")])

    def test_a_device_is_written_not_replaced(self):
        self.crv("scan", "run", "holdings", "--format", "csv", "-o", "/dev/null")
        self.assertTrue((self.folder / "/dev/null").is_char_device())

    def test_missing_table(self):
        self.assertEqual("table_missing", self.error("scan", "run", "exchange")["code"])
        self.assertEqual("unknown_table_in_scan", self.error("scan", "run", "nope")["code"])


class Settings(CommandTest):
    def origin(self, key, *options, **kwargs):
        found = {s["key"]: (s["value"], s["origin"]) for s in self.answer("config", *options, **kwargs)["settings"]}
        return found[key]

    def test_each_setting_and_where_it_came_from(self):
        self.assertEqual(("out", "default"), self.origin("root_dir"))
        (self.folder / "crv.toml").write_text("[io]\ntick_bucket_size = 10\nroot_dir = 'here'\n")
        self.assertEqual("10", self.origin("tick_bucket_size")[0])
        self.assertIn("crv.toml", self.origin("tick_bucket_size")[1])
        over = {"CRV_IO_TICK_BUCKET_SIZE": "20"}
        self.assertEqual(("20", "CRV_IO_TICK_BUCKET_SIZE"), self.origin("tick_bucket_size", env=over))
        self.assertEqual(("there", "--root"), self.origin("root_dir", "--root", "there"))
        self.assertIn("tick_bucket_size", self.out("config"))

    def test_settings_reach_the_run(self):
        (self.folder / "other.toml").write_text("[io]\ntick_bucket_size = 10\n")
        self.crv("append", "run", "holdings", "-", "--config", "other.toml", "--root", "place", stdin=json.dumps(holding(35, "a", 1)))
        self.assertTrue((self.folder / "place/runs/run/tables/holdings/bucket=000003").is_dir())
        error = self.error("append", "run", "holdings", "-", "--root", "place", stdin=json.dumps(holding(35, "a", 1)))
        self.assertEqual("bucket_size_mismatch", error["code"])

    def test_bad_settings_are_told(self):
        error = self.error("config", env={"CRV_IO_TICK_BUCKET_SIZE": "many"})
        self.assertEqual(("config_value", "IoConfigError"), (error["code"], error["class"]))
        self.assertEqual("config_file", self.error("config", "--config", "none.toml")["code"])
        self.assertIn("CRV_IO_COMPRESION", self.err("config", env={"CRV_IO_COMPRESION": "zstd"}))


if __name__ == "__main__":
    unittest.main()
