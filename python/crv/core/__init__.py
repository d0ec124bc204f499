"""Values of a simulation's output: grammar, tables, row models, ids, hashes. Needs neither Arrow nor crv.io.

Everything public stands in the modules below; the names that most callers want are here, too. The row models and
pydantic, which takes longer to import than all the rest, are imported when the first model is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from crv.core.errors import CrvError, GrammarError, SchemaError, VersionMismatch
from crv.core.grammar import (
    ActionKind,
    ChannelType,
    ExchangeKind,
    PatchOp,
    RepresentationEdgeKind,
    TableDescriptor,
    TableName,
    TopologyEdgeKind,
    Visibility,
    canonical_action_key,
)
from crv.core.hashing import hash_context, hash_row, hash_state, json_dumps_canonical
from crv.core.ids import AgentId, RunId, SignatureId, TokenId, VenueId, make_run_id
from crv.core.serde import json_loads
from crv.core.tables import get_table, list_tables
from crv.core.typing import GroupId, JsonDict, RoomId, Tick
from crv.core.versioning import SCHEMA_V, SchemaVersion, is_compatible, is_successor_of

if TYPE_CHECKING:
    from crv.core import schema as schema
    from crv.core.schema import (
        ActionCandidate,
        AffectState,
        AppraisalVector,
        DecisionHead,
        DecisionRow,
        EventEnvelopeRow,
        ExchangeRow,
        GraphEdit,
        HoldingsRow,
        HoldingsValuationRow,
        IdentityEdgeRow,
        Interpretation,
        MessageRow,
        OracleCallRow,
        Persona,
        RepresentationPatch,
        ScenarioContext,
        ScenarioRow,
        Utterance,
    )

__all__ = [
    "ActionCandidate",
    "ActionKind",
    "AffectState",
    "AgentId",
    "AppraisalVector",
    "ChannelType",
    "CrvError",
    "DecisionHead",
    "DecisionRow",
    "EventEnvelopeRow",
    "ExchangeKind",
    "ExchangeRow",
    "GrammarError",
    "GraphEdit",
    "GroupId",
    "HoldingsRow",
    "HoldingsValuationRow",
    "IdentityEdgeRow",
    "Interpretation",
    "JsonDict",
    "MessageRow",
    "OracleCallRow",
    "PatchOp",
    "Persona",
    "RepresentationEdgeKind",
    "RepresentationPatch",
    "RoomId",
    "RunId",
    "SCHEMA_V",
    "ScenarioContext",
    "ScenarioRow",
    "SchemaError",
    "SchemaVersion",
    "SignatureId",
    "TableDescriptor",
    "TableName",
    "Tick",
    "TokenId",
    "TopologyEdgeKind",
    "Utterance",
    "VenueId",
    "VersionMismatch",
    "Visibility",
    "canonical_action_key",
    "get_table",
    "hash_context",
    "hash_row",
    "hash_state",
    "is_compatible",
    "is_successor_of",
    "json_dumps_canonical",
    "json_loads",
    "list_tables",
    "make_run_id",
]


def __getattr__(name: str) -> Any:
    """The module of the row models, or one of them: the only names of __all__ that are not there from the start."""
    if name != "schema" and name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    schema = import_module("crv.core.schema")
    found = schema if name == "schema" else getattr(schema, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "schema"})
