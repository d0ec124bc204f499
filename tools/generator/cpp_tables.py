"""Table descriptors and the schema's version."""

from cpp_rows import column_rule_text
from text import banner, quoted

TYPES = {"i64": "plain_type(Type::Kind::i64)", "f64": "plain_type(Type::Kind::f64)", "str": "plain_type(Type::Kind::str)",
         "struct": "open_struct()", "list[struct]": "list_of(open_struct())"}


def source(catalog):
    version = catalog.schema["version"]
    out = banner("tables.toml") + (
        '#include "crv/core/descriptor.h"\n\nnamespace crv::core {\n\n'
        "const SchemaVersion& schema_version() {\n"
        f'  static const SchemaVersion version({version["major"]}, {version["minor"]}, {quoted(version["date"])});\n'
        "  return version;\n}\n\n"
        "const std::vector<TableDescriptor>& list_tables() {\n"
        "  static const std::vector<TableDescriptor> tables = {\n")
    out += "".join(descriptor(table) for table in catalog.tables) + "  };\n  return tables;\n}\n\n"
    out += ("const std::vector<TableDescriptor>& list_internal_tables() {\n"
            "  static const std::vector<TableDescriptor> tables = {\n")
    out += "".join(descriptor(table) for table in catalog.internal_tables)
    return out + "  };\n  return tables;\n}\n\n}  // namespace crv::core\n"


def descriptor(table):
    out = f"      {{{quoted(table['name'])},\n       {{\n"
    for column in table["columns"]:
        required = "true" if column.get("required") else "false"
        out += (f"           {{{quoted(column['name'])}, {TYPES[column['type']]}, {required},\n"
                f"            {quoted(column['doc'])}, {{{rule(column)}}}}},\n")
    order = ", ".join(quoted(name) for name in table["required_order"])
    return out + f"       }},\n       schema_version(),\n       {quoted(table['doc'])},\n       {{{order}}}}},\n"


def rule(column):
    """What stands between the braces of a ColumnRule. Internal tables have none: crv alone fills them."""
    if "allowed" not in column or not column_rule_text(column):
        return ""
    flags = ", ".join(str(column[k]).lower() for k in ("finite", "not_empty"))
    allowed = ", ".join(quoted(v) for v in column["allowed"])
    bounds = ", ".join(f"{column[k]}.0" if k in column else "std::nullopt" for k in ("min", "max"))
    return f"{flags}, {{{allowed}}}, {bounds}, {quoted(column.get('elements', ''))}"
