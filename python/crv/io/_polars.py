"""A scan as a Polars LazyFrame: the core decides which parts to read, Polars reads them.

Polars hands a source its filter, columns and number of rows; the first rows are taken before the filter. Of the filter,
what speaks of ticks alone decides which parts are opened at all; the whole of it goes on to Polars' Parquet reader, which
prunes row groups by their statistics. Parts that Polars cannot read as the table's types (those of lists whose elements
nobody knew, and of types that only older writers took) are read by the core instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
import polars.selectors as cs
from polars.io.plugins import register_io_source

from crv.io._native import io as _io
from crv.io.errors import IoReadError, ReadFailedError

__all__ = ["lazy_frame", "prune"]

# Ticks that a filter is tried on at the most, to see which of them it lets through. Beyond it no part is skipped.
_MOST_TICKS = 4_000_000

# Parts of one table may differ in the ways of docs/format.md: they are read as the union of their types.
_CAST_OPTIONS = pl.ScanCastOptions(
    integer_cast=["upcast", "allow-float"],
    float_cast="upcast",
    missing_struct_fields="insert",
    extra_struct_fields="ignore",
)


class _Source:
    """The parts of one snapshot. A pickled one is planned anew where it is unpickled, as of then."""

    def __init__(
        self, scan: _io.Scan, plan: Callable[[], _io.Scan], bucket_size: int, checksums: bool, facts: dict[str, str]
    ) -> None:
        self._scan: _io.Scan | None = scan.for_polars()
        self.schema = pl.Schema(self._scan)
        self._plan = plan
        self._facts = facts
        self._checksums = checksums
        self._bucket_size = bucket_size

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_scan": None}

    def scan(self) -> _io.Scan:
        if self._scan is None:
            scan = self._plan().for_polars()
            self._check_schema(pl.Schema(scan))
            self._scan = scan
        return self._scan

    def _check_schema(self, now: pl.Schema) -> None:
        """Polars was told the schema when the frame was made, and has planned the query with it."""
        for name in [*self.schema, *now]:
            then, there = self.schema.get(name, "no such column"), now.get(name, "no such column")
            if then != there:
                raise IoReadError(
                    f'table "{self._facts["table"]}" of run {self._facts["run_id"]}, column "{name}": {then} when this '
                    f"frame was pickled, {there} now; scan it anew",
                    code="schema_changed",
                    facts={**self._facts, "column": name, "value": str(there)},
                )

    def __call__(
        self, columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        scan = self.scan()
        if n_rows is not None:  # comes before the filter
            scan = scan.head(n_rows)
        if predicate is not None:
            scan = prune(scan, predicate, self._bucket_size)
        if columns is not None:
            needed = [*columns, *(predicate.meta.root_names() if predicate is not None else [])]
            scan = scan.select(list(dict.fromkeys(needed)))
        scan.check_parts(self._checksums)
        if scan.readable_by_others():
            yield from _read_by_polars(scan, self.schema, columns, predicate, n_rows, batch_size)
        else:
            yield from _read_by_core(scan, columns, predicate)


def _read_by_polars(
    scan: _io.Scan,
    schema: pl.Schema,
    columns: list[str] | None,
    predicate: pl.Expr | None,
    n_rows: int | None,
    batch_size: int | None,
) -> Iterator[pl.DataFrame]:
    paths = scan.files()
    if not paths:
        yield pl.DataFrame(schema=schema if columns is None else {c: schema[c] for c in columns})
        return
    frame = pl.scan_parquet(
        paths,
        schema={**schema, "tick": pl.Int64},  # the range needs it, asked for or not
        glob=False,
        hive_partitioning=False,
        missing_columns="insert",
        extra_columns="ignore",
        cast_options=_CAST_OPTIONS,
    )
    if (in_range := _range_filter(scan)) is not None:
        frame = frame.filter(in_range)
    if n_rows is not None:
        frame = frame.head(n_rows)
    if predicate is not None:
        frame = frame.filter(predicate)
    frame = frame.select(cs.by_name(schema.names() if columns is None else columns))
    try:
        yield from frame.collect_batches(chunk_size=batch_size, maintain_order=True)
    except (OSError, pl.exceptions.PolarsError) as e:
        _blame(scan)
        if isinstance(e, OSError):
            raise ReadFailedError(f"a part could not be read: {e}", facts={"errno": e.errno or 0}) from e
        raise  # no part is to blame: the filter is


def _read_by_core(
    scan: _io.Scan, columns: list[str] | None, predicate: pl.Expr | None
) -> Iterator[pl.DataFrame]:
    reader = scan.reader()  # ends with the scan's limit
    frame = pl.DataFrame(schema=pl.Schema(scan))
    while True:
        if predicate is not None:
            frame = frame.filter(predicate)
        if columns is not None:
            frame = frame.select(cs.by_name(columns))
        yield frame
        if (batch := reader.next()) is None:
            return
        frame = pl.DataFrame(batch)


def _blame(scan: _io.Scan) -> None:
    """Reads the parts once more, by the core: where one is damaged, its error names the part."""
    reader = scan.reader()
    while reader.next() is not None:
        pass


def _range_filter(scan: _io.Scan) -> pl.Expr | None:
    tick = pl.col("tick")
    if scan.tick_min is None:
        return None if scan.tick_max is None else tick <= scan.tick_max
    return tick >= scan.tick_min if scan.tick_max is None else tick.is_between(scan.tick_min, scan.tick_max)


def lazy_frame(
    scan: _io.Scan, plan: Callable[[], _io.Scan], bucket_size: int, checksums: bool, facts: dict[str, str]
) -> pl.LazyFrame:
    """`plan` makes the scan again, where the frame is unpickled. facts: its table and run_id."""
    source = _Source(scan, plan, bucket_size, checksums, facts)
    label = f"{facts['table']} of {facts['run_id']}"
    # A schema, not a callable that gives one: for a callable Polars imports pyarrow, and an exception out of it, such
    # as KeyboardInterrupt, becomes a ComputeError.
    return register_io_source(source, schema=source.schema, is_pure=True, explain_name=label)


def prune(scan: _io.Scan, predicate: pl.Expr, bucket_size: int) -> _io.Scan:
    """The scan over the parts that can hold a row which `predicate` lets through, as far as ticks tell."""
    ranges = _tick_ranges(predicate, scan.ticks(), bucket_size)
    return scan if ranges is None else scan.prune(ranges)


def _tick_ranges(
    predicate: pl.Expr, ticks: list[tuple[int, int]], bucket_size: int
) -> list[tuple[int, int]] | None:
    """The ticks among `ticks` that a filter lets through, as ranges; None where it says nothing of them.

    The filter itself is asked, tick by tick, whatever it is made of.
    """
    about_ticks = [c for c in _conjuncts(predicate) if 0 < len(set(c.meta.root_names()) | _KEYS) == len(_KEYS)]
    about_ticks = [c for c in about_ticks if c.meta.root_names()]
    if not about_ticks or sum(last - first + 1 for first, last in ticks) > _MOST_TICKS:
        return None
    domain = pl.concat(
        [pl.Series("tick", [], pl.Int64)]
        + [(first + pl.int_range(last - first + 1, dtype=pl.Int64, eager=True)).alias("tick") for first, last in ticks]
    ).to_frame()
    domain = domain.with_columns(bucket=pl.col("tick") // bucket_size)
    try:
        passed = domain.filter(pl.all_horizontal(about_ticks))["tick"]
    except pl.exceptions.PolarsError:
        return None  # it will say why where it is applied to the rows
    if passed.is_empty():
        return []
    begins = (passed.diff() != 1).fill_null(True)
    ends = begins.shift(-1, fill_value=True)
    return list(zip(passed.filter(begins).to_list(), passed.filter(ends).to_list(), strict=True))


_KEYS = {"tick", "bucket"}


def _conjuncts(predicate: pl.Expr) -> list[pl.Expr]:
    """The filters that must all hold for `predicate` to hold."""
    inputs = predicate.meta.pop()
    if len(inputs) == 2:
        right, left = inputs
        if (left & right).meta.eq(predicate):
            return _conjuncts(left) + _conjuncts(right)
    return [predicate]
