"""Reads catalog/ and refuses what contradicts itself, so that the writers need not look twice."""

import errno
import re
import tomllib
from types import SimpleNamespace

DTYPES = ("i64", "f64", "str", "struct", "list[struct]")
PYTHON_ERRORS = ("KeyError", "MemoryError", "OSError", "RuntimeError", "TypeError", "ValueError")
SNAKE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


class CatalogError(Exception):
    pass


def load(folder):
    def toml(name):
        with open(folder / name, "rb") as file:
            return tomllib.load(file)

    errors, tables = toml("errors.toml"), toml("tables.toml")
    catalog = SimpleNamespace(
        error_classes=errors["classes"],
        error_codes=errors["codes"],
        schema=tables["schema"],
        tables=tables["tables"],
        internal_tables=tables["internal_tables"],
        enums=toml("enums.toml")["enums"],
        models=toml("models.toml")["models"],
        grammar=(folder / "core.ebnf").read_text(encoding="utf-8"),
    )
    for enum in catalog.enums:
        if enum.get("members_are") == "tables":
            enum["members"] = [{"name": t["name"].upper(), "value": t["name"]} for t in catalog.tables]
    check_errors(catalog)
    check_tables(catalog)
    check_enums(catalog)
    check_models(catalog)
    check_column_rules(catalog)
    return catalog


def require(condition, message):
    if not condition:
        raise CatalogError(message)


def unique(names, what):
    names = list(names)
    twice = sorted({n for n in names if names.count(n) > 1})
    require(not twice, f"{what} twice: {', '.join(twice)}")
    return names


def check_errors(catalog):
    known = ["Error"]
    for cls in catalog.error_classes:
        require(cls["base"] in known, f"class {cls['name']}: its base {cls['base']} must stand before it")
        known.append(cls["name"])
    unique(known, "error classes")
    unique((c["name"] for c in catalog.error_codes), "error codes")
    for code in catalog.error_codes:
        require(code["class"] in known, f"code {code['name']}: no class {code['class']}")
    for entry in [*catalog.error_classes, *catalog.error_codes]:
        for also in entry.get("also", []):
            require(also in PYTHON_ERRORS, f"{entry['name']}: no Python error {also}")
        if "errno" in entry:
            require("OSError" in entry.get("also", []), f"{entry['name']}: an errno, but no OSError")
            require(hasattr(errno, entry["errno"]), f"{entry['name']}: no errno {entry['errno']}")


def check_tables(catalog):
    unique((t["name"] for t in [*catalog.tables, *catalog.internal_tables]), "tables")
    for table in [*catalog.tables, *catalog.internal_tables]:
        name = table["name"]
        columns = unique((c["name"] for c in table["columns"]), f"columns of {name}")
        require(columns[:2] == ["bucket", "tick"], f"{name}: bucket and tick must come first")
        for column in table["columns"]:
            require(column["type"] in DTYPES, f"{name}.{column['name']}: no type {column['type']}")
        required = [c["name"] for c in table["columns"] if c.get("required")]
        order = table.setdefault("required_order", required)
        require(sorted(order) == sorted(required), f"{name}: required_order must list the required columns")


def check_enums(catalog):
    unique((e["name"] for e in catalog.enums), "enums")
    for enum in catalog.enums:
        unique((m["name"] for m in enum["members"]), f"members of {enum['name']}")
        for value in unique((m["value"] for m in enum["members"]), f"values of {enum['name']}"):
            require(SNAKE.fullmatch(value), f"{enum['name']}: {value} is not lower_snake")


def check_models(catalog):
    enums = {e["name"]: [m["value"] for m in e["members"]] for e in catalog.enums}
    tables = {t["name"]: {c["name"]: c for c in t["columns"]} for t in catalog.tables}
    unique((m["name"] for m in catalog.models), "models")
    unique((m["table"] for m in catalog.models if "table" in m), "models of a table")
    for model in catalog.models:
        name = model["name"]
        fields = unique((f["name"] for f in model["fields"]), f"fields of {name}")
        if "table" in model:
            columns = tables[model["table"]]
            require(["bucket", *fields] == list(columns), f"{name}: its fields must be the columns but bucket, in order")
            model.setdefault("doc", next(t["doc"] for t in catalog.tables if t["name"] == model["table"]))
            for field in model["fields"]:
                field.setdefault("doc", columns[field["name"]]["doc"])
        for field in model["fields"]:
            field["numbers"] = field["type"] == "dict[float]"
            if "enum" in field:
                require("one_of" not in field, f"{name}.{field['name']}: enum and one_of")
                require(field["enum"] in enums, f"{name}.{field['name']}: no enum {field['enum']}")
                field["allowed"] = enums[field["enum"]]
            else:
                field["allowed"] = field.get("one_of", [])
            if "python_null" in field:
                require(field["allowed"], f"{name}.{field['name']}: python_null, but no rule to break")
        if needs := model.get("needs"):
            by = next((f for f in model["fields"] if f["name"] == needs["by"]), None)
            require(by is not None, f"{name}: needs goes by an unknown field")
            require(list(needs["fields"]) == by["allowed"], f"{name}: needs must list each value of {needs['by']}, in order")
            named = {slot for slots in needs["fields"].values() for slot in slots}
            require(len(named) <= 8, f"{name}: needs names more than 8 fields")  # a bit each in cell_checks.cc
            for slots in needs["fields"].values():
                require(set(slots) <= set(fields), f"{name}: needs names an unknown field")


def check_column_rules(catalog):
    """Also fills in `allowed`, and what the types imply: `finite` and `not_empty`."""
    enums = {e["name"]: [m["value"] for m in e["members"]] for e in catalog.enums}
    models = {m["name"] for m in catalog.models}
    for table in catalog.tables:
        for column in table["columns"]:
            name, dtype = f"{table['name']}.{column['name']}", column["type"]
            require("enum" not in column or column["enum"] in enums, f"{name}: no enum {column.get('enum')}")
            require("elements" not in column or column["elements"] in models, f"{name}: no model {column.get('elements')}")
            for rule, types in (("min", ("i64", "f64")), ("max", ("i64", "f64")), ("enum", ("str",)),
                                ("one_of", ("str",)), ("elements", ("list[struct]",))):
                require(rule not in column or dtype in types, f"{name}: {rule} is no rule of a {dtype}")
            column["allowed"] = enums[column["enum"]] if "enum" in column else column.get("one_of", [])
            column["finite"] = dtype == "f64"
            column["not_empty"] = dtype == "str" and bool(column.get("required"))
