"""scan and read, for callers who hold no Dataset."""

from __future__ import annotations

import polars as pl

from crv.core.grammar import TableName
from crv.io._arguments import Where
from crv.io.config import IoSettings
from crv.io.dataset import Dataset

__all__ = ["read", "scan"]


def scan(
    settings: IoSettings, run_id: str, table: TableName | str, where: Where | None = None
) -> pl.LazyFrame:
    """Dataset(settings, run_id).scan(...)."""
    with Dataset(settings, run_id) as dataset:
        return dataset.scan(table, where)


def read(
    settings: IoSettings,
    run_id: str,
    table: TableName | str,
    where: Where | None = None,
    limit: int | None = None,
) -> pl.DataFrame:
    """Dataset(settings, run_id).read(...)."""
    with Dataset(settings, run_id) as dataset:
        return dataset.read(table, where, limit)
