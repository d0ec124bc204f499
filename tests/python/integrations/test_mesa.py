"""CrvCollector: Mesa's own example models give the frames that Mesa's collector gives; each trap of Mesa's, on its own."""

import datetime
import math
import random
import sys

import mesa
import numpy as np
import pandas as pd
import polars as pl
import pytest
from meadow import Counts, HTTPWolf, Meadow, Mood, Walker, assert_same, assert_same_agents, run, scaled
from mesa.examples import (
    BoltzmannWealth,
    EpsteinCivilViolence,
    PdGrid,
    Schelling,
    SugarscapeG1mt,
    VirusOnNetwork,
    WolfSheep,
)
from mesa.examples.advanced.alliance_formation.model import MultiLevelAllianceModel
from mesa.experimental.devs import ABMSimulator
from pandas.testing import assert_frame_equal

from crv.integrations.mesa import CrvCollector
from crv.io.errors import BadArgumentError, IoSchemaError

MESAS_OWN = mesa.DataCollector

@pytest.fixture
def instead(monkeypatch, dataset):
    """instead(Model, options): a model of Mesa's examples whose collector is a CrvCollector with these options."""

    def make(model_class, options, **arguments):
        def collector(*reporters, **more):
            return CrvCollector(dataset, *reporters, **more, **options)

        for module in {mesa, sys.modules[model_class.__module__]}:
            if hasattr(module, "DataCollector"):
                monkeypatch.setattr(module, "DataCollector", collector)
        return model_class(seed=42, **arguments)

    return make


EXAMPLES = {
    "boltzmann": (BoltzmannWealth, dict, {"model", "agents"}),
    "schelling": (Schelling, dict, {"model", "agents"}),
    "sugarscape": (SugarscapeG1mt, dict, {"model", "agents"}),
    "sugarscape without trade": (SugarscapeG1mt, lambda: {"enable_trade": False}, {"model", "agents"}),
    "wolf and sheep": (WolfSheep, lambda: {"simulator": ABMSimulator()}, {"model"}),
    "civil violence": (EpsteinCivilViolence, dict, {"model", "agents"}),
    "virus": (VirusOnNetwork, dict, {"model"}),
    "prisoners": (PdGrid, lambda: {"width": 12, "height": 12}, {"model"}),
}


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_examples_of_mesa_give_the_frames_that_mesa_gives(example, instead, dataset):
    model_class, arguments, tables = EXAMPLES[example]
    random.seed(42)  # the graph of the virus comes of it
    theirs = run(model_class(seed=42, **arguments()))
    random.seed(42)
    ours = run(instead(model_class, {}, **arguments()))
    assert type(theirs) is MESAS_OWN and type(ours) is CrvCollector
    assert_same(ours, theirs)
    assert {table["table"] for table in dataset.tables()} == tables
    assert len(dataset.log()) == len(ours.model_vars[next(iter(ours.model_vars))])  # a commit a call


def test_a_graph_is_refused_by_its_reporter_and_may_be_skipped(instead, dataset):
    with pytest.raises(IoSchemaError, match="reporter 'Network'.*skip=\\['Network'\\]") as refused:
        model = instead(MultiLevelAllianceModel, {}, n=10)
        model.datacollector.collect(model)
    assert (refused.value.code, refused.value.facts["reporter"]) == ("wrong_type", "Network")
    assert "Graph" in refused.value.facts["value"]
    assert dataset.tables() == []
    model = instead(MultiLevelAllianceModel, {"skip": ["Network"]}, n=10)
    model.datacollector.collect(model)
    model.datacollector.close()
    assert list(model.datacollector.model_vars) == [] and dataset.read("model").columns == ["bucket", "tick", "call"]


def test_agent_types_have_a_table_each(dataset):
    reporters = {Walker: {"pos": "pos", "Energy": lambda a: a.energy}, HTTPWolf: {"twice": [lambda a, n: n * a.energy, [2]]},
                 mesa.Agent: {"Energy": "energy"}}
    model = Meadow(dataset, agenttype_reporters=reporters)
    run(model, 5)
    for agent_type in reporters:
        ours = model.datacollector.get_agenttype_vars_dataframe(agent_type)
        assert_frame_equal(ours, model.theirs.get_agenttype_vars_dataframe(agent_type), check_dtype=False)
    assert [t["table"] for t in dataset.tables()] == ["agents_agent", "agents_http_wolf", "agents_walker", "model"]
    first = dataset.read("agents_walker", {"tick_max": 0}, 1)
    assert first.rows(named=True) == [{"bucket": 0, "tick": 0, "agent_id": 1, "pos": [1, 0], "Energy": 3}]
    with pytest.warns(UserWarning, match="No agent-type reporters"):
        assert model.datacollector.get_agenttype_vars_dataframe(int).empty
    assert list(model.datacollector._agenttype_records) == list(range(6))


def test_rows_of_tables_have_the_step_of_their_own(dataset):
    tables = {"Final Words": ["who", "age"], "other": ["a", "b"]}
    collector = CrvCollector(dataset, tables=tables)
    collector.add_table_row("other", {"a": 1}, ignore_missing=True)  # no model is known yet: of the first collect
    model = Meadow(collector=collector)
    run(model, 4)
    model.steps = 9
    collector.add_table_row("other", {"a": np.int64(2), "b": (1, 2), "c": 0})
    with pytest.raises(Exception, match="missing column"):
        collector.add_table_row("other", {"a": 3})
    with pytest.raises(Exception, match="Table does not exist"):
        collector.add_table_row("none", {"a": 3})
    assert_frame_equal(collector.get_table_dataframe("other"), pd.DataFrame({"a": [1, 2], "b": [None, [1, 2]]}))
    words = collector.get_table_dataframe("Final Words")
    assert len(words) == 4 and list(words.columns) == ["who", "age"]
    assert dataset.read("final_words").select("tick").to_series().to_list() == words["age"].to_list()
    assert dataset.read("other")["tick"].to_list() == [0, 9]
    with pytest.raises(Exception, match="No such table"):
        collector.get_table_dataframe("none")
    with pytest.raises(IoSchemaError) as refused:
        collector.add_table_row("other", {"a": 1, "b": object()})
    assert refused.value.facts["column"] == "b" and len(collector.get_table_dataframe("other")) == 2
    skipping = CrvCollector(dataset, tables={"other": ["a", "b"]}, skip=["b"], prefix="b_")
    skipping.add_table_row("other", {"a": 1, "b": object()})
    assert skipping.get_table_dataframe("other").to_dict("list") == {"a": [1]}


def test_all_kinds_of_reporters_are_computed_as_mesa_does(dataset):
    model = Meadow(dataset, model_reporters={
        "steps": "steps", "Trade Volume": lambda m: m.steps * 0.5, "#Traders": "level",
        "none": lambda m: None, "tick": lambda m: m.steps, "Tick": lambda m: -m.steps, "call": lambda m: "x"})
    collector = run(model, 3)
    assert_same(collector, model.theirs)
    assert dataset.read("model").columns == ["bucket", "tick", "call", "steps", "Trade Volume", "#Traders", "none",
                                             "tick_", "Tick__", "call_"]
    listed = CrvCollector(dataset, {"twice": [scaled, [model, 2]], "method": model.steps.bit_length}, prefix="b_")
    listed.collect(model)
    assert listed.get_model_vars_dataframe().to_dict("records") == [{"twice": 6, "method": 2}]
    with pytest.raises(AttributeError, match="non-existent"):
        CrvCollector(dataset, {"x": "nothing"}, prefix="c_").collect(model)
    with pytest.raises(UserWarning):
        CrvCollector(dataset, prefix="d_").get_model_vars_dataframe()
    with pytest.raises(UserWarning):
        CrvCollector(dataset, prefix="d_").get_agent_vars_dataframe()


VALUES = {
    "ints, then floats": [1, 2, 2.5, -1], "none first": [None, 3, None], "only none": [None, None], "bools": [True, None, False],
    "numpy": [np.int32(3), np.float64(0.5), np.uint8(1)], "numpy bools": [np.True_, False], "nan": [math.nan, 1.0, math.inf],
    "texts": ["a", None, "ü", np.str_("b")], "lists": [[], [1, 2], None, [0.5]], "dicts": [{"a": 1}, {"a": 2}],
    "nested": [[[1, 2], [3]], [[]]], "dates": [datetime.datetime(2026, 1, 31, 12), None],
}


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_values_come_back(dataset, values):
    collector = run(Counts(dataset, *values), len(values))
    assert_frame_equal(collector.get_model_vars_dataframe(), pd.DataFrame({"x": values}), check_dtype=False)
    assert len(dataset.log()) == len(values) and list(dataset.read("model")["tick"]) == list(range(1, len(values) + 1))


def test_what_only_python_knows_comes_back_as_what_it_holds(dataset):
    given = [(1, 2), np.array([[1.5], [2]]), {3, 1, 2}, range(2)]
    collector = run(Counts(dataset, *map(lambda v: {"v": v}, given[:1])), 1)
    assert collector.get_model_vars_dataframe()["x"].to_list() == [{"v": [1, 2]}]
    for number, (value, held) in enumerate(zip(given, [[1, 2], [[1.5], [2.0]], [1, 2, 3], [0, 1]])):
        other = run(Counts(dataset, value, prefix=f"p{number}_"), 1)
        assert other.get_model_vars_dataframe()["x"].to_list() == [held]
    moods = run(Counts(dataset, Mood.CALM, prefix="moods_"), 1)
    assert moods.model_vars["x"] == ["calm"] == moods.get_model_vars_dataframe()["x"].to_list()


@pytest.mark.parametrize("value", [object(), 1 + 2j, {1: 2}, [1, "a"], {1, "a"}, [Walker], "\ud800", [[1], object()]])
def test_a_value_that_crv_cannot_hold_is_an_error_of_its_reporter(dataset, value):
    model = Counts(dataset, 1, value, 3)
    model.step()
    with pytest.raises(IoSchemaError) as refused:
        model.step()
    assert refused.value.facts["reporter"] == "x" and refused.value.facts["table"] == "model"
    model.step()  # nothing of that call was kept
    assert model.datacollector.get_model_vars_dataframe()["x"].to_list() == [1, 3]


def test_a_value_that_does_not_meet_earlier_ones_is_an_error_when_it_is_recorded(dataset):
    model = Counts(dataset, 1, "a", 2)
    model.step()
    model.step()
    with pytest.raises(IoSchemaError) as refused:
        model.step()
    assert (refused.value.facts["table"], refused.value.facts["column"]) == ("model", "x")
    assert len(dataset.log()) == 1 and dataset.read("model")["x"].to_list() == [1]


def test_values_of_agents_of_one_step_must_meet(dataset):
    with pytest.raises(IoSchemaError) as refused:
        Meadow(dataset, agent_reporters={"odd": lambda a: "odd" if a.unique_id == 3 else a.unique_id})
    assert (refused.value.facts["reporter"], refused.value.facts["value"]) == ("odd", "'odd'")


def test_lists_are_held_as_they_were_when_collected(dataset):
    model = Meadow(dataset, agent_reporters={"path": "path", "pos": "pos"})
    collector = run(model, 3)
    paths = collector.get_agent_vars_dataframe()["path"].loc[:, 1]
    assert paths.to_list() == [[], [1], [1, 2], [1, 2, 3]]  # Mesa's own shows the last one four times
    assert dataset.read("agents", {"tick_min": 2, "tick_max": 2}, 1)["pos"].to_list() == [[1, 2]]


def test_agents_come_and_go_and_may_be_none_at_all(dataset):
    model = Meadow(dataset, n=2, wolves=0, agent_reporters={"energy": "energy", "none": "nothing", "alive": lambda a: a.energy > 0})
    run(model, 3)
    model.agents.do("remove")
    run(model, 2)
    Walker(model)
    run(model, 1)
    assert_same_agents(model)
    assert [len(record) for record in model.datacollector._agent_records.values()] == [2, 2, 1, 1, 0, 0, 1]


def test_no_agents_from_the_start(dataset):
    model = Meadow(dataset, n=0, wolves=0, agent_reporters={"energy": "energy"}, agenttype_reporters={Walker: {"e": "energy"}})
    run(model, 2)
    assert_same_agents(model)
    ours = model.datacollector.get_agenttype_vars_dataframe(Walker)
    assert_frame_equal(ours, model.theirs.get_agenttype_vars_dataframe(Walker), check_dtype=False)
    assert [t["table"] for t in dataset.tables()] == ["model"]


def test_a_second_collect_within_a_step_adds_model_rows_and_replaces_agent_rows(dataset):
    model = Meadow(dataset, model_reporters={"level": "level"}, agent_reporters={"energy": "energy"},
                   agenttype_reporters={Walker: {"energy": "energy"}})
    for flush in (False, True):
        model.step()
        if flush:
            model.datacollector.flush()
        model.level += 1
        for agent in model.agents:
            agent.energy += 10
        model.collect()
    assert_same(model.datacollector, model.theirs)
    ours = model.datacollector.get_agenttype_vars_dataframe(Walker)
    assert_frame_equal(ours, model.theirs.get_agenttype_vars_dataframe(Walker), check_dtype=False)
    assert dataset.read("model").select("tick", "call", "level").rows() == [(0, 0, 0), (1, 1, 0), (1, 2, 1), (2, 3, 1), (2, 4, 2)]
    assert dataset.read("agents")["revision"].unique().sort().to_list() == [None, 1]


def test_the_current_step_may_be_replaced_and_changed(dataset):
    model = Meadow(dataset, agent_reporters={"energy": "energy"})
    records, theirs = model.datacollector._agent_records, model.theirs._agent_records
    for held in (records, theirs):
        held[0].append((0, 99, 7))
    run(model, 2)
    for held in (records, theirs):
        held[2] = [row for row in held[2] if row[2] < 3]
        assert all(type(row) is tuple for row in held[2])
    assert_same_agents(model)
    for held in (records, theirs):  # what is recorded already, once more and to nothing
        held[2] = held[2][1:]
        del held[1][:]
    records[1] = []
    assert_same_agents(model)
    run(model, 1)
    records[3] = records[3][:1]
    theirs[3] = theirs[3][:1]
    assert_same_agents(model)
    with pytest.raises(BadArgumentError, match="a row of table 'agents' is"):
        records[3] = [(3, 1)]
        model.datacollector.flush()
    records[3] = []


def test_nothing_is_written_anew_that_did_not_change(dataset):
    model = Meadow(dataset, agent_reporters={"energy": lambda a: math.nan})
    for _ in range(3):
        model.datacollector.get_agent_vars_dataframe()
        model.datacollector.flush()
    assert len(dataset.log()) == 1 and "revision" not in dataset.read("agents").columns


def test_a_step_is_recorded_by_the_next_one_by_flush_close_and_the_frames(dataset):
    model = Meadow(dataset, model_reporters={"level": "level"})
    assert dataset.log() == []
    model.step()
    assert dataset.read("model")["tick"].to_list() == [0]
    model.datacollector.get_model_vars_dataframe()
    assert len(dataset.log()) == 2
    model.step()
    model.datacollector.close()
    model.step()
    model.datacollector.flush()
    assert dataset.read("model")["tick"].to_list() == [0, 1, 2, 3]


def test_older_steps_are_not_in_memory(dataset):
    model = Meadow(dataset, model_reporters={"level": "level"}, agent_reporters={"energy": "energy"})
    collector = run(model, 300)
    assert list(collector._agents._held) == [300]
    assert len(collector._model_rows._held["level"]) <= 257
    assert len(collector.model_vars["level"]) == 301 and collector.model_vars["level"][0] == 0
    assert collector.model_vars["level"][-2:] == [0, 0] and collector._agent_records[5][0][:2] == (5, 3)
    with pytest.raises(IndexError):
        collector.model_vars["level"][301]
    with pytest.raises(KeyError):
        collector._agent_records[301]


def test_a_reporter_may_look_at_earlier_values(dataset):
    def change(model):
        values = model.datacollector.model_vars["steps"]
        return values[-1] - values[0] if values else 0

    collector = CrvCollector(dataset, {"steps": "steps", "change": change})
    model = Meadow(collector=collector)
    run(model, 4)
    assert collector.get_model_vars_dataframe()["change"].to_list() == [0, 1, 2, 3, 4]
    assert len(dataset.log()) == 5


def test_a_reporter_that_fails_leaves_all_as_it_was(dataset):
    def fails(agent):
        if agent.model.steps == 2:
            raise ZeroDivisionError
        return 1

    model = Meadow(dataset, model_reporters={"steps": "steps"}, agent_reporters={"f": fails}, agenttype_reporters={Walker: {"f": "energy"}})
    model.step()
    for _ in range(2):
        model.steps = 2
        with pytest.raises(ZeroDivisionError):
            model.datacollector.collect(model)
    model.steps = 3
    model.datacollector.collect(model)
    assert model.datacollector.get_model_vars_dataframe()["steps"].to_list() == [0, 1, 3]
    assert sorted(set(model.datacollector.get_agent_vars_dataframe().index.get_level_values("Step"))) == [0, 1, 3]
    with pytest.raises(ValueError, match="not recognized as an Agent type"):
        CrvCollector(dataset, agenttype_reporters={int: {"x": "y"}}, prefix="b_").collect(model)


def test_collectors_share_a_run_by_prefixes_only(dataset):
    Meadow(dataset, model_reporters={"level": "level"}).datacollector.close()
    second = Meadow(dataset, model_reporters={"level": "level"}).datacollector
    with pytest.raises(BadArgumentError, match="has 1 rows, of which this collector wrote 0"):
        second.close()
    second._recorder.stores.clear()
    third = Meadow(collector=CrvCollector(dataset, {"level": "level"}, prefix="b_")).datacollector
    third.close()
    assert [t["table"] for t in dataset.tables()] == ["b_model", "model"]


@pytest.mark.parametrize(("arguments", "why"), [
    ({"skip": ["Gni"], "model_reporters": {"Gini": "gini"}}, "skip names 'Gni'"),
    ({"tables": {"agents": ["a"]}}, "two tables"), ({"tables": {"Model": ["a"]}}, "two tables"),
    ({"tables": {"messages": ["a"]}}, "crv has a table of that name"), ({"tables": {"交易": ["a"]}}, "up to 100 letters"),
    ({"prefix": "My "}, "up to 100 letters"),
    ({"agenttype_reporters": {Walker: {"a": "b"}, type("Walker", (mesa.Agent,), {}): {"a": "b"}}}, "two tables"),
])
def test_what_makes_no_collector(dataset, arguments, why):
    with pytest.raises(BadArgumentError, match=why):
        CrvCollector(dataset, **arguments)
    assert dataset.tables() == []


def test_the_run_is_one_that_every_reader_knows(dataset):
    model = Meadow(dataset, model_reporters={"Trade Volume": lambda m: 0.5}, agent_reporters={"energy": "energy"})
    run(model, 3).close()
    assert [(c["kind"], len(c["tables"])) for c in dataset.log()] == [("define", 2), *[("append", 2)] * 3]
    mean = dataset.scan("agents").group_by("tick", maintain_order=True).agg(pl.col("energy").mean()).collect()
    assert mean["tick"].to_list() == [0, 1, 2, 3]
    assert dataset.verify()["ok"]
