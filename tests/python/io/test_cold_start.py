"""A new process: what importing crv.io and a first call load, and that what is made late is what it always was."""

import json
import pickle
import subprocess
import sys

import cloudpickle
import polars as pl
import pytest

from crv.core import schema
from crv.io import Dataset
from crv.io.errors import IoManifestError, IoReadError

HEAVY = ["numpy", "pandas", "pyarrow", "pydantic"]


@pytest.fixture
def loaded(settings):
    """loaded(code): which of the heavy packages a new process has imported after it."""

    def run(code):
        code = f"""
import json, sys
{code}
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""
        done = subprocess.run([sys.executable, "-c", code, settings.root_dir], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.mark.parametrize("module", ["crv.core", "crv.io", "crv.io.read", "crv.io.write", "crv.io.manifest",
                                    "crv.io.run_manifest", "crv.io.artifacts", "crv.io.validate"])
def test_no_import_loads_pydantic_pyarrow_or_numpy(loaded, module):
    assert loaded(f"import {module}") == []


HEAD = """
import polars as pl
from crv.io import Dataset, IoSettings
dataset = Dataset(IoSettings(root_dir=sys.argv[1], durability="none"), "r")
"""


@pytest.mark.parametrize("call", [
    'dataset.scan("holdings").collect()',
    'dataset.scan("holdings").filter(pl.col("tick").is_between(50, 150)).select("tick", "quantity").collect()',
    'dataset.scan("holdings", {"tick_min": 1}, columns=["tick"]).head(1).collect()',
    'dataset.scan("holdings").collect(engine="streaming")',
    'dataset.scan("holdings").collect_schema()',
    'list(dataset.scan("holdings").collect_batches())',
    'dataset.read("holdings", {"tick_max": 100}, 2)',
    'dataset.explain("holdings", filter=pl.col("tick") > 100)',
    'dataset.manifest("holdings")',
    '[dataset.tables(), dataset.schema("holdings"), dataset.log(), dataset.verify()]',
    'dataset.append("holdings", dataset.read("holdings").drop("bucket"))',
    'dataset.append("holdings", dataset.read("holdings").drop("bucket").to_dicts())',
])
def test_a_first_call_loads_none_of_them_either(loaded, settings, holdings, call):
    with Dataset(settings, "r") as dataset:
        dataset.append("holdings", holdings([1, 99, 100, 250]))
    assert loaded(HEAD + call) == []


@pytest.mark.parametrize("code", [
    "import crv.core; crv.core.HoldingsRow",
    "import crv.core; crv.core.schema.HoldingsRow",
    "from crv.core import HoldingsRow",
    "from crv.core import *; HoldingsRow",
    "from crv.core.schema import HoldingsRow",
])
def test_models_are_made_when_one_is_first_asked_for(loaded, code):
    assert loaded(f"import crv.core\nassert 'HoldingsRow' in dir(crv.core) and 'schema' in dir(crv.core)\n{code}\n"
                  "assert crv.core.HoldingsRow is sys.modules['crv.core.schema'].HoldingsRow") == ["pydantic"]


def test_models_are_one_class_by_all_their_names():
    import crv.core

    for name in schema.__all__:
        assert getattr(crv.core, name) is getattr(schema, name)
        assert pickle.loads(pickle.dumps(getattr(schema, name))) is getattr(schema, name)
    with pytest.raises(AttributeError, match="nonesuch"):
        crv.core.nonesuch
    with pytest.raises(ImportError, match="nonesuch"):
        from crv.core import nonesuch  # noqa: F401


def test_rows_of_models_and_of_dicts_go_in_alike(dataset):
    row = schema.HoldingsRow(tick=1, agent_id="a", token_id="t", quantity=2)
    assert dataset.append("holdings", [row, row.model_dump()])["rows"] == 2
    with pytest.raises(TypeError, match="row 1 is neither a row model nor a dict, but int"):
        dataset.append("holdings", [row, 5])


# ---- frames that were pickled ----


def test_a_pickled_scan_is_planned_where_it_arrives(dataset, holdings):
    dataset.append("holdings", holdings([1]))
    pickled = cloudpickle.dumps(dataset.scan("holdings").filter(pl.col("tick") > 0))
    dataset.append("holdings", holdings([2, 300]))
    assert cloudpickle.loads(pickled).collect()["tick"].to_list() == [1, 2, 300]


@pytest.mark.parametrize("ask", [lambda f: f.collect(), lambda f: f.select("tick").collect(), lambda f: f.head(1).collect(),
                                 lambda f: f.collect(engine="streaming"), lambda f: list(f.collect_batches())])
def test_a_pickled_scan_whose_table_has_other_types_by_now_is_refused(dataset, message, ask):
    dataset.append("messages", [message(1, {"n": 1})])
    pickled = cloudpickle.dumps(dataset.scan("messages"))
    dataset.append("messages", [message(2, {"n": 1.5, "more": "x"})])
    with pytest.raises(IoReadError, match='table "messages" of run village, column "audience"') as caught:
        ask(cloudpickle.loads(pickled))
    assert caught.value.code == "schema_changed"
    assert {key: caught.value.facts[key] for key in ("run_id", "table", "column")} == {
        "run_id": "village", "table": "messages", "column": "audience"}
    assert dataset.read("messages").height == 2


def test_a_pickled_scan_whose_table_has_other_columns_by_now_is_refused(settings, holdings):
    import dataclasses

    with Dataset(dataclasses.replace(settings, strict_schema=False), "r") as loose:
        loose.append("holdings", holdings([1]))
        pickled = cloudpickle.dumps(loose.scan("holdings"))
        loose.append("holdings", holdings([2], note=["new"]))
        with pytest.raises(IoReadError, match='column "note": no such column when') as caught:
            cloudpickle.loads(pickled).collect()
        assert caught.value.code == "schema_changed"


def test_a_pickled_scan_whose_run_is_gone_says_so(dataset, settings, holdings):
    import shutil

    dataset.append("holdings", holdings([1]))
    pickled = cloudpickle.dumps(dataset.scan("holdings"))
    dataset.close()
    shutil.rmtree(settings.root_dir)
    with pytest.raises(IoManifestError, match="no run \"village\"") as caught:
        cloudpickle.loads(pickled).collect()
    assert caught.value.code == "run_missing"
