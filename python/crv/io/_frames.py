"""What append takes, brought to the two forms that the core takes: an Arrow stream, or a list of rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any, Protocol, TypeAlias, runtime_checkable

from crv.core.tables import list_tables
from crv.io.errors import IoSchemaError

__all__ = ["ArrowStream", "Frame", "arrow_or_rows"]


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
    """TypeError for what is no frame; IoSchemaError for columns that Arrow has no type for."""
    if isinstance(data, Mapping):
        return _from_columns(data, _texts(table))
    if isinstance(data, ArrowStream):
        return _from_frame(data)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return [_row(item, i) for i, item in enumerate(data)]
    hint = " (collect it first)" if hasattr(data, "collect") else ""
    raise TypeError(
        "a frame is a Polars, pandas, pyarrow or DuckDB table, a dict of columns, or a list of row models, "
        f"not {type(data).__name__}{hint}"
    )


def _refuse_nul(fields: Iterable[tuple[str, Any]]) -> None:
    """Arrow's C interface cuts a name at a NUL: the values would come under another name."""
    for name, dtype in fields:
        if "\0" in name:
            raise IoSchemaError(
                f"column {name!r}: the name holds a NUL, where engines end it; take another name",
                code="reserved_name",
                facts={"column": name},
            )
        _refuse_nul(_fields_of(dtype))


def _fields_of(dtype: Any) -> list[tuple[str, Any]]:
    """What lies below a type of Polars or of pyarrow."""
    if hasattr(dtype, "num_fields"):
        return [(dtype.field(i).name, dtype.field(i).type) for i in range(dtype.num_fields)]
    inner = getattr(dtype, "inner", None)
    below = [("", inner)] if inner is not None else []
    return below + [(field.name, field.dtype) for field in getattr(dtype, "fields", [])]


def _row(item: Any, index: int) -> Mapping[str, Any]:
    if hasattr(type(item), "model_dump"):
        row: dict[str, Any] = item.model_dump()
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


def _from_columns(columns: Mapping[str, Any], texts: set[str]) -> ArrowStream:
    import pyarrow as pa

    arrays = {}
    for name, values in columns.items():
        try:
            arrays[name] = pa.array(values)
        except (pa.ArrowException, TypeError, OverflowError) as e:
            arrays[name] = _text_array(values) if name in texts else None
            if arrays[name] is None:
                raise _no_type(name, str(e)) from e
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise IoSchemaError(f"the columns have different lengths: {lengths}", code="wrong_type")
    table: ArrowStream = pa.table(arrays)
    _refuse_nul((name, array.type) for name, array in arrays.items())
    return table


def _text_array(values: Any) -> Any:
    """The values of a text column whose missing ones are NaN; None where that is not all that is wrong with them."""
    import pyarrow as pa

    try:
        return pa.array([None if _is_nan(value) else value for value in values])
    except (pa.ArrowException, TypeError, OverflowError):
        return None


def _is_nan(value: object) -> bool:
    if isinstance(value, Decimal):
        return value.is_qnan()
    return isinstance(value, Real) and value != value


def _from_frame(frame: ArrowStream) -> ArrowStream:
    kind = type(frame).__module__.partition(".")[0]
    if kind == "pandas":
        return _from_pandas(frame)
    if kind == "polars":
        _refuse_objects(frame)
        _refuse_nul(getattr(frame, "schema", {}).items())
    if kind == "pyarrow":
        _refuse_nul((field.name, field.type) for field in getattr(frame, "schema", []))
    return frame


def _from_pandas(frame: Any) -> ArrowStream:
    """An index without a name is only a count of rows; one with names (of a group-by, say) becomes columns."""
    import pyarrow as pa

    named = any(name is not None for name in frame.index.names)
    try:
        table: ArrowStream = pa.Table.from_pandas(frame, preserve_index=True if named else False)
    except pa.ArrowException as e:
        raise _no_type(_column_of(e), str(e.args[0])) from e
    _refuse_nul((field.name, field.type) for field in table.schema)  # type: ignore[attr-defined]
    return table


def _column_of(error: Exception) -> str:
    """The column that pyarrow could not convert: it says so at the end of its error."""
    found = re.search(r"Conversion failed for column (.*) with type ", str(error.args[-1]))
    return found.group(1) if found else ""


def _refuse_objects(frame: Any) -> None:
    import polars as pl

    for name, dtype in getattr(frame, "schema", {}).items():
        if dtype == pl.Object:
            raise _no_type(name, "it holds Python objects")


def _no_type(column: str, why: str) -> IoSchemaError:
    where = f"column {column!r}: " if column else ""
    return IoSchemaError(
        f"{where}its values have no one Arrow type: {why}", code="wrong_type", facts={"column": column}
    )
