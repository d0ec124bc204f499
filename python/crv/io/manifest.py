"""A table's manifest as plain values: which parts it has, by bucket.

The store keeps manifests itself; load_manifest shows one as of now. The rest is for callers who put parts of their own
into a run: see write_manifest.
"""

from __future__ import annotations

from crv.core.grammar import TableName
from crv.io._manifest import (
    PartitionMeta,
    PartMeta,
    TableManifest,
    new_manifest,
    table_text,
    update_with_new_part,
)
from crv.io.config import IoSettings
from crv.io.dataset import Dataset

__all__ = [
    "PartMeta",
    "PartitionMeta",
    "TableManifest",
    "load_manifest",
    "new_manifest",
    "rebuild_manifest_from_fs",
    "update_with_new_part",
    "write_manifest",
]


def load_manifest(settings: IoSettings, run_id: str, table_name: TableName | str) -> TableManifest | None:
    """The table as of now: its manifest.json and the commits after it. None where the run has no such table.

    IoManifestError where the run is damaged.
    """
    with Dataset(settings, run_id) as dataset:
        return dataset.manifest(table_name)


def write_manifest(
    settings: IoSettings, run_id: str, table_name: TableName | str, manifest: TableManifest
) -> None:
    """Commits what the manifest lists more or less than the run, then writes manifest.json.

    A part that is new must lie in its bucket's folder and be what the manifest says of it: its footer is read, its
    bytes are flushed. A part that the run knew when load_manifest gave the manifest out, and that it does not list any
    more, leaves the table; what others have committed since stays. A manifest that load_manifest did not give out
    removes nothing. IoArgumentError and IoReadError name the part; nothing is committed then.
    """
    if table_text(table_name) != manifest.table:
        raise ValueError(f"this is a manifest of table {manifest.table!r}, not of {table_name!r}")
    with Dataset(settings, run_id) as dataset:
        dataset._write_manifest(manifest)


def rebuild_manifest_from_fs(
    settings: IoSettings, run_id: str, table_name: TableName | str
) -> TableManifest:
    """The manifest that Dataset.rebuild_manifest would write, from what lies on disk. Writes nothing."""
    with Dataset(settings, run_id) as dataset:
        return dataset._look_for_parts(table_name)
