"""What validate_rows costs, beside the same checks written by hand in Polars, pydantic row by row, and no checks.

python bench/python/rows_bench.py [FOLDER [ROWS]]
"""

from __future__ import annotations

import pathlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import polars as pl
from pydantic import BaseModel
from timing import medians, show

from crv.core.grammar import ExchangeKind, RepresentationEdgeKind
from crv.core.schema import ExchangeRow, IdentityEdgeRow
from crv.io import Dataset, IoSettings

PYDANTIC_SAMPLE = 20_000
# By edge kind, the ids that must be given: the matrix of docs/tables.md.
NEEDS = {
    "self_to_object": ["subject_id", "token_id"],
    "self_to_agent": ["subject_id", "object_id"],
    "agent_to_positive_valence": ["subject_id"],
    "agent_to_negative_valence": ["subject_id"],
    "agent_to_object": ["subject_id", "token_id"],
    "agent_to_agent": ["subject_id", "object_id"],
    "agent_pair_to_object": ["subject_id", "related_agent_id", "token_id"],
    "object_to_positive_valence": ["token_id"],
    "object_to_negative_valence": ["token_id"],
    "object_to_object": ["subject_id", "object_id"],
}


def picked(values: list[str], every: int) -> pl.Expr:
    """One of the values for each row, in turn, each for `every` rows."""
    index = (pl.col("i") // every) % len(values)
    return index.replace_strict(list(range(len(values))), values, return_dtype=pl.String)


def edges(rows: int) -> pl.DataFrame:
    kinds = [kind.value for kind in RepresentationEdgeKind]
    agents = [f"agent_{n}" for n in range(500)]
    return pl.select(i=pl.int_range(rows)).select(
        tick=pl.col("i") // (rows // 50),
        observer_agent_id=picked(agents, 1),
        edge_kind=picked(kinds, 7),
        subject_id=picked(agents, 3),
        object_id=picked(agents, 5),
        related_agent_id=picked(agents, 11),
        token_id=picked(["grain", "salt", "cloth"], 2),
        edge_weight=(pl.col("i") % 1000) / 1000,
        edge_sign=pl.lit(1, pl.Int64),
    )


def trades(rows: int) -> pl.DataFrame:
    agents = [f"agent_{n}" for n in range(500)]
    return pl.select(i=pl.int_range(rows)).select(
        tick=pl.col("i") // (rows // 50),
        venue_id=picked(["square", "port"], 1),
        token_id=picked(["grain", "salt", "cloth"], 2),
        exchange_event_type=picked([kind.value for kind in ExchangeKind], 7),
        side=picked(["buy", "sell"], 1),
        quantity=(pl.col("i") % 100).cast(pl.Float64),
        price=(pl.col("i") % 997) / 10,
        actor_agent_id=picked(agents, 3),
        counterparty_agent_id=picked(agents, 5),
        baseline_value=pl.lit(9.5),
        additional_payload=pl.struct(left=pl.col("i") % 10),
    )


def filled(column: str) -> pl.Expr:
    return pl.col(column).is_not_null() & (pl.col(column) != "")


def finite(column: str) -> pl.Expr:
    return pl.col(column).is_null() | pl.col(column).is_finite()


def check_edges(df: pl.DataFrame) -> int:
    """Rows that break a rule of identity_edges."""
    kind = pl.col("edge_kind")
    needs = [
        (kind != name) | pl.all_horizontal([filled(column) for column in columns])
        for name, columns in NEEDS.items()
    ]
    good = [
        pl.col("tick") >= 0,
        filled("observer_agent_id"),
        kind.is_in([k.value for k in RepresentationEdgeKind]),
        finite("edge_weight"),
        *needs,
    ]
    return df.lazy().filter(~pl.all_horizontal(good)).select(pl.len()).collect().item()


def check_trades(df: pl.DataFrame) -> int:
    """Rows that break a rule of exchange; side is compared in lower case, as the model does."""
    good = [
        pl.col("tick") >= 0,
        filled("venue_id"),
        filled("token_id"),
        pl.col("exchange_event_type").is_in([k.value for k in ExchangeKind]),
        pl.col("side").is_null() | pl.col("side").str.to_lowercase().is_in(["buy", "sell"]),
        *[finite(column) for column in ("quantity", "price", "baseline_value")],
        pl.col("additional_payload").is_not_null(),
    ]
    return df.lazy().filter(~pl.all_horizontal(good)).select(pl.len()).collect().item()


def pydantic_seconds(model: type[BaseModel], df: pl.DataFrame) -> float:
    """For all rows, from a sample."""
    sample = df.head(PYDANTIC_SAMPLE).to_dicts()
    begun = time.perf_counter()
    for row in sample:
        model(**row)
    return (time.perf_counter() - begun) * df.height / len(sample)


def bench(
    root: pathlib.Path, table: str, df: pl.DataFrame, check: Callable[[pl.DataFrame], int], model: Any
) -> None:
    assert check(df) == 0
    settings = IoSettings(root_dir=str(root), durability="none")
    number = iter(range(1000))

    def append(rows: bool) -> None:
        run_id = f"run {next(number)}"
        with Dataset(settings, run_id) as run:
            run.append(table, df, validate_rows=rows)
        shutil.rmtree(root / "runs" / run_id)

    seconds = medians(
        {
            "append without checks": lambda: append(False),
            "append with validate_rows": lambda: append(True),
            "the checks alone, by hand in Polars": lambda: check(df),
        },
        rounds=3,
    )
    seconds["pydantic, row by row (from a sample)"] = pydantic_seconds(model, df)
    show(f"{df.height:,} rows of {table}", seconds, "append without checks")
    alone = seconds["append with validate_rows"] - seconds["append without checks"]
    polars = seconds["the checks alone, by hand in Polars"]
    print(f"  crv's checks add {1000 * alone:.0f} ms: x {alone / polars:.2f} of those by hand in Polars")


def main(folder: str = ".", rows: str = "10000000") -> None:
    root = pathlib.Path(tempfile.mkdtemp(dir=folder))
    try:
        bench(root, "identity_edges", edges(int(rows)), check_edges, IdentityEdgeRow)
        bench(root, "exchange", trades(int(rows)), check_trades, ExchangeRow)
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main(*sys.argv[1:])
