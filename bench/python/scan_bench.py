"""A filter on one part in a hundred of a run of 10,000 parts, beside Polars on exactly the files that match.

python bench/python/scan_bench.py [FOLDER]
"""

from __future__ import annotations

import pathlib
import shutil
import sys
import tempfile

import polars as pl
from timing import medians, show

from crv.io import Dataset, IoSettings

PARTS, TICKS_A_PART, ROWS_A_TICK = 10_000, 10, 10


def make_run(settings: IoSettings) -> None:
    with Dataset(settings, "many") as run:
        step = PARTS * TICKS_A_PART // 20
        for first in range(0, PARTS * TICKS_A_PART, step):
            ticks = pl.int_range(first, first + step, eager=True).alias("tick")
            rows = ticks.repeat_by(ROWS_A_TICK).explode().to_frame()
            run.append(
                "holdings",
                rows.with_columns(
                    agent_id=pl.lit("agent ") + (pl.col("tick") % 97).cast(pl.String),
                    token_id=pl.lit("grain"),
                    quantity=pl.col("tick") * 3 % 1001,
                ),
            )
        run.refresh_manifests()


def main(folder: str) -> None:
    root = pathlib.Path(tempfile.mkdtemp(dir=folder))
    settings = IoSettings(root_dir=str(root), tick_bucket_size=TICKS_A_PART, durability="none")
    try:
        make_run(settings)
        run = Dataset(settings, "many")
        first = PARTS * TICKS_A_PART // 2
        last = first + PARTS * TICKS_A_PART // 100 - 1
        chosen = pl.col("tick").is_between(first, last)
        plan = run.explain("holdings", filter=chosen)
        files = [line.split()[1] for line in plan.splitlines() if line.startswith("  read ")]
        every = sorted(str(path) for path in root.rglob("part-*.parquet"))
        print(plan.splitlines()[0])

        def by_polars(paths: list[str]) -> pl.DataFrame:
            frame = pl.scan_parquet(paths, glob=False).filter(chosen)
            return frame.select("tick", "quantity").collect()

        def by_crv(dataset: Dataset) -> pl.DataFrame:
            return dataset.scan("holdings").filter(chosen).select("tick", "quantity").collect()

        assert by_crv(run).sort("tick", "quantity").equals(by_polars(files).sort("tick", "quantity"))
        seconds = medians(
            {
                "Polars, exactly the right files": lambda: by_polars(files),
                "crv, filter on the frame": lambda: by_crv(run),
                "crv, where=": lambda: run.read(
                    "holdings", {"tick_min": first, "tick_max": last}, columns=["tick", "quantity"]
                ),
                "crv, the run opened anew": lambda: by_crv(Dataset(settings, "many")),
                "crv, as an Arrow stream": lambda: run.scan_arrow(
                    "holdings", {"tick_min": first, "tick_max": last}, columns=["tick", "quantity"]
                ).read_all(),
            },
            rounds=15,
        )
        show(f"{len(files)} of {PARTS:,} parts match", seconds, "Polars, exactly the right files")
        seconds = medians(
            {
                "Polars, all files": lambda: pl.scan_parquet(every, glob=False).collect(),
                "crv": lambda: run.read("holdings"),
                "Polars, all files, with the filter": lambda: by_polars(every),
            },
            rounds=3,
        )
        show(f"All of {PARTS:,} parts", seconds, "Polars, all files")
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["."]))
