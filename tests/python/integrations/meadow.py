"""Models that the tests of CrvCollector share, and what they compare. Also imported by programs that they start."""

import enum

import mesa
from pandas.testing import assert_frame_equal

from crv.integrations.mesa import CrvCollector
from crv.io import Dataset, IoSettings


def run(model, steps=8):
    for _ in range(steps):
        model.step()
    return model.datacollector


def assert_same(ours, theirs):
    assert_frame_equal(ours.get_model_vars_dataframe(), theirs.get_model_vars_dataframe(), check_dtype=False)
    assert list(ours.model_vars) == list(theirs.model_vars)
    if theirs.agent_reporters:
        assert_frame_equal(ours.get_agent_vars_dataframe(), theirs.get_agent_vars_dataframe(), check_dtype=False)
        assert list(ours._agent_records) == list(theirs._agent_records)


def assert_same_agents(model):
    ours, theirs = model.datacollector, model.theirs
    assert_frame_equal(ours.get_agent_vars_dataframe(), theirs.get_agent_vars_dataframe(), check_dtype=False)


def settings_of(root):
    return IoSettings(root_dir=str(root), durability="none")


class Walker(mesa.Agent):
    def __init__(self, model):
        super().__init__(model)
        self.pos = (self.unique_id, 0)
        self.path = []
        self.energy = 3

    def step(self):
        self.pos = (self.pos[0], self.pos[1] + 1)
        self.path.append(self.pos[1])
        self.energy -= self.unique_id % 3
        if self.energy < 0:
            if "Final Words" in self.model.datacollector.tables:
                self.model.datacollector.add_table_row("Final Words", {"who": self.unique_id, "age": self.model.steps})
            self.remove()


class HTTPWolf(Walker):
    pass


class Mood(enum.Enum):
    CALM = "calm"


class Meadow(mesa.Model):
    """Both collectors at once, over the same agents: `theirs` is Mesa's own."""

    def __init__(self, dataset=None, n=4, wolves=2, collector=None, **reporters):
        super().__init__(seed=1)
        self.level = 0
        self.datacollector = collector or CrvCollector(dataset, **reporters)
        self.theirs = mesa.DataCollector(**reporters)
        Walker.create_agents(self, n)
        HTTPWolf.create_agents(self, wolves)
        self.collect()

    def collect(self):
        self.datacollector.collect(self)
        self.theirs.collect(self)

    def step(self):
        self.agents.do("step")
        self.collect()


def scaled(model, by):
    return model.steps * by


class Counts(mesa.Model):
    """No agents; what its one reporter gives is handed in, a value a step."""

    def __init__(self, dataset, *values, **options):
        super().__init__(seed=1)
        self.values = list(values)
        self.datacollector = CrvCollector(dataset, {"x": lambda m: m.values[m.steps - 1]}, **options)

    def step(self):
        self.datacollector.collect(self)


class Batched(mesa.Model):
    def __init__(self, root="", wolves=1, agents=True, seed=None):
        super().__init__(seed=seed)
        reporters = {"agent_reporters": {"energy": "energy"}} if agents else {}
        if root:
            dataset = Dataset(settings_of(root), f"run_{wolves}")
            self.datacollector = CrvCollector(dataset, {"n": lambda m: len(m.agents)}, **reporters)
        else:
            self.datacollector = mesa.DataCollector({"n": lambda m: len(m.agents)}, **reporters)
        Walker.create_agents(self, wolves)
        self.datacollector.collect(self)

    def step(self):
        self.agents.do(lambda a: setattr(a, "energy", a.energy + 1))
        self.datacollector.collect(self)


class Plain(mesa.Model):
    """Can be pickled: no lambdas, and no agent reporters, which Mesa makes into lambdas of its own."""

    def __init__(self, dataset):
        super().__init__(seed=1)
        self.datacollector = CrvCollector(dataset, {"steps": "steps"}, tables={"t": ["a"]})

    def step(self):
        self.datacollector.add_table_row("t", {"a": self.steps})
        self.datacollector.collect(self)
