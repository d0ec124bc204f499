"""A run on disk: append to its tables, scan and read them, mend and check them."""

from __future__ import annotations

import atexit
import functools
import os
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import polars as pl

from crv.core.grammar import TableName
from crv.io import _arguments as arguments
from crv.io import _polars, _show
from crv.io._arguments import OnInvalid, Token, Where
from crv.io._calls import Call, Progress, warn
from crv.io._definitions import definition
from crv.io._frames import Frame, arrow_or_rows, was_interrupted
from crv.io._native import io as _io
from crv.io._table import Table
from crv.io.config import IoSettings, _flat
from crv.io.errors import BadArgumentError, BadRunIdError, ReadFailedError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from crv.io._manifest import TableManifest

__all__ = ["AppendSummary", "Dataset", "RunReport", "list_runs"]


class AppendSummary(dict[str, Any]):
    """What an append has written: table, run_id, parts, rows, buckets. A dict that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        rows = [
            (p["bucket_id"], f"{p['tick_min']}..{p['tick_max']}", p["rows"], _show.size(p["bytes"]), p["path"])
            for p in self["parts"]
        ]
        title = f"{self['table']} of run {self['run_id']}: {self['rows']} rows appended"
        return _show.table(title, ["bucket", "ticks", "rows", "size", "part"], rows)


class RunReport(dict[str, Any]):
    """What verify() or rebuild_manifest() has found. A dict that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        return _show.table("report", ["what", "found"], [(k, v) for k, v in self.items()])


class Dataset:
    """One run of <settings.root_dir>/runs.

    Making one does no I/O and no checks: those come with the first call. Every call may be made from several threads
    at once; several Datasets, processes and hosts may append to one run at once. Once append has returned, its rows
    survive a crash of the process and, with durability "commit", a power cut; an append is whole or absent over all
    its buckets and tables. Ctrl-C ends a long call with the run whole.

    After os.fork() a Dataset may be used in the child, too; Polars itself must not have run a query before the fork.
    """

    def __init__(self, settings: IoSettings, run_id: str) -> None:
        self.settings = settings
        self.run_id = run_id
        self._lock = threading.Lock()
        self._held: _io.Dataset | None = None
        self._wrote = False
        self._folder = _working_folder()  # what a relative root starts from, whatever os.chdir does later

    # ---- rows in ----

    def append(
        self,
        table: TableName | str,
        df: Frame,
        *,
        validate_schema: bool = True,
        validate_rows: bool = False,
        on_invalid: OnInvalid = "raise",
        create: bool = False,
        token: Token | None = None,
        complete_through: int | None = None,
        progress: Progress = False,
    ) -> AppendSummary:
        """Adds rows to a table as one commit; they are on disk for good once this returns.

        df: anything with __arrow_c_stream__ (Polars, pandas, pyarrow, DuckDB), a dict of columns, or a list of row
            models or dicts. A column `tick` is needed, `bucket` is computed. A frame without rows writes nothing.
        validate_schema: check for missing, unknown and null columns. Types are conformed always, without loss.
        validate_rows: also check the model rules and column rules of docs/tables.md, and lower the case of what the
            models lower. One error tells of every rule that the frame breaks: its .violations.
        on_invalid: "quarantine", with validate_rows: append the good rows and put the others into the run's table
            "quarantine", in the same commit; the summary then has a key "quarantined", their number.
        create: define what the frame has and the run has not, in the same commit: the table, unless it is a built-in
            one, and columns that its definition lacks. All of them may be null; their types are those of the rows,
            and widen with later ones (null to any type, integers to floats). The summary then has a key "defined".
        token: (writer, number), the name of this append: the same again is a no-op that returns the first summary.
            A writer's numbers only rise.
        complete_through: the caller's word that no row of a tick up to this one comes any more.
        progress: True shows a bar where tqdm is installed; or a callable(done, total), in parts written.

        Returns {"table", "run_id", "parts", "rows", "buckets"}; each part is {"bucket_id", "path", "rows", "bytes",
        "tick_min", "tick_max"}. Raises IoSchemaError for the frame (table, column, row and value are in .facts),
        IoConfigError for settings that do not fit the run, IoManifestError for a damaged run, IoWriteError for the
        disk, and whatever the generator of a RecordBatchReader raises: nothing is visible after any of these. After
        IoCommitUnknownError the append may stand: open the run again to see.
        """
        given = [(arguments.name(table), arrow_or_rows(df, arguments.name(table)))]
        return self._append(
            given, validate_schema, validate_rows, on_invalid, create, token, complete_through, progress
        )[0]

    def append_many(
        self,
        frames: Mapping[TableName | str, Frame],
        *,
        validate_schema: bool = True,
        validate_rows: bool = False,
        on_invalid: OnInvalid = "raise",
        create: bool = False,
        token: Token | None = None,
        complete_through: int | None = None,
        progress: Progress = False,
    ) -> dict[str, AppendSummary]:
        """As append, for several tables as one commit: all of it is visible, or none. Summaries by table name."""
        given = [(arguments.name(table), arrow_or_rows(df, arguments.name(table))) for table, df in frames.items()]
        names = [name for name, _ in given]
        for name in names:
            if names.count(name) > 1:
                raise BadArgumentError(f"table {name!r} stands twice", facts={"table": name})
        done = self._append(
            given, validate_schema, validate_rows, on_invalid, create, token, complete_through, progress
        )
        return {summary["table"]: summary for summary in done}

    def _append(
        self,
        frames: list[tuple[str, Any]],
        validate_schema: bool,
        validate_rows: bool,
        on_invalid: OnInvalid,
        create: bool,
        token: Token | None,
        complete_through: int | None,
        progress: Progress,
    ) -> list[AppendSummary]:
        with Call(self._open, progress, "part") as call:
            try:
                done = call.held.append(
                    frames,
                    validate_schema,
                    validate_rows,
                    on_invalid,
                    create,
                    arguments.token(token),
                    None if complete_through is None else arguments.integer(complete_through, "complete_through"),
                    call.progress,
                )
            except ReadFailedError as e:
                if was_interrupted(e):
                    raise KeyboardInterrupt from e
                raise
            self._wrote = True
        return [AppendSummary(summary) for summary in done]

    # ---- tables of your own ----

    def create_table(self, table: str, columns: object, *, doc: str = "") -> dict[str, Any]:
        """Defines a table of your own, durably: from then on every reader and writer of the run knows it.

        columns: a dict of names to types ({"tick": int, "id": str, "energy": float | None}), a pydantic model, a
            dataclass, a TypedDict, a pl.Schema or a pa.Schema. A column `tick`, an int, is needed. Types are those of
            Python, of Polars and pyarrow, or texts ("list[f64]"). A type that is not optional is required: such a
            column must be given, without nulls. Constraints of pydantic and annotated_types, Literal and Enum become
            rules, which append(validate_rows=True) checks.
        doc: what a row is.

        What the run has defined of the table stays, and what this has beyond it is added: columns that may be null,
        int to float, fields of structs, looser rules. Where that is nothing, nothing is written. Returns the
        definition as the run has it. Raises IoSchemaError, with nothing changed, for what cannot be defined and for a
        definition that does not meet the run's (code "definition_conflict").
        """
        wanted = definition(arguments.name(table), columns, doc)
        with Call(self._open) as call:
            defined = call.held.create_table(wanted)
            self._wrote = True
        return defined

    def definition(self, table: TableName | str) -> dict[str, Any] | None:
        """What the run knows a table to be: name, version, doc, and columns with their types and rules; None where
        there is none of that name."""
        with Call(self._open) as call:
            return call.held.definition(arguments.name(table))

    def table(self, table: TableName | str) -> Table:
        """The table as an object with append, scan, read and schema. It need not be there yet."""
        return Table(self, arguments.name(table))

    # ---- rows out ----

    def scan(
        self,
        table: TableName | str,
        where: Where | None = None,
        *,
        columns: Sequence[str] | None = None,
        checksums: bool = True,
    ) -> pl.LazyFrame:
        """A LazyFrame of the table as of now; appends that come later do not change it.

        where: {"tick_min": .., "tick_max": ..}, both ends included, either may be left out or None. No rows where the
            first is above the other.
        columns: only these, in this order.
        checksums: see that what is read of each part are the bytes that were written: Polars itself does not look.
            Parts up to 1 MiB are checked as a whole, once a Dataset, of others the pages of the columns asked for.

        A filter on tick or bucket that is put on the frame opens only the parts that can match, a filter on another
        column skips row groups by their statistics, and a select reads only its columns. The schema is known without
        opening a part. Rows come in order of (bucket, commit, row).

        Raises IoManifestError where the table is not in the run, IoArgumentError for a bad where or column;
        IoReadError when the frame is collected and a part is missing or damaged.
        """
        plan = functools.partial(_planned, self.__getstate__(), arguments.name(table), where, columns)
        scan = self._planned(table, where, columns)
        facts = {"run_id": self.run_id, "table": arguments.name(table)}
        return _polars.lazy_frame(scan, plan, scan.bucket_size, checksums, facts)

    def read(
        self,
        table: TableName | str,
        where: Where | None = None,
        limit: int | None = None,
        *,
        columns: Sequence[str] | None = None,
        checksums: bool = True,
    ) -> pl.DataFrame:
        """scan(), collected; of its first `limit` rows, where that is given."""
        rows = _io.parse_limit(arguments.limit(limit))
        frame = self.scan(table, where, columns=columns, checksums=checksums)
        # head() takes no number beyond Polars' index type, and no frame has more rows than that.
        return (frame if rows is None or rows > arguments.most_rows() else frame.head(rows)).collect()

    def scan_arrow(
        self,
        table: TableName | str,
        where: Where | None = None,
        *,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> pa.RecordBatchReader:
        """scan() as an Arrow stream, read by crv itself: batches in order, with bounded memory.

        The reader checks more than Polars does: the checksum of every page, and that a part is of this table and run.
        """
        import pyarrow as pa

        scan = self._planned(table, where, columns, limit)
        return pa.RecordBatchReader.from_batches(pa.schema(scan), _batches(scan))

    def relation(
        self,
        table: TableName | str,
        where: Where | None = None,
        *,
        columns: Sequence[str] | None = None,
        connection: duckdb.DuckDBPyConnection | None = None,
    ) -> duckdb.DuckDBPyRelation:
        """The table as of now as a DuckDB relation, where duckdb is installed. It may be used as often as one likes.

        DuckDB reads only the columns that a query needs, and opens only the parts that can match what it says of tick
        and bucket. A part that is missing or damaged is an error of DuckDB that names it.
        """
        import duckdb

        from crv.io._arrow import ScanDataset

        return (connection or duckdb).from_arrow(ScanDataset(self._planned(table, where, columns)))

    def explain(
        self,
        table: TableName | str,
        where: Where | None = None,
        *,
        filter: pl.Expr | None = None,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> str:
        """Which parts a scan would read and skip, and why, as text.

        limit: the first rows, as of read(); filter: what would be put on the frame of those.
        """
        scan = self._planned(table, where, columns, limit)
        return (scan if filter is None else _polars.prune(scan, filter, scan.bucket_size)).explain()

    def _planned(
        self,
        table: TableName | str,
        where: Where | None,
        columns: Sequence[str] | None,
        limit: int | None = None,
    ) -> _io.Scan:
        with Call(self._open) as call:
            return call.held.scan(
                arguments.name(table), arguments.where(where), arguments.columns(columns), arguments.limit(limit)
            )

    # ---- the run ----

    def manifest(self, table: TableName | str) -> TableManifest | None:
        """The table's parts as of now; None where the run has no such table."""
        with Call(self._open) as call:
            plain = call.held.manifest(arguments.name(table))
        return None if plain is None else _manifest(plain)

    def rebuild_manifest(self, table: TableName | str, *, progress: Progress = False) -> TableManifest:
        """Makes the table's manifest anew and writes it.

        From the log, beside any number of writers. Where the log is damaged or lost, the whole run is put together
        again from what is left of it, and whoever has it open gets IoRunReplaced. Of a table that the run does not
        hold, an empty manifest; nothing is written. rebuild() tells what was found on the way.
        """
        return self._rebuilt(table, progress)[0]

    def rebuild(self, table: TableName | str, *, progress: Progress = False) -> RunReport:
        """As rebuild_manifest; returns what was found: parts taken in, left out, damaged and foreign."""
        return RunReport(self._rebuilt(table, progress)[1])

    def _rebuilt(self, table: TableName | str, progress: Progress) -> tuple[TableManifest, dict[str, Any]]:
        with Call(self._open, progress, "part") as call:
            plain, report = call.held.rebuild_manifest(arguments.name(table), call.progress)
        return _manifest(plain), report

    def verify(self, full: bool = True, *, progress: Progress = False) -> RunReport:
        """Reads everything (full: every byte of every part) and says what is wrong, in "findings". Changes nothing."""
        with Call(self._open, progress, "part") as call:
            return RunReport(call.held.verify(full, call.progress))

    def tables(self) -> list[dict[str, Any]]:
        """The run's tables by name: table, rows, bytes, parts, tick_min, tick_max, buckets."""
        with Call(self._open) as call:
            return call.held.tables()

    def schema(self, table: TableName | str) -> dict[str, Any]:
        """Types of all columns and paths that the run has seen in a table, as in docs/format.md; {} before the first
        append to it. IoSchemaError, a ValueError, where there is no table of that name."""
        with Call(self._open) as call:
            return call.held.columns(arguments.name(table))

    def log(self, after: int = 0) -> list[dict[str, Any]]:
        """The run's commits with a number above `after`."""
        number = arguments.integer(after, "after")
        with Call(self._open) as call:
            return call.held.log(number)

    def write_bundle(self, meta: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Writes bundle.manifest.json and returns it. meta: JSON of the caller's own; else TypeError, or
        BadArgumentError where it holds itself or is nested too deeply."""
        from crv.io._git import state_of_working_directory

        plain = arguments.meta(meta)
        with Call(self._open) as call:
            return call.held.write_bundle(plain, arguments.environment(), *state_of_working_directory())

    def refresh_manifests(self) -> None:
        """Writes every table's manifest.json now, for readers that know nothing but it."""
        with Call(self._open) as call:
            call.held.refresh_manifests()

    def close(self) -> None:
        """Ends background work and refreshes small manifests. The Dataset may be used again afterwards."""
        with self._lock:
            held, self._held = self._held, None
        if held is not None:
            held.close()
            warn(held)

    def __enter__(self) -> Dataset:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {"settings": self.settings, "run_id": self.run_id, "folder": self._folder}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["settings"], state["run_id"])  # type: ignore[misc]
        self._folder = state["folder"]

    def __repr__(self) -> str:
        return f"Dataset({os.fspath(self.settings.root_dir)!r}, run_id={self.run_id!r})"

    def _repr_html_(self) -> str:
        rows = [
            (
                t["table"],
                t["rows"],
                _show.size(t["bytes"]),
                t["parts"],
                "" if t["tick_min"] is None else f"{t['tick_min']}..{t['tick_max']}",
            )
            for t in self.tables()
        ]
        return _show.table(f"run {self.run_id}", ["table", "rows", "size", "parts", "ticks"], rows)

    # ---- for crv.io.manifest and crv.io.run_manifest ----

    def _write_manifest(self, manifest: TableManifest) -> None:
        from crv.io._manifest import to_plain

        with Call(self._open) as call:
            call.held.write_manifest(to_plain(manifest))
            self._wrote = True

    def _look_for_parts(self, table: TableName | str) -> TableManifest:
        with Call(self._open) as call:
            return _manifest(call.held.look_for_parts(arguments.name(table)))

    def _artifacts(self) -> dict[str, Any]:
        with Call(self._open) as call:
            return call.held.artifacts()

    def _open(self) -> _io.Dataset:
        with self._lock:
            if self._held is None:
                if not isinstance(self.run_id, str):
                    raise BadRunIdError(f"a run id is text, not {self.run_id!r}", facts={"value": repr(self.run_id)})
                self._held = _io.Dataset(_flat(self.settings), self.run_id, self._folder)
                _open_datasets.add(self)
            return self._held

    def _begin_anew(self) -> None:
        """In a forked child: the parent's threads are not here to be waited for, its locks may be held for ever."""
        self._lock = threading.Lock()
        self._wrote = False
        held, self._held = self._held, None
        if held is not None:
            held.abandon()


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


def _manifest(plain: dict[str, Any]) -> TableManifest:
    from crv.io._manifest import from_plain

    return from_plain(plain)


def _planned(
    state: dict[str, Any], table: str, where: Where | None, columns: Sequence[str] | None
) -> _io.Scan:
    dataset = Dataset.__new__(Dataset)
    dataset.__setstate__(state)
    with dataset:
        return dataset._planned(table, where, columns)


def _batches(scan: _io.Scan) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    reader = scan.reader()
    while (batch := reader.next()) is not None:
        yield pa.record_batch(batch)


def list_runs(settings: IoSettings) -> list[str]:
    """Names of the runs below settings.root_dir, sorted."""
    return _io.list_runs(_flat(settings))


_open_datasets: weakref.WeakSet[Dataset] = weakref.WeakSet()


@atexit.register
def _refresh_at_exit() -> None:
    """Leaves fresh manifests to readers that know nothing but them, as far as this process has written."""
    for dataset in list(_open_datasets):
        if dataset._held is None:
            continue
        try:
            if dataset._wrote:
                dataset._held.refresh_manifests()
            dataset.close()
        except Exception as e:  # the rows are safe, and the interpreter is about to end
            print(f"crv: run {dataset.run_id}: a manifest could not be refreshed: {e}", file=sys.stderr)


def _begin_anew_in_child() -> None:
    """A child neither waits for what its parent has begun nor writes it once more."""
    for dataset in list(_open_datasets):
        dataset._begin_anew()


os.register_at_fork(after_in_child=_begin_anew_in_child)
