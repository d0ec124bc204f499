"""crv.io.manifest: the plain values, what the store gives out, and manifests of the caller's own."""

import copy
import json
import os
import pickle
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from crv.core.grammar import TableName
from crv.io import Dataset
from crv.io import manifest as m
from crv.io.errors import IoArgumentError, IoError, IoManifestError, IoReadError
from crv.io.paths import part_paths

PART = {"path": "part-a.parquet", "rows": 2, "bytes": 10, "tick_min": 1, "tick_max": 5, "created_at": "t"}


def example():
    return {"table": "holdings", "version": 1, "created_at": "c", "updated_at": "u", "partitions": {
        "000000": {"bucket_id": 0, "state": "ready", "tick_min": 1, "tick_max": 5, "row_count": 2, "byte_size": 10,
                   "parts": [dict(PART)]}}}


# ---- plain values ----

def test_json_there_and_back_is_the_same_in_the_same_order():
    made = m.TableManifest.from_json_obj(example())
    assert made.to_json_obj() == example()
    assert json.dumps(made.to_json_obj()) == json.dumps(example())
    assert made.partitions["000000"] == m.PartitionMeta(0, "ready", 1, 5, 2, 10, [m.PartMeta(**PART)])


def test_values_are_known_by_their_public_module():
    made = m.TableManifest.from_json_obj(example())
    assert pickle.loads(pickle.dumps(made)) == made
    for cls in (m.TableManifest, m.PartitionMeta, m.PartMeta):
        assert cls.__module__ == "crv.io.manifest"


def test_missing_and_unknown_keys_of_a_manifest():
    made = m.TableManifest.from_json_obj({"table": "t", "partitions": None, "other": 1})
    assert made.version == 1 and made.partitions == {}
    assert datetime.fromisoformat(made.created_at).utcoffset() == datetime.now(UTC).utcoffset()
    assert m.TableManifest.from_json_obj({"table": "t", "created_at": "", "version": "3"}).version == 3
    with pytest.raises(KeyError):
        m.TableManifest.from_json_obj({"partitions": {}})
    partition = example()["partitions"]["000000"]
    for key in ("bucket_id", "state", "tick_min", "tick_max", "row_count", "byte_size"):
        with pytest.raises(KeyError):
            m.TableManifest.from_json_obj({"table": "t", "partitions": {
                "0": {k: v for k, v in partition.items() if k != key}}})
    lenient = {**partition, "tick_min": "1", "row_count": 2.0, "unknown": 5, "state": "odd"}
    made = m.TableManifest.from_json_obj({"table": "t", "partitions": {"000000": lenient}}).partitions["000000"]
    assert (made.tick_min, made.row_count, made.state) == (1, 2, "odd")
    for part in ({**PART, "more": 1}, {k: v for k, v in PART.items() if k != "rows"}):
        with pytest.raises(TypeError):
            m.TableManifest.from_json_obj({"table": "t", "partitions": {"000000": {**partition, "parts": [part]}}})


def test_values_are_mutable_and_slotted():
    part = m.PartMeta(**PART)
    part.rows = 7
    for value in (part, m.PartitionMeta(0, "ready", 0, 0, 0, 0), m.new_manifest("t")):
        assert not hasattr(value, "__dict__")
        with pytest.raises(AttributeError):
            value.unknown = 1
    assert m.PartitionMeta(0, "ready", 0, 0, 0, 0).parts == []
    made = m.TableManifest.from_json_obj(example())
    for again in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert again == made


def test_new_manifest():
    made = m.new_manifest("holdings")
    assert (made.table, made.version, made.partitions) == ("holdings", 1, {})
    assert made.created_at == made.updated_at
    assert m.new_manifest(TableName.HOLDINGS, version=2).to_json_obj()["table"] == "holdings"


def test_update_with_new_part_adds_and_widens():
    made = m.new_manifest("holdings")
    before = made.updated_at
    m.update_with_new_part(made, 1_000_000, m.PartMeta("b", 1, 5, 7, 7, "t"))
    m.update_with_new_part(made, 3, m.PartMeta("a", 2, 10, 301, 305, "t"))
    m.update_with_new_part(made, 3, m.PartMeta("c", 1, 4, 300, 300, "t"))
    assert list(made.partitions) == ["1000000", "000003"]
    third = made.partitions["000003"]
    assert (third.bucket_id, third.state, third.tick_min, third.tick_max, third.row_count, third.byte_size) == (
        3, "ready", 300, 305, 3, 14)
    assert [part.path for part in third.parts] == ["a", "c"]
    assert made.updated_at >= before and made.created_at <= made.updated_at
    with pytest.raises(ValueError):
        m.update_with_new_part(made, -1, m.PartMeta("c", 1, 4, 300, 300, "t"))


# ---- of the store ----

def test_load_manifest_is_the_snapshot_not_the_file(dataset, settings, holdings):
    for tick in (1, 101, 2):
        dataset.append("holdings", holdings([tick]))
    made = m.load_manifest(settings, "village", "holdings")
    assert isinstance(made, m.TableManifest) and list(made.partitions) == ["000000", "000001"]
    first = made.partitions["000000"]
    assert (first.row_count, len(first.parts), first.tick_min, first.tick_max, first.state) == (2, 2, 1, 2, "ready")
    assert first.byte_size == sum(part.bytes for part in first.parts)
    assert dataset.manifest(TableName.HOLDINGS).to_json_obj() == made.to_json_obj()


def test_a_table_that_is_not_there_is_none(dataset, settings, holdings):
    assert dataset.manifest("holdings") is None
    dataset.append("holdings", holdings([1]))
    assert dataset.manifest("messages") is None and dataset.manifest("unheard_of") is None
    assert m.load_manifest(settings, "village", "unheard_of") is None
    assert m.load_manifest(settings, "no_such_run", "holdings") is None


@pytest.mark.parametrize("name", ["", ".", "..", "../holdings", "a/b", "a\n"])
def test_what_can_be_no_tables_name_is_refused(dataset, name):
    with pytest.raises(IoArgumentError) as caught:
        dataset.manifest(name)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("content", [
    "", "{", "[]", "null", '{"table": 5}', '{"partitions": {}}', "\x00\x01",
    '{"table": "holdings", "version": 1, "partitions": {"000000": {}}}',
])
def test_a_corrupt_manifest_is_the_errors_that_the_older_package_let_out(dataset, settings, holdings, content):
    dataset.append("holdings", holdings([1]))
    dataset.close()
    path = Path(settings.root_dir) / "runs/village/tables/holdings/manifest.json"
    path.write_text(content)
    for call in (lambda: Dataset(settings, "village").scan("holdings"),
                 lambda: m.load_manifest(settings, "village", "holdings"),
                 lambda: Dataset(settings, "village").append("holdings", holdings([2]))):
        with pytest.raises(IoManifestError) as caught:
            call()
        for kind in (ValueError, KeyError, TypeError):
            assert isinstance(caught.value, kind)
        assert str(path) in str(caught.value) and caught.value.facts["path"] == str(path)
    assert path.read_text() == content
    Dataset(settings, "village").rebuild_manifest("holdings")
    assert Dataset(settings, "village").read("holdings").height == 1


def test_rebuild_from_fs_writes_nothing_and_rebuild_manifest_does(dataset, settings, holdings, files):
    dataset.append("holdings", holdings([1, 101]))
    dataset.close()
    path = Path(settings.root_dir) / "runs/village/tables/holdings/manifest.json"
    expected = m.load_manifest(settings, "village", "holdings").to_json_obj()
    path.unlink()
    before = files(settings.root_dir)
    looked = m.rebuild_manifest_from_fs(settings, "village", "holdings")
    assert looked.to_json_obj()["partitions"] == expected["partitions"]
    assert files(settings.root_dir) == before
    with pytest.raises(IoManifestError, match="rebuild"):
        Dataset(settings, "village").scan("holdings")
    rebuilt = Dataset(settings, "village").rebuild_manifest("holdings")
    assert isinstance(rebuilt, m.TableManifest) and rebuilt.to_json_obj()["partitions"] == expected["partitions"]
    assert path.exists() and Dataset(settings, "village").read("holdings").height == 2


def test_rebuild_from_fs_of_nothing_is_an_empty_manifest(settings, tmp_path):
    made = m.rebuild_manifest_from_fs(settings, "village", "holdings")
    assert (made.table, made.partitions) == ("holdings", {})
    assert os.listdir(tmp_path) == []


def test_a_rebuild_without_a_log_reads_footers_and_reports(dataset, settings, holdings):
    import shutil

    dataset.append("holdings", holdings([1, 101]))
    dataset.append("holdings", holdings([2]))
    dataset.close()
    run = Path(settings.root_dir) / "runs/village"
    shutil.rmtree(run / "log")
    (run / "run.json").unlink()
    (run / "tables/holdings/manifest.json").unlink()
    (run / "tables/holdings/bucket=000000" / f"part-{'a' * 32}.parquet").write_bytes(b"junk")
    report = Dataset(settings, "village").rebuild("holdings")
    assert report["from_log"] is False and len(report["damaged"]) == 1
    assert Dataset(settings, "village").read("holdings")["tick"].to_list() == [1, 2, 101]


# ---- of the caller's own ----

def part_of_ones_own(settings, ticks, uuid="f" * 32, table="holdings"):
    """As code of the older package writes one: to tmp_path, then to its final name."""
    bucket = ticks[0] // settings.tick_bucket_size
    frame = pl.DataFrame({"bucket": [bucket] * len(ticks), "tick": ticks, "agent_id": ["own"] * len(ticks),
                          "token_id": ["t"] * len(ticks), "quantity": [7] * len(ticks)})
    paths = part_paths(settings, "village", table, bucket, uuid)
    os.makedirs(os.path.dirname(paths.final_path), exist_ok=True)
    frame.write_parquet(paths.tmp_path)
    os.replace(paths.tmp_path, paths.final_path)
    return bucket, m.PartMeta(os.path.basename(paths.final_path), len(ticks), os.path.getsize(paths.final_path),
                              min(ticks), max(ticks), datetime.now(UTC).isoformat())


def test_write_manifest_commits_parts_of_the_callers_own(dataset, settings, holdings):
    dataset.append("holdings", holdings([1]))
    made = m.load_manifest(settings, "village", "holdings")
    bucket, part = part_of_ones_own(settings, [150, 160])
    m.update_with_new_part(made, bucket, part)
    m.write_manifest(settings, "village", "holdings", made)
    assert dataset.read("holdings")["tick"].to_list() == [1, 150, 160]
    on_disk = json.loads((Path(settings.root_dir) / "runs/village/tables/holdings/manifest.json").read_text())
    assert list(on_disk["partitions"]) == ["000000", "000001"]
    assert on_disk["partitions"]["000001"]["parts"][0]["path"] == part.path
    assert dataset.verify()["ok"]


def test_write_manifest_makes_the_first_table_of_a_run(settings):
    made = m.new_manifest("holdings")
    m.update_with_new_part(made, *part_of_ones_own(settings, [5]))
    m.write_manifest(settings, "village", "holdings", made)
    assert Dataset(settings, "village").read("holdings")["agent_id"].to_list() == ["own"]


def test_write_manifest_removes_what_it_does_not_list_any_more_and_loses_nothing_of_others(
        dataset, settings, holdings):
    dataset.append("holdings", holdings([1]))
    dataset.append("holdings", holdings([101]))
    made = m.load_manifest(settings, "village", "holdings")
    dataset.append("holdings", holdings([2, 201]))  # by somebody else, meanwhile
    del made.partitions["000001"]
    m.write_manifest(settings, "village", "holdings", made)
    assert dataset.read("holdings")["tick"].to_list() == [1, 2, 201]
    m.write_manifest(settings, "village", "holdings", m.new_manifest("holdings"))
    assert dataset.read("holdings")["tick"].to_list() == [1, 2, 201]


def test_write_manifest_keeps_what_a_manifest_read_as_json_does_not_know(dataset, settings, holdings):
    dataset.append("holdings", holdings([1]))
    obj = m.load_manifest(settings, "village", "holdings").to_json_obj()
    dataset.append("holdings", holdings([101]))
    m.write_manifest(settings, "village", "holdings", m.TableManifest.from_json_obj(obj))
    assert dataset.read("holdings")["tick"].to_list() == [1, 101]


@pytest.mark.parametrize("wrong", [
    {"rows": 3}, {"bytes": 1}, {"tick_min": 100}, {"tick_max": 199}, {"path": "part-" + "0" * 32 + ".parquet"},
    {"path": "../part.parquet"}, {"path": "x.txt"},
])
def test_write_manifest_checks_a_new_part_by_its_footer(dataset, settings, holdings, files, wrong):
    dataset.append("holdings", holdings([1]))
    dataset.refresh_manifests()
    made = m.load_manifest(settings, "village", "holdings")
    bucket, part = part_of_ones_own(settings, [150, 160])
    for key, value in wrong.items():
        setattr(part, key, value)
    m.update_with_new_part(made, bucket, part)
    before = files(settings.root_dir)
    with pytest.raises(IoError) as caught:
        m.write_manifest(settings, "village", "holdings", made)
    assert isinstance(caught.value, (IoArgumentError, IoReadError, IoManifestError))
    assert files(settings.root_dir) == before
    assert dataset.read("holdings").height == 1


def test_write_manifest_is_of_its_table(settings):
    with pytest.raises(ValueError, match="holdings"):
        m.write_manifest(settings, "village", "messages", m.new_manifest("holdings"))
    with pytest.raises(ValueError):
        m.write_manifest(settings, "village", "nope", m.new_manifest("nope"))
    assert not os.path.exists(settings.root_dir)
