"""Table descriptors in Python: a module for each table, and the registry."""

from py_text import banner, docstring, exports, quoted


def constant(table):
    return table["name"].upper() + "_DESC"


def texts(names, key):
    """A list of texts as the argument `key`."""
    if sum(len(name) + 4 for name in names) < 70:
        return f"    {key}=[{', '.join(map(quoted, names))}],\n"
    return f"    {key}=[\n" + "".join(f"        {quoted(name)},\n" for name in names) + "    ],\n"


def one(catalog, table):
    nullable = [c["name"] for c in table["columns"] if not c.get("required")]
    out = banner(table["doc"], "tables.toml") + (
        "\nfrom __future__ import annotations\n\nfrom typing import Final\n\n"
        "from crv.core.grammar import TableDescriptor, TableName\nfrom crv.core.versioning import SCHEMA_V\n\n"
        f"{constant(table)}: Final = TableDescriptor(\n    name=TableName.{table['name'].upper()},\n    columns={{\n")
    for column in table["columns"]:
        out += f"        # {column['doc']}\n        {quoted(column['name'])}: {quoted(column['type'])},\n"
    out += "    },\n" + texts(catalog.schema["partitioning"], "partitioning")
    out += texts(table["required_order"], "required") + texts(nullable, "nullable")
    return out + "    version=SCHEMA_V,\n)\n" + exports([constant(table)])


def registry(catalog):
    out = banner("The canonical tables.", "tables.toml") + "\nfrom __future__ import annotations\n\n"
    out += "from crv.core.grammar import TableDescriptor, TableName\n"
    out += "".join(f"from crv.core.tables.{name} import {desc}\n"
                   for name, desc in sorted((t["name"], constant(t)) for t in catalog.tables))
    out += "\n_TABLES: dict[TableName, TableDescriptor] = {\n    table.name: table\n    for table in (\n"
    out += "".join(f"        {constant(t)},\n" for t in catalog.tables) + "    )\n}\n"
    out += "\n\ndef get_table(name: TableName) -> TableDescriptor:\n" + docstring(
        "The table of that name. KeyError where `name` is no TableName: a text is none.", 4)
    out += "    return _TABLES[name]\n"
    out += "\n\ndef list_tables() -> list[TableDescriptor]:\n" + docstring("All tables, in registry order.", 4)
    out += "    return list(_TABLES.values())\n\n"
    return out + exports([*sorted(constant(t) for t in catalog.tables), "TableDescriptor", "get_table", "list_tables"])


def files(catalog):
    """Path below the package crv.core.tables, and text."""
    return {"__init__.py": registry(catalog)} | {f"{t['name']}.py": one(catalog, t) for t in catalog.tables}
