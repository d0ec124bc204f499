"""Names on disk. Each function only puts a name together; none touches the disk.

A run id or table name that is not the name of one thing in a folder (empty, ".", "..", with a separator or a control
character) is an IoArgumentError, which is a ValueError. Paths begin with settings.root_dir as it is given.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from crv.io._native import io as _io
from crv.io.config import IoSettings
from crv.io.errors import BadRunIdError

__all__ = [
    "PartPaths",
    "bucket_dir",
    "bucket_id_for_tick",
    "format_bucket_dir",
    "manifest_path",
    "normalize_run_id",
    "part_paths",
    "run_root",
    "table_dir",
    "tables_root",
    "validate_run_id",
]


@dataclass(frozen=True, slots=True)
class PartPaths:
    """Where a part of the caller's own is written, and the name that it gets once it is whole."""

    tmp_path: str
    final_path: str


def _root(settings: IoSettings) -> str:
    return os.fspath(settings.root_dir)


def _text(run_id: str) -> str:
    if not isinstance(run_id, str):
        raise BadRunIdError(f"a run id is text, not {run_id!r}", facts={"value": repr(run_id)})
    return run_id


def bucket_id_for_tick(tick: int, size: int) -> int:
    """The bucket of a tick: tick // size. ValueError where size <= 0 or tick < 0."""
    return _io.bucket_id_for_tick(tick, size)


def format_bucket_dir(bucket_id: int) -> str:
    """A bucket's folder: "bucket=000007". ValueError where the id is negative."""
    return _io.format_bucket_dir(bucket_id)


def run_root(settings: IoSettings, run_id: str) -> str:
    """<root>/runs/<run_id>"""
    return _io.run_root(_root(settings), run_id)


def tables_root(settings: IoSettings, run_id: str) -> str:
    """<root>/runs/<run_id>/tables"""
    return _io.tables_root(_root(settings), run_id)


def table_dir(settings: IoSettings, run_id: str, table_name: str) -> str:
    """<root>/runs/<run_id>/tables/<table>"""
    return _io.table_dir(_root(settings), run_id, table_name)


def manifest_path(settings: IoSettings, run_id: str, table_name: str) -> str:
    """.../tables/<table>/manifest.json"""
    return _io.manifest_path(_root(settings), run_id, table_name)


def bucket_dir(settings: IoSettings, run_id: str, table_name: str, bucket_id: int) -> str:
    """.../tables/<table>/bucket=<id>. ValueError where the id is negative."""
    return _io.bucket_dir(_root(settings), run_id, table_name, bucket_id)


def part_paths(settings: IoSettings, run_id: str, table_name: str, bucket_id: int, uuid: str) -> PartPaths:
    """Names of a part: part-<uuid>.parquet, and the same with .tmp for while it is written."""
    final = _io.part_path(_root(settings), run_id, table_name, bucket_id, uuid)
    return PartPaths(tmp_path=final + ".tmp", final_path=final)


def validate_run_id(run_id: str) -> str:
    """The id, if it consists of letters, digits and `. _ : -` and is neither "." nor ".."; else ValueError."""
    return _io.validate_run_id(_text(run_id))


def normalize_run_id(run_id: str) -> str:
    """Trimmed, spaces as `_`, then as validate_run_id."""
    return _io.normalize_run_id(_text(run_id))
