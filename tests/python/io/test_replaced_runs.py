"""A Dataset that is held open while its run is removed, replaced or moved, and a process that changes its folder."""

import copy
import json
import os
import pickle
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import polars as pl
import pytest

from crv.io.config import IoSettings
from crv.io.dataset import Dataset
from crv.io.errors import IoConfigError, IoRunReplaced
from crv.io.manifest import load_manifest, new_manifest, write_manifest

GOLDEN = Path(__file__).parents[2] / "golden" / "reference-run"


def rows(*ticks):
    return {"tick": list(ticks), "agent_id": ["a"] * len(ticks), "token_id": ["t"] * len(ticks),
            "quantity": list(ticks)}


def ticks(settings, run="r"):
    with Dataset(settings, run) as dataset:
        assert dataset.verify()["ok"]
        return dataset.read("holdings")["tick"].to_list()


# What a notebook does: the cell is run, the folder removed, the cell is run again, and the kernel quits.
CELL = "ds = Dataset(IoSettings(root_dir=root), 'r')\nfor t in range(N): ds.append('holdings', rows(t))\n"
NOTEBOOKS = {
    "the name is bound again": ("N = 5\n" + CELL + "shutil.rmtree(root)\nN = 3\n" + CELL, [0, 1, 2]),
    "bound again, longer": ("N = 3\n" + CELL + "shutil.rmtree(root)\nN = 8\n" + CELL, list(range(8))),
    "the old one is kept": ("N = 5\n" + CELL + "old = ds\nshutil.rmtree(root)\nN = 3\n" + CELL, [0, 1, 2]),
    "kept, as long": ("N = 5\n" + CELL + "old = ds\nshutil.rmtree(root)\nN = 5\n" + CELL, list(range(5))),
    "kept, longer": ("N = 5\n" + CELL + "old = ds\nshutil.rmtree(root)\nN = 8\n" + CELL, list(range(8))),
    "only the run's folder": (
        "N = 5\n" + CELL + "old = ds\nshutil.rmtree(root + '/runs/r')\nN = 3\n" + CELL, [0, 1, 2]),
    "the same one goes on": (
        "N = 5\n" + CELL + "shutil.rmtree(root)\nfor t in (7, 8): ds.append('holdings', rows(t))\n", [7, 8]),
    "another process makes it": (
        "N = 5\n" + CELL + "shutil.rmtree(root)\nsubprocess.run([sys.executable, '-c', PRELUDE + 'N = 3\\n' + CELL, root],"
        " check=True)\n", [0, 1, 2]),
}
PRELUDE = textwrap.dedent("""
    import sys, shutil, subprocess
    from crv.io.config import IoSettings
    from crv.io.dataset import Dataset
    root = sys.argv[1]
    rows = lambda t: {'tick': [t], 'agent_id': ['a'], 'token_id': ['t'], 'quantity': [t]}
""")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_readers_find_what_was_recorded_last_however_the_folder_was_cleared(name, tmp_path):
    code, expected = NOTEBOOKS[name]
    script = PRELUDE + f"PRELUDE = {PRELUDE!r}\nCELL = {CELL!r}\n" + code
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "out")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert ticks(IoSettings(root_dir=str(tmp_path / "out"))) == expected


def test_a_writer_says_that_its_run_was_replaced(tmp_path):
    settings = IoSettings(root_dir=str(tmp_path))
    old = Dataset(settings, "r")
    old.append("holdings", rows(1))
    shutil.rmtree(tmp_path / "runs")
    with Dataset(settings, "r") as new:
        new.append("holdings", rows(2))
    for call in (lambda: old.append("holdings", rows(3)), lambda: old.read("holdings"), old.refresh_manifests,
                 old.write_bundle, old.tables):
        with pytest.raises(IoRunReplaced) as caught:
            call()
        assert caught.value.code == "run_replaced"
        assert caught.value.facts["run_id"] == "r"
        assert "Open the run again" in str(caught.value)
    old.close()
    assert ticks(settings) == [2]


def test_a_run_that_is_gone_is_made_again_with_a_warning(tmp_path):
    settings = IoSettings(root_dir=str(tmp_path))
    dataset = Dataset(settings, "r")
    dataset.append("holdings", rows(1))
    shutil.rmtree(tmp_path / "runs")
    with pytest.warns(UserWarning, match="is gone from"):
        dataset.append("holdings", rows(2))
    dataset.close()
    assert ticks(settings) == [2]


def test_a_symlink_that_is_turned_leads_to_another_run(tmp_path):
    for name in ("one", "two"):
        with Dataset(IoSettings(root_dir=str(tmp_path / name)), "r") as dataset:
            dataset.append("holdings", rows(1))
    link = tmp_path / "link"
    link.symlink_to("one")
    held = Dataset(IoSettings(root_dir=str(link)), "r")
    held.append("holdings", rows(5))
    link.unlink()
    link.symlink_to("two")
    with pytest.raises(IoRunReplaced):
        held.append("holdings", rows(6))
    held.close()
    assert ticks(IoSettings(root_dir=str(tmp_path / "one"))) == [1, 5]
    assert ticks(IoSettings(root_dir=str(tmp_path / "two"))) == [1]


def test_a_relative_root_is_resolved_once(tmp_path, monkeypatch):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    settings = IoSettings(root_dir="out")
    dataset, untouched = Dataset(settings, "r"), Dataset(settings, "late")
    dataset.append("holdings", rows(1))
    lazy = dataset.scan("holdings")
    monkeypatch.chdir(tmp_path / "there")
    summary = dataset.append("holdings", rows(2))
    assert summary["parts"][0]["path"].startswith("out/runs/r/")
    untouched.append("holdings", rows(3))
    assert lazy.collect()["tick"].to_list() == [1]
    assert dataset.scan("holdings").filter(pl.col("tick") == 2).collect().height == 1
    assert dataset.scan_arrow("holdings").read_all().num_rows == 2
    assert dataset.verify(full=True)["ok"]
    dataset.close()
    dataset.append("holdings", rows(4))  # opened again: the same folder
    dataset.close()
    assert os.listdir(tmp_path / "there") == []
    assert ticks(IoSettings(root_dir=str(tmp_path / "here/out"))) == [1, 2, 4]
    assert ticks(IoSettings(root_dir=str(tmp_path / "here/out")), "late") == [3]


def test_copies_and_pickled_frames_keep_the_folder_that_a_relative_root_starts_from(tmp_path, monkeypatch):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "there")
    with Dataset(IoSettings(root_dir="out"), "r") as other:
        other.append("holdings", rows(99))
    monkeypatch.chdir(tmp_path / "here")
    dataset = Dataset(IoSettings(root_dir="out"), "r")
    dataset.append("holdings", rows(1))
    lazy = pickle.dumps(dataset.scan("holdings"))
    monkeypatch.chdir(tmp_path / "there")
    for again in (copy.copy(dataset), copy.deepcopy(dataset), pickle.loads(pickle.dumps(dataset))):
        assert again.read("holdings")["tick"].to_list() == [1]
        again.close()
    assert pickle.loads(lazy).collect()["tick"].to_list() == [1]
    dataset.close()


def test_a_warning_that_cannot_be_shown_does_not_make_a_durable_append_fail(tmp_path, monkeypatch):
    settings = IoSettings(root_dir=str(tmp_path))
    dataset = Dataset(settings, "r")
    dataset.append("holdings", rows(1))
    shutil.rmtree(tmp_path / "runs")

    def fail(*_arguments, **_options):
        raise RuntimeError("it cannot be shown")

    monkeypatch.setattr("warnings.showwarning", fail)
    monkeypatch.setattr("warnings._showwarnmsg_impl", fail, raising=False)
    monkeypatch.setattr(sys, "stderr", None)
    dataset.append("holdings", rows(2))
    monkeypatch.undo()
    dataset.close()
    assert ticks(settings) == [2]


def test_parts_that_cannot_be_adopted_refuse_every_append(tmp_path):
    """The older manifest says tick 1, the part says tick 150: it does not belong to the bucket that it lies in."""
    bucket = tmp_path / "runs/r/tables/holdings/bucket=000000"
    bucket.mkdir(parents=True)
    name = "part-" + "ab" * 16 + ".parquet"
    pl.DataFrame({"bucket": [0], **rows(150)}).write_parquet(bucket / name)
    size = (bucket / name).stat().st_size
    numbers = {"tick_min": 1, "tick_max": 1}
    part = {"path": name, "rows": 1, "bytes": size, **numbers, "created_at": "2026-01-01T00:00:00+00:00"}
    partition = {"bucket_id": 0, "state": "ready", **numbers, "row_count": 1, "byte_size": size, "parts": [part]}
    manifest = {"table": "holdings", "version": 1, "created_at": part["created_at"], "updated_at": part["created_at"],
                "partitions": {"000000": partition}}
    (bucket.parent / "manifest.json").write_text(json.dumps(manifest))
    dataset = Dataset(IoSettings(root_dir=str(tmp_path)), "r")
    for tick in (2, 3):
        with pytest.raises(IoConfigError) as caught:
            dataset.append("holdings", rows(tick))
        assert caught.value.code == "bucket_size_mismatch"
    assert dataset.log() == []
    dataset.close()


def test_a_manifest_of_another_log_removes_nothing(tmp_path):
    settings = IoSettings(root_dir=str(tmp_path))
    with Dataset(settings, "r") as dataset:
        for tick in range(5):
            dataset.append("holdings", rows(tick))
    stale = load_manifest(settings, "r", "holdings")
    shutil.rmtree(tmp_path / "runs")
    with Dataset(settings, "r") as dataset:
        for tick in (70, 71):
            dataset.append("holdings", rows(tick))
    with pytest.raises(IoRunReplaced, match="Load the manifest again"):
        write_manifest(settings, "r", "holdings", stale)
    assert ticks(settings) == [70, 71]


def test_tables_of_an_older_run_are_sealed_only_by_an_adopt_commit(tmp_path):
    shutil.copytree(GOLDEN, tmp_path, dirs_exist_ok=True)
    settings, run = IoSettings(root_dir=str(tmp_path)), "run_golden01"
    tables = tmp_path / "runs" / run / "tables"
    with Dataset(settings, run) as dataset:
        before = {t["table"]: t["rows"] for t in dataset.tables()}
        others = [t for t in before if t != "holdings"]
        texts = {t: (tables / t / "manifest.json").read_bytes() for t in others}
        dataset.append("holdings", rows(1))
    for table, text in texts.items():
        assert (tables / table / "manifest.json").read_bytes() == text, "what crv has not written to stays as it was"
    with Dataset(settings, run) as dataset:
        dataset.refresh_manifests()
        adopted = [t["table"] for c in dataset.log() if c["kind"] == "adopt" for t in c["tables"]]
    assert sorted(adopted) == sorted(before), "each table that is sealed has a commit for its parts"
    for table in others:
        assert '"last_seq"' in (tables / table / "manifest.json").read_text()
        write_manifest(settings, run, table, new_manifest(table))
    with Dataset(settings, run) as dataset:
        after = {t["table"]: t["rows"] for t in dataset.tables()}
        kinds = [c["kind"] for c in dataset.log()]
        assert dataset.verify()["ok"]
    assert after == {**before, "holdings": before["holdings"] + 1}
    assert kinds.count("adopt") == len(before)


def test_warnings_as_errors_do_not_make_a_durable_append_fail(tmp_path):
    script = PRELUDE + textwrap.dedent("""
        import warnings
        d = Dataset(IoSettings(root_dir=root), 'r')
        d.append('holdings', rows(1))
        open(root + '/runs/r/tables/holdings/manifest.json', 'w').write('torn')
        warnings.simplefilter('error')
        d2 = Dataset(IoSettings(root_dir=root), 'r')
        try: d2.append('holdings', rows(2))
        except Exception as e: print('refused', type(e).__name__)
        d.append('holdings', rows(3))
        d.close()
        print('commits', len(d.log()))
    """)
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "commits 2" in done.stdout, done.stdout
