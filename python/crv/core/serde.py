"""JSON in and out."""

from __future__ import annotations

import json
from typing import Any

from crv.core.hashing import json_dumps_canonical


def json_loads(s: str | bytes | bytearray) -> Any:
    """As json.loads: NaN and infinities are read; of a key that stands twice the last value counts.

    json.JSONDecodeError where the text is not JSON.
    """
    return json.loads(s)


__all__ = ["json_dumps_canonical", "json_loads"]
