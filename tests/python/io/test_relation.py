"""relation: the table for DuckDB, as often as one likes, with columns and filters pushed down to the parts."""

import random
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from random_tests import SEED

from crv.io import Dataset, IoSettings

TICKS = [250, 1, 99, 100, 7]


@pytest.fixture
def filled(dataset, holdings):
    dataset.append("holdings", holdings(TICKS[:3]))
    dataset.append("holdings", holdings(TICKS[3:]))
    return dataset


@pytest.fixture
def only(filled, settings):
    """only(ticks): leaves no part of the run but those that hold one of these ticks."""

    def leave(ticks):
        for part in filled._planned("holdings", None, None).plan():
            if not any(part["tick_min"] <= tick <= part["tick_max"] for tick in ticks):
                Path(part["path"]).unlink()

    return leave


def sql(relation, query):
    return relation.query("t", query).fetchall()


def test_a_relation_is_for_duckdb(filled):
    assert filled.relation("holdings").aggregate("count(*), sum(tick)").fetchall() == [(5, sum(TICKS))]
    connection = duckdb.connect()
    relation = filled.relation("holdings", {"tick_min": 100}, columns=["tick"], connection=connection)
    assert sorted(relation.fetchall()) == [(100,), (250,)]


def test_a_relation_is_used_more_than_once(filled, holdings):
    relation = filled.relation("holdings")
    for _ in range(3):
        assert sorted(relation.project("tick").fetchall()) == sorted((tick,) for tick in TICKS)
        assert relation.filter("tick > 99").aggregate("count(*)").fetchall() == [(2,)]
    assert relation.shape == (5, 5) and len(relation.df()) == 5 and relation.pl().height == 5
    assert sql(relation, "select count(*) from t a join t b using (tick)") == [(5,)]
    assert sql(relation, "select max(tick) from (select * from t union all select * from t)") == [(250,)]
    filled.append("holdings", holdings([3]))
    assert relation.aggregate("count(*)").fetchall() == [(5,)]  # a snapshot
    assert filled.relation("holdings").aggregate("count(*)").fetchall() == [(6,)]


def test_a_relation_outlives_its_dataset(settings, holdings):
    with Dataset(settings, "r") as dataset:
        dataset.append("holdings", holdings(TICKS))
        relation = dataset.relation("holdings")
    del dataset
    assert [relation.aggregate("sum(tick)").fetchall() for _ in range(2)] == [[(sum(TICKS),)]] * 2


@pytest.mark.parametrize(("query", "ticks"), [
    ("select tick from t where tick > 100", [250]),
    ("select agent_id from t where tick between 90 and 99", [99]),
    ("select quantity from t where tick in (1, 7)", [1, 7]),
    ("select count(*) from t where bucket = 2", [250]),
    ("select * from t where tick >= 100 and token_id = 'grain'", [100, 250]),
    ("select tick from t where (tick = 1 or tick = 250) and agent_id is not null", [1, 250]),
    ("select tick from t where tick >= 100 and tick < 101", [100]),
    ("select sum(quantity) from t where tick <= 0", []),
])
def test_a_filter_on_ticks_opens_only_the_parts_that_can_match(filled, only, query, ticks):
    relation = filled.relation("holdings")
    expected = sorted(sql(relation, query))
    only(ticks)
    assert sorted(sql(relation, query)) == expected
    with pytest.raises(duckdb.Error, match="part-"):
        relation.project("tick").fetchall()


def test_only_the_columns_that_are_needed_are_read(filled):
    """Of the others not one page is looked at: they may be damaged."""
    from crv.io._arrow import ScanDataset

    asked = []

    class Spied:
        def __init__(self, scan):
            self.scan = scan

        def __getattr__(self, name):
            return getattr(self.scan, name)

        def select(self, names):
            asked.append(names)
            return self.scan.select(names)

        def prune_by_arrow(self, serialized):
            scan, about = self.scan.prune_by_arrow(serialized)
            return Spied(scan), about

    dataset = ScanDataset(filled._planned("holdings", None, None))
    dataset._scan = Spied(dataset._scan)
    connection = duckdb.connect()
    relation = connection.from_arrow(dataset)
    assert sql(relation, "select sum(tick) from t") == [(sum(TICKS),)]
    assert sql(relation, "select token_id from t where quantity = 2") == [("grain",)]
    assert sql(relation, "select count(*) from t") == [(5,)]
    assert [sorted(names) for names in asked[:2]] == [["tick"], ["quantity", "token_id"]] and len(asked[2]) == 1


def test_the_dataset_behind_it_is_one_of_pyarrow(filled):
    from crv.io._arrow import ScanDataset

    dataset = ScanDataset(filled._planned("holdings", None, None))
    assert dataset.to_table().equals(filled.scan_arrow("holdings").read_all())
    assert dataset.count_rows() == 5 and dataset.head(2).num_rows == 2
    assert dataset.count_rows(filter=pc.field("tick") > 99) == 2
    assert dataset.to_table(columns={"twice": pc.field("tick") * 2}, filter=pc.field("bucket") == 2).to_pydict() == {
        "twice": [500]}
    assert dataset.to_table(columns=[], filter=pc.field("agent_id") == "agent_0").num_rows == 2
    assert dataset.to_table(columns=["quantity", "tick"]).column_names == ["quantity", "tick"]
    with pytest.raises(pa.ArrowInvalid, match="nope"):
        dataset.to_table(columns=["nope"])
    with pytest.raises(pa.ArrowInvalid, match="nope"):
        dataset.to_table(filter=pc.field("nope") > 1)


def test_random_filters_give_what_duckdb_finds_in_a_plain_table(settings):
    """Over parts of many sizes; NULL, NOT, OR and functions of ticks among them."""
    dice = random.Random(SEED)
    with Dataset(IoSettings(root_dir=settings.root_dir, tick_bucket_size=10, durability="none"), "r") as dataset:
        for _ in range(8):
            ticks = [dice.randrange(200) for _ in range(dice.randrange(1, 30))]
            dataset.append("exchange", [
                {"tick": tick, "venue_id": dice.choice("vw"), "token_id": "t", "exchange_event_type": "trade",
                 "quantity": dice.choice([None, 1.5, 2.0]), "additional_payload": {"n": dice.randrange(3)}}
                for tick in ticks])
        relation, plain = dataset.relation("exchange"), dataset.read("exchange").to_arrow()

    def condition(depth=0):
        kind = dice.randrange(8 if depth < 2 else 6)
        tick, operator = dice.randrange(-5, 210), dice.choice(["<", "<=", "=", ">=", ">", "<>"])
        return [
            lambda: f"tick {operator} {tick}",
            lambda: f"bucket {operator} {tick // 10}",
            lambda: f"tick in ({tick}, {tick + 3}, {tick + 50})",
            lambda: dice.choice(["quantity is null", "quantity is not null", "quantity > 1.5", "venue_id = 'v'"]),
            lambda: dice.choice(["tick % 7 = 3", "additional_payload.n = 1", "tick / 2 > quantity", "bucket is not null"]),
            lambda: f"tick between {tick} and {tick + 40}",
            lambda: f"({condition(depth + 1)} {dice.choice(['and', 'or'])} {condition(depth + 1)})",
            lambda: f"not ({condition(depth + 1)})",
        ][kind]()

    connection = duckdb.connect()
    connection.register("plain", plain)
    for _ in range(60):
        where = f"{condition()} and {condition()}"
        query = f"select tick, venue_id, quantity from {{}} where {where}"
        expected = pl.from_arrow(connection.sql(query.format("plain")).to_arrow_table())
        found = pl.from_arrow(relation.query("t", query.format("t")).to_arrow_table())
        assert found.sort(pl.all()).equals(expected.sort(pl.all())), where


def test_a_relation_of_a_table_without_rows(dataset, holdings):
    dataset.append("holdings", holdings([1]))
    relation = dataset.relation("holdings", {"tick_min": 5})
    assert relation.fetchall() == [] and relation.filter("tick > 0").fetchall() == []
    assert relation.aggregate("count(*)").fetchall() == [(0,)]
