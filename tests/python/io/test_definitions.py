"""Definitions of tables from what Python users have: the dict that the core takes."""

import dataclasses
import datetime
import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, NewType, NotRequired, Optional, TypedDict

import annotated_types
import numpy as np
import polars as pl
import pyarrow as pa
import pydantic
import pytest

from crv.io._definitions import definition
from crv.io.errors import IoSchemaError


class Color(enum.Enum):
    red = "r"
    blue = "b"


class Level(enum.IntEnum):
    low = 1


class Mixed(enum.Enum):
    a = 1
    b = "b"


class Point(pydantic.BaseModel):
    x: float
    y: Optional[float] = None


@dataclasses.dataclass
class Spot:
    name: str
    where: Point
    kind: ClassVar[int] = 3


class Pair(TypedDict):
    a: int
    b: NotRequired[str]


Meters = NewType("Meters", float)


def column(given):
    made = definition("t", {"x": given})["columns"]
    assert len(made) == 1 and made[0].pop("name") == "x"
    required = made[0].pop("required", False)
    text = made[0].pop("type")
    return (text + "!" if required else text), made[0]


TYPES = [
    (int, "i64!"), (float, "f64!"), (str, "str!"), (bool, "bool!"), (bytes, "binary!"),
    (datetime.datetime, "timestamp[us, tz=UTC]!"), (datetime.date, "date32[day]!"), (datetime.time, "time64[us]!"),
    (float | None, "f64"), (Optional[str], "str"), (Meters, "f64!"), (Annotated[int, "of sheep"], "i64!"),
    (list[float], "list[f64]!"), (Sequence[str], "list[str]!"), (tuple[int, ...], "list[i64]!"),
    (list[list[int] | None], "list[list[i64]]!"), (list[float | None], "list[f64]!"),
    (dict, "struct!"), (dict[str, Any], "struct!"), (Mapping[str, int] | None, "struct"),
    (Point, "struct{x: f64, y: f64}!"), (Spot, "struct{name: str, where: struct{x: f64, y: f64}}!"),
    (Pair, "struct{a: i64, b: str}!"), (list[Point], "list[struct{x: f64, y: f64}]!"), (Level, "i64!"),
    (np.float32, "f64!"), (np.int8, "i64!"), (np.bool_, "bool!"), (np.str_, "str!"),
    ("i64", "i64"), ("f64!", "f64!"), ("list[struct{x: f64}] !", "list[struct{x: f64}]!"), ("timestamp", "timestamp"),
    (pl.Int8, "i64"), (pl.UInt64(), "i64"), (pl.Float32, "f64"), (pl.String, "str"), (pl.Boolean, "bool"),
    (pl.Binary, "binary"), (pl.Date, "date32[day]"), (pl.Time, "time64[ns]"), (pl.Categorical(), "str"),
    (pl.Datetime("us", "UTC"), "timestamp[us, tz=UTC]"), (pl.Datetime("ns"), "timestamp[ns]"),
    (pl.Decimal(10, 2), "decimal128(10, 2)"), (pl.List(pl.Struct({"a b": pl.Int64})), 'list[struct{"a b": i64}]'),
    (pa.int16(), "i64"), (pa.float64(), "f64"), (pa.large_string(), "str"), (pa.bool_(), "bool"),
    (pa.dictionary(pa.int8(), pa.string()), "str"), (pa.list_(pa.struct([("a", pa.float32())])), "list[struct{a: f64}]"),
    (pa.timestamp("us", "UTC"), "timestamp[us, tz=UTC]"), (pa.date32(), "date32[day]"), (pa.decimal128(5, 1), "decimal128(5, 1)"),
]


@pytest.mark.parametrize(("given", "text"), TYPES, ids=str)
def test_a_type(given, text):
    assert column(given)[0] == text


RULES = [
    (tuple[float, float, float], {"length": 3}), (pl.Array(pl.Float64, 2), {"length": 2}),
    (pa.list_(pa.float64(), 4), {"length": 4}),
    (Literal["a", "b"], {"one_of": ["a", "b"]}), (Color, {"one_of": ["r", "b"]}), (pl.Enum(["x"]), {"one_of": ["x"]}),
    (Annotated[int, annotated_types.Gt(0)], {"min": 1}), (Annotated[int, annotated_types.Lt(5)], {"max": 4}),
    (Annotated[float, annotated_types.Ge(0), annotated_types.Le(1.5)], {"min": 0, "max": 1.5}),
    (Annotated[float, annotated_types.Gt(0)], {"min": 5e-324}),
    (Annotated[int | None, annotated_types.Interval(ge=1, lt=10)], {"min": 1, "max": 9}),
    (Annotated[str, annotated_types.MinLen(1)], {"not_empty": True}),
    (Annotated[float, pydantic.Field(ge=0, allow_inf_nan=False, description="Left")],
     {"min": 0, "finite": True, "doc": "Left"}),
    (pydantic.conint(gt=2), {"min": 3}), (Annotated[int, "of sheep"], {"doc": "of sheep"}),
]


@pytest.mark.parametrize(("given", "rules"), RULES, ids=str)
def test_a_rule(given, rules):
    assert column(given)[1] == rules


class Sheep(pydantic.BaseModel):
    tick: int
    name: str = pydantic.Field(min_length=1, description="What it is called")
    energy: float = pydantic.Field(default=1.0, ge=0, le=1)
    home: Point | None = None


def test_a_whole_model_dataclass_typed_dict_and_schemas():
    assert definition("sheep", Sheep, "A sheep") == {
        "name": "sheep", "doc": "A sheep", "columns": [
            {"name": "tick", "type": "i64", "required": True},
            {"name": "name", "type": "str", "required": True, "not_empty": True, "doc": "What it is called"},
            {"name": "energy", "type": "f64", "required": True, "min": 0, "max": 1},
            {"name": "home", "type": "struct{x: f64, y: f64}"}]}
    assert [c["name"] for c in definition("t", Spot)["columns"]] == ["name", "where"]
    assert definition("t", Pair)["columns"] == [{"name": "a", "type": "i64", "required": True},
                                                {"name": "b", "type": "str"}]
    assert definition("t", pl.Schema({"tick": pl.Int64, "a": pl.String}))["columns"] == [
        {"name": "tick", "type": "i64"}, {"name": "a", "type": "str"}]
    field = pa.field("a", pa.string(), nullable=False, metadata={"doc": "A"})
    assert definition("t", pa.schema([field, ("b", pa.int64())]))["columns"] == [
        {"name": "a", "type": "str", "required": True, "doc": "A"}, {"name": "b", "type": "i64"}]


class Tree(pydantic.BaseModel):
    children: "list[Tree]"


class Strict(pydantic.BaseModel):
    inner: "Inner"


class Inner(pydantic.BaseModel):
    x: float = pydantic.Field(ge=0)


REFUSED = [
    Any, int | str, object, list, tuple[int, str], complex, datetime.timedelta, Mixed, Tree, Literal[1, 2], Strict,
    pl.Duration, pl.Object, pl.Null, pl.List, pl.Array(pl.Float64, (2, 3)), pa.null(), pa.map_(pa.string(), pa.int64()),
    list[tuple[int, int]], list[Annotated[int, annotated_types.Ge(0)]],
    Annotated[str, pydantic.Field(pattern="a")], Annotated[float, annotated_types.MultipleOf(2)],
    Annotated[str, annotated_types.MaxLen(3)], Annotated[list[int], annotated_types.MinLen(2)],
    Annotated[datetime.date, annotated_types.Ge(datetime.date(2026, 1, 1))],
]


@pytest.mark.parametrize("given", REFUSED, ids=str)
def test_what_has_no_type_or_no_rule_is_refused_by_name(given):
    with pytest.raises(IoSchemaError) as refused:
        definition("t", {"x": given})
    assert refused.value.code == "bad_definition"
    assert refused.value.facts["table"] == "t" and refused.value.facts["column"] == "x"
    assert refused.value.facts["value"]


@pytest.mark.parametrize("given", [3, "tick", [("tick", int)], {3: int}, None, int])
def test_what_is_no_set_of_columns_is_refused(given):
    with pytest.raises(IoSchemaError) as refused:
        definition("t", given)
    assert refused.value.code == "bad_definition"


@pytest.mark.parametrize(("kind", "default", "rules"), [
    (float, -1.0, {"ge": 0}), (float, 2.0, {"le": 1}), (str, "", {"min_length": 1}), (float, float("inf"), {"allow_inf_nan": False}),
    (Literal["a"], "b", {}), (int, None, {}),
])
def test_a_default_that_breaks_its_own_rule_is_refused(kind, default, rules):
    model = pydantic.create_model("Model", x=(kind, pydantic.Field(default=default, **rules)))
    with pytest.raises(IoSchemaError, match="default"):
        definition("t", model)
