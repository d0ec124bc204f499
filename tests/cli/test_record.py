"""crv record: ticks are committed as they complete, while the engine still runs."""

import json
import signal
import time
import unittest

from support import CommandTest, holding, holdings, json_lines

TRIES = 500  # of looking whether a commit is there; each is a process of its own


def of(table, rows):
    return [{"table": table} | row for row in rows]


class Record(CommandTest):
    def wait_for_rows(self, run, count):
        for _ in range(TRIES):
            if run in self.answer("runs")["runs"] and self.rows_in(run, "holdings") == count:
                return
            time.sleep(0.01)
        self.fail(f"{count} rows never came: {self.answer('tables', run)}")

    def test_all_tables_of_a_tick_are_one_commit(self):
        trade = {"tick": 1, "venue_id": "v", "token_id": "t", "exchange_event_type": "trade", "additional_payload": {}}
        lines = of("holdings", holdings([0, 1])) + of("exchange", [trade]) + of("holdings", holdings([5]))
        summary = self.answer("record", "run", stdin=json_lines(lines))
        self.assertEqual({"ticks": 3, "rows": 7, "commits": 3, "first_tick": 0, "last_tick": 5,
                          "tables": {"exchange": 1, "holdings": 6}}, summary)
        commits = self.answer("log", "run")["commits"]
        self.assertEqual([["holdings"], ["exchange", "holdings"], ["holdings"]],
                         [sorted(t["table"] for t in c["tables"]) for c in commits])
        self.assertEqual(holdings([0, 1, 5]),
                         [{k: v for k, v in r.items() if k != "bucket"} for r in self.rows("run", "holdings")])
        self.assertIn("recorded 3 ticks (0..5), 7 rows", self.err("record", "again", stdin=json_lines(lines)))

    def test_a_tick_is_visible_while_the_engine_still_runs(self):
        engine = self.start("record", "run")
        engine.stdin.write(json_lines(of("holdings", holdings([0], agents=3))).encode())
        engine.stdin.write(json_lines(of("holdings", holdings([1], agents=1))).encode())
        engine.stdin.flush()
        self.wait_for_rows("run", 3)
        engine.stdin.write(json_lines(of("holdings", holdings([2], agents=1))).encode())
        engine.stdin.flush()
        self.wait_for_rows("run", 4)
        self.assertIsNone(engine.poll())
        engine.stdin.close()
        self.assertEqual(0, engine.wait())
        self.assertEqual(5, self.rows_in("run", "holdings"))

    def test_a_row_of_an_earlier_tick_is_an_error_with_its_line(self):
        lines = json_lines(of("holdings", holdings([0, 1], agents=1))) + "\n" + json_lines(of("holdings", holdings([2, 1], agents=1)))
        error = self.error("record", "run", stdin=lines)
        self.assertEqual(("bad_tick", 5, "1"), (error["code"], error["line"], error["value"]))
        self.assertEqual([0, 1], [row["tick"] for row in self.rows("run", "holdings")])
        text = self.err("record", "more", stdin=lines, status=1)
        self.assertIn("recorded 2 ticks (0..1), 2 rows to run more; they stay", text)
        self.assertIn("not committed: 1 row of tick 2", text)

    def test_bad_lines(self):
        good = {"table": "holdings"} | holding(3, "a", 1)
        bad = [
            ("bad_json", "{"), ("bad_json", "[]"),
            ("missing_column", json.dumps(holding(3, "a", 1))),
            ("unknown_table", json.dumps(good | {"table": "nope"})),
            ("unknown_table", json.dumps(good | {"table": 7})),
            ("missing_column", json.dumps({"table": "holdings"})),
            ("bad_tick", json.dumps(good | {"tick": None})), ("bad_tick", json.dumps(good | {"tick": -1})),
            ("bad_tick", json.dumps(good | {"tick": 3.5})), ("bad_tick", json.dumps(good | {"tick": "4"})),
        ]
        for code, line in bad:
            error = self.error("record", "run", stdin=json_lines([good]) + line + "\n")
            self.assertEqual((code, 2), (error["code"], error["line"]), line)
        self.assertEqual([], self.files())

    def test_a_row_that_does_not_fit_its_table_is_told_with_its_line(self):
        lines = of("holdings", [holding(0, "a", 1), holding(1, "a", 1)])
        lines.insert(1, {"table": "exchange", "tick": 1, "venue_id": "v", "token_id": "t",
                         "exchange_event_type": "trade", "additional_payload": {}})
        lines.append({"table": "holdings"} | holding(1, "b", 2.5))
        error = self.error("record", "run", stdin=json_lines(lines))
        self.assertEqual(("lossy_cast", "holdings", "quantity", 4),
                         tuple(error[k] for k in ("code", "table", "column", "line")))
        self.assertEqual([0], [row["tick"] for row in self.rows("run", "holdings")])
        self.assertEqual(["holdings"], [t["table"] for t in self.answer("tables", "run")["tables"]])

    def test_what_was_committed_before_a_bad_line_is_told_with_the_error(self):
        lines = json_lines(of("holdings", holdings([0, 1], agents=1)) + of("holdings", holdings([2], agents=3))) + "{\n"
        error = self.error("record", "run", stdin=lines)
        self.assertEqual(("bad_json", 6), (error["code"], error["line"]))
        self.assertEqual({"ticks": 2, "rows": 2, "commits": 2, "first_tick": 0, "last_tick": 1,
                          "tables": {"holdings": 2}}, error["committed"])
        for quiet in ([], ["--quiet"]):
            text = self.err("record", "run" + "".join(quiet), *quiet, stdin=lines, status=1)
            self.assertIn("recorded 2 ticks (0..1), 2 rows", text)
            self.assertIn("not committed: 3 rows of tick 2", text)
        self.assertNotIn("committed", self.error("record", "none", stdin="{\n"))

    def test_a_recording_with_a_token_may_be_begun_again(self):
        lines = json_lines(of("holdings", holdings([0, 1, 5])))
        broken = self.error("record", "run", "--token", "night:7", stdin=lines + "{\n")
        self.assertEqual((2, 0), (broken["committed"]["ticks"], broken["committed"]["repeated"]))
        self.assertEqual({"ticks": 3, "rows": 6, "commits": 3, "first_tick": 0, "last_tick": 5,
                          "tables": {"holdings": 6}, "repeated": 2},
                         self.answer("record", "run", "--token", "night:7", stdin=lines))
        text = self.err("record", "run", "--token", "night:7", stdin=lines)
        self.assertIn("recorded 3 ticks (0..5), 6 rows to run run; the token named all of it before, so nothing was added", text)
        more = lines + json_lines(of("holdings", holdings([6])))
        self.assertIn("the token named 3 commits of it before", self.err("record", "run", "--token", "night:7", stdin=more))
        later = json_lines(of("holdings", holdings([5, 6])))
        self.assertEqual(2, self.answer("record", "run", "--token", "night:7", stdin=later)["repeated"])
        self.assertEqual([0, 0, 1, 1, 5, 5, 6, 6], [row["tick"] for row in self.rows("run", "holdings")])
        other = json_lines(of("holdings", holdings([1], agents=3)))
        self.assertEqual("token_order", self.error("record", "run", "--token", "night:7", stdin=other)["code"])
        self.assertEqual(0, self.answer("record", "run", "--token", "night:8", stdin=other)["repeated"])
        self.assertEqual(11, self.rows_in("run", "holdings"))

    def test_a_later_tick_completes_the_one_before_even_if_its_row_is_bad(self):
        lines = json_lines(of("holdings", holdings([0])) + [{"table": "nope", "tick": 1}])
        self.assertEqual(3, self.error("record", "run", stdin=lines)["line"])
        self.assertEqual(2, self.rows_in("run", "holdings"))

    def test_integral_float_is_a_tick(self):
        self.crv("record", "run", stdin=json_lines(of("holdings", [holding(4.0, "a", 1)])))
        self.assertEqual([4], [row["tick"] for row in self.rows("run", "holdings")])

    def test_nothing_to_record(self):
        self.assertEqual(0, self.answer("record", "run", stdin="\n\n")["rows"])
        self.assertEqual([], self.files())

    def test_ctrl_c_keeps_complete_ticks_only(self):
        engine = self.start("record", "run")
        engine.stdin.write(json_lines(of("holdings", holdings([0, 1]))).encode())
        engine.stdin.flush()
        self.wait_for_rows("run", 2)
        engine.send_signal(signal.SIGINT)
        self.assertEqual(130, engine.wait())
        self.assertIn("not committed: 2 rows of tick 1", engine.stderr.read().decode())
        self.assertTrue(self.answer("verify", "run")["ok"])
        self.assertEqual(2, self.rows_in("run", "holdings"))


if __name__ == "__main__":
    unittest.main()
