"""Help, exit statuses, errors, pipes that break, Ctrl-C."""

import json
import os
import signal
import subprocess
import time
import unittest
from pathlib import Path

from support import COMMANDS, CRV, CommandTest, environment, holding, holdings, json_lines


class Help(CommandTest):
    def test_every_command_has_help_with_an_example(self):
        overview = self.out("--help")
        for command in COMMANDS:
            self.assertIn(f"\n  {command} ", overview)
            text = self.out(command, "--help")
            self.assertRegex(text, rf"Example:\n  .*crv {command}", command)
            self.assertIn("Usage: crv " + command, text)

    def test_version(self):
        self.assertRegex(self.out("--version"), r"^crv \d+\.\d+\.\d+\n$")

    def test_hidden_commands_are_not_shown(self):
        self.assertNotIn("man page\n", self.out("--help"))


class Usage(CommandTest):
    def test_wrong_command_lines_exit_with_2(self):
        for line in ([], ["nope"], ["scan"], ["scan", "run"], ["scan", "run", "holdings", "--nope"],
                     ["scan", "run", "holdings", "--format", "xls"], ["scan", "run", "holdings", "--limit", "x"],
                     ["append", "run", "holdings"], ["append", "run", "holdings", "f", "--format", "table"],
                     ["runs", "extra"], ["completion", "fish"], ["schema", "--run", "run"]):
            done = self.crv(*line, status=2)
            self.assertEqual(b"", done.stdout, line)
            self.assertTrue(done.stderr.startswith(b"crv: "), line)
            self.assertIn(b"--help", done.stderr)
            self.assertEqual("usage", self.error(*line, status=2)["code"], line)
        self.assertEqual([], self.files())

    def test_near_names_of_commands_options_and_choices(self):
        for line, name in ((["scna", "run", "holdings"], "scan"), (["scan", "run", "holdings", "--formt", "csv"], "--format"),
                           (["scan", "run", "holdings", "--colums=tick"], "--columns"), (["--rot", "x", "runs"], "--root"),
                           (["append", "run", "holdings", "-", "--tokn", "a:1"], "--token"),
                           (["scan", "run", "holdings", "--format", "jsnl"], "jsonl")):
            self.assertIn(f'did you mean "{name}"?', self.error(*line, status=2)["message"], line)
            self.assertIn(f'did you mean "{name}"?', self.err(*line, status=2), line)
        self.assertNotIn("did you mean", self.err("nothing-like-it", status=2))

    def test_bytes_that_are_no_utf8_and_control_characters_are_told_as_escapes(self):
        self.append("run", "holdings", holdings([0]))
        (self.folder / "rows.csv").write_bytes(b"tick,agent_id,token_id,quantity\n1,a\xe9,t,1\n")
        lines = ([b"append", b"caf\xe9\x1b[31m\n", b"holdings", b"-"], [b"append", b"run", b"hold\xff\x1b[31m\n", b"-"],
                 [b"scan", b"run", b"hold\xff\x1b[31m\n"], [b"scan", b"run", b"holdings", b"--columns", b"\xff\x1b[31m\n"],
                 [b"scan", b"run", b"holdings", b"--ticks", b"\xff\x1b[31m\n"], [b"tables", b"\xff\x1b[31m\n"],
                 [b"append", b"run", b"holdings", b"/nope\xff\x1b[31m\n.csv"], [b"append", b"run", b"holdings", b"rows.csv"],
                 [b"--config", b"\xff\x1b[31m\n.toml", b"runs"], [b"--root", b"\xff\x1b[31m\n", b"runs"],
                 [b"bundle", b"run", b"--meta", b"\xff\x1b[31m\n"], [b"append", b"run", b"holdings", b"-", b"--token", b"\xff\x1b[31m\n"],
                 [b"scan", b"run", b"holdings", b"--format", b"\xff\x1b[31m\n"], [b"scan", b"run", b"holdings", b"--\xff\x1b[31m\n"])
        for line in lines:
            for extra in ([], [b"--json"]):
                done = subprocess.run([os.fsencode(CRV), *line, *extra], input=json_lines([holding(0, "a", 1)]).encode(),
                                      capture_output=True, cwd=self.folder, env=environment())
                self.assertIn(done.returncode, (1, 2), line)
                text = done.stderr.decode()  # it is UTF-8
                self.assertNotIn("\x1b", text, line)
                self.assertRegex(text, r"\\x(ff|e9)", line)
                if extra:
                    error, = text.splitlines()
                    self.assertIn("message", json.loads(error)["error"])
        self.assertEqual(2, self.rows_in("run", "holdings"))

    def test_a_root_folder_of_any_bytes_is_refused_by_name(self):
        folder = os.fsencode(self.folder) + b"/caf\xe9"
        os.mkdir(folder)
        done = subprocess.run([os.fsencode(CRV), b"--root", folder, b"append", b"run", b"holdings", b"-", b"--json"],
                              input=json_lines(holdings([0])).encode(), capture_output=True, cwd=self.folder, env=environment())
        error = json.loads(done.stderr)["error"]
        self.assertEqual((1, "config_value", "root_dir"), (done.returncode, error["code"], error["key"]))
        self.assertIn("caf\\xe9", error["value"])
        self.assertIn("UTF-8", error["message"])
        self.assertEqual([], os.listdir(folder))
        for line in ([b"append", b"run", b"holdings", b"-", b"--format", b"jsonl"], [b"scan", b"run", b"holdings"], [b"verify", b"run"],
                     [b"runs", b"--json"]):  # a relative root in such a folder works
            done = subprocess.run([os.fsencode(CRV), *line], input=json_lines(holdings([0])).encode(), capture_output=True,
                                  cwd=folder, env=environment())
            self.assertEqual(0, done.returncode, done.stderr)

    def test_names_of_files_that_are_no_utf8_are_told_as_escapes(self):
        self.append("run", "holdings", holdings([0]))
        open(os.fsencode(self.folder) + b"/out/runs/run/log/caf\xe9\n", "w").close()
        report = self.answer("verify", "run")
        self.assertEqual(["foreign_file"], [f["code"] for f in report["findings"]])
        self.assertIn("caf\\xe9\\n", report["findings"][0]["path"])
        self.assertIn("caf\\xe9\\n", self.out("verify", "run"))

    def test_errors_are_one_line_for_people_and_an_object_for_programs(self):
        text = self.err("append", "run", "holdings", "-", "--format", "jsonl", stdin=json_lines([holding(0, "a", None)]), status=1)
        self.assertTrue(text.startswith("crv: "))
        error = self.error("append", "run", "holdings", "-", "--format", "jsonl", stdin=json_lines([holding(0, "a", None)]))
        self.assertEqual({"code": "null_value", "class": "IoSchemaError", "column": "quantity", "table": "holdings", "row": 0},
                         {k: error[k] for k in ("code", "class", "column", "table", "row")})
        self.assertIn(error["message"], text)

    def test_bad_run_ids(self):
        for run in ("", ".", "..", "a/b", "a\nb"):
            error = self.error("append", run, "holdings", "-", stdin=json_lines(holdings([0])))
            self.assertEqual(("bad_run_id", "IoArgumentError"), (error["code"], error["class"]), repr(run))
        self.assertEqual([], self.files())

    def test_names_that_are_commands_are_names(self):
        self.append("runs", "holdings", holdings([0]))
        (self.folder / "log").write_text(json_lines(holdings([1])))
        self.crv("append", "runs", "holdings", "log", "--format", "jsonl")
        self.assertEqual(4, len(self.rows("runs", "holdings")))

    def test_global_options_stand_before_or_after_the_command(self):
        self.crv("--root", "r", "--quiet", "append", "run", "holdings", "-", stdin=json_lines(holdings([0])))
        self.assertEqual(self.out("--root", "r", "runs"), self.out("runs", "--root", "r"))

    def test_quiet_and_pipes_leave_standard_error_empty(self):
        done = self.crv("append", "run", "holdings", "-", "--quiet", stdin=json_lines(holdings([0])))
        self.assertEqual((b"", b""), (done.stdout, done.stderr))
        self.assertIn("appended 2 rows to holdings of run run: 1 part",
                      self.err("append", "run", "holdings", "-", stdin=json_lines(holdings([0]))))


class BrokenPipe(CommandTest):
    def test_a_reader_that_goes_away_is_no_error(self):
        rows = [holding(0, f"agent{i}", i) for i in range(30_000)]
        self.append("run", "holdings", rows)
        for form in ("table", "csv", "jsonl"):
            process = self.start("scan", "run", "holdings", "--format", form)
            self.assertTrue(process.stdout.readline())
            process.stdout.close()
            self.assertEqual((0, b""), (process.wait(), process.stderr.read()), form)

    def test_a_full_disk_is_one(self):
        self.append("run", "holdings", holdings([0]))
        with open("/dev/full", "wb") as full:
            done = subprocess.run(self.command("scan", "run", "holdings"), stdout=full, stderr=subprocess.PIPE,
                                  cwd=self.folder, env=environment())
        self.assertEqual(1, done.returncode)
        self.assertIn(b"No space left", done.stderr)


class Interrupt(CommandTest):
    def test_ctrl_c_while_appending_leaves_the_run_as_it_was(self):
        self.append("run", "holdings", holdings([0]))
        before = self.files()
        for form, head in (("jsonl", ""), ("csv", "tick,agent_id,token_id,quantity\n")):
            process = self.start("append", "run", "holdings", "-", "--format", form)
            line = json.dumps(holding(1, "a", 1)) if form == "jsonl" else "1,a,t,1"
            # More than a pipe holds: this returns once the command reads.
            process.stdin.write((head + (line + "\n") * 40_000).encode())
            process.stdin.flush()
            process.send_signal(signal.SIGINT)
            self.assertEqual(130, process.wait(), process.stderr.read())
            self.assertEqual(before, self.files())
            self.assertTrue(self.answer("verify", "run")["ok"])

    def test_ctrl_c_while_a_pipe_is_opened_that_nobody_writes_to(self):
        os.mkfifo(self.folder / "pipe.csv")
        process = self.start("append", "run", "holdings", "pipe.csv")
        asleep = 0
        while asleep < 5:  # looks in a row: it waits for a writer
            state = (Path("/proc") / str(process.pid) / "stat").read_text().rpartition(")")[2].split()[0]
            asleep = asleep + 1 if state == "S" else 0
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        self.assertEqual(130, process.wait(), process.stderr.read())

    def test_killed_between_commits_the_run_holds_whole_commits(self):
        process = self.start("append", "run", "holdings", "-", "--format", "jsonl", "--commit-rows", "10")
        process.stdin.write(json_lines(holdings(range(200), agents=10)).encode())
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if self.answer("runs")["runs"]:
            self.assertTrue(self.answer("verify", "run")["ok"])
            self.assertEqual(0, self.rows_in("run", "holdings") % 10)


if __name__ == "__main__":
    unittest.main()
