"""The extension of crv.io, loaded with the Arrow libraries of pyarrow, wherever pyarrow is installed."""

from __future__ import annotations

__all__ = ["io"]

# As they stand on each other; the extension names them by these very names.
_ARROW_LIBRARIES = ("libarrow.so.2600", "libarrow_compute.so.2600", "libparquet.so.2600")


def _preload() -> None:
    """Loads pyarrow's libraries by path: for a pyarrow that is not in the same site-packages as crv."""
    import ctypes
    import importlib.util
    from pathlib import Path

    spec = importlib.util.find_spec("pyarrow")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for name in _ARROW_LIBRARIES:
            path = Path(folder) / name
            if path.exists():
                ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)


try:
    from crv.io import _io as io
except ImportError:
    _preload()
    from crv.io import _io as io
