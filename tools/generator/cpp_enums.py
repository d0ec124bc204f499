"""Enums of the grammar, and the grammar's own text."""

from text import banner, comment


def header(catalog):
    out = banner("enums.toml", "tables.toml") + (
        "#pragma once\n\n#include <array>\n#include <string_view>\n\nnamespace crv::core {\n\n"
        "// One member of an enum: itself, its name, and the value that stands in rows and files.\n"
        "template <class E>\nstruct EnumMember {\n  E member;\n  std::string_view name;\n  std::string_view value;\n};\n\n"
        "// EnumTable<E>::name and EnumTable<E>::members, in order of declaration.\n"
        "template <class E>\nstruct EnumTable;\n")
    for enum in catalog.enums:
        name, members = enum["name"], enum["members"]
        out += "\n" + comment(enum["doc"]) + f"enum class {name} {{\n"
        out += "".join(f"  {m['name']},{'  // ' + m['math'] if 'math' in m else ''}\n" for m in members)
        out += f"}};\ntemplate <>\nstruct EnumTable<{name}> {{\n"
        out += f'  static constexpr std::string_view name = "{name}";\n'
        out += f"  static constexpr std::array<EnumMember<{name}>, {len(members)}> members{{{{\n"
        for m in members:
            out += f'      {{{name}::{m["name"]}, "{m["name"]}", "{m["value"]}"}},\n'
        out += "  }};\n};\n"
    out += "\n}  // namespace crv::core\n\n// X(enum), in order.\n#define CRV_ENUMS(X) \\\n"
    return out + " \\\n".join(f"  X({e['name']})" for e in catalog.enums) + "\n"


def grammar_source(catalog):
    return (
        banner("core.ebnf") + '#include "crv/core/grammar.h"\n\nnamespace crv::core {\n\n'
        + "std::string_view ebnf_grammar() noexcept {\n  return R\"ebnf(" + catalog.grammar + ')ebnf";\n}\n\n'
        + "}  // namespace crv::core\n"
    )
