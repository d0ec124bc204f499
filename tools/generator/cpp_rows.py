"""Structs of rows and payloads, and their rules as data."""

import re

from text import banner, comment, quoted

TYPES = {"int": "std::int64_t", "float": "double", "bool": "bool", "str": "std::string", "any": "Json",
         "dict": "JsonObject", "dict[float]": "JsonObject"}
ZERO = {"int": "0", "float": "0", "bool": "false"}


def cpp_type(text):
    if text.endswith("?"):
        return f"std::optional<{cpp_type(text[:-1])}>"
    if match := re.fullmatch(r"list\[(\w+)\]", text):
        return f"std::vector<{TYPES.get(match[1], match[1])}>"
    return TYPES[text]


def initializer(field):
    default = field.get("default")
    if default == {}:
        return " = JsonObject()"
    if default is not None:
        return f" = {str(default).lower()}"
    return f" = {ZERO[field['type']]}" if field["type"] in ZERO else "{}"


def rule_text(field):
    """The rules of a field, in words; empty where it has none."""
    words = []
    if "enum" in field:
        words.append(f"one of {field['enum']}")
    elif field["allowed"]:
        words.append("one of " + ", ".join(field["allowed"]))
    elif field.get("lower_snake"):
        words.append("lower_snake")
    if field.get("fold"):
        words.append("lower-cased first")
    if field["numbers"]:
        words.append("its values are numbers")
    if "min" in field:
        words.append(range_text(field))
    return "; ".join(words)


def range_text(rule):
    if "min" in rule and "max" in rule:
        return f"{rule['min']:g} to {rule['max']:g}"
    return f"at least {rule['min']:g}" if "min" in rule else f"at most {rule['max']:g}"


def column_rule_text(column):
    """The column rules of a column, in words; empty where it has none."""
    words = []
    if "enum" in column:
        words.append(f"one of {column['enum']}")
    elif column["allowed"]:
        words.append("one of " + ", ".join(column["allowed"]))
    if "min" in column or "max" in column:
        words.append(range_text(column))
    if column["finite"]:
        words.append("finite")
    if column["not_empty"]:
        words.append("not empty")
    if "elements" in column:
        words.append(f"each element a {column['elements']}")
    return "; ".join(words)


def struct(model):
    name = model["name"]
    out = "\n" + comment(model["doc"]) + f"struct {name} {{\n"
    out += f"  static constexpr std::string_view model = {quoted(name)};\n"
    if "table" in model:
        out += f"  static constexpr std::string_view table = {quoted(model['table'])};\n"
    out += "\n"
    for field in model["fields"]:
        note = field["doc"]
        if rule := rule_text(field):
            note += f" [{rule}]"
        out += f"  {cpp_type(field['type'])} {field['name']}{initializer(field)};  // {note}\n"
    out += f"\n  bool operator==(const {name}&) const = default;\n\n  static constexpr auto fields() {{\n    return std::tuple(\n"
    out += ",\n".join(
        f"        Field({quoted(f['name'])}, &{name}::{f['name']}, {str(bool(f.get('required'))).lower()})"
        for f in model["fields"])
    return out + ");\n  }\n};\n"


def header(catalog):
    out = banner("models.toml", "tables.toml")
    out += (
        "//\n// Rows of the canonical tables and the values inside them, as plain structs. Nothing is checked when one is made:\n"
        "// validate() does that. A struct owns all it holds. Rows have no bucket: crv computes it from the tick.\n"
        '#pragma once\n\n#include <cstdint>\n#include <optional>\n#include <string>\n#include <string_view>\n#include <vector>\n\n'
        '#include "crv/core/json.h"\n#include "crv/core/model.h"\n\nnamespace crv::core {\n')
    out += "".join(struct(model) for model in catalog.models)
    out += (
        "\n// Brings a model into its normal form (case, numbers) and checks its rules, those of the models inside it too.\n"
        "// Throws GrammarError (grammar) for a text that is not lower_snake or not one of the allowed, SchemaError\n"
        "// (schema_rule) for all else, with the facts table, column and value. After an error the model may be half\n"
        "// normalized, but no text or number of it has another meaning.\n")
    out += "".join(f"void validate({m['name']}& {'row' if 'table' in m else 'model'});\n" for m in catalog.models)
    out += "\n}  // namespace crv::core\n\n// X(model), in order; those of tables alone.\n"
    for macro, models in (("CRV_MODELS", catalog.models),
                          ("CRV_TABLE_ROWS", [m for m in catalog.models if "table" in m])):
        out += f"#define {macro}(X) \\\n" + " \\\n".join(f"  X({m['name']})" for m in models) + "\n"
    return out


def source(catalog):
    out = banner("models.toml") + '#include "core/validate.h"\n\nnamespace crv::core {\n\n'
    out += "".join(f"void validate({m['name']}& model) {{ validate_model(model); }}\n" for m in catalog.models)
    return out + "\n}  // namespace crv::core\n"


def rules_source(catalog):
    out = banner("models.toml", "enums.toml") + '#include "crv/core/rules.h"\n\nnamespace crv::core {\n\n'
    out += "const std::vector<ModelRules>& list_model_rules() {\n  static const std::vector<ModelRules> rules = {\n"
    for model in catalog.models:
        out += f"      {{{quoted(model['name'])},\n       {quoted(model.get('table', ''))},\n       {{\n"
        for field in model["fields"]:
            if rule_text(field):
                flags = ", ".join(str(bool(field.get(k))).lower() for k in ("fold", "lower_snake", "numbers"))
                allowed = ", ".join(quoted(v) for v in field["allowed"])
                bounds = ", ".join(f"{field[k]!r}" if k in field else "std::nullopt" for k in ("min", "max"))
                out += f"           {{{quoted(field['name'])}, {flags}, {{{allowed}}}, {bounds}}},\n"
        needs = model.get("needs", {"by": "", "fields": {}})
        out += f"       }},\n       {quoted(needs['by'])},\n       {{\n"
        for value, slots in needs["fields"].items():
            out += f"           {{{quoted(value)}, {{{', '.join(quoted(s) for s in sorted(slots))}}}}},\n"
        out += "       }},\n"
    return out + "  };\n  return rules;\n}\n\n}  // namespace crv::core\n"
