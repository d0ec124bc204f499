"""A scan as a dataset of pyarrow: engines read it as often as they like, each time with the columns and filter they need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from crv.io._native import io as _io

__all__ = ["ScanDataset"]


class ScanDataset(ds.InMemoryDataset):  # type: ignore[misc]
    """DuckDB takes datasets of pyarrow's own classes, and calls scanner() for each pass."""

    def __init__(self, scan: _io.Scan) -> None:
        super().__init__([], schema=pa.schema(scan))
        self._scan = scan

    def scanner(self, columns: Any = None, filter: Any = None, **options: Any) -> Any:
        """As pyarrow's: a filter on tick or bucket opens only the parts that can match, only columns needed are read."""
        scan, wanted = self._scan, set(self.schema.names)
        if columns is not None and not isinstance(columns, Mapping):
            wanted &= set(columns)
        if filter is not None:
            (serialized,) = filter.__reduce__()[1]  # as it is pickled: an expression has no other text of its own
            scan, about = scan.prune_by_arrow(serialized.to_pybytes())
            wanted.update(about)
        # A batch without columns has no rows: where none is wanted, the first one stands for them.
        names = [name for name in self.schema.names if name in wanted] or self.schema.names[:1]
        reader = pa.RecordBatchReader.from_stream(scan.select(names))
        return ds.Scanner.from_batches(reader, columns=columns, filter=filter, **options)
