"""The table of docs/python.md: every public name of the package stands in it, with a test that exists."""

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import crv.core
import crv.integrations.mesa
import crv.io

TESTS = Path(__file__).parent
TEXT = (TESTS.parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
ROWS = [(module, re.findall(r"`([^`]+)`", names), test)
        for module, names, test in re.findall(r"^\| `(crv[\w.]*)` \| (.+) \| `([^`]+)` \|$", TEXT, re.MULTILINE)]
MODULES = [name for package in (crv.core, crv.io, crv.integrations.mesa)
           for name in [package.__name__, *(m.name for m in pkgutil.walk_packages(package.__path__, package.__name__ + "."))]
           if not any(word.startswith("_") for word in name.split("."))]


def test_the_table_is_read():
    assert len(ROWS) > 50 and {module for module, *_ in ROWS} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_of_a_module_stands_in_the_table_once(module):
    told = [name for told_of, names, _ in ROWS if told_of == module for name in names]
    assert sorted(told) == sorted(set(told))
    assert set(importlib.import_module(module).__all__) == {name for name in told if "." not in name}


@pytest.mark.parametrize(("module", "names", "test"), ROWS, ids=lambda value: value if isinstance(value, str) else "")
def test_names_can_be_imported_and_their_test_exists(module, names, test):
    for name in names:
        found = importlib.import_module(module)
        for word in name.split("."):
            found = getattr(found, word)
    path, _, function = test.partition("::")
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("module", "name"), [("crv.io.dataset", "Dataset"), ("crv.io.config", "IoSettings"),
                                              ("crv.io.manifest", "TableManifest")])
def test_every_public_method_of_the_main_classes_stands_in_the_table(module, name):
    cls = getattr(importlib.import_module(module), name)
    methods = {f"{name}.{word}" for word, value in vars(cls).items()
               if not word.startswith("_") and (inspect.isfunction(value) or isinstance(value, classmethod))}
    assert methods == {word for told_of, names, _ in ROWS if told_of == module for word in names if "." in word
                       and word.startswith(name)}
