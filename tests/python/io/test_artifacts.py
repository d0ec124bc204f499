"""crv.io.artifacts: files of a run that belong to no table."""

import os
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from crv.io import artifacts
from crv.io.errors import IoError


def test_artifacts_root_does_no_io(settings):
    assert artifacts.artifacts_root(settings, "r") == f"{settings.root_dir}/runs/r/artifacts"
    assert not os.path.exists(settings.root_dir)


@pytest.mark.parametrize("subdir", ["tidy", "probes", "policy", "audit"])
def test_lab_dir_makes_the_folder(settings, subdir):
    path = artifacts.lab_dir(settings, "r", subdir)
    assert path == f"{settings.root_dir}/runs/r/artifacts/lab/{subdir}" and os.path.isdir(path)
    assert artifacts.lab_dir(settings, "r", subdir) == path


@pytest.mark.parametrize("subdir", ["", "other", "TIDY", "../tidy", "tidy/x"])
def test_lab_dir_knows_four_folders(settings, subdir):
    with pytest.raises(ValueError) as caught:
        artifacts.lab_dir(settings, "r", subdir)
    assert "tidy, probes, policy, audit" in str(caught.value)
    assert not os.path.exists(settings.root_dir)


def recent(text):
    return abs((datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds()) < 3600


def test_file_stat(tmp_path):
    path = str(tmp_path / "f")
    none = artifacts.file_stat(path)
    assert list(none) == ["path", "bytes", "created_at"] and none["path"] == path and none["bytes"] == 0
    assert recent(none["created_at"]) and none["created_at"].endswith("+00:00")
    Path(path).write_bytes(b"abc")
    os.utime(path, (0, 0))
    assert artifacts.file_stat(path)["bytes"] == 3 and recent(artifacts.file_stat(path)["created_at"])


def test_write_text_atomic(tmp_path):
    path = str(tmp_path / "a" / "b" / "zoë.txt")
    stat = artifacts.write_text_atomic(path, "naïve\n")
    assert list(stat) == ["path", "bytes", "created_at", "wrote_text"]
    assert (stat["path"], stat["bytes"], stat["wrote_text"]) == (path, 7, True)
    artifacts.write_text_atomic(path, "second")
    assert Path(path).read_text(encoding="utf-8") == "second"
    assert os.listdir(tmp_path / "a" / "b") == ["zoë.txt"]


def test_a_path_without_a_folder_is_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    artifacts.write_text_atomic("x.txt", "here")
    assert (tmp_path / "x.txt").read_text() == "here"


def test_write_parquet_atomic(tmp_path):
    path = str(tmp_path / "a" / "tidy.parquet")
    frame = pl.DataFrame({"x": [1, 2, 3], "s": ["a", None, "c"], "l": [[1], [], None], "d": [{"k": 1}] * 3})
    stat = artifacts.write_parquet_atomic(path, frame)
    assert list(stat) == ["path", "bytes", "created_at", "rows"]
    assert stat["rows"] == 3 and stat["bytes"] == os.path.getsize(path)
    assert pl.read_parquet(path).equals(frame)
    metadata = pq.read_metadata(path)
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    assert not any(key.startswith(b"crv_") for key in metadata.metadata or {})
    assert os.listdir(tmp_path / "a") == ["tidy.parquet"]


def test_a_frame_without_rows_is_an_artifact_too(tmp_path):
    path = str(tmp_path / "none.parquet")
    assert artifacts.write_parquet_atomic(path, pl.DataFrame(schema={"x": pl.Int64}))["rows"] == 0
    assert pl.read_parquet(path).schema == {"x": pl.Int64}


@pytest.mark.parametrize("frame", [{"x": [1]}, None, pl.LazyFrame({"x": [1]}), "text"])
def test_only_polars_frames_are_taken(tmp_path, frame):
    with pytest.raises(TypeError):
        artifacts.write_parquet_atomic(str(tmp_path / "f.parquet"), frame)
    assert os.listdir(tmp_path) == []


def test_what_the_disk_refuses_is_an_os_error_and_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    for call in (lambda: artifacts.write_text_atomic(str(path / "x.txt"), "new"),
                 lambda: artifacts.write_parquet_atomic(str(path / "x.parquet"), pl.DataFrame({"x": [1]}))):
        with pytest.raises(OSError) as caught:
            call()
        assert isinstance(caught.value, IoError) and caught.value.errno
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["file"]
