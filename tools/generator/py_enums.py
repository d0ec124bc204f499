"""Enums of the grammar in Python."""

from py_text import banner, docstring, exports, quoted


def text(catalog):
    out = banner("Enums of the grammar; crv.core.grammar gives them to users.", "enums.toml", "tables.toml")
    out += "\nfrom __future__ import annotations\n\nfrom enum import Enum\n"
    for enum in catalog.enums:
        out += f"\n\nclass {enum['name']}(Enum):\n{docstring(enum['doc'], 4)}\n"
        for member in enum["members"]:
            math = f"  # {member['math']}" if "math" in member else ""
            out += f"    {member['name']} = {quoted(member['value'])}{math}\n"
    return out + "\n" + exports(sorted(e["name"] for e in catalog.enums))
