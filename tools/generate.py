#!/usr/bin/env python3
"""Makes everything that is derived from catalog/: enums, tables, structs, models, rules and errors in C++ and Python,
and docs/tables.md and docs/errors.md.

  tools/generate.py           writes what has changed
  tools/generate.py --check   writes nothing; lists what is stale and exits with 1

A catalog that contradicts itself is refused with exit status 2.

Needs Python 3.11 and nothing else.
"""

import argparse
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent / "generator"))

from catalog import CatalogError, load
import cpp_enums
import cpp_errors
import cpp_rows
import cpp_tables
import docs_errors
import docs_tables
import py_enums
import py_errors
import py_models
import py_tables

ROOT = Path(__file__).resolve().parent.parent


def outputs(catalog):
    """Every generated file: its path below the top folder, and its text."""
    return {
        "include/crv/core/error_codes.h": cpp_errors.header(catalog),
        "src/core/error_codes.cc": cpp_errors.source(catalog),
        "include/crv/core/grammar_enums.h": cpp_enums.header(catalog),
        "src/core/grammar_text.cc": cpp_enums.grammar_source(catalog),
        "src/core/tables.cc": cpp_tables.source(catalog),
        "include/crv/core/rows.h": cpp_rows.header(catalog),
        "src/core/rows.cc": cpp_rows.source(catalog),
        "src/core/rules_data.cc": cpp_rows.rules_source(catalog),
        "docs/errors.md": docs_errors.text(catalog),
        "docs/tables.md": docs_tables.text(catalog),
        "python/crv/core/_enums.py": py_enums.text(catalog),
        "python/crv/core/core.ebnf": catalog.grammar,
        "python/crv/core/errors.py": py_errors.core(catalog),
        "python/crv/core/schema.py": py_models.text(catalog),
        **{f"python/crv/core/tables/{name}": text for name, text in py_tables.files(catalog).items()},
        "python/crv/io/errors.py": py_errors.io(catalog),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a file is stale")
    check = parser.parse_args().check
    try:
        files = outputs(load(ROOT / "catalog"))
    except CatalogError as error:
        print(f"catalog: {error}", file=sys.stderr)
        return 2
    stale = []
    for name, text in files.items():
        path = ROOT / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{'stale' if check else 'written'}: {name}")
    if check and stale:
        print("run tools/generate.py and commit what it writes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
