"""The package as a package."""

import ast
import importlib.resources

from crv.io import _io


def names_of(found):
    return {name for name in vars(found) if not name.startswith("_") or name.startswith("__arrow")}


def names_in(body):
    names = {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    names |= {node.target.id for node in body if isinstance(node, ast.AnnAssign)}
    return {name for name in names if not name.startswith("_") or name.startswith("__arrow")}


def test_the_stub_tells_of_all_that_the_extension_has():
    stub = ast.parse((importlib.resources.files("crv.io") / "_io.pyi").read_text(encoding="utf-8"))
    assert names_in(stub.body) == names_of(_io)
    for node in stub.body:
        if isinstance(node, ast.ClassDef):
            assert names_in(node.body) == names_of(getattr(_io, node.name)), node.name
