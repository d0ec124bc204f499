"""Runs that the older package wrote (tests/golden), read, continued and rebuilt through Python, as expected.json says."""

import hashlib
import json
import math
import shutil
from pathlib import Path

import polars as pl
import pytest

from crv.io import Dataset, IoSettings
from crv.io.errors import IoConfigError, IoManifestError
from crv.io.manifest import load_manifest, rebuild_manifest_from_fs
from crv.io.run_manifest import collect_artifacts_index, collect_tables_index

GOLDEN = Path(__file__).parents[2] / "golden"
RUNS = {"reference-run": "run_golden01", "reference-run-drift": "run_drift01"}
EXPECTED = {folder: json.loads((GOLDEN / folder / "expected.json").read_text(encoding="utf-8"))["runs"][run]
            for folder, run in RUNS.items()}
TABLES = [pytest.param(folder, table, id=f"{RUNS[folder]}-{table}") for folder in RUNS
          for table in EXPECTED[folder]["tables"]]


def plain(value):
    """As the expectation writes what JSON lacks."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"$f64": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def rows_of(frame, expected):
    """The expectation's rows: buckets in the older manifest's order."""
    by_bucket = {bucket: [] for bucket in expected["partition_order"]}
    for row in frame.select(expected["columns"]).rows():
        by_bucket[row[expected["columns"].index("bucket")]].append([plain(cell) for cell in row])
    return [row for rows in by_bucket.values() for row in rows]


def sha256_of(rows):
    lines = "".join(json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n" for row in rows)
    return hashlib.sha256(lines.encode()).hexdigest()


@pytest.fixture
def run(tmp_path):
    def copied(folder):
        shutil.copytree(GOLDEN / folder, tmp_path / "root")
        return IoSettings(root_dir=str(tmp_path / "root"))

    return copied


@pytest.fixture(scope="module")
def read_only():
    return {folder: Dataset(IoSettings(root_dir=str(GOLDEN / folder)), run) for folder, run in RUNS.items()}


@pytest.mark.parametrize(("folder", "table"), TABLES)
def test_every_row_reads_as_expected(read_only, folder, table):
    expected = EXPECTED[folder]["tables"][table]
    dataset = read_only[folder]
    frame = dataset.read(table)
    rows = rows_of(frame, expected)
    assert json.dumps(rows[:200], sort_keys=True) == json.dumps(expected["first_rows"], sort_keys=True)
    assert sha256_of(rows) == expected["rows_sha256"]
    assert frame.height == expected["rows"]
    assert frame["bucket"].is_sorted()
    assert sha256_of(rows_of(pl.from_arrow(dataset.scan_arrow(table).read_all()), expected)) == expected["rows_sha256"]


@pytest.mark.parametrize(("folder", "table"), TABLES)
def test_every_filter_gives_the_rows_expected_and_opens_no_more_parts_than_the_older_package(read_only, folder, table):
    dataset = read_only[folder]
    for case in EXPECTED[folder]["tables"][table]["where"]:
        where = case["where"]
        low, high = where.get("tick_min"), where.get("tick_max")
        frame = dataset.read(table, where)
        assert (frame.height, frame["tick"].sum()) == (case["rows"], case["tick_sum"])
        kept = sum(line.startswith("  read ") for line in dataset.explain(table, where).splitlines())
        assert kept <= case["parts_kept_by_reference"]
        condition = pl.lit(True)
        if low is not None:
            condition &= pl.col("tick") >= low
        if high is not None:
            condition &= pl.col("tick") <= high
        assert dataset.scan(table).filter(condition).collect().equals(frame)
        for limit in (0, 1, 7, 10_000):
            assert dataset.read(table, where, limit).equals(frame.head(limit))


@pytest.mark.parametrize(("folder", "table"), TABLES)
def test_every_manifest_is_that_of_the_older_package(read_only, folder, table):
    expected = EXPECTED[folder]["tables"][table]
    manifest = load_manifest(read_only[folder].settings, RUNS[folder], table).to_json_obj()
    assert manifest["partitions"] == expected["manifest"]["partitions"]
    assert manifest["created_at"] == expected["manifest"]["created_at"]
    assert sum(p["row_count"] for p in manifest["partitions"].values()) == expected["rows"]
    looked = rebuild_manifest_from_fs(read_only[folder].settings, RUNS[folder], table)
    assert sum(p.row_count for p in looked.partitions.values()) == expected["rows"]


@pytest.mark.parametrize("folder", RUNS)
def test_the_indexes_are_those_of_the_older_package(read_only, folder):
    settings, bundle = read_only[folder].settings, EXPECTED[folder]["bundle"]
    index = collect_tables_index(settings, RUNS[folder])
    assert index == {table: {key: facts[key] for key in ("rows", "bytes", "tick_min", "tick_max", "buckets")}
                     for table, facts in bundle["tables"].items()}
    assert collect_artifacts_index(settings, RUNS[folder]) == bundle["artifacts"]


@pytest.mark.parametrize("folder", RUNS)
def test_reading_changes_nothing_and_nothing_is_wrong(run, files, folder):
    settings = run(folder)
    before = files(settings.root_dir)
    with Dataset(settings, RUNS[folder]) as dataset:
        for table in EXPECTED[folder]["tables"]:
            dataset.read(table)
        report = dataset.verify()
        assert report["ok"], report
    assert files(settings.root_dir) == before


@pytest.mark.parametrize("folder", RUNS)
def test_it_is_continued_and_rebuilt_without_losing_a_row(run, holdings, folder):
    settings = run(folder)
    tables = EXPECTED[folder]["tables"]
    with Dataset(settings, RUNS[folder]) as dataset:
        dataset.append("holdings", holdings([5000]))
        assert dataset.log()[0]["kind"] == "adopt"
        assert dataset.read("holdings", {"tick_max": 4999}).height == tables["holdings"]["rows"]
    with Dataset(settings, RUNS[folder]) as again:
        for table, expected in tables.items():
            manifest = again.rebuild_manifest(table)
            added = 1 if table == "holdings" else 0
            assert sum(p.row_count for p in manifest.partitions.values()) == expected["rows"] + added
            frame = again.read(table, {"tick_max": 4999} if added else None)
            assert sha256_of(rows_of(frame, expected)) == expected["rows_sha256"]
        assert again.verify()["ok"]


@pytest.mark.parametrize("folder", RUNS)
def test_an_older_reader_still_finds_its_rows_after_an_append(run, holdings, folder):
    """By manifest.json and the parts alone, as the older package reads."""
    settings = run(folder)
    with Dataset(settings, RUNS[folder]) as dataset:
        dataset.append("holdings", holdings([5000]))
    table = Path(settings.root_dir) / "runs" / RUNS[folder] / "tables/holdings"
    manifest = json.loads((table / "manifest.json").read_text())
    rows = 0
    for key, partition in manifest["partitions"].items():
        for part in partition["parts"]:
            assert set(part) == {"path", "rows", "bytes", "tick_min", "tick_max", "created_at"}
            rows += pl.read_parquet(table / f"bucket={key}" / part["path"], hive_partitioning=False).height
    assert rows == EXPECTED[folder]["tables"]["holdings"]["rows"] + 1


@pytest.mark.parametrize("folder", RUNS)
def test_without_manifests_it_is_rebuilt_from_the_footers(run, folder):
    settings = run(folder)
    tables = EXPECTED[folder]["tables"]
    for table in tables:
        (Path(settings.root_dir) / "runs" / RUNS[folder] / "tables" / table / "manifest.json").unlink()
    with pytest.raises(IoManifestError, match="rebuild"):
        Dataset(settings, RUNS[folder]).scan("exchange")
    with Dataset(settings, RUNS[folder]) as dataset:
        dataset.rebuild_manifest("exchange")
    for table, expected in tables.items():
        with Dataset(settings, RUNS[folder]) as dataset:
            assert dataset.read(table).height == expected["rows"]


@pytest.mark.parametrize("folder", RUNS)
def test_another_bucket_size_is_refused_before_anything_is_written(run, files, holdings, folder):
    from dataclasses import replace

    settings = replace(run(folder), tick_bucket_size=64)
    before = files(settings.root_dir)
    with pytest.raises(IoConfigError):
        Dataset(settings, RUNS[folder]).append("holdings", holdings([1]))
    assert files(settings.root_dir) == before
