"""Columns of a table, and fields of a struct, as Python users write them; and what stands beside their types.

A definition is made of them (crv.io._definitions).
"""

from __future__ import annotations

import dataclasses
import math
import sys
import typing
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, get_args, get_origin

from crv.io import _dtypes
from crv.io._frames import _shown
from crv.io.errors import IoSchemaError

__all__ = ["UNSET", "Column", "Field", "Said", "Where", "columns_of", "fields_of", "is_open", "name_of", "said_of"]

# What pydantic, Annotated or Column say beside a type: ("ge", 0), ("min_length", 1), ("unit", "J").
Said: TypeAlias = tuple[str, Any]
UNSET: Any = object()
MOST_LEVELS = 64  # more than the core takes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What no Python type says of a column: Annotated[float, Column(unit="J", doc="What is left of it.")].

    unique: no value stands twice within one append.
    """

    doc: str = ""
    unit: str = ""
    unique: bool = False


@dataclasses.dataclass
class Field:
    """A column, or a field of a struct, as it was given."""

    name: str
    type: Any
    said: tuple[Said, ...] = ()
    default: Any = UNSET
    required: bool | None = None  # None: the type says


@dataclasses.dataclass(frozen=True)
class Where:
    """What is being translated: a table, a column of it, a field inside of that column."""

    table: str
    column: str = ""
    field: str = ""
    above: tuple[Any, ...] = ()  # the types that it is inside of

    def at(self, name: str) -> Where:
        """A column of a table; inside of a column, a field."""
        if not self.column:
            return dataclasses.replace(self, column=name)
        return dataclasses.replace(self, field=f"{self.field}.{name}" if self.field else name)

    def inside(self, kind: Any) -> Where:
        if any(kind is other for other in self.above):
            raise self.refusal(kind, f"{name_of(kind)} contains itself")
        if len(self.above) >= MOST_LEVELS:
            raise self.refusal(self.above[0], "it is nested too deeply, or contains itself")
        return dataclasses.replace(self, above=(*self.above, kind))

    def refusal(self, given: object, why: str, key: str = "type") -> IoSchemaError:
        place = f'Table "{self.table}"'
        if self.column:
            place += f', column "{_shown(self.column)}"'
        if self.field:
            place += f', field "{_shown(self.field)}"'
        facts = {"table": self.table, "column": self.column, "key": key, "value": name_of(given)}
        return IoSchemaError(f"{place}: {why}.", code="bad_definition", facts=facts)

    def no_rule(self, key: str, given: object, why: str = "") -> IoSchemaError:
        """Of a constraint."""
        shown = "" if isinstance(given, type) else f" ({name_of(given)})"
        return self.refusal(given, f"the constraint {key}{shown} cannot be kept as a rule{why}", key)


def name_of(given: object) -> str:
    """For an error: a class by its name, all else as Python shows it, on one line."""
    if isinstance(given, type) and not get_args(given):
        return given.__name__ if given.__module__ == "builtins" else f"{given.__module__}.{given.__qualname__}"
    return " ".join(_shown(repr(given) if isinstance(given, str) else given).split())


# ---- columns and fields ----


def columns_of(where: Where, given: Any) -> list[Field]:
    """Of all that may stand for the columns of a table."""
    if _dtypes.is_of_arrow(given, "Schema"):
        return [_of_arrow_field(field) for field in given]
    if isinstance(given, Mapping):  # a pl.Schema, too
        return [Field(_text(where, name), kind) for name, kind in given.items()]
    if isinstance(given, type) and not getattr(given, "__pydantic_root_model__", False):
        fields = fields_of(where, given)
        if fields is not None:
            return fields
    hint = ""
    if dataclasses.is_dataclass(type(given)) or hasattr(type(given), "__pydantic_fields__"):
        hint = "; give its class"
    elif hasattr(type(given), "schema"):
        hint = "; give its schema"
    raise where.refusal(
        given,
        "columns are a dict of names to types, a pydantic model, a dataclass, a TypedDict, a pl.Schema or a pa.Schema, "
        f"not {name_of(given)}{hint}",
        "columns",
    )


def _text(where: Where, name: object) -> str:
    if isinstance(name, str):
        return name
    raise where.refusal(name, f"a column's name must be text, not {name_of(name)}", "name")


def _of_arrow_field(field: Any) -> Field:
    def told(key: bytes) -> str:  # the core refuses what is no UTF-8
        text: bytes = (field.metadata or {}).get(key, b"")
        return text.decode(errors="surrogateescape")

    said = (("doc", told(b"doc")), ("unit", told(b"unit")))
    return Field(field.name, field.type, said, required=not field.nullable)


def fields_of(where: Where, kind: Any) -> list[Field] | None:
    """Those of a class; None where it is no class with fields."""
    if hasattr(kind, "__pydantic_fields__"):
        return _of_pydantic(where, kind)
    if dataclasses.is_dataclass(kind):
        hints = _hints(where, kind)
        return [_of_dataclass(where, field, hints[field.name]) for field in dataclasses.fields(kind)]
    if issubclass(kind, dict) and hasattr(kind, "__required_keys__"):
        return [_of_typed_dict(kind, name, hint) for name, hint in _hints(where, kind).items()]
    return None


def _hints(where: Where, kind: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except Exception as e:  # annotations are code of the user's
        raise _unresolved(where, kind, e) from e


def _unresolved(where: Where, kind: Any, error: Exception) -> IoSchemaError:
    text = " ".join(str(error).partition("\n")[0].split())
    return where.refusal(kind, f"the annotations of {name_of(kind)} cannot be resolved: {_shown(text)}")


def _of_dataclass(where: Where, field: dataclasses.Field[Any], hint: Any) -> Field:
    if _is_pydantic_field(field.default):  # x: float = Field(ge=0)
        return Field(field.name, hint, tuple(said_of(where.at(field.name), field.default)))
    return Field(field.name, hint, default=UNSET if field.default is dataclasses.MISSING else field.default)


def _of_typed_dict(kind: Any, name: str, hint: Any) -> Field:
    """Where annotations are texts, __required_keys__ knows no Required and NotRequired; the types do."""
    required = name in kind.__required_keys__ or get_origin(hint) is typing.Required
    return Field(name, hint, required=None if required else False)


def _of_pydantic(where: Where, kind: Any) -> list[Field]:
    """What model_dump() gives, by the names that it gives. Also of a dataclass of pydantic."""
    _complete(where, kind)
    _refuse_what_is_for_all(where, kind)
    fields = []
    for name, field in kind.__pydantic_fields__.items():
        if field.exclude or getattr(field, "init_var", False):
            continue
        said = tuple(said_of(where.at(name), field))
        default = UNSET if field.is_required() or field.default_factory is not None else field.default
        fields.append(Field(name, field.annotation, said, default))
    for name, computed in kind.__pydantic_decorators__.computed_fields.items():
        said = (("doc", computed.info.description or ""),)
        fields.append(Field(name, computed.info.return_type, said))
    return fields


def _complete(where: Where, kind: Any) -> None:
    """Resolves names that were not there yet when the class was made."""
    if kind.__pydantic_complete__:
        return
    try:
        if hasattr(kind, "model_rebuild"):
            kind.model_rebuild()
        else:
            sys.modules["pydantic.dataclasses"].rebuild_dataclass(kind)
    except Exception as e:  # annotations are code of the user's
        raise _unresolved(where, kind, e) from e


def _refuse_what_is_for_all(where: Where, kind: Any) -> None:
    """Settings that constrain every field; validators, which may refuse anything; serializers, which give any type."""
    config = _config(kind)
    settings = {
        "str_min_length": config.get("str_min_length"),
        "str_max_length": config.get("str_max_length"),
        "allow_inf_nan": config.get("allow_inf_nan") is False,
    }
    for key, value in settings.items():
        if value:
            raise where.no_rule(key, kind, f": it is a setting of {name_of(kind)}; give it to the fields")
    made = kind.__pydantic_decorators__
    for group in ("field_validators", "validators", "field_serializers"):
        for name, decorator in getattr(made, group).items():
            for field in decorator.info.fields if hasattr(decorator.info, "fields") else ():
                raise where.at(field).no_rule(name, kind, f": it is a function of {name_of(kind)}")
    for group in ("model_validators", "root_validators", "model_serializers"):
        for name in getattr(made, group):
            raise where.no_rule(name, kind, f": it is a function of {name_of(kind)}")


def _config(kind: Any) -> Mapping[str, Any]:
    config: Mapping[str, Any] = getattr(kind, "model_config", None) or getattr(kind, "__pydantic_config__", None) or {}
    return config


def is_open(kind: Any) -> bool:
    """Whether it is a model of pydantic that keeps what it has no field for."""
    return hasattr(kind, "__pydantic_fields__") and _config(kind).get("extra") == "allow"


# ---- what is said beside a type ----


def said_of(where: Where, given: Any) -> Iterator[Said]:
    """By one thing that stands in Annotated, or by a field of pydantic. "text" is a bare text, "type" a dtype."""
    if given is None:  # pydantic's conint() has such
        return
    if isinstance(given, str):
        yield "text", given
    elif isinstance(given, Column):
        yield from (("doc", given.doc), ("unit", given.unit), ("unique", given.unique))
    elif _is_pydantic_field(given):
        yield from _said_by_field(where, given)
    elif _dtypes.is_of_polars(given) or _dtypes.is_of_arrow(given, "DataType"):
        yield "type", given
    elif isinstance(text := getattr(given, "documentation", None), str):  # typing_extensions.Doc
        yield "doc", text
    elif getattr(given, "__is_annotated_types_grouped_metadata__", False) is True:
        for one in given:
            yield from said_of(where, one)
    elif _is_from(given, "annotated_types", "pydantic", "pydantic_core") and not isinstance(given, type):
        yield from _said_by_constraint(given)
    else:
        raise where.no_rule(name_of(given if isinstance(given, type) else type(given)), given)


def _is_pydantic_field(given: object) -> bool:
    return type(given).__name__ == "FieldInfo" and _is_from(given, "pydantic")


def _is_from(given: object, *packages: str) -> bool:
    return any(kind.__module__.partition(".")[0] in packages for kind in type(given).__mro__)


def _said_by_field(where: Where, field: Any) -> Iterator[Said]:
    yield "doc", field.description or ""
    extra = field.json_schema_extra
    if isinstance(extra, Mapping) and isinstance(extra.get("unit"), str):
        yield "unit", extra["unit"]
    for one in field.metadata:
        yield from said_of(where, one)


def _said_by_constraint(given: Any) -> Iterator[Said]:
    """Its attributes have the names that pydantic's Field() takes."""
    if dataclasses.is_dataclass(given):
        names = [field.name for field in dataclasses.fields(given)]
    else:
        names = list(getattr(given, "__dict__", ()))
    attributes = {name: getattr(given, name) for name in names}
    if attributes.get("func") is math.isfinite:
        yield "allow_inf_nan", False
    elif "func" in attributes or not attributes:  # functions, and marks without a value
        yield type(given).__name__, given
    else:
        yield from ((name, value) for name, value in attributes.items() if value is not None)
