"""Versions of the canonical schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crv.core import _core


@dataclass(frozen=True)
class SchemaVersion:
    """A version of the schema, and the ISO 8601 date it was made.

    BadVersionError, which is a ValueError and a VersionMismatch, where major or minor is negative or the date names no
    day.
    """

    major: int
    minor: int
    date: str

    def __post_init__(self) -> None:
        _core.check_version(self.major, self.minor, self.date)


SCHEMA_V: Final = SchemaVersion(*_core.schema_version())  # what this crv writes
SCHEMA_MAJOR_VERSION: Final[int] = SCHEMA_V.major
SCHEMA_MINOR_VERSION: Final[int] = SCHEMA_V.minor
SCHEMA_COMPAT_MAJOR: Final[int] = SCHEMA_V.major
SCHEMA_COMPAT_MINOR: Final[int] = SCHEMA_V.minor


def is_compatible(v: SchemaVersion) -> bool:
    """Major and minor are those of SCHEMA_V; the date does not count."""
    return _core.is_compatible(v.major, v.minor, v.date)


def is_successor_of(candidate: SchemaVersion, current: SchemaVersion) -> bool:
    """Same major and the next minor, or the next major with minor 0; dates do not count."""
    return _core.is_successor_of(
        (candidate.major, candidate.minor, candidate.date), (current.major, current.minor, current.date)
    )


__all__ = [
    "SCHEMA_COMPAT_MAJOR",
    "SCHEMA_COMPAT_MINOR",
    "SCHEMA_MAJOR_VERSION",
    "SCHEMA_MINOR_VERSION",
    "SCHEMA_V",
    "SchemaVersion",
    "is_compatible",
    "is_successor_of",
]
