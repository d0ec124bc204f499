"""A run on disk: append to its tables, scan and read them.

    from crv.io import Dataset, IoSettings

    ds = Dataset(IoSettings(root_dir="out"), "village")
    ds.append("holdings", frame)                      # whole or absent, durable once it returns
    ds.scan("holdings").filter(pl.col("tick") > 90)   # a Polars LazyFrame that reads only the parts it needs
"""

from crv.io._fields import Column
from crv.io.config import IoSettings
from crv.io.dataset import Dataset

__all__ = ["Column", "Dataset", "IoSettings"]
