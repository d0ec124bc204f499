"""bundle.manifest.json: one file that says what a run holds, for people and for tools that read no manifests."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from crv.io._native import io as _io
from crv.io.config import IoSettings
from crv.io.dataset import Dataset

__all__ = [
    "bundle_manifest_path",
    "collect_artifacts_index",
    "collect_tables_index",
    "write_run_bundle_manifest",
]


def bundle_manifest_path(settings: IoSettings, run_id: str) -> str:
    """<run>/bundle.manifest.json. No I/O."""
    return _io.bundle_manifest_path(os.fspath(settings.root_dir), run_id)


def collect_tables_index(settings: IoSettings, run_id: str) -> dict[str, dict[str, Any]]:
    """By table: rows, bytes, tick_min, tick_max (None in an empty table) and buckets. {} where there is no run."""
    keys = ("rows", "bytes", "tick_min", "tick_max", "buckets")
    with Dataset(settings, run_id) as dataset:
        return {table["table"]: {key: table[key] for key in keys} for table in dataset.tables()}


def collect_artifacts_index(settings: IoSettings, run_id: str) -> dict[str, Any]:
    """{"lab": {"tidy": [..], "probes": [..], "policy": [..], "audit": [..]}, "world": {}, "mind": {}}.

    Each file is {"path": relative to the run's folder, "bytes": .., "rows": only of a Parquet file}.
    """
    with Dataset(settings, run_id) as dataset:
        return dataset._artifacts()


def write_run_bundle_manifest(
    settings: IoSettings, run_id: str, *, meta: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Writes bundle.manifest.json, whole or not at all, and returns what it holds.

    meta: JSON of the caller's own; what is not JSON is a TypeError, and nothing is written.
    """
    with Dataset(settings, run_id) as dataset:
        return dataset.write_bundle(meta)
