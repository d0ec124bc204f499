"""Numbers at the edges of what 32, 53 and 64 bits hold, through every call."""

import decimal
import fractions
import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crv.io import Dataset, IoSettings
from crv.io.errors import IoArgumentError, IoConfigError
from crv.io.manifest import load_manifest, rebuild_manifest_from_fs, write_manifest
from crv.io.paths import bucket_dir, bucket_id_for_tick, format_bucket_dir, part_paths

MOST = 2**63 - 1
EDGES = [0, 1, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1, 2**32, 2**32 + 1, 5_000_000_000, 2**53 - 1, 2**53, 2**53 + 1,
         MOST - 1, MOST]
SIGNED = [-(2**63), *(-n for n in reversed(EDGES) if n), *EDGES]
SIZES = [1, 100, 2**31, 2**32 + 1, 2**53 + 1, MOST]
tick = pl.col("tick")


@pytest.fixture(scope="module", params=SIZES)
def filled(request, tmp_path_factory):
    """One row of each of EDGES, read by a Dataset that has only the manifest to go by."""
    root = str(tmp_path_factory.mktemp("edges"))
    settings = IoSettings(root_dir=root, durability="none", tick_bucket_size=request.param)
    with Dataset(settings, "edges") as dataset:
        for ticks in (EDGES[::2], EDGES[1::2]):
            rows = {"tick": ticks, "agent_id": [str(t) for t in ticks], "token_id": ["t"] * len(ticks), "quantity": ticks}
            dataset.append("holdings", rows)
        dataset.refresh_manifests()
    with Dataset(settings, "edges") as dataset:
        yield dataset


def ticks(frame):
    return frame["tick"].to_list()


def test_every_row_is_there(filled):
    frame = filled.read("holdings")
    assert sorted(ticks(frame)) == EDGES
    assert frame["quantity"].to_list() == ticks(frame)
    assert frame["agent_id"].to_list() == [str(t) for t in ticks(frame)]
    size = filled.settings.tick_bucket_size
    assert frame["bucket"].to_list() == sorted(t // size for t in EDGES)
    assert filled.scan_arrow("holdings").read_all()["tick"].to_pylist() == ticks(frame)
    assert [row[1] for row in filled.relation("holdings").fetchall()] == ticks(frame)


def test_ranges_and_filters(filled):
    whole = filled.read("holdings")
    for low, high in itertools.product([0, 2**31, 2**32 - 1, 5_000_000_000, 2**53 + 1, MOST], repeat=2):
        expected = whole.filter(tick.is_between(low, high))
        where = {"tick_min": low, "tick_max": high}
        assert filled.read("holdings", where).equals(expected), where
        assert filled.scan("holdings").filter(tick.is_between(low, high)).collect().equals(expected), where
        assert filled.scan_arrow("holdings", where).read_all()["tick"].to_pylist() == ticks(expected), where
    for n in SIGNED:
        assert filled.scan("holdings").filter(tick == n).collect().equals(whole.filter(tick == n)), n
        assert filled.scan("holdings").filter(tick > n).collect().equals(whole.filter(tick > n)), n
        assert filled.read("holdings", {"tick_min": n}).equals(whole.filter(tick >= n)), n
        assert filled.read("holdings", {"tick_max": str(n)}).equals(whole.filter(tick <= n)), n
    buckets = whole["bucket"].unique().to_list()
    for bucket in buckets:
        of_bucket = pl.col("bucket") == bucket
        assert filled.scan("holdings").filter(of_bucket).collect().equals(whole.filter(of_bucket)), bucket
        assert filled.explain("holdings", filter=of_bucket).startswith("table holdings of run edges: reads ")


def test_limits(filled):
    whole = filled.read("holdings")
    for n in EDGES:
        assert filled.read("holdings", limit=n).equals(whole.head(min(n, 99))), n
        assert filled.read("holdings", {"tick_min": 1}, n).equals(whole.filter(tick >= 1).head(min(n, 99))), n
        assert filled.scan_arrow("holdings", limit=n).read_all().num_rows == min(n, whole.height), n
        assert "parts" in filled.explain("holdings", limit=n, filter=tick > 5)
    for n in (2**32 - 2, 2**32 - 1):  # the most that Polars itself takes
        assert filled.scan("holdings").head(n).filter(tick > 2**32).collect().equals(whole.filter(tick > 2**32)), n


def test_what_the_run_tells_of_itself(filled):
    size = filled.settings.tick_bucket_size
    (table,) = filled.tables()
    assert (table["rows"], table["tick_min"], table["tick_max"]) == (len(EDGES), 0, MOST)
    assert table["buckets"] == sorted({t // size for t in EDGES})
    manifest = load_manifest(filled.settings, "edges", "holdings")
    assert {p.bucket_id for p in manifest.partitions.values()} == {t // size for t in EDGES}
    assert max(p.tick_max for p in manifest.partitions.values()) == MOST
    assert manifest.to_json_obj() == type(manifest).from_json_obj(manifest.to_json_obj()).to_json_obj()
    on_disk = json.loads((Path(filled.settings.root_dir) / "runs/edges/tables/holdings/manifest.json").read_text())
    assert on_disk["partitions"].keys() == manifest.partitions.keys()
    assert rebuild_manifest_from_fs(filled.settings, "edges", "holdings").partitions.keys() == manifest.partitions.keys()
    write_manifest(filled.settings, "edges", "holdings", manifest)
    assert filled.verify()["findings"] == []
    assert filled.write_bundle({"n": EDGES})["tables"]["holdings"]["tick_max"] == MOST
    bundle = json.loads((Path(filled.settings.root_dir) / "runs/edges/bundle.manifest.json").read_text())
    assert bundle["meta"]["n"] == EDGES and bundle["io"]["tick_bucket_size"] == size
    for after in SIGNED:
        assert len(filled.log(after)) == (2 if after < 1 else 1 if after == 1 else 0), after


def test_a_rebuild_keeps_them(filled, tmp_path):
    import shutil

    shutil.copytree(Path(filled.settings.root_dir) / "runs", tmp_path / "runs")
    run = tmp_path / "runs/edges"
    with Dataset(replace(filled.settings, root_dir=str(tmp_path)), "edges") as copy:
        assert copy.rebuild("holdings")["rows"] == len(EDGES)
        assert sorted(ticks(copy.read("holdings"))) == EDGES
    shutil.rmtree(run / "log")
    with Dataset(replace(filled.settings, root_dir=str(tmp_path)), "edges") as copy:
        assert copy.rebuild("holdings")["rows"] == len(EDGES)
        assert sorted(ticks(copy.read("holdings"))) == EDGES
        assert copy.verify()["ok"]


def test_names_on_disk():
    for size, n in itertools.product(EDGES[1:], EDGES):
        assert bucket_id_for_tick(n, size) == n // size
    for n in EDGES:
        assert format_bucket_dir(n) == f"bucket={n:06d}"
        assert bucket_dir(IoSettings(), "r", "holdings", n).endswith(f"/holdings/bucket={n:06d}")
        assert part_paths(IoSettings(), "r", "holdings", n, "a" * 32).final_path.endswith(f"bucket={n:06d}/part-{'a' * 32}.parquet")


def test_numbers_of_tokens_and_complete_through(dataset, holdings):
    for n in SIGNED:
        first = dataset.append("holdings", holdings([1]), token=("w", n), complete_through=n)
        assert dataset.append("holdings", holdings([1]), token=("w", n)) == first
    assert [(c["token"], c["complete_through"]) for c in dataset.log()] == [(("w", n), n) for n in SIGNED]
    files = set(Path(dataset.settings.root_dir).rglob("*"))
    for beyond in (2**63, -(2**63) - 1, 2**64, 10**30):
        for call in (lambda: dataset.append("holdings", holdings([1]), token=("v", beyond)),
                     lambda: dataset.append("holdings", holdings([1]), complete_through=beyond),
                     lambda: dataset.append_many({"holdings": holdings([1])}, complete_through=beyond),
                     lambda: dataset.log(beyond),
                     lambda: dataset.read("holdings", {"tick_min": beyond}),
                     lambda: dataset.scan("holdings", {"tick_max": str(beyond)}),
                     lambda: dataset.read("holdings", limit=beyond),
                     lambda: dataset.scan_arrow("holdings", limit=beyond)):
            with pytest.raises(IoArgumentError) as caught:
                call()
            assert str(beyond) in str(caught.value)
    assert set(Path(dataset.settings.root_dir).rglob("*")) == files
    for wrong in (1.5, "7", True, [1]):
        for call in (lambda: dataset.append("holdings", holdings([1]), complete_through=wrong),
                     lambda: dataset.log(wrong)):
            with pytest.raises(IoArgumentError):
                call()
    assert dataset.append("holdings", holdings([1]), complete_through=np.int64(7))["rows"] == 1
    assert len(dataset.log(np.int32(1))) == len(SIGNED)


def test_a_manifest_with_numbers_that_no_file_can_hold_is_refused(dataset, holdings):
    dataset.append("holdings", holdings([1]))
    for field, wrong in itertools.product(("rows", "bytes", "tick_min", "tick_max"), (2**63, 1.5, "1", None)):
        manifest = load_manifest(dataset.settings, dataset.run_id, "holdings")
        (partition,) = manifest.partitions.values()
        setattr(partition.parts[0], field, wrong)
        with pytest.raises(IoArgumentError) as caught:
            write_manifest(dataset.settings, dataset.run_id, "holdings", manifest)
        assert field in str(caught.value) and caught.value.facts["value"] == repr(wrong)
    assert dataset.read("holdings").height == 1


@pytest.mark.parametrize("exact", [int, str, decimal.Decimal, fractions.Fraction, np.int64])
def test_bounds_are_exact_in_every_form(filled, exact):
    for n in EDGES:
        assert ticks(filled.read("holdings", {"tick_min": exact(n), "tick_max": exact(n)})) == [n]
        assert filled.read("holdings", limit=exact(n)).height == min(n, len(EDGES))


@pytest.mark.parametrize("n", [2.0**53, -(2.0**53), 2.0**53 - 1])
def test_integral_floats_are_bounds_as_far_as_they_are_exact(filled, n):
    assert ticks(filled.read("holdings", {"tick_min": n, "tick_max": n})) == [int(n)] * (n > 0)
    for inexact in (2 * n + 4, decimal.Decimal("0.5"), fractions.Fraction(1, 3), np.float64(1.5)):
        with pytest.raises(IoArgumentError):
            filled.read("holdings", {"tick_min": inexact})


def test_settings_of_any_size(tmp_path, holdings, monkeypatch):
    for n in EDGES[1:]:
        settings = IoSettings(root_dir=str(tmp_path), row_group_size=n, write_manifest_every_n=n, durability="none")
        with Dataset(settings, f"of{n}") as dataset:
            dataset.append("holdings", holdings([3, 2, 1]))
            assert ticks(dataset.read("holdings")) == [3, 2, 1]
            assert dataset.verify()["ok"]
        path = tmp_path / "crv.toml"
        path.write_text(f"[io]\ntick_bucket_size = {n}\nrow_group_size = {n}\n")
        assert IoSettings.from_toml(path) == IoSettings(tick_bucket_size=n, row_group_size=n)
        monkeypatch.setenv("CRV_IO_TICK_BUCKET_SIZE", str(n))
        assert IoSettings.load(path).tick_bucket_size == n
    for beyond in (2**63, 10**30, -1, 0):
        with pytest.raises(IoConfigError):
            Dataset(IoSettings(root_dir=str(tmp_path), tick_bucket_size=beyond), "beyond").append("holdings", holdings([1]))
