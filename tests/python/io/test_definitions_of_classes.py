"""Tables from models, dataclasses, TypedDicts and schemas: which columns they have, and what is refused."""

import dataclasses
import math
import subprocess
import sys
from typing import Annotated, ClassVar, Final, Literal, NotRequired, Required, TypedDict

import annotated_types as at
import polars as pl
import pyarrow as pa
import pydantic
import pydantic.dataclasses
import pytest
import typing_extensions
from definition_cases import TINY, Both, Color, Ids, Mixed, Point, Spot, Word, column, free, needed, refused
from pydantic import BaseModel, ConfigDict, Field

from crv.core.schema import HoldingsRow, IdentityEdgeRow, MessageRow
from crv.io import Column
from crv.io._definitions import definition
from crv.io.errors import IoSchemaError

def columns(given):
    return {made.pop("name"): made for made in definition("t", given)["columns"]}


class Sheep(BaseModel):
    """A sheep."""

    tick: int
    name: str = Field(min_length=1, description="What it is called", alias="sheepName", serialization_alias="n")
    energy: Annotated[float, Column(unit="J")] = Field(default=1.0, ge=0, le=1, allow_inf_nan=False)
    home: Point | None = None
    color: Color = Color.red
    at: tuple[float, float] = (0.0, 0.0)
    tags: list[str] = Field(default_factory=list)
    hidden: int = Field(default=1, exclude=True)
    _private: int = 3

    @pydantic.computed_field(description="Twice")
    @property
    def twice(self) -> float:
        return 2 * self.energy


SHEEP = {
    "tick": needed("i64"), "name": needed("str", not_empty=True, doc="What it is called"),
    "energy": needed("f64", min=0, max=1, finite=True, unit="J"), "home": free("struct{x: f64, y: f64}"),
    "color": needed("str", one_of=["r", "b"]), "at": needed("list[f64]", length=2), "tags": needed("list[str]"),
    "twice": needed("f64", doc="Twice"),
}


def test_a_model_of_pydantic():
    assert columns(Sheep) == SHEEP
    assert list(columns(Sheep)) == list(Sheep(tick=1, sheepName="a").model_dump())


def test_name_and_doc():
    assert definition("sheep", {"tick": int}) == {
        "name": "sheep", "columns": [{"name": "tick", "type": "i64", "required": True}]}
    assert definition("sheep", {}, "What a sheep is") == {"name": "sheep", "doc": "What a sheep is", "columns": []}


def test_a_dataclass():
    @dataclasses.dataclass
    class Base:
        tick: int
        energy: "Annotated[float, at.Ge(0)]" = 1.0
        version: ClassVar[int] = 3

    @dataclasses.dataclass(kw_only=True, slots=True)
    class Child(Base):
        seed: dataclasses.InitVar[int]
        energy: float | None = None
        color: Literal["r", "b"] = "r"
        made: str = dataclasses.field(init=False)
        tags: list[str] = dataclasses.field(default_factory=list)
        fixed: Final[int] = 3
        weight: float = Field(gt=0, description="In kg")

    assert columns(Base) == {"tick": needed("i64"), "energy": needed("f64", min=0)}
    assert columns(Child) == {
        "tick": needed("i64"), "energy": free("f64"), "color": needed("str", one_of=["r", "b"]), "made": needed("str"),
        "tags": needed("list[str]"), "fixed": needed("i64"), "weight": needed("f64", min=TINY, doc="In kg")}


def test_a_dataclass_of_pydantic():
    @pydantic.dataclasses.dataclass
    class Wolf:
        tick: int
        age: Annotated[int, "In ticks"] = Field(ge=0)
        seed: dataclasses.InitVar[int] = 3
        made: str = dataclasses.field(init=False, default="a")

    assert columns(Wolf) == {"tick": needed("i64"), "age": needed("i64", min=0, doc="In ticks"), "made": needed("str")}

    @pydantic.dataclasses.dataclass(config=ConfigDict(extra="allow"))
    class Open:
        x: int

    assert column(Open) == needed("struct{x: i64, ...}")


@pytest.mark.parametrize("kind", [TypedDict, typing_extensions.TypedDict])
def test_a_typed_dict(kind):
    class Base(kind):
        tick: int
        x: NotRequired[float]
        y: "NotRequired[Annotated[float, at.Ge(0)]]"
        z: typing_extensions.ReadOnly[str]

    class Loose(Base, total=False):
        a: int
        b: Required[int]
        c: "Required[int | None]"
        d: "Required[int]"

    assert columns(Loose) == {
        "tick": needed("i64"), "x": free("f64"), "y": free("f64", min=0), "z": needed("str"),
        "a": free("i64"), "b": needed("i64"), "c": free("i64"), "d": needed("i64")}


def test_a_schema_of_polars():
    assert columns(pl.Schema({"tick": pl.Int64, "a": pl.String})) == {"tick": free("i64"), "a": free("str")}
    assert columns(pl.DataFrame({"tick": [1], "l": [[1.5]]}).schema) == {"tick": free("i64"), "l": free("list[f64]")}


def test_a_schema_of_pyarrow():
    kind = pa.struct([pa.field("a", pa.int8(), nullable=False)])
    schema = pa.schema([
        pa.field("tick", pa.int64(), nullable=False),
        pa.field("e", pa.float32(), metadata={"doc": "Left", "unit": "J", "k": "v"}),
        pa.field("s", kind), pa.field("s", pa.list_(pa.int8(), 2), nullable=False)])
    assert definition("t", schema)["columns"] == [
        {"name": "tick", "type": "i64", "required": True}, {"name": "e", "type": "f64", "doc": "Left", "unit": "J"},
        {"name": "s", "type": "struct{a: i64}"}, {"name": "s", "type": "list[i64]", "required": True, "length": 2}]
    broken = pa.schema([pa.field("x", pa.int8(), metadata={"doc": b"\xff"})])
    assert columns(broken) == {"x": free("i64", doc="\udcff")}  # the core refuses it


def test_rows_of_the_built_in_tables_are_models_as_any_other():
    made = columns(HoldingsRow)
    assert list(made) == list(HoldingsRow.model_fields)
    assert made["agent_id"] == needed("str", doc=HoldingsRow.model_fields["agent_id"].description)
    with pytest.raises(IoSchemaError, match='column "visibility_scope": the constraint BeforeValidator'):
        columns(MessageRow)
    with pytest.raises(IoSchemaError, match="the constraint _has_what_it_needs"):
        columns(IdentityEdgeRow)


class Early(BaseModel):
    later: "Later"


class Later(BaseModel):
    x: int


@pydantic.dataclasses.dataclass
class EarlyData:
    later: "LaterData"


@pydantic.dataclasses.dataclass
class LaterData:
    x: int


def test_names_that_came_later_are_resolved():
    assert column(Early) == needed("struct{later: struct{x: i64}}")
    assert columns(EarlyData) == {"later": needed("struct{x: i64}")}


class TreeModel(BaseModel):
    children: "list[TreeModel]"


@dataclasses.dataclass
class TreeData:
    parent: "TreeData | None"


class TreeDict(TypedDict):
    inner: "dict[str, TreeDict]"
    inner_list: "list[TreeDict]"


class TreeRoot(pydantic.RootModel["list[TreeRoot]"]):
    pass


def nested(levels):
    kind = int
    for _ in range(levels):
        kind = list[kind]
    return kind


@pytest.mark.parametrize("given", [TreeModel, TreeData, TreeDict, TreeRoot, nested(1000)],
                         ids=["model", "dataclass", "TypedDict", "RootModel", "list"])
def test_what_contains_itself_or_is_too_deep_is_refused(given):
    refused(lambda: column(given), "x", "contains itself")


def test_a_table_that_contains_itself_is_refused_in_its_column():
    refused(lambda: columns(TreeModel), "children", "TreeModel contains itself")
    refused(lambda: columns(TreeData), "parent", "TreeData contains itself")


def test_names_that_do_not_resolve_are_refused():
    @dataclasses.dataclass
    class Data:
        x: "Nowhere"

    class Model(BaseModel):
        x: "list[Nowhere]"

    @pydantic.dataclasses.dataclass
    class Mixture:
        x: "Nowhere"

    for kind in (Data, Model, Mixture, TypedDict("Dict", {"x": "Nowhere"}), TypedDict("Code", {"x": "1 / Nowhere"})):
        refused(lambda kind=kind: columns(kind), "", "cannot be resolved", "Nowhere")
        refused(lambda kind=kind: column(kind), "x", "cannot be resolved", "Nowhere")


@pytest.mark.parametrize(("given", "word"), [
    (3, "3"), ("tick", "'tick'"), ([("tick", int)], "tick"), (None, "None"), (int, "int"), (Both, "Both"),
    (Ids, "Ids"),
    (Spot("a", Point(x=1)), "give its class"), (Point(x=1), "give its class"),
    (pl.DataFrame({"tick": [1]}), "give its schema"),
    (pl.LazyFrame({"tick": [1]}), "give its schema"), (pa.table({"tick": [1]}), "give its schema"),
], ids=lambda value: type(value).__name__)
def test_what_is_no_set_of_columns_is_refused(given, word):
    assert refused(lambda: definition("t", given), "", word).facts["key"] == "columns"


def test_a_name_of_a_column_is_text():
    assert refused(lambda: definition("t", {3: int}), "", "not 3").facts["key"] == "name"


def model(**config):
    class Model(BaseModel):
        model_config = ConfigDict(**config)
        x: str

    return Model


@pytest.mark.parametrize("config", [{"str_min_length": 1}, {"str_max_length": 9}, {"allow_inf_nan": False}], ids=str)
def test_a_constraint_on_every_field_of_a_model_is_refused(config):
    (key,) = config
    assert refused(lambda: columns(model(**config)), "", key, "give it to the fields").facts["key"] == key
    assert columns(model(strict=True, str_strip_whitespace=True, str_min_length=0)) == {"x": needed("str")}


def test_validators_and_serializers_are_refused():
    class Field_(BaseModel):
        x: int

        @pydantic.field_validator("x")
        @classmethod
        def check_x(cls, value):
            return value

    class Written(BaseModel):
        x: int

        @pydantic.field_serializer("x")
        def write_x(self, value):
            return str(value)

    class Whole(BaseModel):
        x: int

        @pydantic.model_validator(mode="after")
        def check_all(self):
            return self

    refused(lambda: columns(Field_), "x", "the constraint check_x cannot be kept as a rule")
    refused(lambda: columns(Written), "x", "the constraint write_x cannot be kept as a rule")
    refused(lambda: columns(Whole), "", "the constraint check_all cannot be kept as a rule")
    refused(lambda: column(Field_), "x", 'field "x"', "check_x")


@pytest.mark.parametrize(("kind", "default", "rules", "key"), [
    (float, -1.0, {"ge": 0}, "min"), (float, math.nan, {"ge": 0}, "min"), (float, 2.0, {"le": 1}, "max"),
    (int, 0, {"gt": 0}, "min"),
    (str, "", {"min_length": 1}, "not_empty"), (float, math.inf, {"allow_inf_nan": False}, "finite"),
    (Literal["a"], "b", {}, "one_of"),
    (Color, Mixed.b, {}, None), (Color, "x", {}, "one_of"), (int, None, {}, "None"), (Color, None, {}, "None"),
    (tuple[int, int], (1,), {}, "length"), (list[int], [1], {"min_length": 2, "max_length": 2}, "length"),
    (float | None, -1.0, {"ge": 0}, "min"),
])
def test_a_default_that_breaks_its_own_rule_is_refused(kind, default, rules, key):
    made = pydantic.create_model("Model", x=(kind, Field(default=default, **rules)))
    if key is None:  # its value is one of the texts
        assert columns(made)["x"]["one_of"] == ["r", "b"]
        return
    error = refused(lambda: columns(made), "x", "its default ", key)
    assert error.facts["key"] == "default"


def test_a_default_of_a_dataclass_too():
    @dataclasses.dataclass
    class Data:
        x: Literal["a", "b"] = "c"

    refused(lambda: columns(Data), "x", "its default 'c' breaks its own rule one_of (['a', 'b'])")


@pytest.mark.parametrize(("kind", "default", "rules"), [
    (float, 0, {"ge": 0}), (float | None, None, {"ge": 0}), (Color, Color.blue, {}), (Word, "A", {}),
    (tuple[int, int], [1, 2], {}),
    (str, "a", {"min_length": 1}), (int, "text", {"ge": 0}), (float, 1, {"allow_inf_nan": False}),
])
def test_a_default_that_fits_changes_nothing(kind, default, rules):
    bare = pydantic.create_model("Bare", x=(kind, Field(**rules)))
    made = pydantic.create_model("Model", x=(kind, Field(default=default, **rules)))
    assert columns(made) == columns(bare)


def test_a_definition_loads_neither_pydantic_nor_pyarrow_nor_numpy():
    code = """
import dataclasses, sys
from typing import Annotated, Any
from crv.io import Column
from crv.io._definitions import definition
import polars as pl
@dataclasses.dataclass
class D:
    tick: int
    x: Annotated[float | None, Column(unit="J")]
    y: dict[str, Any]
assert len(definition("t", D)["columns"]) == 3
assert len(definition("t", {"tick": int, "d": D, "e": pl.List(pl.Int8)})["columns"]) == 3
assert not {"pydantic", "pyarrow", "numpy", "annotated_types"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
