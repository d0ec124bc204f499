"""append, for callers who hold no Dataset."""

from __future__ import annotations

from crv.core.grammar import TableName
from crv.io._frames import Frame
from crv.io.config import IoSettings
from crv.io.dataset import AppendSummary, Dataset

__all__ = ["append"]


def append(
    settings: IoSettings,
    run_id: str,
    table: TableName | str,
    df: Frame,
    *,
    validate_schema: bool = True,
    validate_rows: bool = False,
) -> AppendSummary:
    """Dataset(settings, run_id).append(...). A Dataset that is kept saves the reading of the run's log each time."""
    with Dataset(settings, run_id) as dataset:
        return dataset.append(table, df, validate_schema=validate_schema, validate_rows=validate_rows)
