"""Types and rules of columns, from what Python users have; and what is refused by name."""

import dataclasses
import datetime as dt
import enum
import math
import sys
import uuid
from collections.abc import Iterable, Mapping, MutableSequence, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import (
    Annotated, Any, Dict, Generic, List, Literal, NewType, NotRequired, Optional, Tuple, TypedDict, TypeVar, Union,
)

import annotated_types as at
import numpy as np
import polars as pl
import pyarrow as pa
import pydantic
import pytest
import typing_extensions
from definition_cases import TINY, Both, Color, Ids, Mixed, Point, Spot, Word, column, free, needed, refused
from pydantic import BaseModel, ConfigDict, Field

from crv.core.grammar import Visibility
from crv.io import Column

T = TypeVar("T")
Meters = NewType("Meters", float)
Height = NewType("Height", Meters)
Numbers = typing_extensions.TypeAliasType("Numbers", list[float])
Vector = typing_extensions.TypeAliasType("Vector", list[T], type_params=(T,))


class Old(str, enum.Enum):
    b = "B"


class Level(enum.IntEnum):
    low = 1


class Pair(TypedDict):
    a: int
    b: NotRequired[str]


class Bag(BaseModel):
    model_config = ConfigDict(extra="allow")
    x: float


class Empty(BaseModel):
    model_config = ConfigDict(extra="allow")


class Box(BaseModel, Generic[T]):
    held: T


@dataclasses.dataclass
class Plain(Generic[T]):
    held: T


def check(cases):
    return pytest.mark.parametrize(("given", "made"), cases, ids=lambda value: str(value)[:60])


# ---- types ----

UTC = "timestamp[us, tz=UTC]"


@check([
    (int, needed("i64")), (float, needed("f64")), (str, needed("str")), (bool, needed("bool")),
    (bytes, needed("binary")), (dt.datetime, needed(UTC)), (dt.date, needed("date32[day]")),
    (dt.time, needed("time64[us]")), (pydantic.AwareDatetime, needed(UTC)),
    (pydantic.NaiveDatetime, needed("timestamp[us]")),
    (np.float64, needed("f64")), (np.float32, needed("f64")), (np.float16, needed("f64")), (np.int64, needed("i64")),
    (np.uint8, needed("i64")), (np.bool_, needed("bool")), (np.str_, needed("str")),
    (list[float], needed("list[f64]")), (List[int], needed("list[i64]")), (Sequence[str], needed("list[str]")),
    (MutableSequence[str], needed("list[str]")), (list[list[int]], needed("list[list[i64]]")),
    (tuple[int, ...], needed("list[i64]")), (Tuple[str, ...], needed("list[str]")),
    (list[float | None], needed("list[f64]")), (list["f64"], needed("list[f64]")),
    (list[pl.Int8], needed("list[i64]")),
    (tuple[float, float, float], needed("list[f64]", length=3)), (tuple[int], needed("list[i64]", length=1)),
    (tuple[float, float | None], needed("list[f64]", length=2)),
    (dict, needed("struct")), (dict[str, Any], needed("struct")), (Dict[str, int], needed("struct")),
    (Mapping, needed("struct")), (Mapping[str, object], needed("struct")), (dict[Any, Any], needed("struct")),
    (list[dict[str, Any]], needed("list[struct]")),
    (Literal["a", "b"], needed("str", one_of=["a", "b"])),
    (Literal[Color.red, "x"], needed("str", one_of=["r", "x"])),
    (Color, needed("str", one_of=["r", "b"])), (Word, needed("str", one_of=["A"])),
    (Old, needed("str", one_of=["B"])),
    (Level, needed("i64")), (enum.IntFlag, needed("i64")),
    (Visibility, needed("str", one_of=[word.value for word in Visibility])),
])
def test_a_type_of_python(given, made):
    assert column(given) == made


@check([
    (float | None, free("f64")), (Optional[str], free("str")), (Union[None, int], free("i64")),
    (Literal["a", None], free("str", one_of=["a"])), (Optional[Color], free("str", one_of=["r", "b"])),
    (dict | None, free("struct")), (Annotated[int | None, at.Ge(0)], free("i64", min=0)),
    (Annotated[int, at.Ge(0)] | None, free("i64", min=0)), (tuple[int, int] | None, free("list[i64]", length=2)),
    (Meters, needed("f64")), (Height | None, free("f64")), (NewType("Maybe", Optional[int]), free("i64")),
    (Numbers, needed("list[f64]")), (Numbers | None, free("list[f64]")), (Vector[int], needed("list[i64]")),
    (list[Vector[str]], needed("list[list[str]]")), (NewType("Rows", Numbers), needed("list[f64]")),
])
def test_what_stands_around_a_type(given, made):
    assert column(given) == made


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is of 3.12")
@pytest.mark.parametrize(("text", "made"), [
    ("type X = float", needed("f64")), ("type X = float | None", free("f64")),
    ("type X = Annotated[int, at.Ge(0)]", needed("i64", min=0)),
])
def test_an_alias_of_a_statement(text, made):
    assert column(alias_of(text)) == made


def alias_of(statement):
    names = {**globals()}
    exec(statement, names)
    return names["X"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is of 3.12")
def test_an_alias_with_parameters_and_aliases_that_are_none():
    assert column(alias_of("type X[T] = list[T]")[float]) == needed("list[f64]")
    swapped = alias_of("type X[A, B] = dict[B, A]")
    assert column(swapped[int, str]) == needed("struct")
    refused(lambda: column(swapped[str, int]), "x", "text")
    refused(lambda: column(alias_of("type X = list[X]")), "x", "contains itself")
    refused(lambda: column(alias_of("type X = X | None")), "x", "contains itself")
    refused(lambda: column(alias_of("type X = Nowhere")), "x", "cannot be resolved", "Nowhere")


@check([
    (Point, needed("struct{x: f64, y: f64}")), (Spot, needed("struct{name: str, where: struct{x: f64, y: f64}}")),
    (Pair, needed("struct{a: i64, b: str}")), (Point | None, free("struct{x: f64, y: f64}")),
    (list[Point], needed("list[struct{x: f64, y: f64}]")), (Bag, needed("struct{x: f64, ...}")),
    (Empty, needed("struct")), (Ids, needed("list[i64]")), (list[Ids], needed("list[list[i64]]")),
    (Box[int], needed("struct{held: i64}")),
    (TypedDict("Odd", {"a b": int, "ü": int, '"\n': int, "_1": int}),
     needed('struct{"a b": i64, "ü": i64, "\\"\\n": i64, _1: i64}')),
])
def test_a_class_inside_of_a_column_is_a_struct(given, made):
    assert column(given) == made


@check([
    ("i64", free("i64")), ("f64!", needed("f64")), (" timestamp ", free("timestamp")),
    ("list[struct{x: f64}] !", needed("list[struct{x: f64}]")), ("no type at all", free("no type at all")),
])
def test_a_text_goes_to_the_core_as_it_is(given, made):
    assert column(given) == made


@check([
    *((kind, free("i64")) for kind in (pl.Int8, pl.Int16, pl.Int32, pl.Int64)),
    *((kind, free("i64")) for kind in (pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)),
    (pl.UInt64(), free("i64")), (pl.Float32, free("f64")), (pl.Float64(), free("f64")), (pl.String, free("str")),
    (pl.Utf8, free("str")), (pl.Boolean, free("bool")), (pl.Binary, free("binary")), (pl.Date, free("date32[day]")),
    (pl.Time, free("time64[ns]")), (pl.Categorical, free("str")), (pl.Categorical(), free("str")),
    (pl.Enum(["a", "b"]), free("str", one_of=["a", "b"])), (pl.Enum(Color), free("str", one_of=["r", "b"])),
    (pl.Datetime("us", "UTC"), free(UTC)),
    (pl.Datetime("ns", "Europe/Berlin"), free("timestamp[ns, tz=Europe/Berlin]")),
    (pl.Datetime("ms"), free("timestamp[ms]")), (pl.Datetime, free("timestamp[us]")),
    (pl.Decimal(10, 2), free("decimal128(10, 2)")), (pl.List(pl.Int8), free("list[i64]")),
    (pl.List(pl.List(pl.String)), free("list[list[str]]")), (pl.Array(pl.Float32, 3), free("list[f64]", length=3)),
    (pl.Struct({"a": pl.Int64, "b c": pl.List(pl.Categorical)}), free('struct{a: i64, "b c": list[str]}')),
    (pl.Map(pl.String, pl.Int64), free("list[struct{key: str, value: i64}]")),
    (Annotated[pl.Float64, Column(unit="J")], free("f64", unit="J")),
    (Annotated[pl.Int32, at.Gt(0)], free("i64", min=1)),
])
def test_a_type_of_polars(given, made):
    assert column(given) == made


@check([
    *((kind(), free("i64")) for kind in (pa.int8, pa.int16, pa.int32, pa.int64)),
    *((kind(), free("i64")) for kind in (pa.uint8, pa.uint16, pa.uint32, pa.uint64)),
    *((kind(), free("f64")) for kind in (pa.float16, pa.float32, pa.float64)), (pa.bool_(), free("bool")),
    *((kind(), free("str")) for kind in (pa.string, pa.large_string, pa.string_view)),
    *((kind(), free("binary")) for kind in (pa.binary, pa.large_binary, pa.binary_view)),
    (pa.binary(4), free("fixed_size_binary[4]")), (pa.date32(), free("date32[day]")),
    (pa.date64(), free("date32[day]")),
    (pa.time32("s"), free("time32[ms]")), (pa.time32("ms"), free("time32[ms]")),
    (pa.time64("us"), free("time64[us]")),
    (pa.time64("ns"), free("time64[ns]")), (pa.timestamp("us", "UTC"), free(UTC)),
    (pa.timestamp("s"), free("timestamp[ms]")), (pa.timestamp("s", "UTC"), free("timestamp[ms, tz=UTC]")),
    (pa.timestamp("ns", "Europe/Berlin"), free("timestamp[ns, tz=Europe/Berlin]")),
    (pa.decimal32(4, 1), free("decimal128(4, 1)")), (pa.decimal64(4, 1), free("decimal128(4, 1)")),
    (pa.decimal128(5, 1), free("decimal128(5, 1)")), (pa.decimal256(38, 0), free("decimal128(38, 0)")),
    (pa.decimal256(40, 0), free("decimal256(40, 0)")),
    *((kind(pa.int8()), free("list[i64]")) for kind in (pa.list_, pa.large_list, pa.list_view, pa.large_list_view)),
    (pa.list_(pa.float64(), 4), free("list[f64]", length=4)), (pa.dictionary(pa.int8(), pa.string()), free("str")),
    (pa.dictionary(pa.int8(), pa.list_(pa.int8())), free("list[i64]")),
    (pa.struct([("a", pa.int8()), ("b c", pa.list_(pa.string()))]), free('struct{a: i64, "b c": list[str]}')),
    (pa.map_(pa.string(), pa.int64()), free("list[struct{key: str, value: i64}]")),
])
def test_a_type_of_pyarrow(given, made):
    assert column(given) == made


@check([
    (Annotated[Decimal, pl.Decimal(10, 2)], needed("decimal128(10, 2)")),
    (Annotated[Decimal, pa.decimal128(10, 2)], needed("decimal128(10, 2)")),
    (Annotated[Decimal, Field(max_digits=10, decimal_places=2)], needed("decimal128(10, 2)")),
    (pydantic.condecimal(max_digits=3, decimal_places=0) | None, free("decimal128(3, 0)")),
    (Annotated[dt.datetime, pl.Datetime("ns")], needed("timestamp[ns]")),
    (list[Annotated[dt.datetime, pl.Datetime("ns")]], needed("list[timestamp[ns]]")),
    (Annotated[str | None, pl.Enum(["a"])], free("str", one_of=["a"])),
])
def test_a_dtype_in_annotated_says_how_values_are_stored(given, made):
    assert column(given) == made


WITHOUT_TYPE = [
    (Any, "Any", "dict for a struct"), (object, "object", "dict for a struct"), (None, "None"), (complex, "complex"),
    (Decimal, "decimal.Decimal", "pl.Decimal(precision, scale)"),
    (Annotated[Decimal, Field(max_digits=3)], "Decimal"),
    (dt.timedelta, "datetime.timedelta", "unit"), (uuid.UUID, "uuid.UUID"), (set[int], "set", "list[float]"),
    (frozenset, "frozenset", "list[float]"), (list, "list", "list[float]"), (List, "List", "list[float]"),
    (Sequence, "Sequence", "list[float]"), (Iterable[int], "Iterable"), (tuple, "tuple", "tuple[float, ...]"),
    (tuple[int, str], "one type"), (tuple[()], "tuple"), (dict[int, str], "are text"), (Both, "Both"), (T, "~T"),
    (int | str, "one type, not int | str"), (Union[int, float, None], "one type"), (Literal[1, 2], "texts", "not 1"),
    (Literal[None], "texts"), (Literal["a", True], "not True"), (Mixed, "texts", "not 1"),
    (enum.Flag("F", "a"), "texts"),
    (Plain[int], "Plain"), (Plain, "~T"), (pydantic.PastDate, "PastDate"), (pydantic.SecretStr, "SecretStr"),
    (np.complex128, "complex128"), (np.datetime64, "datetime64"), (np.timedelta64, "timedelta64"),
    (np.longdouble, "longdouble"),
    (np.ndarray, "ndarray"), ([1, 2], "[1, 2]"), (np.array([[1.0], [2.0]]), "array"), ({"x": int}, "int"), (3, "3"),
    (List["f64"], "not resolved"), (Annotated["f64", Column(unit="J")], "not resolved"),
    (pl.Duration, "Duration", "unit"), (pl.Duration("us"), "unit"), (pl.Object, "Object"), (pl.Null, "Null"),
    (pl.Unknown, "Unknown"),
    (pl.Int128, "128 bits"), (pl.UInt128(), "128 bits"), (pl.List, "pl.List(inner)"),
    (pl.Array, "pl.Array(inner, length)"),
    (pl.Struct, "pl.Struct({name: type})"), (pl.Map, "pl.Map(key, value)"), (pl.Enum, "pl.Enum(texts)"),
    (pl.Decimal, "pl.Decimal(precision, scale)"), (pl.DataType, "DataType"), (pl.List(pl.Object), "Object"),
    (pa.null(), "null"), (pa.duration("us"), "unit"), (pa.month_day_nano_interval(), "interval"),
    (pa.uuid(), "extension"),
    (pa.run_end_encoded(pa.int32(), pa.int8()), "run_end_encoded"), (pa.list_(pa.null()), "null"),
    (pa.sparse_union([pa.field("a", pa.int8())]), "union"),
]


@pytest.mark.parametrize(("given", "words"), [(given, words) for given, *words in WITHOUT_TYPE],
                         ids=lambda value: str(value)[:40])
def test_what_has_no_type_is_refused_by_name(given, words):
    refused(lambda: column(given), "x", *words)


# ---- rules ----

@check([
    (Annotated[int, at.Ge(0), at.Le(9)], needed("i64", min=0, max=9)),
    (Annotated[int, at.Gt(0), at.Lt(9)], needed("i64", min=1, max=8)),
    (Annotated[int, at.Gt(0.5), at.Lt(8.5)], needed("i64", min=1, max=8)),
    (Annotated[int, at.Ge(0.5), at.Le(8.5)], needed("i64", min=1, max=8)),
    (Annotated[int, at.Ge(2**53 + 1)], needed("i64", min=2**53 + 1)),
    (Annotated[int, at.Ge(Decimal("1.5"))], needed("i64", min=2)),
    (Annotated[int, at.Ge(-math.inf)], needed("i64", min=-math.inf)),
    (Annotated[Level, at.Ge(1)], needed("i64", min=1)),
    (Annotated[float, at.Ge(0), at.Le(1.5)], needed("f64", min=0, max=1.5)),
    (Annotated[float, at.Gt(0)], needed("f64", min=TINY)), (Annotated[float, at.Lt(0.0)], needed("f64", max=-TINY)),
    (Annotated[float, at.Lt(1)], needed("f64", max=1 - 2**-53)),
    (Annotated[float, at.Lt(math.inf)], needed("f64", max=sys.float_info.max)),
    (Annotated[float, at.Ge(2**53 + 1)], needed("f64", min=2**53 + 2)),
    (Annotated[float, at.Gt(2**53 + 1)], needed("f64", min=2**53 + 2)),
    (Annotated[float, at.Le(2**53 + 1)], needed("f64", max=2**53)),
    (Annotated[float, at.Lt(2**53 + 1)], needed("f64", max=2**53)),
    (Annotated[float, at.Ge(Decimal("0.1"))], needed("f64", min=0.1)),
    (Annotated[float, at.Le(Decimal("0.1"))], needed("f64", max=math.nextafter(0.1, 0))),
    (Annotated[float, at.Ge(Fraction(1, 3))], needed("f64", min=math.nextafter(1 / 3, 1))),
    (Annotated[float, at.Ge(np.float32(0.1)), at.Lt(np.int64(3))],
     needed("f64", min=float(np.float32(0.1)), max=math.nextafter(3, 0))),
    (Annotated[int | None, at.Interval(ge=1, lt=10)], free("i64", min=1, max=9)),
    (Annotated[int, at.Ge(0), at.Gt(3), at.Ge(2)], needed("i64", min=4)),
    (Annotated[float, at.Le(5), at.Le(3)], needed("f64", max=3)), (pydantic.conint(gt=2), needed("i64", min=3)),
    (pydantic.PositiveInt, needed("i64", min=1)),
    (pydantic.NonNegativeFloat, needed("f64", min=0)), (pydantic.StrictInt, needed("i64")),
    (pydantic.FiniteFloat, needed("f64", finite=True)),
    (at.IsFinite[float], needed("f64", finite=True)), (Annotated[float, Field(allow_inf_nan=True)], needed("f64")),
    (Annotated[str, at.MinLen(1)], needed("str", not_empty=True)), (Annotated[str, at.MinLen(0)], needed("str")),
    (Annotated[str, at.Len(1)], needed("str", not_empty=True)),
    (pydantic.constr(min_length=1, strip_whitespace=True, to_lower=True), needed("str", not_empty=True)),
    (Annotated[str, pydantic.StringConstraints(min_length=1)], needed("str", not_empty=True)),
    (Annotated[list[int], at.MinLen(2), at.MaxLen(2)], needed("list[i64]", length=2)),
    (Annotated[list[int], at.Len(3, 3)], needed("list[i64]", length=3)),
    (pydantic.conlist(float, min_length=2, max_length=2), needed("list[f64]", length=2)),
    (Annotated[pl.List(pl.Int64), at.Len(2, 2)], free("list[i64]", length=2)),
    (Annotated[float, Field(ge=0, allow_inf_nan=False, description="Left")],
     needed("f64", min=0, finite=True, doc="Left")),
    (Annotated[float, Field(json_schema_extra={"unit": "J"})], needed("f64", unit="J")),
    (Annotated[float, at.Unit("J"), at.doc("Left")], needed("f64", unit="J", doc="Left")),
    (Annotated[float, typing_extensions.Doc("Left")], needed("f64", doc="Left")),
    (Annotated[int, "of sheep"], needed("i64", doc="of sheep")),
    (Annotated[int, "of sheep", Column(doc="How many")], needed("i64", doc="How many")),
    (Annotated[float, Column(unit="J", doc="Left", unique=True)], needed("f64", unit="J", doc="Left", unique=True)),
    (Annotated[float | None, Column(), at.Ge(0)], free("f64", min=0)),
    (Annotated[Meters, Column(unit="m")], needed("f64", unit="m")),
])
def test_a_rule(given, made):
    assert column(given) == made


@pytest.mark.parametrize("value", [0.0, -0.0, 0.1, -1.5, 1e300, sys.float_info.max, -sys.float_info.max, TINY])
def test_an_open_bound_lets_the_same_floats_through(value):
    low, high = column(Annotated[float, at.Gt(value)])["min"], column(Annotated[float, at.Lt(value)])["max"]
    assert low > value and math.nextafter(low, -math.inf) == value
    assert high < value and math.nextafter(high, math.inf) == value


class Marker:
    pass


@pytest.mark.parametrize(("given", "key"), [
    (Annotated[int, at.MultipleOf(2)], "multiple_of"), (Annotated[str, Field(pattern="a")], "pattern"),
    (Annotated[str, at.MaxLen(3)], "max_length"),
    (Annotated[str, at.Len(1, 3)], "max_length"), (Annotated[str, at.MinLen(2)], "min_length"),
    (Annotated[list[int], at.MinLen(1)], "min_length"),
    (Annotated[list[int], at.MinLen(2), at.MaxLen(3)], "max_length"),
    (Annotated[dict, at.MinLen(1)], "min_length"), (Annotated[bytes, at.MinLen(1)], "min_length"),
    (Annotated[str, at.Predicate(str.islower)], "Predicate"), (at.LowerCase[str], "Predicate"),
    (at.IsNotNan[float], "Predicate"),
    (Annotated[dt.datetime, at.Timezone("UTC")], "tz"), (Annotated[dt.date, at.Ge(dt.date(2026, 1, 1))], "ge"),
    (Annotated[str, at.Gt("a")], "gt"),
    (Annotated[int, at.Lt(True)], "lt"), (Annotated[float, at.Le(math.nan)], "le"),
    (Annotated[float, at.Ge(10**400)], "ge"),
    (pydantic.condecimal(max_digits=3, decimal_places=1, ge=0), "ge"),
    (Annotated[int, Field(max_digits=3)], "max_digits"),
    (Annotated[int, pydantic.AfterValidator(abs)], "AfterValidator"),
    (Annotated[int, pydantic.BeforeValidator(int)], "BeforeValidator"),
    (Annotated[int, pydantic.PlainSerializer(str)], "PlainSerializer"),
    (pydantic.SkipValidation[int], "SkipValidation"),
    (Annotated[str, pydantic.StringConstraints(pattern="a")], "pattern"),
    (Annotated[int, Marker()], "test_definitions.Marker"), (Annotated[int, Marker], "test_definitions.Marker"),
    (Annotated[int, 3], "int"), (Annotated[int, BaseModel], "BaseModel"), (Annotated[int, at.Gt], "Gt"),
])
def test_a_constraint_that_is_no_rule_is_refused_by_name(given, key):
    error = refused(lambda: column(given), "x", "the constraint ", "cannot be kept as a rule")
    assert error.facts["key"].endswith(key) and f"{key}" in str(error)


@pytest.mark.parametrize(("given", "rule"), [
    (list[Annotated[int, at.Ge(0)]], "min"), (list[Literal["a"]], "one_of"), (list[Color], "one_of"),
    (list[tuple[int, int]], "length"),
    (tuple[Annotated[float, at.Lt(1)], ...], "max"), (list[Annotated[str, at.MinLen(1)]], "not_empty"),
    (list[pydantic.FiniteFloat], "finite"),
    (list[Annotated[int, Column(unique=True)]], "unique"), (dict[Literal["a"], int], "one_of"),
    (pl.List(pl.Enum(["a"])), "one_of"),
    (pl.Array(pl.Int64, (2, 3)), "length"), (pl.Struct({"a": pl.Array(pl.Int64, 2)}), "length"),
    (pa.list_(pa.list_(pa.int64(), 2)), "length"),
])
def test_a_rule_inside_of_a_column_is_refused(given, rule):
    assert refused(lambda: column(given), "x", f"the rule {rule} ").facts["key"] == rule


def test_words_for_people_inside_of_a_column_are_let_go():
    inner = pydantic.create_model("Inner", x=(Annotated[float, Column(unit="J")], Field(description="Left")))
    assert column(inner) == needed("struct{x: f64}")


def test_a_field_inside_of_a_column_is_named():
    inner = pydantic.create_model("Inner", deep=(pydantic.create_model("Deep", y=(int, Field(ge=0))), ...))
    refused(lambda: column(list[inner]), "x", 'column "x", field "deep.y": the rule min (0)')
