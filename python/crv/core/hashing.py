"""Canonical JSON and hashes over it. Python's json defines the text; the C++ core writes the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def json_dumps_canonical(obj: Any) -> str:
    """Keys sorted, no blanks, no ASCII escaping; NaN and infinities as Python writes them.

    TypeError for what JSON has no form for, and for keys of mixed types.
    """
    return json.dumps(obj, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _sha256(obj: Mapping[str, Any]) -> str:
    return hashlib.sha256(json_dumps_canonical(dict(obj)).encode("utf-8")).hexdigest()


def hash_row(row: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON: 64 lower-case hex digits. UnicodeEncodeError for a lone surrogate."""
    return _sha256(row)


def hash_context(context: Mapping[str, Any]) -> str:
    """As hash_row."""
    return _sha256(context)


def hash_state(state: Mapping[str, Any]) -> str:
    """As hash_row."""
    return _sha256(state)


__all__ = ["hash_context", "hash_row", "hash_state", "json_dumps_canonical"]
