"""Tables of agents: for each step a row an agent. Mesa keeps them as a dict of steps, and models write into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import pyarrow as pa

from crv.integrations.mesa._columns import array_of, column_names
from crv.integrations.mesa._recorder import Part, Recorder
from crv.io.errors import BadArgumentError

__all__ = ["Agents", "AgentTypes"]

Record = list[tuple[Any, ...]]  # of one step: (step, agent's id, values)

_MOST_STEPS, _MOST_ROWS = 256, 200_000  # that are read at once


@dataclass(frozen=True)
class _Held:
    """The record of one step, which the model may replace and change: its rows, though, are tuples.

    taken, frozen: its rows as they were collected, and what was in them then: agents may go on to change their lists.
    written: the rows that the run has of this step.
    """

    record: Record
    taken: Record | None = None
    frozen: pa.Table | None = None
    written: Record | None = None

    def is_written(self) -> bool:
        return self.written is not None and _same(self.record, self.written)


def _same(some: Record, others: Record) -> bool:
    return len(some) == len(others) and all(a is b for a, b in zip(some, others))


class Agents(MutableMapping[int, Record]):
    """The agents of each step: those of the last collect in memory, all others in the run.

    A step that changes after it was recorded is recorded anew, with a higher `revision`: a column that the table has
    only where that has happened. One without agents is then a row whose agent_id is null.
    """

    def __init__(self, recorder: Recorder, table: str, steps: Callable[[], Iterable[int]]) -> None:
        self.table = table
        self.rows_written = 0
        self._recorder = recorder
        self._steps = steps
        self._names: list[str] = []
        self._held: dict[int, _Held] = {}
        self._last = -1  # the highest step that the run has
        self._block: dict[int, Record] = {}  # steps that were read
        self._block_end = -1
        self._ahead = 1

    def add_column(self, name: str) -> None:
        if name not in self._names:
            self._names.append(name)

    @property
    def _columns(self) -> dict[str, str]:
        return column_names(self._names, ("tick", "bucket", "agent_id", "revision"))

    # ---- rows in ----

    def __setitem__(self, step: int, record: Iterable[tuple[Any, ...]]) -> None:
        rows = record if isinstance(record, list) else list(record)
        self._held[step] = replace(self._held[step], record=rows) if step in self._held else _Held(rows)

    def __delitem__(self, step: int) -> None:
        self[step] = []

    def freeze(self, step: int) -> None:
        """The record of this step has just been collected."""
        held = self._held.get(step)
        if held is not None:
            self._held[step] = replace(held, taken=list(held.record), frozen=self._rows(held.record))

    def forget(self, step: int) -> None:
        """What is of other steps, and recorded, leaves the memory."""
        self._held = {s: held for s, held in self._held.items() if s == step or not held.is_written()}
        self._block, self._block_end = {}, -1

    def mark(self) -> Callable[[], None]:
        held = dict(self._held)

        def undo() -> None:
            self._held = held

        return undo

    def part(self, through: int | None) -> Part | None:
        due = {
            step: held
            for step, held in self._held.items()
            if not held.is_written() and (through is None or step <= through)
        }
        tables = [table for step, held in due.items() if (table := self._table(step, held)).num_rows]
        written = {step: replace(held, written=list(held.record)) for step, held in due.items()}
        rows = pa.concat_tables(tables, promote_options="permissive") if tables else None

        def done() -> None:
            self._held |= written
            self._last = max(self._last, *due)
            self._block, self._block_end = {}, -1
            self.rows_written += rows.num_rows if rows is not None else 0

        if rows is None:
            if due:
                done()
            return None
        return Part(rows, done)

    def _table(self, step: int, held: _Held) -> pa.Table:
        rows = self._frozen_rows(held)
        if rows is None:
            rows = self._rows(held.record)
        ids, *values = rows.columns
        names = list(self._columns.values())
        revision = self._revision(step, held)
        if revision is not None and not rows.num_rows:
            ids, values, names = pa.nulls(1), [], []
        count = len(ids)
        arrays = [pa.array([step] * count, pa.int64()), ids, *values]
        if revision is not None:
            arrays.append(pa.array([revision] * count, pa.int64()))
            names = [*names, "revision"]
        return pa.table(arrays, ["tick", "agent_id", *names])

    def _frozen_rows(self, held: _Held) -> pa.Table | None:
        """The record out of what was frozen, where all of its rows are among those."""
        if held.taken is None or held.frozen is None:
            return None
        if _same(held.record, held.taken):
            return held.frozen
        places = {id(row): place for place, row in enumerate(held.taken)}
        wanted = [places.get(id(row), -1) for row in held.record]
        return None if -1 in wanted else held.frozen.take(pa.array(wanted, pa.int64()))

    def _rows(self, record: Record) -> pa.Table:
        names = ["agent_id", *self._names]
        if any(len(row) != len(names) + 1 for row in record):
            raise BadArgumentError(
                f"a row of table {self.table!r} is (step, agent_id, {', '.join(map(str, self._names))})",
                facts={"table": self.table},
            )
        values = list(zip(*record))[1:] or [()] * len(names)
        arrays = [array_of(self.table, name, column) for name, column in zip(names, values)]
        return pa.table(arrays, [str(i) for i in range(len(names))])

    def _revision(self, step: int, held: _Held) -> int | None:
        """None for a step of which the run has nothing."""
        if held.written is None and step > self._last:
            return None
        there = self._recorder.read(self.table, ["revision"], {"tick_min": step, "tick_max": step})
        return max(revision or 0 for revision in there["revision"].to_list()) + 1 if there.height else None

    # ---- rows out ----

    def holds(self, step: int) -> bool:
        return step in self._held

    def __getitem__(self, step: int) -> Record:
        if step in self._held:
            return self._held[step].record
        if step not in self._block:
            self._recorder.flush()
            self._load(step)
        record = self._block.get(step)
        if record is None and step not in set(self):
            raise KeyError(step)
        return record or []

    def __iter__(self) -> Iterator[int]:
        return iter(dict.fromkeys([*self._steps(), *self._held]) if self._names else ())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _load(self, step: int) -> None:
        """Reads a step, and more behind it the longer it goes on in this direction."""
        small = sum(map(len, self._block.values())) <= _MOST_ROWS
        self._ahead = min(2 * self._ahead, _MOST_STEPS) if small and step == self._block_end + 1 else 1
        self._block_end = step + self._ahead - 1
        self._block = {}
        for row in self._read(step, self._block_end):
            self._block.setdefault(row[0], []).append(row)

    def _read(self, first: int, last: int) -> Record:
        columns = ["tick", "agent_id", "revision", *self._columns.values()]
        frame = self._recorder.read(self.table, columns, {"tick_min": first, "tick_max": last})
        revision = pl.col("revision").cast(pl.Int64).fill_null(0)
        frame = frame.filter(revision == revision.max().over("tick")).filter(pl.col("agent_id").is_not_null())
        return frame.drop("revision").sort("tick", maintain_order=True).rows()


class AgentTypes(MutableMapping[int, "_Step"]):
    """Mesa's records of agent types: a step, and below it a type."""

    def __init__(self) -> None:
        self.by_type: dict[type, Agents] = {}

    def __getitem__(self, step: int) -> _Step:
        if not any(agents.holds(step) for agents in self.by_type.values()) and step not in set(self):
            raise KeyError(step)
        return _Step(self.by_type, step)

    def __setitem__(self, step: int, records: Mapping[type, Iterable[tuple[Any, ...]]]) -> None:
        view = _Step(self.by_type, step)
        for agent_type in self.by_type:
            view[agent_type] = records.get(agent_type, [])

    def __delitem__(self, step: int) -> None:
        self[step] = {}

    def __iter__(self) -> Iterator[int]:
        return iter(dict.fromkeys(step for agents in self.by_type.values() for step in agents))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Step(MutableMapping[type, Record]):
    def __init__(self, by_type: dict[type, Agents], step: int) -> None:
        self._by_type = by_type
        self._step = step

    def __getitem__(self, agent_type: type) -> Record:
        return self._by_type[agent_type][self._step]

    def __setitem__(self, agent_type: type, record: Iterable[tuple[Any, ...]]) -> None:
        self._by_type[agent_type][self._step] = record

    def __delitem__(self, agent_type: type) -> None:
        self[agent_type] = []

    def __contains__(self, agent_type: object) -> bool:
        return any(agent_type is known for known in self._by_type)

    def __iter__(self) -> Iterator[type]:
        return iter(self._by_type)

    def __len__(self) -> int:
        return len(self._by_type)
