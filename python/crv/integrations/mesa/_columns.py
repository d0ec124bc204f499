"""From what reporters give to columns: names that crv takes, and Arrow arrays."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np
import pyarrow as pa

from crv.core.tables import list_tables
from crv.io.errors import BadArgumentError, IoSchemaError

__all__ = ["array_of", "column_names", "held_value", "table_name"]

# Values that nobody can change and that Arrow takes as they are.
_PLAIN = frozenset({bool, int, float, str, bytes, type(None)})

_REFUSALS = (pa.ArrowException, TypeError, ValueError, OverflowError, RecursionError, AttributeError)


def table_name(prefix: str, name: str) -> str:
    """A name of Mesa's, or of a class, as one of crv's: lower_snake. BadArgumentError for one that cannot be."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name))
    made = prefix + re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", made) or len(made) > 100:
        why = "it has up to 100 letters a-z, digits and single underscores"
    elif made == "quarantine" or made in {table.name.value for table in list_tables()}:
        why = "crv has a table of that name; take another name, or a prefix"
    else:
        return made
    raise BadArgumentError(f"{name!r} makes no table {made!r}: {why}", facts={"table": made, "value": name})


def column_names(names: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Each name with its column: itself, or with "_" behind it where crv keeps that name or has it in another case."""
    used, made = {name.lower() for name in taken}, {}
    for name in names:
        column = str(name)
        while column.lower() in used:
            column += "_"
        used.add(column.lower())
        made[name] = column
    return made


def held_value(table: str, name: str, value: object, word: str = "reporter") -> Any:
    """The value as the run will hold it, sharing nothing with the model. IoSchemaError where crv has no type for it.

    word: what the name is of, for the error.
    """
    if type(value) in (bool, float, type(None)):
        return value
    try:
        plain = _plain(value)
        pa.array([plain])
    except _REFUSALS as error:
        raise _refused(table, name, value, word, error) from error
    return plain


def array_of(table: str, name: str, values: Sequence[Any], word: str = "reporter") -> pa.Array:
    """A column. IoSchemaError with the first value that has no type, or none together with those before it."""
    plain = values
    try:
        if not _PLAIN.issuperset(map(type, values)):
            plain = [_plain(value) for value in values]
        return pa.array(plain)
    except _REFUSALS as error:
        raise _refused(table, name, values[_first_bad(values)], word, error) from error


def _plain(value: Any) -> Any:
    """As numbers, texts, bools, lists and dicts; what is none of these is left for Arrow to know or to refuse."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is tuple or kind is list:
        return list(value) if _PLAIN.issuperset(map(type, value)) else [_plain(item) for item in value]
    if isinstance(value, enum.Enum):
        return _plain(value.value)
    if isinstance(value, np.generic) and value.dtype.kind in "biufSU":
        return value.item()
    if isinstance(value, np.ndarray):
        return _plain(value.tolist()) if value.dtype.kind in "biufSUO" else list(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (str, bytes, bytearray)):
        return value
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    if isinstance(value, Set):  # in an order that is the same in each run of the program
        return sorted(_plain(item) for item in value)
    return value


def _first_bad(values: Sequence[Any]) -> int:
    """The values have no one type: the first `good` of them have, the first `bad` have not."""
    good, bad = 0, len(values)
    while bad - good > 1:
        middle = (good + bad) // 2
        if _has_type(values[:middle]):
            good = middle
        else:
            bad = middle
    return good


def _has_type(values: Sequence[Any]) -> bool:
    try:
        pa.array([_plain(value) for value in values])
    except _REFUSALS:
        return False
    return True


def _refused(table: str, name: str, value: object, word: str, error: Exception) -> IoSchemaError:
    shown = _shown(value)
    why = " ".join(str(error).split())
    return IoSchemaError(
        f'table "{table}", {word} {name!r}: crv cannot hold its value {shown}: {why[:200]}. '
        f"A column is of numbers, texts, bools, or lists and dicts of these; or leave it out: skip=[{name!r}]",
        code="wrong_type",
        facts={"table": table, "column": str(name), word: str(name), "value": shown},
    )


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # of a class of the caller's
        text = f"a {type(value).__name__}"
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= 120 else text[:120] + "..."
