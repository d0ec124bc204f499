"""Text that has no UTF-8 wherever text goes in: a typed error that names it, nothing written; paths of any bytes work."""

import os
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import polars as pl
import pytest

from crv.core.errors import CrvError
from crv.io import Dataset, IoSettings
from crv.io.artifacts import artifacts_root, file_stat, lab_dir, write_parquet_atomic, write_text_atomic
from crv.io.dataset import list_runs
from crv.io.errors import (BadArgumentError, BadProjectionError, BadRunIdError, BadWhereError, IoConfigError, IoSchemaError,
                           IoManifestError, UnknownTableError, UnknownTableInScanError)
from crv.io.manifest import PartMeta, new_manifest, update_with_new_part, write_manifest
from crv.io.paths import run_root, validate_run_id
from crv.io.validate import validate_frame_for_table

HALF = "a\ud800"  # half of a surrogate pair
H = {"tick": 1, "agent_id": "a", "token_id": "t", "quantity": 1}
E = {"tick": 1, "venue_id": "v", "token_id": "t", "exchange_event_type": "trade"}


def columns(row):
    return {key: [value] for key, value in row.items()}


def trade(payload):
    return {**E, "additional_payload": payload}


# What goes in, the class of its error, and facts that it has.
FRAMES = {
    "cell": ("holdings", lambda: [H, {**H, "agent_id": HALF}], {"column": "agent_id", "row": 1}),
    "payload": ("exchange", lambda: [trade({"k": HALF})], {"column": "additional_payload.k", "row": 0}),
    "list_in_payload": ("exchange", lambda: [trade({"k": ["b", HALF]})], {"column": "additional_payload.k[]", "row": 0}),
    "key_in_payload": ("exchange", lambda: [trade({HALF: 1})], {"column": "additional_payload", "row": 0}),
    "column": ("holdings", lambda: [H, {**H, HALF: 1}], {"column": "'a\\ud800'", "row": 1}),
    "columns_cell": ("holdings", lambda: {**columns(H), "agent_id": [HALF]}, {"column": "agent_id", "row": 0}),
    "columns_column": ("holdings", lambda: columns({**H, HALF: 1}), {"column": "a\\ud800"}),
    "columns_payload": ("exchange", lambda: columns(trade({"k": HALF})), {"column": "additional_payload", "row": 0}),
    "pandas_cell": ("holdings", lambda: pd.DataFrame([H, H]).assign(agent_id=pd.Series(["a", HALF], dtype=object)),
                    {"column": "agent_id", "row": 1}),
    "pandas_column": ("holdings", lambda: pd.DataFrame([{**H, "x": 1}]).set_axis(pd.Index([*H, HALF], dtype=object), axis=1),
                      {"column": "a\\ud800"}),
}


@pytest.mark.parametrize("case", FRAMES)
def test_a_frame_with_it_is_refused_where_it_stands(settings, case):
    table, make, facts = FRAMES[case]
    with pytest.raises(IoSchemaError) as caught:
        Dataset(settings, "r").append(table, make())
    assert caught.value.code == "wrong_type"
    assert {key: caught.value.facts.get(key) for key in facts} == facts
    assert caught.value.facts["table"] == table
    assert "\\ud800" in str(caught.value) and str(caught.value).isprintable()
    assert not os.path.exists(settings.root_dir)


CALLS = {
    "append_table": (lambda d: d.append(HALF, [H]), UnknownTableError),
    "scan_table": (lambda d: d.scan(HALF), UnknownTableInScanError),
    "rebuild_table": (lambda d: d.rebuild_manifest(HALF), UnknownTableError),
    "manifest_table": (lambda d: d.manifest(HALF), BadArgumentError),
    "columns": (lambda d: d.scan("holdings", columns=[HALF]), BadProjectionError),
    "where_key": (lambda d: d.scan("holdings", {HALF: 1}), BadWhereError),
    "where_value": (lambda d: d.scan("holdings", {"tick_min": HALF}), BadWhereError),
    "limit": (lambda d: d.read("holdings", limit=HALF), CrvError),
    "token": (lambda d: d.append("holdings", [H], token=(HALF, 1)), BadArgumentError),
    "on_invalid": (lambda d: d.append("holdings", [H], validate_rows=True, on_invalid=HALF), BadArgumentError),
    "meta": (lambda d: d.write_bundle({"k": HALF}), TypeError),
    "meta_key": (lambda d: d.write_bundle({HALF: 1}), TypeError),
    "run": (lambda d: Dataset(d.settings, HALF).append("holdings", [H]), BadRunIdError),
    "run_read": (lambda d: Dataset(d.settings, HALF).read("holdings"), BadRunIdError),
    "run_path": (lambda d: run_root(d.settings, HALF), BadRunIdError),
    "run_id": (lambda d: validate_run_id(HALF), BadRunIdError),
    "compression": (lambda d: Dataset(replace(d.settings, compression=HALF), "x").append("holdings", [H]), IoConfigError),
    "root": (lambda d: Dataset(replace(d.settings, root_dir=d.settings.root_dir + HALF), "x").append("holdings", [H]),
             IoConfigError),
    "fs_options": (lambda d: Dataset(replace(d.settings, fs_options={"k": [HALF]}), "x").append("holdings", [H]),
                   IoConfigError),
    "lab": (lambda d: lab_dir(d.settings, "village", HALF), BadArgumentError),
    "text": (lambda d: write_text_atomic(d.settings.root_dir + "/x", HALF), BadArgumentError),
    "validate": (lambda d: validate_frame_for_table(pl.DataFrame([H]), HALF), UnknownTableError),
    "part_path": (lambda d: _write_part(d, path=HALF), BadArgumentError),
    "part_time": (lambda d: _write_part(d, created_at=HALF), BadArgumentError),
    "part_time_no_text": (lambda d: _write_part(d, created_at=5), BadArgumentError),
}


def _write_part(dataset, **facts):
    part = {"path": "part-" + 32 * "a" + ".parquet", "rows": 1, "bytes": 1, "tick_min": 1, "tick_max": 1, "created_at": ""}
    manifest = new_manifest("holdings")
    update_with_new_part(manifest, 0, PartMeta(**{**part, **facts}))
    write_manifest(dataset.settings, dataset.run_id, "holdings", manifest)


@pytest.mark.parametrize("case", CALLS)
def test_a_call_with_it_is_refused_and_leaves_the_disk_as_it_was(dataset, files, case):
    call, kind = CALLS[case]
    dataset.append("holdings", [H])
    dataset.refresh_manifests()
    before = files(dataset.settings.root_dir)
    with pytest.raises(kind) as caught:
        call(dataset)
    assert str(caught.value).isprintable()
    assert files(dataset.settings.root_dir) == before


# ---- folders whose names are no UTF-8 ----

def test_a_root_that_is_no_utf8_is_an_error_that_says_so(tmp_path):
    root = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(root)
    settings = IoSettings(root_dir=os.fsdecode(root))
    for call in (lambda: Dataset(settings, "r").append("holdings", [H]), lambda: Dataset(settings, "r").read("holdings"),
                 lambda: list_runs(settings)):
        with pytest.raises(IoConfigError, match="UTF-8") as caught:
            call()
        assert caught.value.code == "config_value" and caught.value.facts["key"] == "root_dir"
        assert "caf\\xe9" in str(caught.value)
    assert os.listdir(root) == []


def test_a_working_folder_that_is_no_utf8_works(tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    code = f"""
from crv.io import Dataset, IoSettings
with Dataset(IoSettings(root_dir="out"), "r") as dataset:
    dataset.append("holdings", [{H!r}])
    dataset.append("holdings", [{H!r}])
    assert dataset.read("holdings").height == 2
    assert dataset.scan("holdings").filter(__import__("polars").col("tick") == 1).select("quantity").collect().height == 2
    assert dataset.scan_arrow("holdings").read_all().num_rows == 2
    assert dataset.verify()["ok"]
    dataset.write_bundle()
print("done")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.stdout == "done\n", done.stderr


def test_files_of_any_name_can_be_written_and_looked_at(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    assert write_text_atomic(path, "ä")["bytes"] == 2
    assert file_stat(path) | {"created_at": ""} == {"path": path, "bytes": 2, "created_at": ""}
    assert write_parquet_atomic(path, pl.DataFrame([H]))["path"] == path
    assert os.listdir(os.fsencode(tmp_path)) == [b"caf\xe9"]
    settings = IoSettings(root_dir=path)
    assert artifacts_root(settings, "r") == path + "/runs/r/artifacts"


def test_an_error_keeps_a_path_of_any_bytes_and_shows_it(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.toml")
    with pytest.raises(IoConfigError) as caught:
        IoSettings.load(path)
    assert caught.value.facts["path"] == path
    assert "caf\\xe9.toml" in str(caught.value) and str(caught.value).isprintable()


# ---- control characters, and values that are long ----

def test_control_characters_are_shown_as_escapes(dataset):
    evil = "x\x1b[31m\n\u2028\x85"
    for call in (lambda: dataset.append(evil, [H]), lambda: dataset.scan(evil), lambda: dataset.append("holdings", [{**H, evil: 1}]),
                 lambda: dataset.append("holdings", [{**H, "quantity": evil}]), lambda: dataset.scan("holdings", {evil: 1}),
                 lambda: dataset.append("holdings", [H], token=(evil, 1)), lambda: Dataset(dataset.settings, evil).append("holdings", [H]),
                 lambda: dataset.append("holdings", columns({**H, "quantity": evil}))):
        with pytest.raises(CrvError) as caught:
            call()
        assert str(caught.value).isprintable(), repr(str(caught.value))


def test_a_long_value_is_cut_between_characters(dataset):
    for long in ("ä" * 10_000, "𝒳" * 10_000):
        with pytest.raises(IoSchemaError) as caught:
            dataset.append("holdings", [{**H, "quantity": long}])
        assert caught.value.facts["value"] == long[:120] + "..." and len(str(caught.value)) < 500


# ---- names that are near ----

def test_near_names_are_told(dataset):
    dataset.append("holdings", [H])
    near = {
        "holdings": [lambda: dataset.append("holdigns", [H]), lambda: dataset.scan("holdigns"),
                     lambda: validate_frame_for_table(pl.DataFrame([H]), "holdigns")],
        "quantity": [lambda: dataset.scan("holdings", columns=["quantty"]), lambda: dataset.append("holdings", [{**H, "quantty": 1}])],
        "tick_min": [lambda: dataset.scan("holdings", {"tick_mn": 1})],
        "village": [lambda: Dataset(dataset.settings, "vilage").scan("holdings"),
                    lambda: Dataset(dataset.settings, "vilage").read("holdings")],
        "zstd": [lambda: Dataset(replace(dataset.settings, compression="zst"), "x").append("holdings", [H])],
    }
    for name, calls in near.items():
        for call in calls:
            with pytest.raises(CrvError, match=f'did you mean "{name}"'):
                call()


def test_a_run_that_is_not_there_is_called_that(dataset, settings):
    dataset.append("holdings", [H])
    other = Dataset(settings, "other")
    for call in (lambda: other.scan("holdings"), lambda: other.read("holdings"), lambda: other.scan_arrow("holdings"),
                 lambda: other.explain("holdings")):
        with pytest.raises(IoManifestError) as caught:
            call()
        assert caught.value.code == "run_missing" and caught.value.facts["run_id"] == "other"
    assert other.manifest("holdings") is None and other.tables() == []
    assert list_runs(settings) == ["village"]
    os.mkdir(settings.root_dir + "/runs/notes")
    assert list_runs(settings) == ["village"]
