"""Which errors callers of the older package can still catch, and that a refused call leaves the disk as it was."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from crv.io import Dataset
from crv.io.errors import (CommitUnknownError, IoArgumentError, IoCommitUnknownError, IoConfigError, IoError,
                           IoManifestError, IoReadError, IoSchemaError, IoWriteError)

GOOD = {"tick": [1], "agent_id": ["a"], "token_id": ["t"], "quantity": [1]}


def without(column):
    return {key: values for key, values in GOOD.items() if key != column}


def run_of(dataset, name):
    return Dataset(dataset.settings, name)


REFUSED = {
    "append_unknown_table": (lambda d: d.append("nope", GOOD), (IoSchemaError, ValueError), "unknown_table"),
    "append_empty_table_name": (lambda d: d.append("", GOOD), (IoSchemaError, ValueError), "unknown_table"),
    "append_no_table_name": (lambda d: d.append(5, GOOD), (IoArgumentError, ValueError), "bad_argument"),
    "scan_unknown_table": (lambda d: d.scan("nope"), (IoManifestError, ValueError), "unknown_table_in_scan"),
    "read_unknown_table": (lambda d: d.read("../x"), (IoManifestError, ValueError), "unknown_table_in_scan"),
    "scan_absent_table": (lambda d: d.scan("messages"), (IoManifestError,), "table_missing"),
    "rebuild_unknown_table": (lambda d: d.rebuild_manifest("nope"), (IoSchemaError, ValueError), "unknown_table"),
    "schema_unknown_table": (lambda d: d.schema("holding"), (IoSchemaError, ValueError), "unknown_table"),
    "schema_no_name": (lambda d: d.schema("../x"), (IoSchemaError, ValueError), "unknown_table"),
    "bad_where": (lambda d: d.scan("holdings", {"tick_min": "abc"}), (IoArgumentError, ValueError), "bad_where"),
    "bad_limit": (lambda d: d.read("holdings", limit=-1), (IoArgumentError, ValueError), "bad_limit"),
    "bad_columns": (lambda d: d.scan("holdings", columns=["x"]), (IoArgumentError, ValueError), "bad_projection"),
    "run_id_empty": (lambda d: run_of(d, "").append("holdings", GOOD), (IoArgumentError, ValueError), "bad_run_id"),
    "run_id_up": (lambda d: run_of(d, "..").append("holdings", GOOD), (IoArgumentError, ValueError), "bad_run_id"),
    "run_id_absolute": (lambda d: run_of(d, "/x").append("holdings", GOOD), (IoArgumentError, ValueError), "bad_run_id"),
    "run_id_scan": (lambda d: run_of(d, "a/b").scan("holdings"), (IoArgumentError, ValueError), "bad_run_id"),
    "run_id_no_text": (lambda d: run_of(d, 5).manifest("holdings"), (IoArgumentError, ValueError), "bad_run_id"),
    "null_tick": (lambda d: d.append("holdings", {**GOOD, "tick": pl.Series([None], dtype=pl.Int64)}),
                  (IoSchemaError, TypeError, ValueError), "bad_tick"),
    "negative_tick": (lambda d: d.append("holdings", {**GOOD, "tick": [-1]}), (IoSchemaError, ValueError), "bad_tick"),
    "text_tick": (lambda d: d.append("holdings", {**GOOD, "tick": ["x"]}), (IoSchemaError, ValueError), "bad_tick"),
    "nan_tick": (lambda d: d.append("holdings", {**GOOD, "tick": [float("nan")]}), (IoSchemaError,), "bad_tick"),
    "no_tick": (lambda d: d.append("holdings", without("tick")), (IoSchemaError,), "missing_column"),
    "no_tick_unchecked": (lambda d: d.append("holdings", without("tick"), validate_schema=False), (IoSchemaError,),
                          "missing_column"),
    "missing_column": (lambda d: d.append("holdings", without("agent_id")), (IoSchemaError,), "missing_column"),
    "unknown_column": (lambda d: d.append("holdings", {**GOOD, "x": [1]}), (IoSchemaError,), "unknown_column"),
    "null_value": (lambda d: d.append("holdings", {**GOOD, "agent_id": pl.Series([None], dtype=pl.String)}),
                   (IoSchemaError,), "null_value"),
    "lossy_cast": (lambda d: d.append("holdings", {**GOOD, "quantity": [1.5]}), (IoSchemaError,), "lossy_cast"),
    "wrong_type": (lambda d: d.append("holdings", {**GOOD, "agent_id": [[1]]}), (IoSchemaError,), "wrong_type"),
    "reserved_name": (lambda d: d.append("holdings", {**GOOD, "_empty": [True]}), (IoSchemaError,), "reserved_name"),
    "row_rule": (lambda d: d.append("identity_edges", [{"tick": 1, "observer_agent_id": "a", "edge_kind": "Nope",
                                                        "edge_weight": 1.0}], validate_rows=True),
                 (IoSchemaError,), "row_rule"),
    "validate_schema_bucket_size": (lambda d: Dataset(_other_bucket(d), "village").append("holdings", GOOD),
                                    (IoConfigError,), "bucket_size_mismatch"),
    "type_conflict": (lambda d: d.append("exchange", [_trade({"n": "text"})]), (IoSchemaError,), "type_conflict"),
}


def _other_bucket(dataset):
    from dataclasses import replace

    return replace(dataset.settings, tick_bucket_size=7)


def _trade(payload):
    return {"tick": 1, "venue_id": "v", "token_id": "t", "exchange_event_type": "trade", "additional_payload": payload}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_call_has_its_types_and_leaves_the_disk_as_it_was(dataset, files, case):
    call, kinds, code = REFUSED[case]
    dataset.append("holdings", GOOD)
    dataset.append("exchange", [_trade({"n": 1})])
    dataset.refresh_manifests()
    folder = Path(dataset.settings.root_dir).parent
    before = files(folder)
    with pytest.raises(IoError) as caught:
        call(dataset)
    for kind in kinds:
        assert isinstance(caught.value, kind)
    assert caught.value.code == code and len(str(caught.value)) > 10
    assert files(folder) == before
    dataset.append("holdings", GOOD)
    assert dataset.read("holdings").height == 2


@pytest.mark.parametrize("case", [case for case in REFUSED if case.startswith(("append_", "run_id", "null", "no_tick"))])
def test_a_refused_call_makes_no_run(settings, case):
    with pytest.raises(IoError):
        REFUSED[case][0](Dataset(settings, "fresh"))
    assert not os.path.exists(settings.root_dir)


def test_a_conflict_of_types_names_path_and_commit(dataset):
    dataset.append("exchange", [_trade({"deep": {"n": 1}})])
    with pytest.raises(IoSchemaError) as caught:
        dataset.append("exchange", [_trade({"deep": {"n": "text"}})])
    assert "additional_payload.deep.n" in str(caught.value) and caught.value.facts["seq"] == 1


# ---- parts ----

@pytest.fixture
def part(dataset, holdings):
    """The only part of table holdings."""
    return Path(dataset.append("holdings", holdings(range(100)))["parts"][0]["path"])


READS = {"scan": lambda d: d.scan("holdings").collect(), "read": lambda d: d.read("holdings"),
         "streaming": lambda d: d.scan("holdings").collect(engine="streaming"),
         "arrow": lambda d: d.scan_arrow("holdings").read_all()}


@pytest.mark.parametrize("how", ["scan", "read", "streaming", "arrow"])
def test_a_missing_part_is_an_os_error_with_errno(dataset, part, how):
    part.unlink()
    with pytest.raises(IoReadError) as caught:
        READS[how](dataset)
    assert isinstance(caught.value, OSError) and caught.value.errno == errno.ENOENT
    assert caught.value.filename == str(part) and str(part) in str(caught.value)
    assert caught.value.code == "part_missing"


@pytest.mark.parametrize("how", ["scan", "read", "streaming", "arrow"])
def test_a_part_that_was_cut_short_is_an_os_error(dataset, part, how):
    os.truncate(part, part.stat().st_size - 1)
    with pytest.raises(IoReadError) as caught:
        READS[how](dataset)
    assert isinstance(caught.value, OSError) and caught.value.code == "part_damaged" and str(part) in str(caught.value)


@pytest.mark.parametrize("how", ["scan", "read", "streaming", "arrow"])
def test_a_part_whose_pages_are_overwritten_is_told_by_name(dataset, part, how):
    content = bytearray(part.read_bytes())
    content[100:600] = b"\xaa" * 500
    part.write_bytes(content)
    with pytest.raises(IoReadError) as caught:
        READS[how](dataset)
    assert caught.value.code == "part_damaged" and str(part) in str(caught.value)


def test_crvs_own_reader_and_verify_tell_every_flipped_byte(dataset, part):
    """Page checksums. Polars' reader does not look at them: docs/python.md says so."""
    content = part.read_bytes()
    for position in range(8, len(content) - 8, len(content) // 60):
        flipped = bytearray(content)
        flipped[position] ^= 0x10
        part.write_bytes(flipped)
        assert not dataset.verify()["ok"], position
        try:
            found = dataset.scan_arrow("holdings").read_all()
        except IoReadError as error:
            assert error.code in ("part_damaged", "part_foreign", "read_failed")
        else:  # a byte of the footer or of an index that no row depends on
            assert found["quantity"].to_pylist() == [*range(100)]


def test_a_part_of_another_table_is_foreign_to_crvs_own_reader(dataset, part, settings, holdings):
    with Dataset(settings, "other") as other:
        there = other.append("holdings", holdings(range(100)))["parts"][0]["path"]
    part.write_bytes(Path(there).read_bytes())
    with pytest.raises(IoReadError):
        dataset.scan_arrow("holdings").read_all()


# ---- the disk ----

def test_a_file_in_place_of_a_folder_is_an_os_error_with_errno(settings, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OSError) as caught:
        Dataset(settings, "r").append("holdings", GOOD)
    assert isinstance(caught.value, IoError) and caught.value.errno in (errno.ENOTDIR, errno.EEXIST)
    assert (tmp_path / "out").read_text() == "a file"


def test_a_disk_that_takes_no_more_is_a_write_error_and_nothing_is_visible(dataset, settings):
    """A limit on the size of files stands for a full disk."""
    dataset.append("holdings", GOOD)
    dataset.close()
    code = f"""
import resource, errno
from crv.io import Dataset, IoSettings
from crv.io.errors import IoWriteError
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
dataset = Dataset(IoSettings(root_dir={settings.root_dir!r}, durability="none"), "village")
rows = range(5000)
try:
    dataset.append("holdings", {{"tick": [t % 300 for t in rows], "agent_id": [f"a{{t * 7919}}" for t in rows],
                                "token_id": ["t"] * 5000, "quantity": rows}})
except IoWriteError as error:
    assert isinstance(error, OSError) and error.errno == errno.EFBIG, error.errno
    assert dataset.read("holdings").height == 1
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "refused\n", done.stderr
    assert dataset.read("holdings").height == 1 and dataset.verify()["ok"]
    dataset.append("holdings", GOOD)


def test_an_unknown_outcome_has_a_type_of_its_own():
    assert issubclass(IoCommitUnknownError, IoWriteError) and issubclass(CommitUnknownError, OSError)
    assert issubclass(CommitUnknownError, IoCommitUnknownError)


# ---- a damaged run ----

@pytest.mark.parametrize("damage", ["run.json", "log"])
def test_a_damaged_run_is_a_manifest_error_and_append_touches_nothing(dataset, settings, files, damage):
    dataset.append("holdings", GOOD)
    dataset.close()
    run = Path(settings.root_dir) / "runs/village"
    path = run / "run.json" if damage == "run.json" else next((run / "log").iterdir())
    path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":2', 1).replace(b"checksum", b"checksun"))
    before = files(run)
    for call in (lambda d: d.append("holdings", GOOD), lambda d: d.log()):
        with pytest.raises(IoManifestError):
            call(Dataset(settings, "village"))
    assert files(run) == before
