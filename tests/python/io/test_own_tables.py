"""Tables of the user's own: defined, filled, read by every reader, refused."""

import datetime
import json
import subprocess
import sys

import duckdb
import pandas as pd
import polars as pl
import pydantic
import pyarrow as pa
import pyarrow.parquet
import pytest
from polars.testing import assert_frame_equal

from crv.io import Dataset
from crv.io.errors import IoManifestError, IoSchemaError

NOON = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.timezone.utc)


class Sheep(pydantic.BaseModel):
    tick: int
    id: str
    energy: float | None = None
    at: tuple[float, float] = (0.0, 0.0)


def frame():
    return pl.DataFrame({"tick": [0, 250], "n": [1, 2], "x": [0.5, None], "s": ["a", "b"], "b": [True, None],
                         "when": [NOON, None], "l": [[1, 2], []], "p": [{"a": 1}, {"a": None}]})


def test_create_table_append_and_read(dataset):
    made = dataset.create_table("sheep", {"tick": int, "id": str, "energy": float}, doc="One sheep")
    assert (made["name"], made["doc"], made["version"][:4]) == ("sheep", "One sheep", "1.0@")
    assert [c["name"] for c in made["columns"]] == ["bucket", "tick", "id", "energy"]
    assert dataset.definition("sheep") == made and dataset.definition("wolf") is None
    assert dataset.append("sheep", {"tick": [0, 1], "id": ["a", "b"], "energy": [1, 2]})["rows"] == 2
    assert_frame_equal(dataset.read("sheep"), pl.DataFrame({"bucket": [0, 0], "tick": [0, 1], "id": ["a", "b"], "energy": [1.0, 2.0]}))
    assert dataset.scan("sheep").filter(pl.col("tick") == 1).select("id").collect().item() == "b"


def test_create_defines_what_the_frame_has_in_one_commit(dataset):
    done = dataset.append("sheep", frame(), create=True)
    assert done["defined"] == ["tick: i64", "n: i64", "x: f64", "s: str", "b: bool", "when: timestamp[us, tz=UTC]",
                               "l: list[null]", "p: struct"]
    assert [(c["kind"], len(c["tables"])) for c in dataset.log()] == [("define", 1)]
    assert_frame_equal(dataset.read("sheep").drop("bucket"), frame())
    assert "defined" not in dataset.append("sheep", frame(), create=True)
    assert all(c.get("inferred") for c in dataset.definition("sheep")["columns"][2:])


def test_integers_then_floats_then_a_new_column(dataset):
    dataset.append("sheep", {"tick": [0], "x": [1]}, create=True)
    assert dataset.append("sheep", {"tick": [1], "x": [1.5]})["defined"] == ["x: f64"]
    with pytest.raises(IoSchemaError, match="append with create to define it"):
        dataset.append("sheep", {"tick": [2], "y": ["a"]})
    dataset.append("sheep", {"tick": [2], "y": ["a"]}, create=True)
    assert dataset.read("sheep").select("x", "y").rows() == [(1.0, None), (1.5, None), (None, "a")]
    assert dataset.definition("sheep")["version"].startswith("1.2@")


def test_a_model_defines_and_its_rows_are_taken(dataset):
    dataset.create_table("sheep", Sheep)
    dataset.append("sheep", [Sheep(tick=0, id="a", at=(1, 2)), Sheep(tick=1, id="b", energy=3)])
    assert dataset.read("sheep").select("energy", "at").rows() == [(None, [1.0, 2.0]), (3.0, [0.0, 0.0])]
    with pytest.raises(IoSchemaError) as refused:
        dataset.append("sheep", {"tick": [2], "id": ["c"], "at": [[1.0]]})
    assert (refused.value.code, refused.value.facts["column"]) == ("wrong_type", "at")


def test_rows_of_a_model_hold_moments_enums_and_decimals_where_they_are_declared(dataset):
    import enum

    class Kind(enum.Enum):
        ram = "r"

    model = pydantic.create_model("M", tick=(int, ...), kind=(Kind, ...), when=(datetime.datetime, ...), day=(datetime.date, ...))
    dataset.create_table("sheep", model)
    dataset.append("sheep", [model(tick=0, kind=Kind.ram, when=NOON, day=NOON.date())])
    assert dataset.read("sheep").select("kind", "when", "day").rows() == [("r", NOON, NOON.date())]
    with pytest.raises(IoSchemaError, match="zone offset"):
        dataset.append("sheep", [model(tick=0, kind=Kind.ram, when=NOON.replace(tzinfo=None), day=NOON.date())])
    with pytest.raises(IoSchemaError, match="has no place in a row"):
        dataset.append("wolf", [{"tick": 0, "when": NOON}], create=True)


def test_all_kinds_of_frames_are_taken_alike(settings):
    want = frame().select("tick", "n", "s")
    for number, given in enumerate([want, want.to_arrow(), want.to_pandas(), want.to_dict(as_series=False), want.to_dicts(),
                                    duckdb.from_arrow(want.to_arrow())]):
        with Dataset(settings, f"run_{number}") as dataset:
            dataset.append("sheep", given, create=True)
            assert_frame_equal(dataset.read("sheep").drop("bucket"), want)


def test_every_reader_gives_the_same(dataset):
    dataset.append("sheep", frame(), create=True)
    dataset.append("sheep", frame().with_columns(n=pl.lit(0.5), p=pl.struct(c=pl.lit("z"))), create=True)
    read = dataset.read("sheep")
    assert read["n"].to_list() == [1.0, 2.0, 0.5, 0.5] or read["n"].to_list() == [1.0, 0.5, 2.0, 0.5]
    assert pl.from_arrow(dataset.scan_arrow("sheep").read_all()).equals(read)
    assert dataset.relation("sheep").aggregate("sum(n), count(s)").fetchall() == [(4.0, 4)]
    parts = [part["path"] for part in dataset._planned("sheep", None, None).plan()]
    query = f"select sum(n), count(s), min(p.a) from read_parquet({parts!r}, union_by_name = true, hive_partitioning = false)"
    assert duckdb.sql(query).fetchall() == [(4.0, 4, 1)]
    whole = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in parts], how="diagonal_relaxed")
    assert sorted(whole["n"]) == [0.5, 0.5, 1.0, 2.0]
    assert json.loads(pa.parquet.read_metadata(parts[0]).metadata[b"crv_definition"])["name"] == "sheep"


def test_table_is_the_dataset_without_the_name(dataset):
    sheep = dataset.table("sheep")
    sheep.append(frame(), create=True)
    assert sheep.read({"tick_min": 1})["s"].to_list() == ["b"]
    assert sheep.scan(columns=["s"]).collect().columns == ["s"]
    assert sheep.schema() == dataset.schema("sheep") and sheep.schema()["n"] == "i64"
    assert sheep.definition() == dataset.definition("sheep")
    assert repr(sheep) == "<table 'sheep' of run 'village'>"


def test_one_commit_over_own_and_canonical_tables(dataset, holdings):
    done = dataset.append_many({"holdings": holdings([1]), "sheep": frame()}, create=True)
    assert set(done) == {"holdings", "sheep"} and "defined" not in done["holdings"]
    assert [c["kind"] for c in dataset.log()] == ["define"]
    assert [t["table"] for t in dataset.tables()] == ["holdings", "sheep"]


def test_a_definition_grows_and_a_conflict_shows_both(dataset, tmp_path, files):
    dataset.create_table("sheep", {"tick": int, "x": int})
    assert dataset.create_table("sheep", {"tick": int, "x": float | None, "y": str | None})["version"].startswith("1.1@")
    before = files(tmp_path)
    assert dataset.create_table("sheep", {"tick": int, "y": str | None})["version"].startswith("1.1@")
    with pytest.raises(IoSchemaError, match="x is f64 in the run and str, required here") as refused:
        dataset.create_table("sheep", {"tick": int, "x": str})
    assert refused.value.code == "definition_conflict"
    assert files(tmp_path) == before


@pytest.mark.parametrize(("name", "columns", "code"), [
    ("holdings", {"tick": int}, "reserved_name"), ("quarantine", {"tick": int}, "reserved_name"),
    ("Sheep", {"tick": int}, "bad_definition"), ("s" * 101, {"tick": int}, "bad_definition"), ("", {"tick": int}, "bad_definition"),
    ("sheep", {}, "bad_definition"), ("sheep", {"tick": str}, "bad_definition"), ("sheep", {"tick": int, "a": int, "A": int}, "reserved_name"),
    ("sheep", {"tick": int, "x": "foo"}, "bad_definition"), ("sheep", {"tick": int, "x\n": int}, "bad_definition"),
    ("sheep", {"tick": int, "*": int}, "reserved_name"), ("sheep", {"tick": int, "x": object}, "bad_definition"),
])
def test_what_cannot_be_defined_leaves_nothing(dataset, tmp_path, files, name, columns, code):
    with pytest.raises(IoSchemaError) as refused:
        dataset.create_table(name, columns)
    assert refused.value.code == code
    assert files(tmp_path) == {}


def test_a_table_that_is_not_there_is_told_with_those_that_are(dataset):
    dataset.create_table("sheep", {"tick": int})
    for call in (lambda: dataset.append("sheap", {"tick": [1]}), lambda: dataset.schema("sheap"), lambda: dataset.rebuild("sheap")):
        with pytest.raises(IoSchemaError, match='did you mean "sheep"'):
            call()
    with pytest.raises(IoManifestError, match='did you mean "sheep"'):
        dataset.scan("sheap")


def test_rules_and_quarantine(dataset):
    model = pydantic.create_model("M", tick=(int, ...), kind=(str, pydantic.Field(min_length=1)), x=(float, pydantic.Field(ge=0, le=1)))
    dataset.create_table("sheep", model)
    rows = {"tick": [0, 1, 2], "kind": ["a", "", "b"], "x": [0.5, 0.5, 2.0]}
    with pytest.raises(IoSchemaError) as refused:
        dataset.append("sheep", rows, validate_rows=True)
    assert sorted((v["column"], v["rule"], v["count"]) for v in refused.value.violations) == [
        ("kind", "column.not_empty", 1), ("x", "column.range", 1)]
    assert dataset.append("sheep", rows, validate_rows=True, on_invalid="quarantine")["quarantined"] == 2
    assert dataset.read("sheep")["kind"].to_list() == ["a"]
    assert set(dataset.read("quarantine")["source_table"]) == {"sheep"}


def test_without_its_log_the_run_gives_the_same(dataset, settings, tmp_path):
    import shutil

    dataset.create_table("wolf", {"tick": int, "age": float | None}, doc="One wolf")
    dataset.append("sheep", frame(), create=True)
    dataset.append("wolf", {"tick": [3], "age": [1]})
    before = {name: (dataset.read(name), dataset.definition(name)) for name in ("sheep", "wolf")}
    dataset.close()
    shutil.rmtree(tmp_path / "out" / "runs" / "village" / "log")
    with Dataset(settings, "village") as again:
        again.rebuild("sheep")
        for name, (rows, definition) in before.items():
            assert_frame_equal(again.read(name), rows)
            assert again.definition(name) == definition
        assert again.verify()["ok"]


def test_another_process_knows_it_at_once(dataset, settings):
    dataset.create_table("sheep", {"tick": int, "x": float})
    code = ("import sys; from crv.io import Dataset, IoSettings\n"
            "d = Dataset(IoSettings(root_dir=sys.argv[1], durability='none'), 'village')\n"
            "d.append('sheep', {'tick': [4], 'x': [1]}); d.append('wolf', {'tick': [5], 'y': ['a']}, create=True)")
    subprocess.run([sys.executable, "-c", code, settings.root_dir], check=True)
    assert dataset.read("sheep")["x"].to_list() == [1.0]
    assert dataset.read("wolf")["y"].to_list() == ["a"]


def test_pandas_users_see_what_they_gave(dataset):
    given = pd.DataFrame({"tick": [0, 1], "score": [1, None], "name": ["a", None]})
    dataset.append("sheep", given, create=True)
    assert dataset.read("sheep").select("score", "name").rows() == [(1.0, "a"), (None, None)]


def test_a_token_names_the_append_that_defined(dataset):
    first = dataset.append("sheep", frame(), create=True, token=("engine", 1))
    again = dataset.append("sheep", frame(), create=True, token=("engine", 1))
    assert again["parts"] == first["parts"] and "defined" not in again
    assert len(dataset.log()) == 1
