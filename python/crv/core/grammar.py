"""The grammar: words, enums by value, table descriptors, action keys, and the EBNF text with a reader for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from crv.core import _core
from crv.core._enums import (
    ActionKind,
    ChannelType,
    ExchangeKind,
    PatchOp,
    RepresentationEdgeKind,
    TableName,
    TopologyEdgeKind,
    Visibility,
)
from crv.core.versioning import SchemaVersion


@dataclass(frozen=True)
class TableDescriptor:
    """A table's columns. `columns` maps each name, in order, to i64, f64, str, struct or list[struct]."""

    name: TableName
    columns: dict[str, str]
    partitioning: list[str]
    required: list[str]
    nullable: list[str]
    version: SchemaVersion


def is_lower_snake(s: str) -> bool:
    """Whether s is one or more groups of a-z and 0-9, joined by single underscores.

    False for None, 0 and all else that is false; TypeError for what else is no text.
    """
    return bool(s) and _core.is_lower_snake(s)


def assert_lower_snake(s: str, what: str = "value") -> None:
    """GrammarError, which is a ValueError, naming `what` and the text where it is not lower_snake."""
    _core.assert_lower_snake(s or "", what)


def action_value(k: ActionKind) -> str:
    """What stands in rows and files, e.g. "gift_token"."""
    return str(k.value)


def exchange_value(k: ExchangeKind) -> str:
    """What stands in rows and files, e.g. "order_post"."""
    return str(k.value)


def edge_value(k: RepresentationEdgeKind) -> str:
    """What stands in rows and files, e.g. "self_to_agent"."""
    return str(k.value)


def action_kind_from_value(s: str) -> ActionKind:
    """The member with that very value; GrammarError, which is a ValueError, where there is none."""
    return ActionKind(_core.action_kind_from_value(s or ""))


def exchange_kind_from_value(s: str) -> ExchangeKind:
    """The member with that very value; GrammarError, which is a ValueError, where there is none."""
    return ExchangeKind(_core.exchange_kind_from_value(s or ""))


def edge_kind_from_value(s: str) -> RepresentationEdgeKind:
    """The member with that very value; GrammarError, which is a ValueError, where there is none."""
    return RepresentationEdgeKind(_core.edge_kind_from_value(s or ""))


def normalize_visibility(s: str | None) -> str:
    """A value of Visibility, in lower case; GrammarError, which is a ValueError, listing them where it is none."""
    return _core.normalize_visibility(s or "")


def normalize_channel_type(s: str | None) -> str:
    """A value of ChannelType, in lower case; GrammarError, which is a ValueError, listing them where it is none."""
    return _core.normalize_channel_type(s or "")


def canonical_action_key(kind: ActionKind, **params: object) -> str:
    r"""`gift_token:quantity=1|token_id=T`: the same for equal actions.

    Parameters are sorted by name, and each value is what str() makes of it. `\`, `|` and `=` in names and values have a
    backslash before them, so that different texts never give the same key.
    """
    return _core.canonical_action_key(kind.value, {name: str(value) for name, value in params.items()})


def ensure_all_enum_values_lower_snake(enums: Iterable[type[Enum]]) -> None:
    """AssertionError naming the first member whose value is not lower_snake."""
    for enum in enums:
        for member in enum:
            if not is_lower_snake(member.value):
                raise AssertionError(f"{member} must have a lower_snake value, not {member.value!r}")


@dataclass(frozen=True, slots=True)
class GrammarProduction:
    """A rule of the grammar: what stands between `=` and `;`, and its alternatives.

    `leading_terminals` are the first quoted texts found anywhere in each alternative, each once.
    """

    name: str
    expression: str
    alternatives: tuple[str, ...]
    leading_terminals: tuple[str, ...]

    def lower_snake_terminals(self) -> tuple[str, ...]:
        """The leading terminals that are lower_snake."""
        return tuple(filter(is_lower_snake, self.leading_terminals))


@dataclass(frozen=True, slots=True)
class ParsedGrammar:
    """The productions of an EBNF text by name, in order; of two of one name the later one counts."""

    productions: dict[str, GrammarProduction]

    @classmethod
    def from_text(cls, text: str) -> ParsedGrammar:
        """What is no rule is passed over: no text is refused."""
        productions = [GrammarProduction(*parts) for parts in _core.parse_grammar(text)]
        return cls({production.name: production for production in productions})

    def production(self, name: str) -> GrammarProduction:
        """KeyError where there is none."""
        return self.productions[name]

    def lower_snake_terminals(self, name: str) -> tuple[str, ...]:
        """Those of one production; KeyError where there is none."""
        return self.production(name).lower_snake_terminals()


EBNF_GRAMMAR: Final[str] = Path(__file__).with_name("core.ebnf").read_text(encoding="utf-8")
PARSED_GRAMMAR: Final = ParsedGrammar.from_text(EBNF_GRAMMAR)
# action_request and patch_edit must name the values of ActionKind and PatchOp, in order.
_core.check_grammar(EBNF_GRAMMAR)

__all__ = [
    "EBNF_GRAMMAR",
    "PARSED_GRAMMAR",
    "ActionKind",
    "ChannelType",
    "ExchangeKind",
    "GrammarProduction",
    "ParsedGrammar",
    "PatchOp",
    "RepresentationEdgeKind",
    "TableDescriptor",
    "TableName",
    "TopologyEdgeKind",
    "Visibility",
    "action_kind_from_value",
    "action_value",
    "assert_lower_snake",
    "canonical_action_key",
    "edge_kind_from_value",
    "edge_value",
    "ensure_all_enum_values_lower_snake",
    "exchange_kind_from_value",
    "exchange_value",
    "is_lower_snake",
    "normalize_channel_type",
    "normalize_visibility",
]
