"""Names for types that say what a value is."""

from __future__ import annotations

from typing import Any, NewType, TypeAlias

Tick = NewType("Tick", int)
GroupId = NewType("GroupId", str)
RoomId = NewType("RoomId", str)
JsonDict: TypeAlias = dict[str, Any]

__all__ = ["GroupId", "JsonDict", "RoomId", "Tick"]
