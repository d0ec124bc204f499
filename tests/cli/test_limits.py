"""The command where the system refuses what it asks for: threads."""

import os
import unittest

from support import CommandTest, holdings, json_lines


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


if __name__ == "__main__":
    unittest.main()
