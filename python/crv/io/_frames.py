"""What append takes, brought to the two forms that the core takes: an Arrow stream, or a list of rows."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any, Protocol, TypeAlias, runtime_checkable

from crv.core.tables import list_tables
from crv.io._native import io as _io
from crv.io.errors import IoError, IoSchemaError, OutOfMemoryError, ReadFailedError

__all__ = ["ArrowStream", "Frame", "arrow_or_rows", "was_interrupted"]


@runtime_checkable
class ArrowStream(Protocol):
    """Anything of the Arrow PyCapsule interface: frames of Polars, pandas and pyarrow, relations of DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class RowModel(Protocol):
    """Any pydantic model, without pydantic: a program that has a model has imported it."""

    def model_dump(self) -> dict[str, Any]: ...


# Also a dict of columns (lists, arrays), and a list of row models or of dicts.
Frame: TypeAlias = ArrowStream | Mapping[str, Any] | Sequence[RowModel] | Sequence[Mapping[str, Any]]


def arrow_or_rows(data: Frame, table: str) -> ArrowStream | list[Mapping[str, Any]]:
    """TypeError for what is no frame; IoSchemaError for columns and values that Arrow has no type for."""
    if isinstance(data, Mapping):
        return _from_columns(data, table)
    if isinstance(data, ArrowStream) and not _is_column(data):
        return _from_frame(data, table)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return [_row(item, i, table) for i, item in enumerate(data)]
    hint = " (collect it first)" if hasattr(data, "collect") else ""
    raise TypeError(
        "a frame is a Polars, pandas, pyarrow or DuckDB table, a dict of columns, or a list of row models, "
        f"not {type(data).__name__}{hint}"
    )


def _is_column(data: Any) -> bool:
    """A Series of Polars or pandas, or a ChunkedArray, but of structs: no table, though it gives a stream, too."""
    if type(data).__name__ not in ("Series", "ChunkedArray") or hasattr(data, "columns"):
        return False
    return not str(getattr(data, "dtype", getattr(data, "type", ""))).lower().startswith("struct")


def _refuse_nul(fields: Iterable[tuple[str, Any]], table: str) -> None:
    """Arrow's C interface cuts a name at a NUL: the values would come under another name."""
    for name, dtype in fields:
        if "\0" in name:
            raise IoSchemaError(
                f'table "{table}", column {name!r}: the name holds a NUL, where engines end it; take another name',
                code="reserved_name",
                facts={"table": table, "column": name},
            )
        _refuse_nul(_fields_of(dtype), table)


def _fields_of(dtype: Any) -> list[tuple[str, Any]]:
    """What lies below a type of Polars or of pyarrow."""
    if hasattr(dtype, "num_fields"):
        return [(dtype.field(i).name, dtype.field(i).type) for i in range(dtype.num_fields)]
    inner = getattr(dtype, "inner", None)
    below = [("", inner)] if inner is not None else []
    return below + [(field.name, field.dtype) for field in getattr(dtype, "fields", [])]


def _row(item: Any, index: int, table: str) -> Mapping[str, Any]:
    if hasattr(type(item), "model_dump"):
        try:
            row: dict[str, Any] = item.model_dump()
        except (ValueError, RecursionError) as e:
            raise IoSchemaError(
                f'table "{table}", row {index}: the model cannot be written as a dict: {e}',
                code="wrong_type",
                facts={"table": table, "row": index},
            ) from e
        return row
    if isinstance(item, Mapping):
        return item
    raise TypeError(f"row {index} is neither a row model nor a dict, but {type(item).__name__}")


def _texts(table: str) -> set[str]:
    """The columns of a table that hold text."""
    for descriptor in list_tables():
        if descriptor.name.value == table:
            return {name for name, dtype in descriptor.columns.items() if dtype == "str"}
    return set()


# What pyarrow raises for values that it has no type for. A ValueError is also a text that has no UTF-8.
_REFUSALS = (TypeError, ValueError, OverflowError, RecursionError, AttributeError)


def _from_columns(columns: Mapping[str, Any], table: str) -> ArrowStream:
    import pyarrow as pa

    texts = _texts(table)
    arrays = {}
    for given, values in columns.items():
        name = _column_name(given, table)
        if isinstance(values, Iterator):  # what it raises is no word on its values, and it gives them only once
            values = list(values)
        _check_depth(values, table, name)
        try:
            arrays[name] = pa.array(values)
        except (pa.ArrowException, *_REFUSALS) as e:
            arrays[name] = _text_array(values) if name in texts else None
            if arrays[name] is None:
                raise _no_type(table, name, values, e) from e
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise IoSchemaError(
            f'table "{table}": the columns have different lengths: {lengths}',
            code="wrong_type",
            facts={"table": table},
        )
    whole: ArrowStream = pa.table(arrays)
    _refuse_nul(((name, array.type) for name, array in arrays.items()), table)
    return whole


def _text_array(values: Any) -> Any:
    """The values of a text column whose missing ones are NaN; None where that is not all that is wrong with them."""
    import pyarrow as pa

    try:
        return pa.array([None if _is_nan(value) else value for value in values])
    except (pa.ArrowException, *_REFUSALS):
        return None


def _is_nan(value: object) -> bool:
    if isinstance(value, Decimal):
        return value.is_qnan()
    return isinstance(value, Real) and value != value


def _from_frame(frame: ArrowStream, table: str) -> ArrowStream:
    kind = type(frame).__module__.partition(".")[0]
    if kind == "pandas":
        return _from_pandas(frame, table)
    if kind == "polars":
        _refuse_objects(frame, table)
        _refuse_nul(getattr(frame, "schema", {}).items(), table)
    if kind == "pyarrow":
        _refuse_nul(((field.name, field.type) for field in getattr(frame, "schema", [])), table)
    return _Reader(frame) if _is_reader(frame) else frame


def _is_reader(frame: object) -> bool:
    """Whoever has a RecordBatchReader has imported pyarrow."""
    reader: Any = getattr(sys.modules.get("pyarrow"), "RecordBatchReader", ())
    return isinstance(frame, reader)


class _Reader:
    """A RecordBatchReader of pyarrow, read to its end here: in Arrow's C interface an exception is only a text.

    What is read may be a generator or a file of the user's, so the exception may be any, KeyboardInterrupt, too.
    """

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        import pyarrow as pa

        try:
            batches = list(self._reader)
        except (pa.ArrowException, OSError) as e:
            if not _is_of_arrow(e):
                raise
            raise _read_error(e) from e
        # Not a Table: it would want all batches to have the reader's very schema, nullability included.
        return pa.RecordBatchReader.from_batches(self._reader.schema, batches).__arrow_c_stream__(requested_schema)


def _is_of_arrow(error: BaseException) -> bool:
    """Whether pyarrow has made it, and not code that pyarrow has called: no such code is on its way here."""
    trace = error.__traceback__.tb_next if error.__traceback__ else None  # the first is of who has caught it
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.endswith(".pxi"):
            return False
        trace = trace.tb_next
    return True


def was_interrupted(error: ReadFailedError) -> bool:
    """Whether it was Ctrl-C in a Python producer of a C stream: pyarrow's text ends with the exception."""
    _, python, text = str(error).partition("Python exception: ")
    return bool(python) and text.replace("\\n", "\n").split()[-1:] == ["KeyboardInterrupt"]


def _read_error(error: Exception) -> IoError:
    """As the core makes it of a stream that fails."""
    text = " ".join(str(error).split())
    number = getattr(error, "errno", None)
    return (OutOfMemoryError if isinstance(error, MemoryError) else ReadFailedError)(
        text, facts={} if number is None else {"errno": number}
    )


def _from_pandas(frame: Any, table: str) -> ArrowStream:
    """An index without a name is only a count of rows; one with names (of a group-by, say) becomes columns."""
    import pyarrow as pa

    seen = set()
    for given in getattr(frame, "columns", []):
        name = given if not isinstance(given, str) else _column_name(given, table)
        if name in seen:
            raise IoSchemaError(
                f'table "{table}", column "{_shown(name)}": the frame has two columns of this name',
                code="duplicate_column",
                facts={"table": table, "column": _shown(name)},
            )
        seen.add(name)
    named = any(name is not None for name in frame.index.names)
    for position, name in enumerate(getattr(frame, "columns", [])):
        _check_depth(frame.iloc[:, position], table, str(name))
    try:
        whole: ArrowStream = pa.Table.from_pandas(frame, preserve_index=True if named else False)
    except (pa.ArrowException, *_REFUSALS) as e:
        raise _no_type_in_pandas(frame, table, e) from e
    _refuse_nul(((field.name, field.type) for field in whole.schema), table)  # type: ignore[attr-defined]
    return whole


def _no_type_in_pandas(frame: Any, table: str, error: Exception) -> IoSchemaError:
    """Looks for the column that pyarrow could not convert."""
    import pyarrow as pa

    for position, name in enumerate(getattr(frame, "columns", [])):
        values = frame.iloc[:, position]
        try:
            pa.Array.from_pandas(values)
        except (pa.ArrowException, *_REFUSALS):
            return _no_type(table, str(name), values, error)
    return _no_type(table, "", [], error)


def _refuse_objects(frame: Any, table: str) -> None:
    import polars as pl

    for name, dtype in getattr(frame, "schema", {}).items():
        if dtype == pl.Object:
            raise _no_type(table, name, [], TypeError("it holds Python objects"))
        if _holds_wide_integers(dtype):
            raise _no_type(table, name, [], TypeError("no engine but Polars knows integers of 128 bits"))


def _holds_wide_integers(dtype: Any) -> bool:
    if str(dtype) in ("Int128", "UInt128"):
        return True
    return any(_holds_wide_integers(below) for _, below in _fields_of(dtype))


def _check_depth(values: Any, table: str, column: str) -> None:
    """Of values that pyarrow would look into."""
    if isinstance(values, list | tuple):
        items = list(values)
    elif getattr(values, "dtype", None) == object and hasattr(values, "tolist"):
        items = values.tolist()
    else:
        return
    row = _io.first_too_deep(items)
    if row is not None:
        raise IoSchemaError(
            f'table "{table}", column "{_shown(column)}", row {row}: nested deeper than 128 levels, or it holds itself',
            code="wrong_type",
            facts={"table": table, "column": column, "row": row},
        )


def _column_name(name: object, table: str) -> str:
    if not isinstance(name, str):
        why = "a column's name must be text"
    elif _has_utf8(name):
        return name
    else:
        why = "this name holds half of a surrogate pair, so it has no UTF-8"
    raise IoSchemaError(
        f'table "{table}", column "{_shown(name)}": {why}',
        code="wrong_type",
        facts={"table": table, "column": _shown(name), "value": _shown(name)},
    )


def _has_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: object) -> str:
    """For an error: a text as it is, all else as Python shows it; on one line of what every terminal can write."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception:  # of a class of the caller's, or nested too deeply
        text = f"a {type(value).__name__}"
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= 120 else text[:120] + "..."


def _no_type(table: str, column: str, values: Any, error: Exception) -> IoSchemaError:
    """The error of a column; with the first value that has no type among those before it, where it can be found."""
    facts: dict[str, Any] = {"table": table}
    where = f'table "{table}"'
    if column:
        facts["column"] = column
        where += f', column "{_shown(column)}"'
    row = _first_bad_row(values)
    if row is not None:
        facts |= {"row": row[0], "value": _shown(row[1])}
        where += f", row {row[0]}, value {_shown(row[1])}"
    why = " ".join(str(error.args[0] if error.args else error).split())
    return IoSchemaError(
        f"{where}: its values have no one Arrow type: {_shown(why)}", code="wrong_type", facts=facts
    )


def _first_bad_row(values: Any) -> tuple[int, Any] | None:
    """Of values that have no one type: the first that has none together with those before it, and its row."""
    try:
        items = list(values)
    except _REFUSALS:  # these are no values at all
        return None
    good, bad = 0, len(items)  # the first `good` have a type, the first `bad` have not
    if _have_type(items):
        return None
    while bad - good > 1:
        middle = (good + bad) // 2
        if _have_type(items[:middle]):
            good = middle
        else:
            bad = middle
    return good, items[good]


def _have_type(values: list[Any]) -> bool:
    import pyarrow as pa

    try:
        pa.array(values, from_pandas=True)
    except (pa.ArrowException, *_REFUSALS):
        return False
    return True
