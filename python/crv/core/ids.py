"""Ids. All are texts; the names only say which."""

from __future__ import annotations

from typing import NewType

from crv.core import _core

RunId = NewType("RunId", str)
AgentId = NewType("AgentId", str)
TokenId = NewType("TokenId", str)
VenueId = NewType("VenueId", str)
SignatureId = NewType("SignatureId", str)


def make_run_id(prefix: str = "run") -> RunId:
    """`<prefix>_` and 20 lower-case hex digits from the system's secure random source: never the same twice.

    SchemaError, which is a ValueError, where the prefix is not lower_snake.
    """
    return RunId(_core.make_run_id(prefix or ""))


__all__ = ["AgentId", "RunId", "SignatureId", "TokenId", "VenueId", "make_run_id"]
