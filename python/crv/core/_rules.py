"""The rules of the C++ core as validators of pydantic."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, BeforeValidator

from crv.core import _core


def text_rule(model: str, field: str, null: str | None = None) -> BeforeValidator:
    """Gives a text its field's normal form, or refuses it with GrammarError.

    What is no text is refused as the text that str() makes of it, else left to pydantic, which wants a text. A null is
    left to pydantic too, unless `null` says as which text it is to be refused.
    """

    def check(value: Any) -> Any:
        if value is None:
            value = null
        if value is None:
            return None
        normal = _core.normalize_text(model, field, str(value))
        return normal if isinstance(value, str) else value

    return BeforeValidator(check)


def check_needs(model: BaseModel, name: str) -> None:
    """SchemaError where a field that another one calls for holds no text."""
    _core.check_needs(name, {field: value for field, value in model if isinstance(value, str)})
