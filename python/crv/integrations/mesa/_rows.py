"""Tables whose rows come one by one: the model's, a row a call, and those of add_table_row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, overload

import polars as pl
import pyarrow as pa

from crv.integrations.mesa._columns import array_of, column_names, held_value
from crv.integrations.mesa._recorder import Part, Recorder

__all__ = ["Rows", "Values"]

_KEPT = 256  # rows that stay in memory although the run has them: models look at their last values


class Rows:
    """The rows of one table, in the order in which they came. Mesa fills them column by column."""

    def __init__(self, recorder: Recorder, table: str, names: Iterable[str], number: str | None = None) -> None:
        """number: a column for the number of each row, from 0."""
        self.table = table
        self.rows_written = 0
        self._recorder = recorder
        self._number = number
        self._word = "reporter" if number else "column"
        self._held: dict[str, list[Any]] = {}  # by reporter; from row _first on
        self._ticks: list[int | None] = []  # of the same rows; None before the model is known
        self._first = 0
        self._cache: pl.DataFrame | None = None  # of what was read, until a row comes
        self._columns: dict[str, str] = {}
        for name in names:
            self.add_column(name)

    def add_column(self, name: str) -> Values:
        taken = ["tick", "bucket", *([self._number] if self._number else []), *self._columns.values()]
        if name not in self._columns:
            self._columns |= column_names([name], taken)
            self._held[name] = [None] * len(self._ticks)
        return Values(self, name)

    # ---- rows in ----

    def complete(self, tick: int | None, *, check: bool = True) -> None:
        """What was appended to the columns since the last time are rows of this tick."""
        rows = min(map(len, self._held.values()), default=len(self._ticks) + 1)
        for name, values in self._held.items():
            del values[rows:]
            if check:
                for row in range(len(self._ticks), rows):
                    values[row] = self.held(name, values[row])
        self._ticks += [tick] * (rows - len(self._ticks))
        self._cache = None

    def held(self, name: str, value: object) -> Any:
        return held_value(self.table, name, value, self._word)

    def date(self, tick: int) -> None:
        """The rows that came before the model was known are of this tick."""
        self._ticks = [tick if known is None else known for known in self._ticks]

    def mark(self) -> Callable[[], None]:
        complete = len(self._ticks)

        def undo() -> None:
            del self._ticks[complete:]
            for values in self._held.values():
                del values[complete:]

        return undo

    def part(self, through: int | None) -> Part | None:
        if self._held and min(map(len, self._held.values())) > len(self._ticks):  # appended past add_table_row
            self.complete(self._recorder.step)
        begin = self.rows_written - self._first
        ticks = [tick or 0 for tick in self._ticks[begin:]]
        if through is not None:
            ticks = ticks[: next((i for i, tick in enumerate(ticks) if tick > through), len(ticks))]
        if not ticks:
            return None
        end = begin + len(ticks)
        arrays = {"tick": pa.array(ticks, pa.int64())}
        if self._number:
            arrays[self._number] = pa.array(range(self._first + begin, self._first + end), pa.int64())
        for name, column in self._columns.items():
            arrays[column] = array_of(self.table, name, self._held[name][begin:end], self._word)
        return Part(pa.table(arrays), lambda: self._wrote(self._first + end))

    def _wrote(self, rows: int) -> None:
        self.rows_written = rows
        self._cache = None
        surplus = rows - self._first - _KEPT
        if surplus > 0:
            self._first += surplus
            del self._ticks[:surplus]
            for values in self._held.values():
                del values[:surplus]

    # ---- rows out ----

    def ticks(self) -> list[int]:
        """Of all rows."""
        recorded = self._recorded()["tick"].to_list()
        return recorded + [tick or 0 for tick in self._ticks[self.rows_written - self._first :]]

    def values(self, name: str) -> list[Any]:
        recorded = self._recorded()[self._columns[name]].to_list()
        return recorded + self._held[name][self.rows_written - self._first :]

    def value(self, name: str, row: int) -> Any:
        if row >= self._first:
            return self._held[name][row - self._first]
        return self._recorded()[self._columns[name]].to_list()[row]

    def count(self, name: str) -> int:
        return self._first + len(self._held[name])

    def _recorded(self) -> pl.DataFrame:
        self._recorder.flush()
        if self._cache is None:
            number = [self._number] if self._number else []
            frame = self._recorder.read(self.table, ["tick", *number, *self._columns.values()])
            self._cache = frame.sort(self._number) if self._number else frame
        return self._cache


class Values(Sequence[Any]):
    """One column, as the list that Mesa keeps of it: what is not in memory is read from the run."""

    def __init__(self, rows: Rows, name: str) -> None:
        self._rows = rows
        self._name = name

    def append(self, value: Any) -> None:
        self._rows._held[self._name].append(value)

    def __len__(self) -> int:
        return self._rows.count(self._name)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return list(self)[index]
        row = range(len(self))[index]  # IndexError, and numbers from the end, as of a list
        return self._rows.value(self._name, row)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows.values(self._name))

    def __eq__(self, other: object) -> bool:
        return list(self) == (list(other) if isinstance(other, Values) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))
