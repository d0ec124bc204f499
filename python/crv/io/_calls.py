"""One call of the core by a Dataset: its handle, its progress, its warnings."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeAlias

from crv.io._native import io as _io

__all__ = ["Call", "Progress", "warn"]

Progress: TypeAlias = bool | Callable[[int, int], object]


class Call:
    """`opened` gives the handle, once the call begins. unit: what a bar counts."""

    def __init__(self, opened: Callable[[], _io.Dataset], progress: Progress = False, unit: str = "") -> None:
        self._opened = opened
        self._bar: Any = None
        self.progress: Callable[[int, int], object] | None = None
        if progress is True:
            self._bar = _bar(unit)
            self.progress = None if self._bar is None else self._advance
        elif progress is not False:
            self.progress = progress

    def _advance(self, done: int, total: int) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def __enter__(self) -> Call:
        self.held = self._opened()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        warn(self.held)


def _bar(unit: str) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(unit=unit, leave=False)


def warn(held: _io.Dataset) -> None:
    """Tells of what went wrong without harm to any row. Never raises: what was committed stands."""
    for text in held.take_warnings():
        try:
            warnings.warn(text, stacklevel=4)
        except Exception:  # warnings are errors here, or are shown by what fails
            with contextlib.suppress(Exception):
                print(f"crv: {text}", file=sys.stderr)
