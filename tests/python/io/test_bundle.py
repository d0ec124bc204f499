"""crv.io.run_manifest: bundle.manifest.json and the indexes it is made of."""

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from crv.core.versioning import SCHEMA_V
from crv.io import Dataset
from crv.io import run_manifest as r
from crv.io.artifacts import lab_dir, write_parquet_atomic, write_text_atomic
from crv.io.errors import IoManifestError
from crv.io.manifest import new_manifest, write_manifest


@pytest.fixture
def filled(dataset, settings, holdings, message):
    dataset.append("holdings", holdings([1, 250]))
    dataset.append("messages", [message(3, {"to": "all"})])
    write_text_atomic(lab_dir(settings, "village", "tidy") + "/b.txt", "abc")
    write_parquet_atomic(lab_dir(settings, "village", "tidy") + "/a.parquet", pl.DataFrame({"x": [1, 2]}))
    Path(lab_dir(settings, "village", "audit") + "/left.tmp").write_bytes(b"12345")
    return dataset


def test_bundle_manifest_path_does_no_io(settings):
    assert r.bundle_manifest_path(settings, "x") == f"{settings.root_dir}/runs/x/bundle.manifest.json"
    assert not os.path.exists(settings.root_dir)


def test_collect_tables_index(filled, settings):
    index = r.collect_tables_index(settings, "village")
    assert list(index) == ["holdings", "messages"]
    assert list(index["holdings"]) == ["rows", "bytes", "tick_min", "tick_max", "buckets"]
    manifest = filled.manifest("holdings")
    assert index["holdings"] == {"rows": 2, "bytes": sum(p.byte_size for p in manifest.partitions.values()),
                                 "tick_min": 1, "tick_max": 250, "buckets": [0, 2]}


def test_an_empty_table_and_no_run(dataset, settings):
    assert r.collect_tables_index(settings, "village") == {}
    dataset.rebuild_manifest("holdings")
    assert r.collect_tables_index(settings, "village") == {}, "nothing is made from nothing"
    write_manifest(settings, "village", "holdings", new_manifest("holdings"))
    assert r.collect_tables_index(settings, "village") == {
        "holdings": {"rows": 0, "bytes": 0, "tick_min": None, "tick_max": None, "buckets": []}}


def test_one_corrupt_manifest_raises(filled, settings):
    filled.close()
    (Path(settings.root_dir) / "runs/village/tables/messages/manifest.json").write_text("{")
    with pytest.raises(IoManifestError):
        r.collect_tables_index(settings, "village")


def test_collect_artifacts_index(filled, settings):
    index = r.collect_artifacts_index(settings, "village")
    size = os.path.getsize(f"{settings.root_dir}/runs/village/artifacts/lab/tidy/a.parquet")
    assert index == {
        "lab": {"tidy": [{"path": "artifacts/lab/tidy/a.parquet", "bytes": size, "rows": 2},
                         {"path": "artifacts/lab/tidy/b.txt", "bytes": 3}],
                "probes": [], "policy": [], "audit": [{"path": "artifacts/lab/audit/left.tmp", "bytes": 5}]},
        "world": {}, "mind": {}}
    assert list(index["lab"]) == ["tidy", "probes", "policy", "audit"]
    assert r.collect_artifacts_index(settings, "none") == {
        "lab": {"tidy": [], "probes": [], "policy": [], "audit": []}, "world": {}, "mind": {}}


def test_the_bundle_has_the_contracts_keys_and_is_what_is_on_disk(filled, settings):
    bundle = r.write_run_bundle_manifest(settings, "village", meta={"seed": 7, "nested": {"a": [1, None, "é"]}})
    path = Path(r.bundle_manifest_path(settings, "village"))
    assert json.loads(path.read_text()) == bundle
    assert path.read_text().startswith('{\n  "schema_version": 1,\n  "run": {\n')
    assert list(bundle) == ["schema_version", "run", "env", "io", "tables", "artifacts", "meta"]
    assert list(bundle["run"]) == ["run_id", "created_at", "core_schema_v", "git"]
    assert bundle["run"]["run_id"] == "village" and datetime.fromisoformat(bundle["run"]["created_at"]).tzinfo
    assert bundle["run"]["core_schema_v"] == {"major": SCHEMA_V.major, "minor": SCHEMA_V.minor, "date": SCHEMA_V.date}
    assert list(bundle["run"]["git"]) == ["sha", "dirty"]
    import pyarrow

    assert bundle["env"] == {"python": sys.version, "polars": pl.__version__, "pyarrow": pyarrow.__version__}
    assert bundle["io"] == {"root_dir": settings.root_dir, "partitioning": "tick_buckets", "tick_bucket_size": 100,
                            "row_group_size": 131072, "compression": "zstd"}
    table = bundle["tables"]["holdings"]
    assert list(table) == ["rows", "bytes", "tick_min", "tick_max", "buckets", "total_rows", "total_bytes"]
    assert (table["total_rows"], table["total_bytes"]) == (table["rows"], table["bytes"])
    assert bundle["artifacts"] == r.collect_artifacts_index(settings, "village")
    assert bundle["meta"] == {"seed": 7, "nested": {"a": [1, None, "é"]}}


def test_the_bundle_of_nothing(settings):
    bundle = r.write_run_bundle_manifest(settings, "new")
    assert bundle["tables"] == {} and bundle["meta"] == {}
    assert os.path.exists(r.bundle_manifest_path(settings, "new"))


def test_what_json_dumps_makes_of_meta_is_kept(settings):
    """Keys that are numbers become text, as json.dumps has it."""
    bundle = r.write_run_bundle_manifest(settings, "new", meta={5: 1, "t": (1, 2)})
    assert bundle["meta"] == {"5": 1, "t": [1, 2]}


@pytest.mark.parametrize("meta", [{"a": object()}, {"a": {1, 2}}, {("a",): 1}, {"a": b"x"}])
def test_meta_that_is_no_json_is_a_type_error_and_nothing_is_written(filled, settings, files, meta):
    before = files(settings.root_dir)
    with pytest.raises(TypeError):
        r.write_run_bundle_manifest(settings, "village", meta=meta)
    assert files(settings.root_dir) == before


def test_meta_that_holds_itself_is_refused(settings):
    meta = {}
    meta["again"] = meta
    with pytest.raises((ValueError, RecursionError)):
        r.write_run_bundle_manifest(settings, "village", meta=meta)
    assert not os.path.exists(settings.root_dir)


def test_a_dataset_writes_it_too(filled, settings):
    assert filled.write_bundle({"a": 1})["meta"] == {"a": 1}
    assert json.loads(Path(r.bundle_manifest_path(settings, "village")).read_text())["meta"] == {"a": 1}


def test_git_is_that_of_the_working_directory(tmp_path, settings, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for variable in ("GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert r.write_run_bundle_manifest(settings, "r")["run"]["git"] == {"sha": None, "dirty": None}
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    sha = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert r.write_run_bundle_manifest(settings, "r")["run"]["git"] == {"sha": sha, "dirty": False}
    (work / "new").touch()
    assert r.write_run_bundle_manifest(settings, "r")["run"]["git"] == {"sha": sha, "dirty": True}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert r.write_run_bundle_manifest(settings, "r")["run"]["git"] == {"sha": None, "dirty": None}, "no git"


def test_a_dataset_that_is_open_sees_what_the_bundle_counts(settings, holdings):
    with Dataset(settings, "r") as dataset:
        for tick in range(20):
            dataset.append("holdings", holdings([tick]))
        assert r.write_run_bundle_manifest(settings, "r")["tables"]["holdings"]["rows"] == 20
