"""Small helpers for files beside a run. The store itself has its own, which check more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

__all__ = [
    "exists",
    "fsync_file",
    "fsync_path",
    "is_parquet",
    "listdir",
    "makedirs",
    "open_write",
    "rename_atomic",
    "walk_parquet_files",
]


def exists(path: str) -> bool:
    """Whether there is a file or folder."""
    return os.path.exists(path)


def makedirs(path: str, exist_ok: bool = True) -> None:
    """Makes a folder and those above it."""
    os.makedirs(path, exist_ok=exist_ok)


@contextmanager
def open_write(path: str) -> Iterator[IO[bytes]]:
    """A new binary file, closed at the end of the block. It is not flushed to disk: see fsync_file."""
    with open(path, "wb") as file:
        yield file


def fsync_file(fh: IO[bytes]) -> None:
    """What was written to an open file survives a power cut once this returns. An OSError must not be tried again."""
    fh.flush()
    os.fsync(fh.fileno())


def fsync_path(path: str) -> None:
    """As fsync_file, for a file or folder by its name."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def rename_atomic(src: str, dst: str) -> None:
    """Gives a file another name, replacing what stood there."""
    os.replace(src, dst)


def listdir(path: str) -> list[str]:
    """Full paths of what lies in a folder, in no order; [] where there is no such folder."""
    try:
        names = os.listdir(path)
    except FileNotFoundError:
        return []
    return [os.path.join(path, name) for name in names]


def is_parquet(path: str) -> bool:
    """Whether a name is that of a Parquet file."""
    return path.endswith(".parquet")


def walk_parquet_files(root: str) -> Iterator[str]:
    """Full paths of all Parquet files in a folder and below."""
    for folder, _, names in os.walk(root):
        for name in names:
            if is_parquet(name):
                yield os.path.join(folder, name)
