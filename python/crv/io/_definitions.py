"""Definitions of tables from what Python users have: dicts of types, models, dataclasses, schemas.

Only the translation: what a definition may be, the core decides.
"""

from __future__ import annotations

import collections.abc as abc
import dataclasses
import datetime
import enum
import inspect
import json
import math
import re
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin

import polars as pl

from crv.io.errors import IoSchemaError

__all__ = ["definition"]

_UNSET: Any = object()


def definition(name: str, columns: object, doc: str = "") -> dict[str, Any]:
    """The definition of a table as the core takes it. IoSchemaError (bad_definition) with table and column."""
    made = [_Column(name, column).made(given) for column, given in _columns_of(name, columns)]
    return {"name": name, "doc": doc, "columns": made} if doc else {"name": name, "columns": made}


@dataclasses.dataclass
class _Given:
    """A column as it was given: its type, and what else stands beside it."""

    type: Any
    constraints: tuple[Any, ...] = ()
    default: Any = _UNSET
    doc: str = ""
    required: bool | None = None  # None: the type says


def _columns_of(table: str, given: Any) -> Iterator[tuple[str, _Given]]:
    if isinstance(given, type) and hasattr(given, "model_fields"):
        return _of_model(given)
    if dataclasses.is_dataclass(given):
        return _of_dataclass(table, given if isinstance(given, type) else type(given))
    if _is_typed_dict(given):
        return _of_typed_dict(table, given)
    if not isinstance(given, type) and _is_pyarrow(given, "Schema"):
        return ((f.name, _of_arrow_field(f)) for f in given)
    if isinstance(given, Mapping):  # a pl.Schema, too
        return ((_text(table, key), _Given(value)) for key, value in given.items())
    raise _refusal(
        table,
        "",
        given,
        "the columns of a table are a dict of names to types, a pydantic model, a dataclass, a TypedDict, a pl.Schema "
        "or a pa.Schema",
    )


def _text(table: str, key: object) -> str:
    if not isinstance(key, str):
        raise _refusal(table, "", key, "a column's name must be text")
    return key


def _of_model(model: Any) -> Iterator[tuple[str, _Given]]:
    for name, field in model.model_fields.items():
        default = _UNSET if field.is_required() or field.default_factory is not None else field.default
        yield name, _Given(field.annotation, tuple(field.metadata), default, field.description or "")


def _of_dataclass(table: str, kind: Any) -> Iterator[tuple[str, _Given]]:
    hints = _hints(table, kind)
    for field in dataclasses.fields(kind):
        default = _UNSET if field.default is dataclasses.MISSING else field.default
        yield field.name, _Given(hints[field.name], default=default)


def _of_typed_dict(table: str, kind: Any) -> Iterator[tuple[str, _Given]]:
    for name, hint in _hints(table, kind).items():
        required = name in kind.__required_keys__
        while get_origin(hint) in (typing.NotRequired, typing.Required):
            hint = get_args(hint)[0]
        yield name, _Given(hint, required=None if required else False)


def _hints(table: str, kind: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except (NameError, TypeError) as e:
        raise _refusal(table, "", kind, f"its annotations cannot be read: {e}") from e


def _is_typed_dict(given: Any) -> bool:
    return isinstance(given, type) and issubclass(given, dict) and hasattr(given, "__required_keys__")


def _is_pyarrow(given: Any, *kinds: str) -> bool:
    """Whoever has an object of pyarrow has imported it."""
    pyarrow: Any = sys.modules.get("pyarrow")
    return pyarrow is not None and isinstance(given, tuple(getattr(pyarrow, kind) for kind in kinds))


def _refusal(table: str, column: str, value: object, why: str) -> IoSchemaError:
    shown = _shown(value)
    where = f'Table "{table}"' + (f', column "{column}"' if column else "")
    return IoSchemaError(
        f"{where}: {why}, not {shown}" if not column else f"{where}, {shown}: {why}",
        code="bad_definition",
        facts={"table": table, "column": column, "value": shown},
    )


def _shown(value: object) -> str:
    text = value.__name__ if isinstance(value, type) and not get_args(value) else str(value)
    return text if len(text) <= 120 else text[:120] + "..."


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
_LISTS = (list, abc.Sequence, abc.Collection, abc.Iterable)
_OBJECTS = (dict, abc.Mapping, abc.MutableMapping)
_NO_RULE_BESIDE = "a constraint that crv has no rule for"
_MAX_DEPTH = 64  # the core takes less


class _Column:
    """Makes one column of a definition."""

    def __init__(self, table: str, name: str) -> None:
        self.table = table
        self.name = name
        self.rules: dict[str, Any] = {}
        self.nullable = False
        self.inside: list[Any] = []  # models whose fields are being looked at

    def made(self, given: _Given) -> dict[str, Any]:
        wanted, required = given.type, given.required
        if isinstance(wanted, str) and wanted.strip().endswith("!"):
            wanted, required = wanted.strip()[:-1].strip(), True
        for constraint in given.constraints:
            self.constrain(constraint, self.is_integer(wanted))
        text = self.top(wanted)
        if required is None:
            required = not self.nullable
        if given.default is not _UNSET:
            self.check_default(given.default)
        column: dict[str, Any] = {"name": self.name, "type": text}
        if required:
            column["required"] = True
        if given.doc:
            self.rules.setdefault("doc", given.doc)
        return column | self.rules

    def refuse(self, value: object, why: str) -> IoSchemaError:
        return _refusal(self.table, self.name, value, why)

    # ---- types ----

    def top(self, wanted: Any) -> str:
        """The type of the column itself, where nulls, rules and lengths may stand."""
        wanted = self.plain(wanted, rules=True)
        if _is_polars(wanted) or _is_pyarrow(wanted, "DataType") or isinstance(wanted, str):
            self.nullable = True  # these say nothing of nulls
        if get_origin(wanted) is Literal:
            return self.words(get_args(wanted))
        if isinstance(wanted, type) and issubclass(wanted, enum.Enum) and not issubclass(wanted, int):
            return self.words([member.value for member in wanted])
        if _is_polars(wanted) and isinstance(wanted, pl.Enum):
            return self.words(wanted.categories.to_list())
        return self.text(wanted, top=True)

    def plain(self, wanted: Any, *, rules: bool) -> Any:
        """What is left of a type without None, Annotated, NewType and aliases."""
        while True:
            if get_origin(wanted) is typing.Annotated:
                wanted, *constraints = get_args(wanted)
                for constraint in constraints if rules else ():
                    self.constrain(constraint, self.is_integer(wanted))
                if constraints and not rules:
                    raise self.refuse(constraints[0], "rules are for columns, not for what is inside of them")
            elif get_origin(wanted) in (Union, types.UnionType):
                kinds = [kind for kind in get_args(wanted) if kind is not type(None)]
                if len(kinds) != 1:
                    raise self.refuse(wanted, "a column has one type")
                self.nullable = self.nullable or rules
                wanted = kinds[0]
            elif hasattr(wanted, "__supertype__"):
                wanted = wanted.__supertype__
            elif type(wanted).__name__ == "TypeAliasType":
                wanted = wanted.__value__
            else:
                return wanted

    def is_integer(self, wanted: Any) -> bool:
        bare = _Column(self.table, self.name).plain_of(wanted)
        return isinstance(bare, type) and issubclass(bare, int) and not issubclass(bare, bool)

    def plain_of(self, wanted: Any) -> Any:
        while get_origin(wanted) is typing.Annotated:
            wanted = get_args(wanted)[0]
        if get_origin(wanted) in (Union, types.UnionType):
            kinds = [kind for kind in get_args(wanted) if kind is not type(None)]
            return self.plain_of(kinds[0]) if len(kinds) == 1 else wanted
        return wanted.__supertype__ if hasattr(wanted, "__supertype__") else wanted

    def text(self, wanted: Any, *, top: bool = False) -> str:
        if len(self.inside) > _MAX_DEPTH:
            raise self.refuse(self.inside[0], "it is nested too deeply, or holds itself")
        self.inside.append(wanted)
        try:
            return self._text(wanted, top)
        finally:
            self.inside.pop()

    def _text(self, wanted: Any, top: bool) -> str:
        wanted = wanted if top else self.plain(wanted, rules=False)
        if isinstance(wanted, str):
            return wanted
        if _is_polars(wanted):
            return self.of_polars(wanted, top)
        if _is_pyarrow(wanted, "DataType"):
            return self.of_arrow(wanted, top)
        origin, inner = get_origin(wanted) or wanted, get_args(wanted)
        if origin in _LISTS:
            return self.list_of(wanted, inner)
        if origin is tuple:
            return self.tuple_of(wanted, inner, top)
        if origin in _OBJECTS:
            return "struct"
        if get_origin(wanted) is Literal:
            return self.of_words(get_args(wanted))
        if isinstance(wanted, type):
            return self.of_class(wanted)
        raise self.refuse(wanted, "crv has no type for it")

    def of_class(self, wanted: Any) -> str:
        if wanted in _PLAIN:
            return _PLAIN[wanted]
        if issubclass(wanted, enum.Enum):
            return "i64" if issubclass(wanted, int) else self.of_words([member.value for member in wanted])
        if hasattr(wanted, "model_fields") or dataclasses.is_dataclass(wanted) or _is_typed_dict(wanted):
            return _struct((name, self.text(self.inner(field))) for name, field in _columns_of(self.table, wanted))
        numpy: Any = sys.modules.get("numpy")
        if numpy is not None and issubclass(wanted, numpy.generic):
            kind = numpy.dtype(wanted).kind
            if kind in "iufbU":
                return {"i": "i64", "u": "i64", "f": "f64", "b": "bool", "U": "str"}[kind]
        raise self.refuse(wanted, "crv has no type for it")

    def inner(self, field: _Given) -> Any:
        for constraint in field.constraints:
            raise self.refuse(constraint, "rules are for columns, not for what is inside of them")
        return field.type

    def list_of(self, wanted: Any, inner: tuple[Any, ...]) -> str:
        if not inner:
            raise self.refuse(wanted, "say what the list holds, as in list[float]")
        return f"list[{self.text(inner[0])}]"

    def tuple_of(self, wanted: Any, inner: tuple[Any, ...], top: bool) -> str:
        if len(inner) == 2 and inner[1] is Ellipsis:
            return f"list[{self.text(inner[0])}]"
        texts = {self.text(item) for item in inner}
        if len(texts) != 1 or not top:
            raise self.refuse(wanted, "a tuple is a list of one type, and has a length only as a column")
        self.rules["length"] = len(inner)
        return f"list[{texts.pop()}]"

    def words(self, words: Any) -> str:
        self.rules["one_of"] = list(words)
        return self.of_words(words)

    def of_words(self, words: Any) -> str:
        for word in words:
            if not isinstance(word, str):
                raise self.refuse(word, "only texts can be the words of a column")
        return "str"

    def of_polars(self, wanted: Any, top: bool) -> str:
        if wanted in (pl.List, pl.Array, pl.Struct, pl.Decimal) and isinstance(wanted, type):
            raise self.refuse(wanted, "say what it holds")
        dtype = wanted() if isinstance(wanted, type) else wanted
        if dtype.is_integer():
            return "i64"
        if dtype.is_float():
            return "f64"
        if isinstance(dtype, (pl.String, pl.Categorical, pl.Enum)):
            return "str"
        if isinstance(dtype, pl.Boolean):
            return "bool"
        if isinstance(dtype, pl.Binary):
            return "binary"
        if isinstance(dtype, pl.Date):
            return "date32[day]"
        if isinstance(dtype, pl.Time):
            return "time64[ns]"
        if isinstance(dtype, pl.Datetime):
            return f"timestamp[{dtype.time_unit}" + (f", tz={dtype.time_zone}]" if dtype.time_zone else "]")
        if isinstance(dtype, pl.Decimal):
            return f"decimal128({dtype.precision or 38}, {dtype.scale})"
        if isinstance(dtype, pl.List):
            return f"list[{self.text(dtype.inner)}]"
        if isinstance(dtype, pl.Array):
            return self.array_of(wanted, dtype.inner, dtype.size, top)
        if isinstance(dtype, pl.Struct):
            return _struct((field.name, self.text(field.dtype)) for field in dtype.fields)
        raise self.refuse(wanted, "crv has no type for it")

    def array_of(self, wanted: Any, inner: Any, length: int, top: bool) -> str:
        if not top:
            raise self.refuse(wanted, "only a column itself has a length; take a list")
        self.rules["length"] = length
        return f"list[{self.text(inner)}]"

    def of_arrow(self, wanted: Any, top: bool) -> str:
        import pyarrow as pa

        kinds = pa.types
        if kinds.is_dictionary(wanted):
            return self.text(wanted.value_type)
        if kinds.is_integer(wanted):
            return "i64"
        if kinds.is_floating(wanted):
            return "f64"
        if kinds.is_boolean(wanted):
            return "bool"
        if kinds.is_string(wanted) or kinds.is_large_string(wanted) or str(wanted) == "string_view":
            return "str"
        if kinds.is_fixed_size_list(wanted):
            return self.array_of(wanted, wanted.value_type, wanted.list_size, top)
        if kinds.is_list(wanted) or kinds.is_large_list(wanted):
            return f"list[{self.text(wanted.value_type)}]"
        if kinds.is_struct(wanted):
            return _struct((wanted.field(i).name, self.text(wanted.field(i).type)) for i in range(wanted.num_fields))
        if kinds.is_nested(wanted) or kinds.is_null(wanted) or isinstance(wanted, pa.BaseExtensionType):
            raise self.refuse(wanted, "crv has no type for it")
        return str(wanted)  # the core knows the rest by Arrow's names

    # ---- rules ----

    def constrain(self, constraint: Any, integer: bool) -> None:
        """One of annotated_types or of pydantic, which have the same attributes."""
        if constraint is None:  # pydantic's conint has such
            return
        kind = type(constraint).__name__
        if hasattr(constraint, "annotation") and hasattr(constraint, "metadata"):  # a pydantic Field in Annotated
            for one in constraint.metadata:
                self.constrain(one, integer)
            if constraint.description:
                self.rules["doc"] = constraint.description
            return
        if kind == "Interval":
            for one in constraint:
                self.constrain(one, integer)
            return
        known = {"Ge": "min", "Gt": "min", "Le": "max", "Lt": "max"}
        if kind in known:
            bound = getattr(constraint, kind.lower())
            self.rules[known[kind]] = self.bound(constraint, bound, kind, integer)
            return
        if kind == "MinLen" and constraint.min_length in (0, 1):
            if constraint.min_length:
                self.rules["not_empty"] = True
            return
        if kind == "_PydanticGeneralMetadata" and list(vars(constraint)) == ["allow_inf_nan"]:
            if not constraint.allow_inf_nan:
                self.rules["finite"] = True
            return
        if kind in ("AllowInfNan",):
            if not constraint.allow_inf_nan:
                self.rules["finite"] = True
            return
        if isinstance(constraint, str):  # words for people, as typing has them
            self.rules.setdefault("doc", constraint)
            return
        raise self.refuse(constraint, _NO_RULE_BESIDE)

    def bound(self, constraint: Any, bound: Any, kind: str, integer: bool) -> int | float:
        if isinstance(bound, bool) or not isinstance(bound, (int, float)):
            raise self.refuse(constraint, _NO_RULE_BESIDE)
        if kind in ("Ge", "Le"):
            return bound
        if integer and float(bound).is_integer():
            return int(bound) + (1 if kind == "Gt" else -1)
        # the next number there is: all that are above (below) a bound are at least (at most) that
        return math.nextafter(bound, math.inf if kind == "Gt" else -math.inf)

    def check_default(self, default: Any) -> None:
        """A default that its own rules refuse is a mistake of whoever wrote them."""
        value = default.value if isinstance(default, enum.Enum) else default
        if value is None:
            if not self.nullable:
                raise self.refuse(default, "this default is None, and the type is not optional")
            return
        low, high = self.rules.get("min"), self.rules.get("max")
        number = isinstance(value, (int, float))
        broken = (
            (number and low is not None and value < low)
            or (number and high is not None and value > high)
            or ("one_of" in self.rules and value not in self.rules["one_of"])
            or ("not_empty" in self.rules and value == "")
            or ("finite" in self.rules and number and not math.isfinite(value))
            or ("length" in self.rules and isinstance(value, abc.Sized) and len(value) != self.rules["length"])
        )
        if broken:
            raise self.refuse(default, "this default breaks a rule of its own column")


def _struct(fields: Iterator[tuple[str, str]]) -> str:
    texts = []
    for name, text in fields:
        shown = name if re.fullmatch(r"[A-Za-z0-9_]+", name) else json.dumps(name, ensure_ascii=False)
        texts.append(f"{shown}: {text}")
    return "struct{" + ", ".join(texts) + "}"


def _is_polars(wanted: Any) -> bool:
    return isinstance(wanted, pl.DataType) or (inspect.isclass(wanted) and issubclass(wanted, pl.DataType))


def _of_arrow_field(field: Any) -> _Given:
    metadata = field.metadata or {}
    doc = metadata.get(b"doc", b"").decode(errors="replace")
    return _Given(field.type, doc=doc, required=not field.nullable)
