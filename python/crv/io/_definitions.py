"""Definitions of tables from what Python users have: dicts of types, models, dataclasses, TypedDicts, schemas.

Only a translation. What a definition may be (names, bounds against each other, `tick`), the core decides.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import math
import sys
import types
import typing
from collections import abc
from decimal import Decimal
from fractions import Fraction
from numbers import Real
from typing import Any, Literal, Union, get_args, get_origin

from crv.io import _dtypes
from crv.io._dtypes import NoType, TypeText
from crv.io._fields import MOST_LEVELS, UNSET, Field, Said, Where, columns_of, fields_of, is_open, name_of, said_of

__all__ = ["definition"]


def definition(name: str, columns: object, doc: str = "") -> dict[str, Any]:
    """A table as the core takes it: {"name", "doc", "columns": [{"name", "type", ...}]}.

    columns: a dict of names to types, a pydantic model, a dataclass, a TypedDict, a pl.Schema or a pa.Schema. A column
        of a Python type T holds no null, whether it has a default or not; one of T | None may. Types of Polars and
        pyarrow and type texts say nothing of nulls: such columns may hold them, unless the text ends in "!" or the
        field of a pa.Schema is not nullable.

    Raises IoSchemaError (bad_definition), which names table, column and what was given, where a type has no
    counterpart or a constraint cannot be kept as a rule.
    """
    where = Where(name, above=(columns,))
    made: dict[str, Any] = {"name": name}
    if doc:
        made["doc"] = doc
    fields = columns_of(where, columns)
    made["columns"] = [{"name": field.name, **_column(where.at(field.name), field)} for field in fields]
    return made


def _column(where: Where, field: Field) -> dict[str, Any]:
    """All of a column but its name."""
    wanted, required = field.type, field.required
    if isinstance(wanted, str) and wanted.rstrip().endswith("!"):
        wanted, required = wanted.rstrip()[:-1], True
    bare = _bare(where, wanted)
    said = [*field.said, *bare.said]
    text, rules = _stored(where, bare.type, said)
    if required is None:
        required = not (bare.nullable or isinstance(bare.type, str) or _is_dtype(bare.type))
    made: dict[str, Any] = {"type": text}
    if required:
        made["required"] = True
    made |= rules | _rules(where, text, said)
    if field.default is not UNSET:
        _check_default(where, made, field.default)
    return made


def _is_dtype(given: object) -> bool:
    return _dtypes.is_of_polars(given) or _dtypes.is_of_arrow(given, "DataType")


# ---- types without what stands around them ----


@dataclasses.dataclass
class _Bare:
    """A type without None, Annotated, NewType and aliases, and what these have said."""

    type: Any
    nullable: bool = False
    said: list[Said] = dataclasses.field(default_factory=list)


def _bare(where: Where, wanted: Any) -> _Bare:
    bare = _Bare(wanted)
    for _ in range(MOST_LEVELS):
        if not _take_off(where, bare):
            return bare
    raise where.refusal(wanted, f"{name_of(wanted)} is nested too deeply, or contains itself")


def _take_off(where: Where, bare: _Bare) -> bool:
    """One layer; False where there is none."""
    wanted, origin, inner = bare.type, get_origin(bare.type), get_args(bare.type)
    if origin is typing.Annotated:
        bare.type = inner[0]
        for one in inner[1:]:
            bare.said += said_of(where, one)
    elif origin in (Union, types.UnionType):
        kinds = [kind for kind in inner if kind is not type(None)]
        if len(kinds) != 1:
            raise where.refusal(wanted, f"a column has one type, not {name_of(wanted)}")
        bare.type, bare.nullable = kinds[0], True
    elif origin is Literal and None in inner and len(inner) > 1:
        literal: Any = Literal
        bare.type, bare.nullable = literal[tuple(word for word in inner if word is not None)], True
    elif getattr(origin, "_name", "") in ("Required", "NotRequired", "ReadOnly", "Final") and inner:
        bare.type = inner[0]
        bare.nullable = bare.nullable or origin is typing.NotRequired
    elif hasattr(wanted, "__supertype__"):  # a NewType
        bare.type = wanted.__supertype__
    elif type(origin or wanted).__name__ == "TypeAliasType":
        bare.type = _of_alias(where, origin or wanted, inner)
    elif isinstance(wanted, type) and getattr(wanted, "__pydantic_root_model__", False):
        (root,) = fields_of(where, wanted) or [Field("", wanted)]
        bare.type = root.type
        bare.said += root.said
    else:
        return False
    return True


def _of_alias(where: Where, alias: Any, arguments: tuple[Any, ...]) -> Any:
    """What `type X[T] = ...` stands for."""
    try:
        value = alias.__value__
    except Exception as e:  # it is code of the user's
        raise where.refusal(alias, f"the alias {name_of(alias)} cannot be resolved: {e}") from e
    given = dict(zip(alias.__type_params__, arguments, strict=False))
    wanted = tuple(given.get(parameter, parameter) for parameter in getattr(value, "__parameters__", ()))
    return value[wanted] if wanted else value


# ---- types ----

_PLAIN: dict[Any, str] = {
    int: "i64",
    float: "f64",
    str: "str",
    bool: "bool",
    bytes: "binary",
    datetime.datetime: "timestamp[us, tz=UTC]",
    datetime.date: "date32[day]",
    datetime.time: "time64[us]",
}
_OF_PYDANTIC = {"AwareDatetime": "timestamp[us, tz=UTC]", "NaiveDatetime": "timestamp[us]"}
_LISTS: tuple[Any, ...] = (list, abc.Sequence, abc.MutableSequence)
_OBJECTS: tuple[Any, ...] = (dict, abc.Mapping, abc.MutableMapping)
_ANYTHING = "say a type, or dict for a struct of any fields"
_A_LIST = "say what it holds, as in list[float]"
_HINTS: dict[Any, str] = {
    Any: _ANYTHING,
    object: _ANYTHING,
    Decimal: "say its digits: pl.Decimal(precision, scale), or Annotated[Decimal, pl.Decimal(precision, scale)]",
    datetime.timedelta: "take a number and say its unit",
    tuple: "say what it holds, as in tuple[float, float] or tuple[float, ...]",
    **dict.fromkeys((*_LISTS, set, frozenset), _A_LIST),
}


def _stored(where: Where, wanted: Any, said: list[Said]) -> TypeText:
    """A dtype in Annotated says as what the values of a Python type are stored."""
    digits = dict(said)
    if "type" in digits:
        return _type(where, digits["type"])
    if wanted is Decimal and "max_digits" in digits and "decimal_places" in digits:
        return f"decimal128({digits['max_digits']}, {digits['decimal_places']})", {}
    return _type(where, wanted)


def _inner(where: Where, wanted: Any) -> str:
    """A type that is inside of another one."""
    return _inner_field(where, Field("", wanted))


def _inner_field(where: Where, field: Field) -> str:
    made = _column(where, field)
    for rule in ("finite", "not_empty", "one_of", "min", "max", "unique", "length"):
        if rule in made:
            shown = name_of(made[rule])
            why = f"the rule {rule} ({shown}) is for columns, and cannot be kept for what is inside of one"
            raise where.refusal(field.type, why, rule)
    return str(made["type"])


def _type(where: Where, wanted: Any) -> TypeText:
    if isinstance(wanted, str):
        return wanted.strip(), {}
    below = where.inside(wanted)
    try:
        if _dtypes.is_of_polars(wanted):
            return _dtypes.of_polars(wanted, lambda inner: _inner(below, inner))
        if _dtypes.is_of_arrow(wanted, "DataType"):
            return _dtypes.of_arrow(wanted, lambda inner: _inner(below, inner))
        return _of_python(below, wanted)
    except NoType as e:
        why = f"crv has no type for {name_of(wanted)}"
        raise where.refusal(wanted, f"{why}: {e}" if str(e) else why) from e


def _of_python(where: Where, wanted: Any) -> TypeText:
    if isinstance(wanted, typing.ForwardRef):
        raise NoType("the name is not resolved; give the class itself, or a type text with nothing around it")
    if isinstance(wanted, type) and get_origin(wanted) is None:
        return _of_class(where, wanted)
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin in _OBJECTS:
        if inner and inner[0] is not Any and _inner(where, inner[0]) != "str":
            raise NoType("the names of a struct's fields are text")
        return "struct", {}
    if origin in _LISTS and inner:
        return f"list[{_inner(where, inner[0])}]", {}
    if origin is tuple and inner:
        return _of_tuple(where, inner)
    if origin is Literal:
        return "str", {"one_of": _words(inner)}
    raise NoType(_HINTS.get(origin, ""))


def _of_tuple(where: Where, inner: tuple[Any, ...]) -> TypeText:
    if len(inner) == 2 and inner[1] is Ellipsis:
        return f"list[{_inner(where, inner[0])}]", {}
    texts = {_inner(where, item) for item in inner}
    if len(texts) > 1:
        raise NoType("all elements of a list have one type; take a dataclass for a struct")
    return f"list[{texts.pop()}]", {"length": len(inner)}


def _words(values: Any) -> list[str]:
    words = [value.value if isinstance(value, enum.Enum) else value for value in values]
    for word in words:
        if not isinstance(word, str):
            raise NoType(f"only texts can be the words of a column, not {name_of(word)}")
    return words


def _of_class(where: Where, wanted: type) -> TypeText:
    if wanted in _PLAIN:
        return _PLAIN[wanted], {}
    if wanted in _OBJECTS:
        return "struct", {}
    if issubclass(wanted, enum.Enum):
        return ("i64", {}) if issubclass(wanted, int) else ("str", {"one_of": _words(wanted)})
    fields = fields_of(where, wanted)
    if fields is not None:
        texts = [(field.name, _inner_field(where.at(field.name), field)) for field in fields]
        return _dtypes.struct_text(texts, is_open=is_open(wanted)), {}
    if wanted.__module__ == "pydantic.types" and wanted.__name__ in _OF_PYDANTIC:
        return _OF_PYDANTIC[wanted.__name__], {}
    return _of_numpy(wanted), {}


def _of_numpy(wanted: type) -> str:
    """Whoever has a class of NumPy has imported it."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and issubclass(wanted, numpy.generic):
        kinds = {"bool": numpy.bool_, "i64": numpy.integer, "f64": numpy.floating, "str": numpy.str_}
        for text, kind in kinds.items():
            if issubclass(wanted, kind) and not issubclass(wanted, (numpy.timedelta64, numpy.longdouble)):
                return text
    raise NoType(_HINTS.get(wanted, ""))


# ---- rules ----

# How pydantic reads a value: this says nothing of what the value may be.
_READING = {"strict", "fail_fast", "coerce_numbers_to_str", "union_mode", "strip_whitespace", "to_lower", "to_upper"}


def _rules(where: Where, text: str, said: list[Said]) -> dict[str, Any]:
    """Those of a column of this type."""
    made: dict[str, Any] = {}
    lengths: dict[str, int] = {}
    for key, value in said:
        if key in ("doc", "unit", "unique"):
            if value:
                made.setdefault(key, value)
        elif key in ("ge", "gt", "le", "lt"):
            _add_bound(where, made, text, key, value)
        elif key == "min_length":
            lengths[key] = max(value, lengths.get(key, 0))
        elif key == "max_length":
            lengths[key] = min(value, lengths.get(key, value))
        elif key == "allow_inf_nan":
            if not value and text == "f64":
                made["finite"] = True
        elif key not in _READING and key not in ("text", "type") and not _are_digits(text, key):
            raise where.no_rule(key, value)
    for key, value in said:
        if key == "text":
            made.setdefault("doc", value)
    return made | _length(where, text, lengths)


def _are_digits(text: str, key: str) -> bool:
    return text.startswith("decimal") and key in ("max_digits", "decimal_places")


def _length(where: Where, text: str, lengths: dict[str, int]) -> dict[str, Any]:
    low, high = lengths.get("min_length", 0), lengths.get("max_length")
    if text.startswith("list[") and low == high:
        return {"length": low}
    if high is not None:
        raise where.no_rule("max_length", high)
    if low == 1 and text == "str":
        return {"not_empty": True}
    if low > 0:
        raise where.no_rule("min_length", low)
    return {}


def _add_bound(where: Where, made: dict[str, Any], text: str, key: str, value: Any) -> None:
    """The narrowest counts."""
    value = value.item() if hasattr(value, "item") else value  # of NumPy
    if text not in ("i64", "f64") or isinstance(value, bool) or not isinstance(value, (Real, Decimal)):
        raise where.no_rule(key, value, ": bounds are numbers, for columns of integers and floats")
    if value != value:
        raise where.no_rule(key, value, ": nothing is above or below NaN")
    try:
        bound = _bound_of_integers(key, value) if text == "i64" else _bound_of_floats(key, value)
    except OverflowError as e:
        raise where.no_rule(key, value, ": no float is as large") from e
    if key in ("ge", "gt"):
        made["min"] = max(bound, made.get("min", bound))
    else:
        made["max"] = min(bound, made.get("max", bound))


def _bound_of_integers(key: str, value: Any) -> int | float:
    if value in (math.inf, -math.inf):
        return float(value)  # the core refuses it
    low: int = math.floor(value)
    high: int = math.ceil(value)
    return {"ge": high, "gt": low + 1, "le": low, "lt": high - 1}[key]


def _bound_of_floats(key: str, value: Any) -> float:
    """A bound that is included, and lets the same floats through: where need be, the next float inwards."""
    exact = Fraction(value) if math.isfinite(value) else value
    bound = float(exact)
    if key in ("ge", "gt"):
        return math.nextafter(bound, math.inf) if bound < exact or (key == "gt" and bound == exact) else bound
    return math.nextafter(bound, -math.inf) if bound > exact or (key == "lt" and bound == exact) else bound


def _check_default(where: Where, made: dict[str, Any], default: Any) -> None:
    """A default that the rules of its own column refuse is a mistake of whoever wrote it."""
    value = default.value if isinstance(default, enum.Enum) else default
    if value is None:
        if made.get("required"):
            raise where.refusal(default, "its default is None, and its type holds no null; take T | None", "default")
        return
    is_number = isinstance(value, Real)
    broken = {
        "min": is_number and "min" in made and not value >= made["min"],
        "max": is_number and "max" in made and not value <= made["max"],
        "finite": is_number and "finite" in made and not math.isfinite(value),
        "one_of": "one_of" in made and value not in made["one_of"],
        "not_empty": "not_empty" in made and value == "",
        "length": "length" in made and isinstance(value, abc.Sized) and len(value) != made["length"],
    }
    for rule, is_broken in broken.items():
        if is_broken:
            why = f"its default {name_of(default)} breaks its own rule {rule} ({name_of(made[rule])})"
            raise where.refusal(default, why, "default")
