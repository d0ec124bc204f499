"""CrvCollector: batch_run, processes, copies, failures, and the end of a program."""

import copy
import gc
import pickle
import subprocess
import sys
from pathlib import Path

import mesa
import pytest
from meadow import Batched, Counts, Meadow, Plain, run, settings_of

from crv.integrations.mesa import CrvCollector
from crv.io import Dataset
from crv.io.errors import BadArgumentError, IoCommitUnknownError

FOLDER = str(Path(__file__).parent)


@pytest.mark.parametrize("agents", [True, False])
@pytest.mark.parametrize("period", [1, 4, -1])
def test_batch_run(tmp_path, agents, period):
    options = {"max_steps": 9, "data_collection_period": period, "display_progress": False, "number_processes": 1}
    parameters = {"wolves": [0, 3], "agents": [agents]}
    theirs = mesa.batch_run(Batched, parameters, **options)
    ours = mesa.batch_run(Batched, parameters | {"root": [str(tmp_path)]}, **options)
    assert [{key: row[key] for key in row if key != "root"} for row in ours] == \
           [{key: row[key] for key in row if key != "root"} for row in theirs]
    with Dataset(settings_of(tmp_path), "run_3") as dataset:  # its last step, too
        assert dataset.read("model")["tick"].to_list() == list(range(11))


def test_batch_run_in_processes(tmp_path):
    code = ("import sys, mesa; sys.path.insert(0, sys.argv[2]); from meadow import Batched\n"
            "if __name__ == '__main__':\n"
            "    rows = mesa.batch_run(Batched, {'root': [sys.argv[1]], 'wolves': [1, 2, 3]}, number_processes=2, max_steps=5, data_collection_period=1,\n"
            "                          display_progress=False)\n"
            "    print(sorted((row['wolves'], row['Step'], row['AgentID'], row['energy']) for row in rows) ==\n"
            "          [(w, s, a, 3 + s) for w in (1, 2, 3) for s in range(5 + 1) for a in range(1, w + 1)])")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path), FOLDER], capture_output=True, text=True, timeout=120)
    assert done.stdout == "True\n", done.stderr
    for wolves in (1, 2, 3):
        with Dataset(settings_of(tmp_path), f"run_{wolves}") as dataset:
            assert dataset.read("agents").height == wolves * 7


def test_the_last_step_is_recorded_when_the_program_ends(tmp_path):
    code = ("import sys, mesa; sys.path.insert(0, sys.argv[2]); from meadow import Batched\n"
            "kept = Batched(sys.argv[1], 1); kept.step()\n"
            "gone = Batched(sys.argv[1], 2); gone.step(); del gone; import gc; gc.collect()")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path), FOLDER], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for run_id in ("run_1", "run_2"):
        with Dataset(settings_of(tmp_path), run_id) as dataset:
            assert dataset.read("model")["tick"].to_list() == [0, 1] and dataset.verify()["ok"]


def test_the_last_step_of_a_model_that_nobody_holds_is_recorded_by_the_next_one(dataset, settings):
    model = Meadow(dataset, n=0, wolves=0, model_reporters={"level": "level"})  # Mesa itself holds models with agents
    del model
    gc.collect()
    assert dataset.log() == []  # the garbage collector writes nothing
    with Dataset(settings, "other") as other:
        CrvCollector(other)
    assert dataset.read("model")["tick"].to_list() == [0]


def test_a_child_that_was_forked_does_not_record_what_its_parent_holds(tmp_path):
    code = ("import sys, os; sys.path.insert(0, sys.argv[2]); from meadow import Batched\n"
            "model = Batched(sys.argv[1], 1)\n"
            "if os.fork() == 0: sys.exit()\n"
            "os.wait()")
    subprocess.run([sys.executable, "-c", code, str(tmp_path), FOLDER], check=True)
    with Dataset(settings_of(tmp_path), "run_1") as dataset:
        assert dataset.read("model")["tick"].to_list() == [0] and len(dataset.log()) == 1


@pytest.mark.parametrize("again", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_copy_goes_on_in_the_run_but_not_beside_its_original(dataset, again):
    model = Plain(dataset)
    run(model, 3)
    model.datacollector.flush()
    other, third = again(model), again(model)
    assert run(other, 2).get_model_vars_dataframe()["steps"].to_list() == [1, 2, 3, 4, 5]
    assert other.datacollector.get_table_dataframe("t")["a"].to_list() == [1, 2, 3, 4, 5]
    run(third, 1)
    with pytest.raises(BadArgumentError, match="has 5 rows, of which this collector wrote 3"):
        third.datacollector.flush()
    third.datacollector._recorder.stores.clear()  # else the end of this process would tell of it


def test_after_a_commit_of_unknown_outcome_nothing_is_appended_twice(dataset, monkeypatch):
    model = Counts(dataset, 1, 2, 3)
    model.step()

    def fails(*_, **__):
        raise IoCommitUnknownError("the disk failed")

    with monkeypatch.context() as patch:
        patch.setattr(Dataset, "append_many", fails)
        with pytest.raises(IoCommitUnknownError):
            model.datacollector.flush()
    with pytest.raises(IoCommitUnknownError):
        model.step()
    assert dataset.log() == []


def test_a_step_whose_commit_failed_is_recorded_by_the_next_try(dataset, monkeypatch):
    model = Counts(dataset, 1, 2, 3)
    model.step()
    with monkeypatch.context() as patch:
        patch.setattr(Dataset, "append_many", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            model.step()
    model.step()
    assert model.datacollector.get_model_vars_dataframe()["x"].to_list() == [1, 3]
