"""Files that belong to a run but to none of its tables: <run>/artifacts/lab/<subdir>/."""

from __future__ import annotations

import os
from typing import Any

import polars as pl

from crv.io._native import io as _io
from crv.io.config import IoSettings

__all__ = ["artifacts_root", "file_stat", "lab_dir", "write_parquet_atomic", "write_text_atomic"]


def artifacts_root(settings: IoSettings, run_id: str) -> str:
    """<run>/artifacts. No I/O."""
    return _io.artifacts_root(os.fspath(settings.root_dir), run_id)


def lab_dir(settings: IoSettings, run_id: str, subdir: str) -> str:
    """<run>/artifacts/lab/<subdir>, made where it is missing.

    ValueError where subdir is not one of tidy, probes, policy, audit.
    """
    return _io.lab_dir(os.fspath(settings.root_dir), run_id, subdir)


def file_stat(path: str) -> dict[str, Any]:
    """{"path", "bytes", "created_at"}: bytes are 0 where there is no file; created_at is the time of this call."""
    return _io.file_stat(path)


def write_text_atomic(path: str, text: str) -> dict[str, Any]:
    """Puts a whole new text file there (UTF-8), whatever stood there; it survives a power cut once this returns.

    Folders on the way are made. Returns file_stat(path) and wrote_text: True. IoWriteError, an OSError, leaves the
    old file or the new one, whole either way.
    """
    return _io.write_text_atomic(path, text)


def write_parquet_atomic(path: str, df: pl.DataFrame) -> dict[str, Any]:
    """As write_text_atomic, a frame as Parquet (zstd). Returns file_stat(path) and rows."""
    if not isinstance(df, pl.DataFrame):
        raise TypeError(f"write_parquet_atomic takes a polars.DataFrame, not {type(df).__name__}")
    return _io.write_parquet_atomic(path, df)
