"""Row and payload models in Python. Their rules stay in C++: only bounds, which pydantic knows, stand here too."""

import re

from py_text import banner, docstring, exports, quoted

TYPES = {"int": "int", "float": "float", "bool": "bool", "str": "str", "any": "Any", "dict": "dict[str, Any]",
         "dict[float]": "dict[str, float]"}


def py_type(text):
    if text.endswith("?"):
        return py_type(text[:-1]) + " | None"
    if match := re.fullmatch(r"list\[(\w+)\]", text):
        return f"list[{TYPES.get(match[1], match[1])}]"
    return TYPES[text]


def default(field):
    """The arguments of Field() that give what stands where the field is left out."""
    if field.get("required"):
        return []
    kind, value = field["type"], field.get("default")
    if value == {}:
        return ["default_factory=dict"]
    if value is not None:
        return [f"default={value}"]
    if kind.endswith("?"):
        return ["default=None"]
    return [f"default_factory={py_type(kind).split('[')[0]}"]


def field_line(model, field):
    kind = py_type(field["type"])
    if field["allowed"] or field.get("lower_snake") or field.get("fold"):
        null = f", null={quoted(field['python_null'])}" if "python_null" in field else ""
        kind = f"Annotated[{kind}, text_rule({quoted(model['name'])}, {quoted(field['name'])}{null})]"
    arguments = default(field)
    if "min" in field:
        arguments += [f"ge={field['min']!r}"]
    if "max" in field:
        arguments += [f"le={field['max']!r}"]
    arguments.append(f"description={quoted(field['doc'])}")
    line = f"    {field['name']}: {kind} = Field({', '.join(arguments)})\n"
    if len(line) <= 100:
        return line
    return f"    {field['name']}: {kind} = Field(\n" + "".join(f"        {a},\n" for a in arguments) + "    )\n"


def one(model):
    out = f"\n\nclass {model['name']}(BaseModel):\n{docstring(model['doc'], 4)}\n"
    out += '    model_config = ConfigDict(extra="forbid")\n\n'
    out += "".join(field_line(model, field) for field in model["fields"])
    if "needs" in model:
        out += '\n    @model_validator(mode="after")\n    def _has_what_it_needs(self) -> Self:\n'
        out += f"        check_needs(self, {quoted(model['name'])})\n        return self\n"
    return out


def text(catalog):
    doc = ("Rows of the canonical tables and the values inside them, as pydantic models. A value that breaks a rule is "
           "a pydantic.ValidationError; where the rule is crv's own, a GrammarError or SchemaError stands in its ctx.")
    out = banner(doc, "models.toml", "tables.toml") + (
        "\nfrom __future__ import annotations\n\nfrom typing import Annotated, Any, Self\n\n"
        "from pydantic import BaseModel, ConfigDict, Field, model_validator\n\n"
        "from crv.core._rules import check_needs, text_rule\n")
    out += "".join(one(model) for model in catalog.models)
    return out + "\n" + exports(sorted(m["name"] for m in catalog.models))
