"""Settings of a Dataset, and where they come from: defaults < TOML file < environment, field by field."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeAlias, cast

from crv.core.constants import COMPRESSION, ROW_GROUP_SIZE, TICK_BUCKET_SIZE
from crv.io._native import io as _io

__all__ = ["IoSettings", "ValuationSettings"]

Compression: TypeAlias = Literal["zstd", "lz4", "snappy"]
CostMethod: TypeAlias = Literal["wac", "fifo", "lifo", "specific_lot"]
PriceSource: TypeAlias = Literal["last_trade", "baseline_value", "vwap_window", "oracle"]
Durability: TypeAlias = Literal["commit", "none"]


@dataclass(frozen=True)
class ValuationSettings:
    """How holdings are valued. Kept for the code that computes valuations; the store itself does not read it."""

    enabled: bool = False
    cost_method: CostMethod = "wac"
    price_source: PriceSource = "last_trade"
    vwap_window_ticks: int = 10
    currency: str = "native"


@dataclass(frozen=True)
class IoSettings:
    """A plain value: nothing is checked when it is made. A Dataset checks it at its first call (IoConfigError).

    root_dir: runs are kept in <root_dir>/runs; relative to the working directory.
    partitioning: the only scheme there is.
    tick_bucket_size: ticks a bucket, above 0; fixed for a run at its first write.
    row_group_size: rows a Parquet row group, above 0.
    compression: codec of the parts; zstd at level 1.
    fs_protocol: the only one there is; fs_options are kept as given.
    strict_schema: refuse columns that the table does not have; else keep them.
    write_manifest_every_n: 1: when due; n > 1: at the latest after n commits.
    durability: "commit": an acknowledged append survives a power cut; "none": nothing is ever flushed, for runs that
        may be thrown away. It is the run's from its first write on.
    """

    root_dir: str = "out"
    partitioning: Literal["tick_buckets"] = "tick_buckets"
    tick_bucket_size: int = TICK_BUCKET_SIZE
    row_group_size: int = ROW_GROUP_SIZE
    compression: Compression = cast(Compression, COMPRESSION)
    fs_protocol: str = "file"
    fs_options: dict[str, Any] = field(default_factory=dict)
    strict_schema: bool = True
    write_manifest_every_n: int = 1
    valuation: ValuationSettings = field(default_factory=ValuationSettings)
    durability: Durability = "commit"

    @classmethod
    def from_env(cls, base: IoSettings | None = None, prefix: str = "CRV_IO_") -> IoSettings:
        """Variables <prefix><FIELD> and <prefix>VALUATION_<FIELD> over `base`; empty ones do not count.

        Raises IoConfigError naming the variable and its value; warns of an unknown one under a non-empty prefix.
        """
        return cls._loaded(_io.settings_from_env(_flat(base or cls()), prefix))

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str] | None = None) -> IoSettings:
        """The settings of a TOML file, the defaults for what it does not say.

        Without a path: crv.toml, then pyproject.toml of the working directory; neither there is fine. With a path:
        that file, which must exist. A file named pyproject.toml is read under [tool.crv.io], any other under [io] if
        it has that table, else at its top level. Raises IoConfigError naming file, key and value.
        """
        return cls._loaded(_io.settings_from_toml(_path(path), _flat(cls())))

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None) -> IoSettings:
        """from_env() over from_toml(path)."""
        return cls._loaded(_io.load_settings(_path(path)))

    @classmethod
    def _loaded(cls, loaded: dict[str, Any]) -> IoSettings:
        for text in loaded["warnings"]:
            warnings.warn(text, stacklevel=3)
        given: dict[str, Any] = loaded["settings"]
        top = {key: value for key, value in given.items() if "." not in key}
        nested = {key.partition(".")[2]: value for key, value in given.items() if "." in key}
        return cls(**top, valuation=ValuationSettings(**nested))


def _path(path: str | os.PathLike[str] | None) -> str:
    return "" if path is None else os.fspath(path)


def _flat(settings: IoSettings) -> dict[str, Any]:
    """The settings by key, those of the valuation as "valuation.<field>": the form that the core takes."""
    flat: dict[str, Any] = {}
    for f in fields(settings):
        value = getattr(settings, f.name)
        if f.name == "valuation":
            flat.update({f"valuation.{v.name}": getattr(value, v.name) for v in fields(value)})
        else:
            flat[f.name] = os.fspath(value) if isinstance(value, os.PathLike) else value
    return flat
