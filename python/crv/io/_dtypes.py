"""Types of Polars and of pyarrow as type texts of a definition: "i64", "list[struct{x: f64}]", "date32[day]"."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import polars as pl

__all__ = ["Inner", "NoType", "TypeText", "is_of_arrow", "is_of_polars", "of_arrow", "of_polars", "struct_text"]

# A type, and the rules that come with it: {"length": 3}, {"one_of": ["a"]}.
TypeText: TypeAlias = tuple[str, dict[str, Any]]
# Makes the text of what is inside of a type.
Inner: TypeAlias = Callable[[Any], str]


class NoType(Exception):
    """The core has no type for it; the message says why."""


_WORDS: dict[Any, str] = {
    pl.String: "str",
    pl.Categorical: "str",
    pl.Boolean: "bool",
    pl.Binary: "binary",
    pl.Date: "date32[day]",
    pl.Time: "time64[ns]",
}
# Of these the class alone does not say the type.
_NEED_MORE: dict[Any, str] = {
    pl.List: "pl.List(inner)",
    pl.Array: "pl.Array(inner, length)",
    pl.Struct: "pl.Struct({name: type})",
    pl.Map: "pl.Map(key, value)",
    pl.Enum: "pl.Enum(texts)",
    pl.Decimal: "pl.Decimal(precision, scale)",
}
_A_DURATION = "other engines would read it as an integer without a unit; take a number and say its unit"


def struct_text(fields: Iterable[tuple[str, str]], *, is_open: bool = False) -> str:
    """Of names and type texts. An open struct takes other fields, too."""
    texts = [f"{_name(name)}: {text}" for name, text in fields]
    if is_open:
        texts.append("...")
    return "struct" if texts == ["..."] else "struct{" + ", ".join(texts) + "}"


def _name(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_]+", name) else json.dumps(name, ensure_ascii=False)


def _timestamp(unit: str, zone: str | None) -> str:
    """Seconds are stored as milliseconds."""
    return f"timestamp[{'ms' if unit == 's' else unit}" + (f", tz={zone}]" if zone else "]")


def _decimal(precision: int, scale: int) -> str:
    return f"decimal{128 if precision <= 38 else 256}({precision}, {scale})"


def _map(key: tuple[str, Any], value: tuple[str, Any], inner: Inner) -> str:
    return f"list[{struct_text((name, inner(kind)) for name, kind in (key, value))}]"


def is_of_polars(given: object) -> bool:
    """Whether it is a dtype, as a class or as an instance."""
    return isinstance(given, pl.DataType) or (isinstance(given, type) and issubclass(given, pl.DataType))


def of_polars(given: Any, inner: Inner) -> TypeText:
    """NoType where there is none."""
    for kind, example in _NEED_MORE.items():
        if given is kind:
            raise NoType(f"the class alone does not say the type; write {example}")
    try:
        dtype = given() if isinstance(given, type) else given
    except TypeError:
        raise NoType("the class alone does not say the type") from None
    if type(dtype) in _WORDS:
        return _WORDS[type(dtype)], {}
    if dtype.is_integer() or dtype.is_float():
        if str(dtype).endswith("Int128"):
            raise NoType("no engine but Polars knows integers of 128 bits")
        return "i64" if dtype.is_integer() else "f64", {}
    match dtype:
        case pl.Enum():
            return "str", {"one_of": dtype.categories.to_list()}
        case pl.Datetime():
            return _timestamp(dtype.time_unit, dtype.time_zone), {}
        case pl.Decimal():
            return _decimal(dtype.precision, dtype.scale), {}
        case pl.List():
            return f"list[{inner(dtype.inner)}]", {}
        case pl.Array():
            return f"list[{inner(dtype.inner)}]", {"length": dtype.size}
        case pl.Map():
            return _map(("key", dtype.key), ("value", dtype.value), inner), {}
        case pl.Struct():
            return struct_text((field.name, inner(field.dtype)) for field in dtype.fields), {}
        case pl.Duration():
            raise NoType(_A_DURATION)
        case _:
            raise NoType("")


def is_of_arrow(given: object, *kinds: str) -> bool:
    """Whether it is an object of one of these classes of pyarrow. Whoever has one has imported pyarrow."""
    pyarrow = sys.modules.get("pyarrow")
    return pyarrow is not None and isinstance(given, tuple(getattr(pyarrow, kind) for kind in kinds))


def of_arrow(given: Any, inner: Inner) -> TypeText:
    """NoType where there is none. The texts are the names of the types that parts have (io/arrow/arrow_types.cc)."""
    import pyarrow as pa

    is_ = pa.types
    if isinstance(given, pa.BaseExtensionType):
        raise NoType("it is an extension type; take the type that it is stored as")
    if is_.is_dictionary(given):
        return of_arrow(given.value_type, inner)
    if is_.is_fixed_size_list(given):
        return f"list[{inner(given.value_type)}]", {"length": given.list_size}
    lists = (is_.is_list, is_.is_large_list, is_.is_list_view, is_.is_large_list_view)
    if any(is_list(given) for is_list in lists):
        return f"list[{inner(given.value_type)}]", {}
    if is_.is_map(given):
        key, value = given.key_field, given.item_field
        return _map((key.name, key.type), (value.name, value.type), inner), {}
    if is_.is_struct(given):
        return struct_text((field.name, inner(field.type)) for field in given.fields), {}
    return _of_flat_arrow(given), {}


def _of_flat_arrow(given: Any) -> str:
    import pyarrow as pa

    is_ = pa.types
    if is_.is_duration(given):
        raise NoType(_A_DURATION)
    if is_.is_timestamp(given):
        return _timestamp(given.unit, given.tz)
    if is_.is_decimal(given):
        return _decimal(given.precision, given.scale)
    if is_.is_time64(given) or is_.is_fixed_size_binary(given):
        return str(given)
    words = {
        "i64": (is_.is_integer,),
        "f64": (is_.is_floating,),
        "bool": (is_.is_boolean,),
        "str": (is_.is_string, is_.is_large_string, is_.is_string_view),
        "binary": (is_.is_binary, is_.is_large_binary, is_.is_binary_view),
        "date32[day]": (is_.is_date,),
        "time32[ms]": (is_.is_time32,),
    }
    for word, tests in words.items():
        if any(test(given) for test in tests):
            return word
    raise NoType("")
