"""examples/mesa/recorder.py, without Mesa: recorder_test.py CRV, the built command."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "mesa"))
import recorder  # noqa: E402

CRV = sys.argv.pop(1)


def holding(tick, quantity):
    return {"table": "holdings", "tick": tick, "agent_id": "ada", "token_id": "sugar", "quantity": quantity}


class RecorderTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def rows(self, run):
        done = subprocess.run([CRV, "--root", self.root, "scan", run, "holdings", "--format", "jsonl", "--columns",
                               "tick,quantity"], check=True, capture_output=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_what_is_recorded_is_read_back(self):
        made = recorder.Recorder("run", self.root, CRV)
        for tick in range(3):
            made.record([holding(tick, 10 + tick), holding(tick, 20 + tick)])
        made.close()
        self.assertEqual((made.summary["rows"], made.summary["commits"]), (6, 3))
        self.assertEqual(self.rows("run"), [{"tick": t, "quantity": q + t} for t in range(3) for q in (10, 20)])
        self.assertTrue(all(seconds >= 0 for seconds in made.seconds.values()))

    def test_a_row_that_crv_refuses_ends_the_recording_with_an_error(self):
        made = recorder.Recorder("run", self.root, CRV)
        made.record([holding(5, 1), holding(4, 1)])
        with self.assertRaises(RuntimeError):
            made.close()


if __name__ == "__main__":
    unittest.main()
