"""Table descriptors and the schema's version."""

from text import banner, quoted

DTYPE = {"i64": "i64", "f64": "f64", "str": "str", "struct": "structure", "list[struct]": "list_of_structures"}


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
        out += (f"           {{{quoted(column['name'])}, DType::{DTYPE[column['type']]}, {required},\n"
                f"            {quoted(column['doc'])}}},\n")
    order = ", ".join(quoted(name) for name in table["required_order"])
    return out + f"       }},\n       schema_version(),\n       {quoted(table['doc'])},\n       {{{order}}}}},\n"
