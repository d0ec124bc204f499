"""Ids, versions, constants, hashing, JSON."""

import datetime
import hashlib
import json
import re
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crv.core import _core, constants, hashing, ids, serde, typing, versioning
from crv.core.errors import VersionMismatch
from crv.core.versioning import SCHEMA_V, SchemaVersion

MANY = settings(max_examples=300, deadline=None, database=None, print_blob=True)


def test_run_ids():
    made = {ids.make_run_id() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch("run_[0-9a-f]{20}", run_id) for run_id in made)
    assert ids.make_run_id("exp_7").startswith("exp_7_")
    for bad in ("", "Run", "run_", "a b", "run\n", None):
        with pytest.raises(ValueError):
            ids.make_run_id(bad)


def test_new_types_are_the_plain_type():
    for new_type in (ids.RunId, ids.AgentId, ids.TokenId, ids.VenueId, ids.SignatureId, typing.GroupId, typing.RoomId):
        assert new_type.__supertype__ is str
        assert new_type("x") == "x"
    assert typing.Tick.__supertype__ is int
    assert typing.JsonDict == dict[str, Any]


def test_constants():
    assert (constants.TICK_BUCKET_SIZE, constants.ROW_GROUP_SIZE, constants.COMPRESSION) == (100, 131072, "zstd")


def test_versions():
    assert SCHEMA_V == SchemaVersion(0, 1, "2025-09-20") == SchemaVersion(major=0, minor=1, date="2025-09-20")
    assert (versioning.SCHEMA_MAJOR_VERSION, versioning.SCHEMA_MINOR_VERSION) == (0, 1)
    assert (versioning.SCHEMA_COMPAT_MAJOR, versioning.SCHEMA_COMPAT_MINOR) == (0, 1)
    assert len({SCHEMA_V, SchemaVersion(0, 1, "2025-09-20")}) == 1
    with pytest.raises(AttributeError):
        SCHEMA_V.major = 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, -1, "x"), "SchemaVersion major must be non-negative"),
        ((0, -1, "x"), "SchemaVersion minor must be non-negative"),
        ((0, 0, "x"), "SchemaVersion date must be ISO"),
        ((0, 0, ""), "SchemaVersion date must be ISO"),
        ((0, 0, "2025-02-29"), "SchemaVersion date must be ISO"),
    ],
)
def test_bad_versions(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}") as caught:
        SchemaVersion(*arguments)
    assert isinstance(caught.value, VersionMismatch)
    assert caught.value.code == "bad_version"


def test_a_date_that_is_no_text_is_a_type_error():
    with pytest.raises(TypeError):
        SchemaVersion(0, 1, 20250920)


@MANY
@given(
    st.from_regex(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}", fullmatch=True)
    | st.from_regex(r"[0-9]{4}-?W[0-9]{2}(-?[0-9])?", fullmatch=True)
    | st.dates().map(str)
    | st.dates().map(lambda day: day.strftime("%G-W%V-%u"))
    | st.text(max_size=10)
)
def test_dates_are_those_that_python_reads(text):
    def takes(read):
        try:
            read(text)
        except ValueError:
            return False
        return True

    assert takes(lambda date: SchemaVersion(0, 1, date)) == takes(datetime.date.fromisoformat)


def test_compatible_and_successor_versions():
    def version(major, minor, date="2030-01-01"):
        return SchemaVersion(major, minor, date)

    assert versioning.is_compatible(version(0, 1))
    assert not versioning.is_compatible(version(0, 2))
    assert not versioning.is_compatible(version(1, 1))
    assert versioning.is_successor_of(version(0, 2), version(0, 1, "2031-01-01"))
    assert versioning.is_successor_of(version(1, 0), version(0, 1))
    for candidate in (version(0, 1), version(0, 3), version(1, 1), version(2, 0), version(0, 0)):
        assert not versioning.is_successor_of(candidate, version(0, 1))


def test_canonical_json_vectors(vectors):
    for case in vectors("hash_vectors")["canonical_json"]:
        text = serde.json_dumps_canonical(serde.json_loads(case["input_json"]))
        assert text == case["canonical"]
        assert hashlib.sha256(text.encode()).hexdigest() == case["sha256"]
        assert _core.canonical_json(case["input_json"]) == text


def test_float_vectors(vectors):
    for case in vectors("hash_vectors")["float_repr"]:
        (value,) = struct.unpack(">d", bytes.fromhex(case["hex"]))
        assert serde.json_dumps_canonical(value) == case["canonical"]


@pytest.mark.parametrize("hash_of", [hashing.hash_row, hashing.hash_context, hashing.hash_state])
def test_hashes(hash_of):
    assert hash_of({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert hash_of({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    assert hash_of({"a": 1.0}) != hash_of({"a": 1})
    assert hash_of([("b", 1), ("a", (2,))]) == hash_of({"a": [2], "b": 1})
    with pytest.raises(UnicodeEncodeError):
        hash_of({"a": "\ud800"})
    for bad in ({"a": {1}}, {"a": b""}, {"a": datetime.date(2025, 1, 1)}, {"a": 1, 2: 3}, 5):
        with pytest.raises(TypeError):
            hash_of(bad)


def test_keys_that_are_no_texts():
    assert hashing.json_dumps_canonical({10: "a", 9: "b"}) == '{"9":"b","10":"a"}'
    assert hashing.json_dumps_canonical({None: 1}) == '{"null":1}'
    assert hashing.json_dumps_canonical("\ud800") == '"\ud800"'


def test_reading_json():
    assert serde.json_loads(b'{"a":1,"a":2}') == {"a": 2}
    assert serde.json_loads("Infinity") == float("inf")
    with pytest.raises(json.JSONDecodeError):
        serde.json_loads("{")
    assert serde.json_dumps_canonical is hashing.json_dumps_canonical


texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)


@MANY
@given(values)
def test_cpp_writes_the_same_canonical_json(value):
    assert _core.canonical_json(json.dumps(value)) == hashing.json_dumps_canonical(value)
    assert _core.canonical_json(json.dumps(value, ensure_ascii=False)) == hashing.json_dumps_canonical(value)
