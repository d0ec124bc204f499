"""Random histories of a run against a plain model: appends, scans, rebuilds, reopenings."""

import json
import shutil
import tempfile
from pathlib import Path

import hypothesis
import polars as pl
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from plain_model import UNIVERSES, same, structs, type_of, unite, widened
from random_tests import SEED, settings

from crv.io import Dataset, IoSettings
from crv.io.errors import IoManifestError, IoSchemaError

TICKS = st.integers(0, 40)
EDGE = {"subject_id": st.none() | st.text(max_size=3), "object_id": st.none() | st.sampled_from(["o", "naïve"]),
        "token_id": st.none() | st.just("t"), "edge_sign": st.none() | st.integers(-1, 1)}


class Run(RuleBasedStateMachine):
    durability = "none"
    tables = ("exchange", "identity_edges")  # of trades, whose payload is open, and of edges
    create = False

    def __init__(self):
        super().__init__()
        self.root = tempfile.mkdtemp()
        self.trades, self.edges = self.tables
        self.rows = {table: [] for table in self.tables}  # in commit order: (bucket, tick, facts)
        self.commits = 0
        self.numbers = 0

    @initialize(universe=UNIVERSES, size=st.integers(1, 15))
    def begin(self, universe, size):
        self.universe = universe
        self.size = size
        self.settings = IoSettings(root_dir=self.root, tick_bucket_size=size, durability=self.durability)
        self.dataset = Dataset(self.settings, "run")

    def teardown(self):
        if hasattr(self, "dataset"):
            for table in self.rows:
                self.compare(table)
            if self.commits:
                assert self.dataset.verify()["ok"], self.dataset.verify()
            log = self.dataset.log()
            assert [commit["seq"] for commit in log] == list(range(1, len(log) + 1))
            assert sum(any(table["parts_added"] for table in commit["tables"]) for commit in log) == self.commits
            self.dataset.close()
        shutil.rmtree(self.root)

    # ---- the model ----

    def frame_of_trades(self, data):
        rows = data.draw(st.lists(st.tuples(TICKS, structs(self.universe)), min_size=1, max_size=4))
        return [{"tick": tick, "venue_id": "v", "token_id": "t", "exchange_event_type": "trade",
                 "additional_payload": payload} for tick, payload in rows]

    def frame_of_edges(self, data):
        left_in = data.draw(st.sets(st.sampled_from(sorted(EDGE))))
        row = st.fixed_dictionaries({"tick": TICKS, "edge_weight": st.floats(0, 1) | st.integers(0, 1),
                                     **{name: EDGE[name] for name in sorted(left_in)}})
        return [{"observer_agent_id": "a", "edge_kind": "self_to_object", **given}
                for given in data.draw(st.lists(row, min_size=1, max_size=4))]

    def remember(self, table, rows):
        self.rows[table] += [(row["tick"] // self.size, row) for row in rows]

    def expected(self, table):
        rows = sorted(self.rows[table], key=lambda pair: pair[0])
        if table == self.edges:
            names = ["tick", "edge_weight", *sorted(EDGE)]
            return names, [[float(v) if n == "edge_weight" else v for n in names for v in [row.get(n)]]
                           for _, row in rows]
        kind = ("struct", {})
        for _, row in rows:
            kind = unite(kind, type_of(row["additional_payload"]))
        return ["tick", "additional_payload"], [[row["tick"], widened(row["additional_payload"], kind)]
                                                for _, row in rows]

    def compare(self, table, low=None, high=None):
        if not self.rows[table]:
            try:
                found = self.dataset.read(table)
            except IoManifestError:
                return
            assert found.height == 0
            return
        names, rows = self.expected(table)
        where = {key: value for key, value in (("tick_min", low), ("tick_max", high)) if value is not None}
        rows = [row for row in rows if (low is None or row[0] >= low) and (high is None or row[0] <= high)]
        for frame in (self.dataset.read(table, where, columns=names),
                      pl.from_arrow(self.dataset.scan_arrow(table, where, columns=names).read_all())):
            found = [list(row) for row in frame.rows()]
            assert len(found) == len(rows)
            for one, other in zip(found, rows, strict=True):
                assert same(one, other), f"{one!r} is not {other!r}"

    # ---- what happens ----

    @rule(data=st.data())
    def append_trades(self, data):
        rows = self.frame_of_trades(data)
        summary = self.dataset.append(self.trades, rows, create=self.create)
        self.remember(self.trades, rows)
        self.commits += 1
        assert summary["rows"] == len(rows)
        assert summary["buckets"] == sorted({row["tick"] // self.size for row in rows})

    @rule(data=st.data())
    def append_edges(self, data):
        rows = self.frame_of_edges(data)
        columns = list({name: None for row in rows for name in row})
        self.dataset.append(self.edges, {name: [row.get(name) for row in rows] for name in columns})
        self.remember(self.edges, rows)
        self.commits += 1

    @rule(data=st.data())
    def append_both(self, data):
        trades, edges = self.frame_of_trades(data), self.frame_of_edges(data)
        self.dataset.append_many({self.trades: trades, self.edges: edges}, create=self.create)
        self.remember(self.trades, trades)
        self.remember(self.edges, edges)
        self.commits += 1

    @rule(data=st.data())
    def append_twice_with_one_token(self, data):
        rows = self.frame_of_trades(data)
        self.numbers += 1
        given = {"create": self.create, "token": ("w", self.numbers)}
        first = self.dataset.append(self.trades, rows, **given)
        first.pop("defined", None)
        assert self.dataset.append(self.trades, rows, **given) == first
        self.remember(self.trades, rows)
        self.commits += 1

    @rule(wrong=st.sampled_from([{"tick": -1}, {"tick": None}, {"edge_weight": "heavy"}, {"edge_weight": None},
                                 {"more": 1}]))
    def append_what_is_refused(self, wrong):
        row = {"tick": 1, "observer_agent_id": "a", "edge_kind": "self_to_object", "edge_weight": 1.0, **wrong}
        try:
            self.dataset.append(self.edges, [row])
        except IoSchemaError:
            return
        raise AssertionError("it was taken")

    @rule(table=st.sampled_from([0, 1]), low=st.none() | TICKS, high=st.none() | TICKS)
    def scan(self, table, low, high):
        if low is not None and high is not None and low > high:
            low, high = high, low
        self.compare(self.tables[table], low, high)

    @rule()
    def reopen(self):
        self.dataset.close()
        self.dataset = Dataset(self.settings, "run")

    @rule()
    def go_on_in_another_dataset(self):
        """The first one stays open, and is not told."""
        self.dataset = Dataset(self.settings, "run")

    @rule(table=st.sampled_from([0, 1]))
    def rebuild(self, table):
        name = self.tables[table]
        if self.dataset.definition(name) is None:
            return
        manifest = self.dataset.rebuild_manifest(name)
        assert sum(p.row_count for p in manifest.partitions.values()) == len(self.rows[name])

    @precondition(lambda self: self.commits)
    @rule(number=st.sampled_from([0, 1]))
    def lose_a_manifest(self, number):
        self.dataset.close()
        table = self.tables[number]
        path = Path(self.root) / "runs/run/tables" / table / "manifest.json"
        if not path.exists():
            return
        path.unlink()
        self.dataset = Dataset(self.settings, "run")
        self.dataset.rebuild_manifest(table)
        self.compare(table)

    @precondition(lambda self: self.commits)
    @rule()
    def close_leaves_fresh_manifests(self):
        self.dataset.close()
        for table, rows in self.rows.items():
            path = Path(self.root) / "runs/run/tables" / table / "manifest.json"
            if rows:
                manifest = json.loads(path.read_text())
                assert sum(p["row_count"] for p in manifest["partitions"].values()) == len(rows)


class DurableRun(Run):
    durability = "commit"


class OwnRun(Run):
    """The same of tables of the user's own: one is inferred from its rows, one is declared."""

    tables = ("trades", "edges")
    create = True

    @initialize(universe=UNIVERSES, size=st.integers(1, 15))
    def begin(self, universe, size):
        super().begin(universe, size)
        text = str | None
        self.dataset.create_table("edges", {
            "tick": int, "observer_agent_id": str, "edge_kind": str, "edge_weight": float, "edge_sign": int | None,
            "subject_id": text, "object_id": text, "token_id": text})


class DurableOwnRun(OwnRun):
    durability = "commit"


def test_a_thousand_histories():
    run_state_machine_as_test(hypothesis.seed(SEED)(Run), settings=settings(1000, stateful_step_count=15))


def test_histories_of_own_tables():
    run_state_machine_as_test(hypothesis.seed(SEED)(OwnRun), settings=settings(300, stateful_step_count=15))


def test_durable_histories():
    for run in (DurableRun, DurableOwnRun):
        run_state_machine_as_test(hypothesis.seed(SEED)(run), settings=settings(50, stateful_step_count=15))
