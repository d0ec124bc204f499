"""What a program pays that starts Python, reads a little and quits: 1 % of the ticks of a run of 10,000 parts.

Each candidate is a process of its own; crv and Polars on exactly the right files take turns.

python bench/python/cold_bench.py [FOLDER]
"""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys
import tempfile

import polars as pl
from scan_bench import PARTS, TICKS_A_PART, make_run
from timing import medians, show

from crv.io import Dataset, IoSettings

PAIRS = 15
FIRST = PARTS * TICKS_A_PART // 2
LAST = FIRST + PARTS * TICKS_A_PART // 100 - 1

BY_CRV = f"""
import polars as pl
from crv.io import Dataset, IoSettings
run = Dataset(IoSettings(root_dir={{root!r}}, tick_bucket_size={TICKS_A_PART}), "many")
frame = run.scan("holdings").filter(pl.col("tick").is_between({FIRST}, {LAST})).select("tick", "quantity").collect()
assert frame.height == {{rows}}, frame.height
"""
BY_POLARS = f"""
import polars as pl
paths = open({{paths!r}}).read().split()
frame = pl.scan_parquet(paths, glob=False).filter(pl.col("tick").is_between({FIRST}, {LAST})).select("tick", "quantity")
assert frame.collect().height == {{rows}}
"""
# What a first scan asks of the store, in a process that has imported it: opening the run and planning.
OPENING = f"""
import time
from crv.io import Dataset, IoSettings
settings = IoSettings(root_dir={{root!r}}, tick_bucket_size={TICKS_A_PART})
begun = time.perf_counter()
Dataset(settings, "many").scan("holdings")
print(time.perf_counter() - begun)
"""


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return done.stdout


def main(folder: str) -> None:
    root = pathlib.Path(tempfile.mkdtemp(dir=folder))
    try:
        settings = IoSettings(root_dir=str(root), tick_bucket_size=TICKS_A_PART, durability="none")
        make_run(settings)
        run = Dataset(settings, "many")
        plan = run.explain("holdings", {"tick_min": FIRST, "tick_max": LAST})
        print(plan.splitlines()[0])
        files = [line.split()[1] for line in plan.splitlines() if line.startswith("  read ")]
        (root / "paths").write_text("\n".join(files))
        rows = pl.scan_parquet(files, glob=False).select(pl.len()).collect().item()
        by_polars = BY_POLARS.format(paths=str(root / "paths"), rows=rows)
        by_crv = BY_CRV.format(root=str(root), rows=rows)
        seconds = medians(
            {
                "import polars": lambda: python("import polars"),
                "import polars, crv.io": lambda: python("import polars, crv.io"),
                "Polars, exactly the right files": lambda: python(by_polars),
                "crv, filter on the frame": lambda: python(by_crv),
            },
            rounds=PAIRS,
        )
        show(f"A new process; {len(files)} of {PARTS:,} parts match", seconds, "Polars, exactly the right files")
        added = seconds["import polars, crv.io"] - seconds["import polars"]
        opening = sorted(float(python(OPENING.format(root=str(root)))) for _ in range(PAIRS))[PAIRS // 2]
        print(f"  importing crv.io adds {1000 * added:.1f} ms, opening the run and planning {1000 * opening:.1f} ms")
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["."]))
