"""What the tests of the command share: a folder of its own for each test, and the command run in it."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

CRV = os.environ["CRV_BIN"]
COMMANDS = [
    "runs", "tables", "schema", "create", "append", "record", "scan", "manifest",
    "rebuild", "verify", "bundle", "log", "config", "completion",
]


def environment():
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CRV_IO_")}
    return kept | {"LC_ALL": "C.UTF-8"}


def holding(tick, agent, quantity, token="grain"):
    return {"tick": tick, "agent_id": agent, "token_id": token, "quantity": quantity}


def holdings(ticks, agents=2):
    return [holding(t, f"a{a}", 100 * t + a) for t in ticks for a in range(agents)]


def json_lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


class CommandTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def command(self, *arguments):
        return [CRV, *map(str, arguments)]

    def crv(self, *arguments, stdin="", status=0, env=None):
        """Runs the command to its end and returns it; its exit status must be `status`."""
        done = subprocess.run(
            self.command(*arguments), input=stdin if isinstance(stdin, bytes) else stdin.encode(),
            capture_output=True, cwd=self.folder, env=environment() | (env or {}))
        self.assertEqual(status, done.returncode, done.stderr.decode())
        return done

    def out(self, *arguments, **options):
        return self.crv(*arguments, **options).stdout.decode()

    def err(self, *arguments, **options):
        return self.crv(*arguments, **options).stderr.decode()

    def answer(self, *arguments, **options):
        return json.loads(self.out(*arguments, "--json", **options))

    def error(self, *arguments, status=1, **options):
        """The error object that --json gives on standard error; nothing may be on standard output."""
        done = self.crv(*arguments, "--json", status=status, **options)
        self.assertEqual(b"", done.stdout)
        return json.loads(done.stderr.decode().splitlines()[-1])["error"]

    def start(self, *arguments):
        """Starts the command with pipes for all three; it is ended with the test."""
        process = subprocess.Popen(
            self.command(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd=self.folder, env=environment())
        self.addCleanup(self._end, process)
        return process

    @staticmethod
    def _end(process):
        process.kill()
        for stream in (process.stdin, process.stdout, process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass
        process.wait()

    def append(self, run, table, rows, **options):
        return self.answer("append", run, table, "-", "--format", "jsonl", stdin=json_lines(rows), **options)

    def rows(self, run, table, *arguments, **options):
        text = self.out("scan", run, table, "--format", "jsonl", *arguments, **options)
        return [json.loads(line) for line in text.splitlines()]

    def rows_in(self, run, table):
        tables = self.answer("tables", run)["tables"]
        return sum(t["rows"] for t in tables if t["table"] == table)

    def files(self):
        return sorted(str(p.relative_to(self.folder)) for p in self.folder.rglob("*") if p.is_file())
