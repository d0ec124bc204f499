"""Defaults of the on-disk layout. What a run really uses stands in its run.json and settings."""

from __future__ import annotations

from typing import Final

from crv.core import _core

TICK_BUCKET_SIZE: Final[int] = _core.TICK_BUCKET_SIZE  # ticks a bucket
ROW_GROUP_SIZE: Final[int] = _core.ROW_GROUP_SIZE  # rows a Parquet row group
COMPRESSION: Final[str] = _core.COMPRESSION

__all__ = ["COMPRESSION", "ROW_GROUP_SIZE", "TICK_BUCKET_SIZE"]
