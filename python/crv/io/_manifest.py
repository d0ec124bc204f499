"""The values of crv.io.manifest, and the core's form of them. A Dataset makes them; nothing here needs one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crv.core.grammar import TableName
from crv.io import _show
from crv.io.paths import format_bucket_dir

__all__ = [
    "PartMeta",
    "PartitionMeta",
    "TableManifest",
    "from_plain",
    "new_manifest",
    "table_text",
    "to_plain",
    "update_with_new_part",
]


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _key(bucket_id: int) -> str:
    """Of a bucket's partition: its digits as in the folder's name."""
    return format_bucket_dir(bucket_id).partition("=")[2]


def table_text(table_name: TableName | str) -> str:
    return str(getattr(table_name, "value", table_name))


@dataclass(slots=True)
class PartMeta:
    """One Parquet file of one bucket. path: its bare file name; bytes: its size; ticks are inclusive."""

    path: str
    rows: int
    bytes: int
    tick_min: int
    tick_max: int
    created_at: str


@dataclass(slots=True)
class PartitionMeta:
    """The parts of one bucket, in commit order, and sums over them. state: "ready", or "writing" while in memory."""

    bucket_id: int
    state: str
    tick_min: int
    tick_max: int
    row_count: int
    byte_size: int
    parts: list[PartMeta] = field(default_factory=list)


class _Snapshot:
    # Number and id of the last commit that the store had folded in when it gave the manifest out; 0 and "" for one
    # of the caller's own. write_manifest takes only parts up to it for removed.
    __slots__ = ("_last_id", "_last_seq")
    _last_seq: int
    _last_id: str

    def _known_to(self, seq: int, commit: str) -> None:
        self._last_seq = seq
        self._last_id = commit


@dataclass(slots=True)
class TableManifest(_Snapshot):
    """A table's parts. partitions: by bucket, under its digits as in the folder's name, e.g. "000007"."""

    table: str
    version: int
    created_at: str
    updated_at: str
    partitions: dict[str, PartitionMeta]

    def to_json_obj(self) -> dict[str, Any]:
        """As manifest.json has it, in its order of keys, without what crv adds there."""
        return {
            "table": self.table,
            "version": self.version,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "partitions": {key: _partition_to_json(p) for key, p in self.partitions.items()},
        }

    @classmethod
    def from_json_obj(cls, obj: dict[str, Any]) -> TableManifest:
        """The other way. `table` and each partition's fields must be there (KeyError), a part must have exactly its
        six keys (TypeError); other unknown keys are passed over, missing times are now."""
        made = cls(
            table=obj["table"],
            version=int(obj.get("version", 1)),
            created_at=obj.get("created_at") or _now(),
            updated_at=obj.get("updated_at") or _now(),
            partitions={key: _partition_from_json(p) for key, p in (obj.get("partitions") or {}).items()},
        )
        made._known_to(int(obj.get("last_seq") or 0), str(obj.get("last_id") or ""))
        return made

    def _repr_html_(self) -> str:
        rows = [
            (p.bucket_id, f"{p.tick_min}..{p.tick_max}", p.row_count, len(p.parts), _show.size(p.byte_size))
            for p in self.partitions.values()
        ]
        return _show.table(f"{self.table}: {len(rows)} buckets", ["bucket", "ticks", "rows", "parts", "size"], rows)


# Users know these by crv.io.manifest, and pickles look for them there.
for _cls in (PartMeta, PartitionMeta, TableManifest):
    _cls.__module__ = "crv.io.manifest"


def _partition_to_json(partition: PartitionMeta) -> dict[str, Any]:
    return {
        "bucket_id": partition.bucket_id,
        "state": partition.state,
        "tick_min": partition.tick_min,
        "tick_max": partition.tick_max,
        "row_count": partition.row_count,
        "byte_size": partition.byte_size,
        "parts": [_part_to_json(part) for part in partition.parts],
    }


def _part_to_json(part: PartMeta) -> dict[str, Any]:
    return {
        "path": part.path,
        "rows": part.rows,
        "bytes": part.bytes,
        "tick_min": part.tick_min,
        "tick_max": part.tick_max,
        "created_at": part.created_at,
    }


def _partition_from_json(obj: dict[str, Any]) -> PartitionMeta:
    return PartitionMeta(
        bucket_id=int(obj["bucket_id"]),
        state=obj["state"],
        tick_min=int(obj["tick_min"]),
        tick_max=int(obj["tick_max"]),
        row_count=int(obj["row_count"]),
        byte_size=int(obj["byte_size"]),
        parts=[PartMeta(**part) for part in obj.get("parts") or []],
    )


def new_manifest(table_name: TableName | str, version: int = 1) -> TableManifest:
    """A manifest without parts."""
    now = _now()
    return TableManifest(
        table=table_text(table_name),
        version=version,
        created_at=now,
        updated_at=now,
        partitions={},
    )


def update_with_new_part(manifest: TableManifest, bucket_id: int, part_meta: PartMeta) -> None:
    """Adds a part to the manifest, in memory. ValueError where the bucket is negative."""
    key = _key(bucket_id)
    partition = manifest.partitions.get(key)
    if partition is None:
        partition = PartitionMeta(bucket_id, "writing", part_meta.tick_min, part_meta.tick_max, 0, 0)
        manifest.partitions[key] = partition
    partition.tick_min = min(partition.tick_min, part_meta.tick_min)
    partition.tick_max = max(partition.tick_max, part_meta.tick_max)
    partition.row_count += part_meta.rows
    partition.byte_size += part_meta.bytes
    partition.parts.append(part_meta)
    partition.state = "ready"
    manifest.updated_at = _now()


def from_plain(plain: dict[str, Any]) -> TableManifest:
    """From the core's form, where partitions are a list."""
    partitions = {_key(p["bucket_id"]): _partition_from_json(p) for p in plain["partitions"]}
    made = TableManifest.from_json_obj({**plain, "partitions": {}})
    made.partitions = partitions
    return made


def to_plain(manifest: TableManifest) -> dict[str, Any]:
    plain = manifest.to_json_obj()
    plain["partitions"] = list(plain["partitions"].values())
    plain["last_seq"] = getattr(manifest, "_last_seq", 0)
    plain["last_id"] = getattr(manifest, "_last_id", "")
    return plain
