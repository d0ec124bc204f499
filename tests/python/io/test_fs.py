"""crv.io.fs: small helpers."""

import os

import pytest

from crv.io import fs


def test_exists(tmp_path):
    assert fs.exists(str(tmp_path)) and not fs.exists(str(tmp_path / "x"))


def test_makedirs(tmp_path):
    folder = str(tmp_path / "a" / "b")
    fs.makedirs(folder)
    fs.makedirs(folder)
    assert os.path.isdir(folder)
    with pytest.raises(FileExistsError):
        fs.makedirs(folder, exist_ok=False)


def test_open_write_closes_and_passes_errors_on(tmp_path):
    path = str(tmp_path / "f")
    with fs.open_write(path) as file:
        file.write(b"abc")
        fs.fsync_file(file)
    assert file.closed and open(path, "rb").read() == b"abc"
    with pytest.raises(ZeroDivisionError), fs.open_write(path) as file:
        raise ZeroDivisionError
    assert file.closed
    with pytest.raises(OSError), fs.open_write(str(tmp_path / "no" / "f")):
        raise AssertionError("was opened")


def test_fsync_flushes_what_python_holds(tmp_path):
    path = str(tmp_path / "f")
    with fs.open_write(path) as file:
        file.write(b"abc")
        fs.fsync_file(file)
        assert open(path, "rb").read() == b"abc"
    fs.fsync_path(path)
    fs.fsync_path(str(tmp_path))
    with pytest.raises(FileNotFoundError):
        fs.fsync_path(str(tmp_path / "none"))


def test_rename_atomic_replaces(tmp_path):
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    for path, content in ((a, b"new"), (b, b"old")):
        with fs.open_write(path) as file:
            file.write(content)
    fs.rename_atomic(a, b)
    assert open(b, "rb").read() == b"new" and not fs.exists(a)


def test_listdir_gives_full_paths_and_nothing_for_no_folder(tmp_path):
    (tmp_path / "x").touch()
    (tmp_path / "d").mkdir()
    assert sorted(fs.listdir(str(tmp_path))) == [str(tmp_path / "d"), str(tmp_path / "x")]
    assert fs.listdir(str(tmp_path / "none")) == []


def test_parquet_files_are_found_below(tmp_path):
    (tmp_path / "d" / "e").mkdir(parents=True)
    for name in ("a.parquet", "d/b.parquet", "d/e/c.parquet", "d/x.parquet.tmp", "y.json"):
        (tmp_path / name).touch()
    assert sorted(os.path.relpath(path, tmp_path) for path in fs.walk_parquet_files(str(tmp_path))) == [
        "a.parquet", "d/b.parquet", "d/e/c.parquet"]
    assert list(fs.walk_parquet_files(str(tmp_path / "none"))) == []
    assert fs.is_parquet("a.parquet") and not fs.is_parquet("a.parquet.tmp") and not fs.is_parquet("parquet")
