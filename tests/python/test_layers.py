"""The modules of the package stand in one order: none imports one that stands above it, not in a function either.

What stands under `if TYPE_CHECKING:` is for type checkers and is never run: it does not count.
"""

import ast
import sysconfig
from pathlib import Path

import pytest

import crv.core
import crv.io

PACKAGE = Path(crv.core.__file__).parents[1]
SUFFIXES = (".py", ".abi3.so", sysconfig.get_config_var("EXT_SUFFIX"))

# Lowest first.
ORDER = """
crv.core.errors
crv.core._core
crv.core._enums
crv.core.typing
crv.core.constants
crv.core.ids
crv.core.versioning
crv.core.hashing
crv.core.serde
crv.core.grammar
crv.core.tables.decisions
crv.core.tables.exchange
crv.core.tables.holdings
crv.core.tables.holdings_valuation
crv.core.tables.identity_edges
crv.core.tables.messages
crv.core.tables.oracle_calls
crv.core.tables.scenarios_seen
crv.core.tables
crv.core._rules
crv.core.schema
crv.core

crv.io.errors
crv.io._io
crv.io._native
crv.io._show
crv.io.fs
crv.io._git
crv.io.config
crv.io.paths
crv.io.artifacts
crv.io._manifest
crv.io._arguments
crv.io._calls
crv.io._frames
crv.io._polars
crv.io._arrow
crv.io._dtypes
crv.io._fields
crv.io._definitions
crv.io.validate
crv.io._table
crv.io.dataset
crv.io.manifest
crv.io.run_manifest
crv.io.read
crv.io.write
crv.io

crv.integrations.mesa._columns
crv.integrations.mesa._recorder
crv.integrations.mesa._rows
crv.integrations.mesa._agents
crv.integrations.mesa._collector
crv.integrations.mesa
""".split()


def sources(folder):
    """Modules below a folder `crv`: name to file, extensions included."""
    found = {}
    for path in folder.rglob("*"):
        suffix = next((s for s in SUFFIXES if path.name.endswith(s)), None)
        if suffix and path.is_file():
            words = [folder.name, *path.relative_to(folder).parts[:-1], path.name.removesuffix(suffix)]
            found[".".join(words).removesuffix(".__init__")] = path
    return found


def is_for_type_checkers(test):
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))


class Imports(ast.NodeVisitor):
    """(line, module) of all that a source imports of `known`, wherever it stands."""

    def __init__(self, known):
        self.known = known
        self.found = []

    def add(self, node, name):
        if name in self.known:
            self.found.append((node.lineno, name))

    def visit_If(self, node):
        for child in node.orelse if is_for_type_checkers(node.test) else [node.test, *node.body, *node.orelse]:
            self.visit(child)

    def visit_Import(self, node):
        for alias in node.names:
            self.add(node, alias.name)

    def visit_ImportFrom(self, node):
        assert node.level == 0, "modules are named in full"
        for alias in node.names:  # a module of a package, or what a module holds
            below = f"{node.module}.{alias.name}"
            self.add(node, below if below in self.known else node.module)

    def visit_Call(self, node):
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if called in ("import_module", "__import__") and node.args and isinstance(node.args[0], ast.Constant):
            self.add(node, node.args[0].value)
        self.generic_visit(node)


def upward(folder, order):
    """Imports of a module by itself or by one that stands below it, as texts."""
    known = sources(folder)
    found = []
    for name, path in sorted(known.items()):
        if path.suffix != ".py":
            continue
        imports = Imports(known)
        imports.visit(ast.parse(path.read_text(encoding="utf-8")))
        found += [f"{name}:{line} imports {other}" for line, other in imports.found
                  if order.index(other) >= order.index(name)]
    return found


def test_every_module_has_its_place():
    assert sorted(sources(PACKAGE)) == sorted(ORDER)


def test_no_module_imports_one_above_it():
    assert upward(PACKAGE, ORDER) == []


PLANTED = {
    "at the top": ("from crv.high import f", True),
    "whole": ("import crv.high", True),
    "of the package": ("from crv import high", True),
    "itself": ("import crv.low", True),
    "in a function": ("def g():\n    from crv.high import f\n    return f", True),
    "in a method": ("class C:\n    def g(self):\n        import crv.high", True),
    "by name": ("from importlib import import_module\nimport_module('crv.high')", True),
    "where types are not checked": ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n"
                                    "    import crv.high", True),
    "for type checkers": ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from crv.high import f", False),
    "for type checkers, in full": ("import typing\nif typing.TYPE_CHECKING:\n    import crv.high", False),
    "of others": ("import json\nfrom os import path", False),
}


@pytest.mark.parametrize("case", PLANTED)
def test_an_import_of_a_higher_module_is_found(tmp_path, case):
    text, found = PLANTED[case]
    (tmp_path / "crv").mkdir()
    (tmp_path / "crv" / "low.py").write_text(text)
    (tmp_path / "crv" / "high.py").write_text("from crv.low import g\ndef f(): ...\n")
    told = upward(tmp_path / "crv", ["crv.low", "crv.high"])
    assert len(told) == found and all(text.startswith("crv.low:") for text in told)
