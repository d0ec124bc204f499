"""One table of a run, as an object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from crv.io._arguments import Where
    from crv.io._frames import Frame
    from crv.io.dataset import AppendSummary, Dataset

__all__ = ["Table"]


class Table:
    """A table of a Dataset: its methods are those of the Dataset, without the name. Made by Dataset.table."""

    def __init__(self, dataset: Dataset, name: str) -> None:
        self.dataset = dataset
        self.name = name

    def append(self, df: Frame, **options: Any) -> AppendSummary:
        """Dataset.append to this table, with its options."""
        return self.dataset.append(self.name, df, **options)

    def scan(self, where: Where | None = None, *, columns: Sequence[str] | None = None, checksums: bool = True) -> pl.LazyFrame:
        """Dataset.scan of this table."""
        return self.dataset.scan(self.name, where, columns=columns, checksums=checksums)

    def read(
        self,
        where: Where | None = None,
        limit: int | None = None,
        *,
        columns: Sequence[str] | None = None,
        checksums: bool = True,
    ) -> pl.DataFrame:
        """Dataset.read of this table."""
        return self.dataset.read(self.name, where, limit, columns=columns, checksums=checksums)

    def schema(self) -> dict[str, Any]:
        """Dataset.schema of this table: types of all columns and paths that the run has seen."""
        return self.dataset.schema(self.name)

    def definition(self) -> dict[str, Any] | None:
        """Dataset.definition of this table: its columns with their types and rules."""
        return self.dataset.definition(self.name)

    def __repr__(self) -> str:
        return f"<table {self.name!r} of run {self.dataset.run_id!r}>"
