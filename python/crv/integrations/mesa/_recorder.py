"""What a collector has taken and not yet recorded, and the run that it goes to."""

from __future__ import annotations

import atexit
import os
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import polars as pl
import pyarrow as pa

from crv.io import Dataset
from crv.io.errors import BadArgumentError, IoCommitUnknownError

__all__ = ["Part", "Recorder", "Store", "follow", "record_left_behind"]


class Part(NamedTuple):
    """Rows of one table for a commit, and what is to be done once it stands."""

    rows: pa.Table
    done: Callable[[], None]


class Store(Protocol):
    """One table of the collector."""

    table: str
    rows_written: int

    def part(self, through: int | None) -> Part | None:
        """Rows that the run has not, of ticks up to `through`; None where there are none."""
        ...

    def mark(self) -> Callable[[], None]:
        """What brings the store back to what it is now."""
        ...


class Recorder:
    """Knows neither the collector nor the model, so that it can outlive both.

    A collector that nobody holds any more leaves its recorder behind; what that still holds is recorded with the next
    step of any collector, or at the end of the program. Not at once: the garbage collector must not wait for a disk.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.stores: list[Store] = []
        self.step: int | None = None  # of the collect before
        self.collecting = False
        self._unknown: IoCommitUnknownError | None = None
        self.adopt()

    def adopt(self) -> None:
        """For a new recorder, and one that was copied or unpickled."""
        self._checked = False
        self._process = os.getpid()
        _recorders.add(self)

    def add(self, store: Store) -> None:
        for other in self.stores:
            if other.table == store.table:
                raise BadArgumentError(
                    f"two tables of this collector would be {store.table!r} in the run", facts={"table": store.table}
                )
        self.stores.append(store)

    # ---- into the run ----

    @contextmanager
    def call(self) -> Iterator[None]:
        """One call of the collector: whole, or as if it had not been. What reads meanwhile records nothing."""
        self._process = os.getpid()
        back = [store.mark() for store in self.stores]
        outer, self.collecting = self.collecting, True
        try:
            yield
        except BaseException:
            for undo in back:
                undo()
            raise
        finally:
            self.collecting = outer

    def flush(self, through: int | None = None) -> None:
        """Records what the run has not, as one commit."""
        if self.collecting:
            return
        if self._unknown is not None:  # the rows may stand: to append them again might double them
            raise self._unknown
        parts = {store.table: part for store in self.stores if (part := store.part(through)) is not None}
        if not parts:
            return
        self._check_run()
        try:
            self.dataset.append_many({table: part.rows for table, part in parts.items()}, create=True)
        except IoCommitUnknownError as error:
            self._unknown = error
            raise
        for part in parts.values():
            part.done()

    def _check_run(self) -> None:
        """Before the first commit: what the tables hold must be what this collector, or its original, has written."""
        if self._checked:
            return
        held = {table["table"]: table["rows"] for table in self.dataset.tables()}
        for store in self.stores:
            rows = held.get(store.table, 0)
            if rows != store.rows_written:
                raise BadArgumentError(
                    f"table {store.table!r} of run {self.dataset.run_id!r} has {rows} rows, of which this collector wrote "
                    f"{store.rows_written}: record into another run, or give a prefix",
                    facts={"run_id": self.dataset.run_id, "table": store.table},
                )
        self._checked = True

    # ---- out of the run ----

    def read(self, table: str, columns: Iterable[str], where: Mapping[str, int] | None = None) -> pl.DataFrame:
        """These columns in the order of the commits; nulls, and no rows, of what the run has not."""
        wanted = list(columns)
        definition = self.dataset.definition(table)
        if definition is None:
            return pl.DataFrame(schema=dict.fromkeys(wanted, pl.Null))
        known = {column["name"] for column in definition["columns"]}
        there = [column for column in wanted if column in known]
        frame = self.dataset.read(table, where, columns=there or ["tick"])
        return frame.with_columns(pl.lit(None).alias(column) for column in wanted if column not in known).select(wanted)

    # ---- without a collector ----

    def flush_if_forgotten(self) -> None:
        """Neither in a forked child, whose parent does it, nor where it is not known whether the rows stand."""
        if self._process != os.getpid() or self._unknown is not None:
            return
        self._checked = False  # the run may have been removed
        try:
            self.flush()
        except Exception as error:  # there is nobody to catch it
            print(f"crv: run {self.dataset.run_id}: the last step of a collector is not recorded: {error}", file=sys.stderr)


_recorders: weakref.WeakSet[Recorder] = weakref.WeakSet()
_left_behind: list[Recorder] = []


def follow(owner: object, recorder: Recorder) -> None:
    """From now on the recorder outlives its owner."""
    weakref.finalize(owner, _left_behind.append, recorder).atexit = False


def record_left_behind() -> None:
    while _left_behind:
        _left_behind.pop().flush_if_forgotten()


@atexit.register  # after that of crv.io.dataset was registered, so before it runs
def _record_at_exit() -> None:
    record_left_behind()
    for recorder in list(_recorders):
        recorder.flush_if_forgotten()
