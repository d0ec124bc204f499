"""What a Dataset is given, checked and brought to the form that the core takes."""

from __future__ import annotations

import json
import operator
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import polars as pl

from crv.core.grammar import TableName
from crv.io.errors import BadArgumentError, BadLimitError, BadProjectionError, BadWhereError

__all__ = [
    "OnInvalid",
    "Token",
    "Where",
    "columns",
    "environment",
    "integer",
    "limit",
    "meta",
    "most_rows",
    "name",
    "token",
    "where",
]

Where: TypeAlias = Mapping[str, Any]
Token: TypeAlias = tuple[str, int]
OnInvalid: TypeAlias = Literal["raise", "quarantine"]


def name(table: TableName | str) -> str:
    """Of a table."""
    text = table.value if isinstance(table, TableName) else table
    if not isinstance(text, str):
        raise BadArgumentError(f"a table is a TableName or its text, not {table!r}", facts={"value": repr(table)})
    return text


def where(given: Where | None) -> dict[str, Any] | None:
    """The core refuses unknown keys, and what is no integer among numbers and texts."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise BadWhereError(
            f"where is a mapping with tick_min and tick_max, not {given!r}", facts={"value": repr(given)}
        )
    for key, bound in given.items():
        if bound is not None and not _like_a_number(bound):
            raise BadWhereError(
                f"{key} must be an integer, not {bound!r}", facts={"key": str(key), "value": repr(bound)}
            )
    exact = {str(key): _exact(bound) for key, bound in given.items()}
    for key, bound in exact.items():
        if isinstance(bound, (Decimal, Fraction)):
            raise BadWhereError(f"{key} must be an integer, not {bound!r}", facts={"key": key, "value": repr(bound)})
    return exact


def limit(given: int | None) -> int | None:
    """The core refuses what is negative or no integer."""
    if given is not None and not _like_a_number(given):
        raise BadLimitError(
            f"a limit is a number of rows, not {given!r}", facts={"key": "limit", "value": repr(given)}
        )
    exact: int | None = _exact(given)
    return exact


def _like_a_number(value: object) -> bool:
    return isinstance(value, str) or hasattr(value, "__index__") or hasattr(value, "__float__")


def _exact(value: Any) -> Any:
    """A Decimal or Fraction that is an integer as that integer, which a float could miss; else what was given."""
    if isinstance(value, (int, float, str)) or hasattr(value, "dtype") or not hasattr(value, "as_integer_ratio"):
        return value
    try:
        over, under = value.as_integer_ratio()
    except (ValueError, OverflowError):  # NaN, infinity
        return value
    return over if under == 1 else value


def integer(value: Any, key: str) -> int:
    """Of 64 bits, as an int or anything with __index__."""
    if not isinstance(value, bool) and hasattr(value, "__index__"):
        number = operator.index(value)
        if -(2**63) <= number < 2**63:
            return number
    facts = {"key": key, "value": repr(value)}
    raise BadArgumentError(f"{key} must be an integer of 64 bits, not {value!r}", facts=facts)


def most_rows() -> int:
    """That a frame of this Polars can have."""
    return 2**32 - 1 if pl.get_index_type() == pl.UInt32 else 2**63 - 1


def columns(given: Sequence[str] | None) -> list[str] | None:
    """A single name may stand for a list of it."""
    if given is None:
        return None
    names = [given] if isinstance(given, str) else list(given)
    for column in names:
        if not isinstance(column, str):
            raise BadProjectionError(f"a column is named by text, not {column!r}", facts={"value": repr(column)})
    return names


def token(given: Token | None) -> Token | None:
    """Its number has 64 bits."""
    if given is None:
        return None
    match given:
        case (str(writer), int(number)) if not isinstance(number, bool) and -(2**63) <= number < 2**63:
            return writer, number
        case _:
            facts = {"key": "token", "value": repr(given)}
            raise BadArgumentError(f"a token is (writer, number), not {given!r}", facts=facts)


def meta(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """As it is once it was written as JSON: keys that are numbers are text."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(given or {})))
    except (ValueError, RecursionError) as e:  # it holds itself, or is nested too deeply
        raise BadArgumentError(f"meta is no JSON: {e}", facts={"key": "meta"}) from e
    return plain


def environment() -> dict[str, str | None]:
    """Versions, for a bundle."""
    from importlib.metadata import PackageNotFoundError, version

    def installed(package: str) -> str | None:
        try:
            return version(package)
        except PackageNotFoundError:
            return None

    return {"python": sys.version, "polars": installed("polars"), "pyarrow": installed("pyarrow")}
