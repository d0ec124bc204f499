"""scan, read and scan_arrow: rows, order, ranges, limits, columns and snapshots."""

import decimal
import pickle

import cloudpickle
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from crv.core.grammar import TableName
from crv.io import Dataset
from crv.io.dataset import list_runs
from crv.io.errors import (BadLimitError, BadProjectionError, BadWhereError, IoArgumentError, IoManifestError,
                           IoSchemaError, UnknownTableInScanError)
from crv.io.read import read, scan

TICKS = [250, 1, 99, 100, 7]


@pytest.fixture
def filled(dataset, holdings):
    dataset.append("holdings", holdings(TICKS[:3]))
    dataset.append("holdings", holdings(TICKS[3:]))
    return dataset


def ticks(frame):
    return frame.collect()["tick"].to_list() if isinstance(frame, pl.LazyFrame) else frame["tick"].to_list()


def test_rows_come_by_bucket_then_commit_then_row(filled):
    assert ticks(filled.scan("holdings")) == [1, 99, 7, 100, 250]


@pytest.mark.parametrize(("where", "expected"), [
    (None, [1, 99, 7, 100, 250]),
    ({}, [1, 99, 7, 100, 250]),
    ({"tick_min": 99}, [99, 100, 250]),
    ({"tick_max": 99}, [1, 99, 7]),
    ({"tick_min": 99, "tick_max": 100}, [99, 100]),
    ({"tick_min": None, "tick_max": 7}, [1, 7]),
    ({"tick_min": 101, "tick_max": 249}, []),
    ({"tick_min": -5, "tick_max": 1}, [1]),
    ({"tick_min": 100, "tick_max": 99}, []),
    ({"tick_min": 251, "tick_max": 250}, []),
    ({"tick_min": 2**63 - 1, "tick_max": -(2**63)}, []),
    ({"tick_min": "9", "tick_max": 5.0}, []),
    ({"tick_min": "100"}, [100, 250]),
    ({"tick_min": 100.0}, [100, 250]),
    ({"tick_min": np.int64(100)}, [100, 250]),
    ({"tick_min": np.uint8(100)}, [100, 250]),
    ({"tick_min": np.float64(100)}, [100, 250]),
    ({"tick_min": decimal.Decimal(100)}, [100, 250]),
    ({"tick_max": 2**63 - 1, "tick_min": -(2**63)}, [1, 99, 7, 100, 250]),
])
def test_where_bounds_are_inclusive_and_taken_in_many_forms(filled, where, expected):
    assert ticks(filled.scan("holdings", where)) == expected
    assert ticks(filled.read("holdings", where)) == expected
    assert pl.from_arrow(filled.scan_arrow("holdings", where).read_all())["tick"].to_list() == expected


def test_a_range_whose_minimum_is_above_its_maximum_gives_no_rows_and_every_column(filled):
    """A loop over what is new asks for ticks from last + 1 up to last, as long as nothing has come."""
    where = {"tick_min": 251, "tick_max": 250}
    whole = filled.read("holdings")
    assert filled.read("holdings", where).schema == whole.schema
    assert filled.scan("holdings", where).collect_schema() == whole.schema
    assert filled.scan("holdings", where).filter(pl.col("tick") >= 0).select("quantity").collect().height == 0
    assert filled.scan("holdings", where).head(3).collect().schema == whole.schema
    assert filled.scan_arrow("holdings", where).read_all().schema == filled.scan_arrow("holdings").schema
    assert filled.relation("holdings", where).columns == whole.columns
    assert filled.relation("holdings", where).fetchall() == []
    assert "reads 0 of 4 parts" in filled.explain("holdings", where, filter=pl.col("tick") > 5, limit=3)
    assert read(filled.settings, filled.run_id, "holdings", where).equals(whole.clear())
    assert scan(filled.settings, filled.run_id, "holdings", where).collect().equals(whole.clear())
    assert filled.read("holdings", where, columns=["tick"]).schema == {"tick": pl.Int64}


@pytest.mark.parametrize("where", [
    {"tick_min": "abc"}, {"tick_min": 1.5}, {"tick_min": float("nan")}, {"tick_min": float("inf")},
    {"tick_min": object()}, {"tick_min": [1]}, {"tick_min": b"7"}, {"tick_min": True}, {"tick_min": 2**63},
    {"tick_min": ""}, {"ticks": 5}, {5: 5}, 5, [("tick_min", 5)], "tick_min",
])
def test_a_bad_where_is_refused_at_once_and_said_by_name(filled, where):
    for call in (filled.scan, filled.read, filled.scan_arrow, filled.explain):
        with pytest.raises(BadWhereError) as caught:
            call("holdings", where)
        assert isinstance(caught.value, ValueError) and isinstance(caught.value, IoArgumentError)
        assert "tick" in str(caught.value) or "5" in str(caught.value)


@pytest.mark.parametrize(("limit", "rows"), [(None, 5), (0, 0), (2, 2), (99, 5), ("2", 2), (2.0, 2), (np.int32(3), 3)])
def test_limit_takes_the_first_rows_of_the_scan(filled, limit, rows):
    assert ticks(filled.read("holdings", limit=limit)) == [1, 99, 7, 100, 250][:rows]
    assert filled.scan_arrow("holdings", limit=limit).read_all().num_rows == rows


def test_limit_counts_after_the_filter(filled):
    assert ticks(filled.read("holdings", {"tick_min": 50}, 2)) == [99, 100]


@pytest.mark.parametrize("limit", [-1, 1.9, "x", [1], object(), float("nan")])
def test_a_bad_limit_is_refused(filled, limit):
    with pytest.raises(BadLimitError) as caught:
        filled.read("holdings", limit=limit)
    assert isinstance(caught.value, ValueError) and "limit" in str(caught.value).lower()


def test_no_match_gives_no_rows_with_every_column(filled):
    frame = filled.read("holdings", {"tick_min": 9999})
    assert frame.height == 0
    assert frame.schema == {"bucket": pl.Int64, "tick": pl.Int64, "agent_id": pl.String, "token_id": pl.String,
                            "quantity": pl.Int64}


def test_columns_are_projected_in_the_order_asked_for(filled):
    assert filled.scan("holdings", columns=["quantity", "tick"]).collect_schema().names() == ["quantity", "tick"]
    assert filled.read("holdings", columns=["quantity"]).columns == ["quantity"]
    assert filled.read("holdings", {"tick_min": 99}, columns=["quantity"])["quantity"].to_list() == [2, 0, 0]
    assert filled.read("holdings", columns="tick").columns == ["tick"]
    assert filled.scan_arrow("holdings", columns=["agent_id"]).schema.names == ["agent_id"]


@pytest.mark.parametrize("columns", [["nope"], ["tick", "tick"], [5]])
def test_bad_columns_are_refused_by_name(filled, columns):
    with pytest.raises(BadProjectionError, match=str(columns[-1])) as caught:
        filled.scan("holdings", columns=columns)
    assert isinstance(caught.value, ValueError)


def test_a_table_that_is_not_in_the_run_is_said_at_once(filled):
    with pytest.raises(IoManifestError, match="rebuild"):
        filled.scan("messages")
    with pytest.raises(UnknownTableInScanError, match="nope") as caught:
        filled.scan("nope")
    assert isinstance(caught.value, ValueError)


def test_a_scan_is_a_snapshot(filled, holdings):
    frame = filled.scan("holdings")
    filled.append("holdings", holdings([3]))
    assert 3 not in ticks(frame) and 3 in ticks(filled.scan("holdings"))


def test_a_table_name_may_be_a_member_or_text(filled):
    assert ticks(filled.scan(TableName.HOLDINGS)) == ticks(filled.scan("holdings"))


def test_without_a_dataset(filled, settings):
    assert ticks(scan(settings, "village", "holdings", {"tick_max": 7})) == [1, 7]
    assert ticks(read(settings, "village", "holdings", {"tick_max": 7}, 1)) == [1]


def test_filters_and_selections_give_what_a_plain_frame_gives(filled):
    plain = filled.read("holdings")
    for filtered in (pl.col("tick").is_between(7, 100), pl.col("quantity") == 0, pl.col("agent_id") == "agent_1",
                     (pl.col("tick") > 5) & (pl.col("bucket") == 0), pl.col("tick").is_in([1, 250]),
                     ~pl.col("tick").is_between(7, 100), (pl.col("tick") < 5) | (pl.col("quantity") == 1),
                     pl.lit(True), pl.col("tick") % 2 == 1):
        for columns in (["tick"], ["quantity", "agent_id"], plain.columns):
            asked = filled.scan("holdings").filter(filtered).select(columns).collect()
            assert asked.equals(plain.filter(filtered).select(columns)), filtered
    lazy = filled.scan("holdings")
    assert lazy.head(2).collect().equals(plain.head(2))
    assert lazy.tail(2).collect().equals(plain.tail(2))
    assert lazy.select(pl.len()).collect().item() == 5
    assert lazy.filter(pl.col("tick") > 5).head(2).collect().equals(plain.filter(pl.col("tick") > 5).head(2))
    assert lazy.collect(engine="streaming").equals(plain)
    assert lazy.group_by("bucket").agg(pl.col("quantity").sum()).sort("bucket").collect().equals(
        plain.group_by("bucket").agg(pl.col("quantity").sum()).sort("bucket"))
    assert lazy.with_columns(x=pl.col("tick") + 1).filter(pl.col("x") == 8).collect()["tick"].to_list() == [7]


def test_a_filter_that_cannot_be_computed_is_the_filters_error(filled):
    with pytest.raises(pl.exceptions.PolarsError):
        filled.scan("holdings").filter(pl.col("agent_id").cast(pl.Int64) > 3).collect()
    with pytest.raises(pl.exceptions.PolarsError):
        filled.scan("holdings").filter(pl.col("nope") > 3).collect()


def test_a_scan_may_be_collected_often(filled):
    frame = filled.scan("holdings")
    assert frame.collect().equals(frame.collect())
    first, second = pl.collect_all([frame.filter(pl.col("tick") < 50), frame.select("tick")])
    assert first.height == 2 and second.height == 5


def test_a_scan_outlives_its_dataset(settings, holdings):
    with Dataset(settings, "r") as dataset:
        dataset.append("holdings", holdings([1]))
        frame, arrow = dataset.scan("holdings"), dataset.scan_arrow("holdings")
    del dataset
    assert ticks(frame) == [1] and arrow.read_all().num_rows == 1


def test_scan_arrow_is_a_reader_with_the_scans_schema(filled):
    reader = filled.scan_arrow("holdings", {"tick_max": 99})
    assert isinstance(reader, pa.RecordBatchReader)
    assert reader.schema.names == ["bucket", "tick", "agent_id", "token_id", "quantity"]
    assert pl.from_arrow(reader.read_all()).equals(filled.read("holdings", {"tick_max": 99}))


def test_datasets_and_scans_are_pickled(filled):
    again = pickle.loads(pickle.dumps(filled))
    assert (again.settings, again.run_id) == (filled.settings, filled.run_id)
    assert ticks(again.read("holdings")) == ticks(filled.read("holdings"))
    frame = cloudpickle.loads(cloudpickle.dumps(filled.scan("holdings", {"tick_max": 7})))
    assert ticks(frame) == [1, 7]


def test_the_run_tells_of_its_tables_schema_and_log(filled):
    (table,) = filled.tables()
    assert {key: table[key] for key in ("table", "rows", "parts", "tick_min", "tick_max", "buckets")} == {
        "table": "holdings", "rows": 5, "parts": 4, "tick_min": 1, "tick_max": 250, "buckets": [0, 1, 2]}
    assert filled.schema("holdings") == {"bucket": "i64", "tick": "i64", "agent_id": "str", "token_id": "str",
                                         "quantity": "i64"}
    assert filled.schema("messages") == {}
    assert [commit["seq"] for commit in filled.log()] == [1, 2]
    assert [commit["seq"] for commit in filled.log(after=1)] == [2]


def test_a_table_without_rows_has_no_schema_and_an_unknown_one_is_refused(settings, filled):
    for dataset in (filled, Dataset(settings, "no_such_run")):
        for table in [*TableName, *(table.value for table in TableName), "quarantine"]:
            if table not in (TableName.HOLDINGS, "holdings"):
                assert dataset.schema(table) == {}
        with pytest.raises(IoSchemaError, match='no table "holding"; did you mean "holdings"') as caught:
            dataset.schema("holding")
        assert caught.value.code == "unknown_table"
        assert caught.value.facts == {"run_id": dataset.run_id, "table": "holding", "value": "holding"}
    assert list_runs(settings) == ["village"]


def test_runs_are_listed(settings, filled, holdings):
    with Dataset(settings, "a_second") as other:
        other.append("holdings", holdings([1]))
    assert list_runs(settings) == ["a_second", "village"]
