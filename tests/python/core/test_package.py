"""The package as a package."""

import importlib
import importlib.resources
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import crv.core


def run(code, *folders):
    """Runs `code` in a new interpreter that sees this one's crv, and `folders`."""
    here = str(Path(crv.core.__file__).parents[2])
    path = os.pathsep.join([*map(str, folders), here, os.environ.get("PYTHONPATH", "")])
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": path})


@pytest.mark.parametrize("first", [True, False])
def test_crv_is_a_namespace_that_others_share(tmp_path, first):
    folder = tmp_path / "crv" / "other"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("NAME = 'other'\n")
    order = ["import crv.other", "import crv.core"]
    code = "; ".join([*(order if first else order[::-1]), "assert crv.other.NAME == 'other' and crv.core.SCHEMA_V"])
    run(code, tmp_path)


def test_crv_core_loads_neither_arrow_nor_crv_io():
    run(
        "import crv.core, pkgutil, importlib, sys\n"
        "for module in pkgutil.walk_packages(crv.core.__path__, 'crv.core.'): importlib.import_module(module.name)\n"
        "loaded = {'pyarrow', 'polars', 'numpy', 'crv.io'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )


def modules():
    names = [module.name for module in pkgutil.walk_packages(crv.core.__path__, "crv.core.")]
    return [name for name in names if "._" not in name]


@pytest.mark.parametrize("name", ["crv.core", *modules()])
def test_each_module_tells_what_it_is_and_what_it_exports(name):
    module = importlib.import_module(name)
    assert module.__doc__
    assert len(set(module.__all__)) == len(module.__all__)
    for exported in module.__all__:
        assert hasattr(module, exported)


def test_modules_are_those_of_the_older_package():
    wanted = {"errors", "grammar", "ids", "typing", "constants", "versioning", "hashing", "serde", "schema", "tables"}
    assert {f"crv.core.{name}" for name in wanted} <= set(modules())


def test_types_ship():
    files = importlib.resources.files("crv.core")
    assert (files / "py.typed").is_file()
    assert (files / "_core.pyi").is_file()
    assert not (Path(crv.core.__file__).parents[1] / "__init__.py").exists()


def test_the_stub_tells_of_all_that_the_extension_has():
    import ast

    from crv.core import _core

    stub = ast.parse((importlib.resources.files("crv.core") / "_core.pyi").read_text(encoding="utf-8"))
    told = {node.name for node in stub.body if isinstance(node, ast.FunctionDef)}
    told |= {node.target.id for node in stub.body if isinstance(node, ast.AnnAssign)}
    assert told == {name for name in dir(_core) if not name.startswith("_")}
