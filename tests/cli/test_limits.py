"""The command where the system refuses what it asks for: threads."""

import json
import os
import resource
import subprocess
import unittest

from support import CommandTest, environment, holdings, json_lines


class NoThreads(CommandTest):
    """No thread can be made, as for a user at the limit of a container. Everything is done by the threads there are."""

    env = {"LD_PRELOAD": os.environ["CRV_FAIL_THREADS"], "CRV_IO_DURABILITY": "none",
           "JE_ARROW_MALLOC_CONF": "background_thread:false"}

    def test_the_commit_that_folds_the_log_stands_and_the_command_ends(self):
        ticks = [{"table": "holdings"} | row for row in holdings(range(1023), agents=1)]
        self.crv("record", "run", stdin=json_lines(ticks), env={"CRV_IO_DURABILITY": "none"})
        last = {"table": "holdings"} | holdings([2000], agents=1)[0]
        done = self.crv("record", "run", stdin=json_lines([last]), env=self.env)
        self.assertNotIn(b"crv:", done.stderr)
        self.assertEqual(1024, len(self.answer("log", "run")["commits"]))
        self.assertEqual(["00000000000000000001-00000000000000001024.jsonl"],
                         os.listdir(self.folder / "out/runs/run/log"))
        self.assertTrue(self.answer("verify", "run")["ok"])

    def test_reading_writing_and_checking_go_on(self):
        rows = holdings(range(0, 2000, 100), agents=50)
        self.crv("append", "run", "holdings", "-", "--format", "jsonl", stdin=json_lines(rows), env=self.env)
        text = self.crv("scan", "run", "holdings", "--format", "jsonl", env=self.env).stdout
        self.assertEqual(len(rows), len(text.splitlines()))
        self.assertTrue(self.answer("verify", "run", env=self.env)["ok"])
        self.crv("rebuild", "run", "holdings", env=self.env)


class LittleMemory(CommandTest):
    """A limit of address space, as ulimit -v sets it."""

    def limited(self, mib, *arguments, stdin=b""):
        limit = int(mib * 1024) << 10
        return subprocess.run(self.command(*arguments), input=stdin, capture_output=True, cwd=self.folder, env=environment(),
                              timeout=120, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))

    def test_too_little_to_begin_with_is_an_error(self):
        self.append("run", "holdings", holdings([0]))
        before = self.files()
        csv = b"tick,agent_id,token_id,quantity\n" + b"1,a,t,1\n" * 100_000
        for line in (["append", "run", "holdings", "-", "--format", "csv"], ["scan", "run", "holdings"], ["verify", "run"],
                     ["tables", "run"], ["rebuild", "run", "holdings"], ["record", "run"]):
            done = self.limited(140, *line, "--json", stdin=csv)
            error = json.loads(done.stderr)["error"]
            self.assertEqual((1, "out_of_memory", "RLIMIT_AS"), (done.returncode, error["code"], error["key"]), line)
            self.assertIn("192.0 MiB", error["message"])
        self.assertEqual(before, self.files())
        self.assertEqual(0, self.limited(140, "--help").returncode)

    def test_the_refusal_is_the_end(self):
        """Nothing that libraries do at exit ends it otherwise, where there is hardly room for them."""
        names = ["append", "run", "holdings", "-", "--format", "csv", "--json"]
        told = 0
        for kib in range(76_000, 104_000, 1000):
            done = self.limited(kib / 1024, *names, stdin=b"tick,agent_id,token_id,quantity\n1,a,t,1\n")
            if b"RLIMIT_AS" in done.stderr:
                told += 1
                self.assertEqual(1, done.returncode, (kib, done.stderr))
        self.assertGreater(told, 0)

    def test_what_is_refused_is_not_refused_with_more(self):
        csv = b"tick,agent_id,token_id,quantity\n" + b"1,a,t,1\n" * 1000
        for line in (["append", "run", "holdings", "-", "--format", "csv"], ["scan", "run", "holdings"], ["verify", "run"]):
            done = self.limited(512, *line, stdin=csv)
            self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(1000, self.rows_in("run", "holdings"))

    def test_where_memory_ends_there_is_an_error_and_the_run_is_whole(self):
        self.append("run", "holdings", holdings([0]))
        before = self.files()
        rows = b"".join(b"%d,agent%d,token%d,%d\n" % (i % 100, i, i, i) for i in range(400_000))
        csv = b"tick,agent_id,token_id,quantity\n" + rows * 10
        for mib in (192, 256, 320):
            done = self.limited(mib, "append", "run", "holdings", "-", "--format", "csv", "--json", stdin=csv)
            self.assertEqual((1, "out_of_memory"), (done.returncode, json.loads(done.stderr.splitlines()[-1])["error"]["code"]), done.stderr)
            self.assertEqual(before, self.files())
        self.assertTrue(self.answer("verify", "run")["ok"])


if __name__ == "__main__":
    unittest.main()
