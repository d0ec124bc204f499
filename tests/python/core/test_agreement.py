"""The pydantic models and the C++ structs give the same verdict on random rows, and the same normal form."""

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from crv.core import _core, schema
from crv.core.errors import CrvError
from crv.core.hashing import json_dumps_canonical

CATALOG = Path(__file__).parents[3] / "catalog"
MODELS = {m["name"]: m for m in tomllib.loads((CATALOG / "models.toml").read_text(encoding="utf-8"))["models"]}
ENUMS = {
    enum["name"]: [member["value"] for member in enum.get("members", [])]
    for enum in tomllib.loads((CATALOG / "enums.toml").read_text(encoding="utf-8"))["enums"]
}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
ints = st.integers(-(2**63), 2**63 - 1)
floats = st.floats() | st.floats(-0.25, 1.25) | st.sampled_from([0.0, 1.0, -0.0])
anything = st.recursive(
    st.none() | st.booleans() | ints | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(texts, anything, max_size=3)
# What stands for a number or a flag in lax input, or nearly does. Left out is what only pydantic takes: integers
# beyond 64 bits, blanks beyond ASCII, "1e400", and underscores that stand elsewhere than between two digits.
lax = st.sampled_from(
    [True, False, 0, 1, 2, 7.0, 7.5, -0.0, 1e18, 1e300, "7", "7.0", "7.5", "-3", "+3", " 7 ", "\t7\n", "1_0", "1_000.0",
     "007", "1e3", "1e+5", "1.0e0", "0x7", "", ".5", "5.", "-.5", ".", "-", "--1", "+-1", "1e", "1 0", "1__0", "_1",
     "1_", "nan", "-nan", "NaN", "inf", "+inf", "-Infinity", "infinit", "nan(1)", "-0", "-0.0", "9223372036854775807",
     "\u0663", "Yes", "no", "t", "F", "on", "OFF", "true", " true", "TRUE", "y", "N", "1", "0", "2", "None", "null", "7\x00"]
)

def words(field):
    """Texts of which many satisfy the field's rules."""
    allowed = field.get("one_of") or ENUMS.get(field.get("enum"), [])
    if not allowed:
        return texts | st.sampled_from(["a", "a_b", "7", "A", "a_", "a\n"])
    good = st.sampled_from(allowed)
    other = good.map(str.title) | good.map(str.upper) | good.map(lambda word: word + " ") | texts
    return st.integers(0, 3).flatmap(lambda chance: good if chance else other)


def values(field, number=floats):
    kind = field["type"]
    if kind.endswith("?"):
        return st.none() | values({**field, "type": kind[:-1]}, number)
    if kind.startswith("list["):
        inner = kind[5:-1]
        item = rows(MODELS[inner]) if inner in MODELS else values({"type": inner}, number)
        return st.lists(item, max_size=2)
    plain = {"int": ints, "bool": st.booleans(), "any": anything, "dict": objects}
    if kind == "str":
        return words(field)
    if kind == "float":
        return st.floats(0, 1) | number if "min" in field else number
    if kind == "dict[float]":
        return st.dictionaries(texts, number, max_size=3)
    return plain[kind]


@st.composite
def rows(draw, model):
    """A row of declared types; now and then a field is missing, or there is one too many."""
    row = {}
    for field in model["fields"]:
        chance = draw(st.integers(0, 19))
        if chance == 0 or (chance < 8 and not field.get("required")):
            continue
        row[field["name"]] = draw(values(field))
    if draw(st.integers(0, 19)) == 0:
        row[draw(st.sampled_from(["bucket", "nonesuch", ""]))] = draw(anything)
    return row


@st.composite
def lax_rows(draw, model):
    """A row in which one value is not of the declared type."""
    row = draw(rows(model))
    field = draw(st.sampled_from(model["fields"]))
    row[field["name"]] = draw(lax | anything)
    return row


def by_python(name, row):
    try:
        model = getattr(schema, name).model_validate(row)
    except ValidationError:
        return None
    return json_dumps_canonical(model.model_dump())


def by_cpp(name, row):
    try:
        return json_dumps_canonical(json.loads(_core.normalize_model(name, json.dumps(row))))
    except CrvError:
        return None


@pytest.mark.parametrize("name", MODELS)
def test_on_rows_of_declared_types(name):
    verdicts = set()

    @settings(max_examples=200, deadline=None, database=None, print_blob=True)
    @given(rows(MODELS[name]))
    def agree(row):
        python = by_python(name, row)
        assert by_cpp(name, row) == python
        verdicts.add(python is None)

    agree()
    assert verdicts == {True, False}


@pytest.mark.parametrize("name", MODELS)
def test_on_rows_with_a_value_of_another_type(name):
    @settings(max_examples=200, deadline=None, database=None, print_blob=True)
    @given(lax_rows(MODELS[name]))
    def agree(row):
        assert by_cpp(name, row) == by_python(name, row)

    agree()
