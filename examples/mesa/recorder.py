"""The way from any Python simulation into a crv run: JSON lines into one long-lived `crv record`."""

import json
import subprocess
import time


class Recorder:
    """Writes rows to `crv record RUN`, which commits each tick once the first row of a later one has come.

    `seconds` is what recording has cost the caller so far: "encode" to make JSON lines, "pipe" to hand them over
    (waiting included, where crv is slower than the model), "close" for crv to commit the last tick and end.
    """

    def __init__(self, run, root="out", crv="crv", create=False):
        """create: define tables and columns of your own as the first rows have them."""
        self.seconds = {"encode": 0.0, "pipe": 0.0, "close": 0.0}
        self.summary = None  # what crv says it recorded, once closed
        self._process = subprocess.Popen([crv, "--json", "--root", root, "record", run, *["--create"] * create],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def record(self, rows):
        """Takes rows in ascending order of their ticks. Each is a dict with at least `table` and `tick`."""
        begun = time.perf_counter()
        lines = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows).encode()
        encoded = time.perf_counter()
        try:
            self._process.stdin.write(lines)
            self._process.stdin.flush()
        except BrokenPipeError:
            self._refused()
        self.seconds["encode"] += encoded - begun
        self.seconds["pipe"] += time.perf_counter() - encoded

    def close(self):
        """Commits the last tick and waits until all is durable."""
        begun = time.perf_counter()
        output, _ = self._process.communicate()
        self.seconds["close"] += time.perf_counter() - begun
        if self._process.returncode != 0:
            self._refused()
        self.summary = json.loads(output)

    def _refused(self):
        raise RuntimeError(f"crv record ended with status {self._process.wait()}; it said why above")
