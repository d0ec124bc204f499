"""append: what it returns, what is on disk once it has, and that it is whole."""

import json
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import polars.testing
import pyarrow.parquet as pq
import pytest

from crv.core.grammar import TableName
from crv.core.versioning import SCHEMA_V
from crv.io import Dataset, IoSettings
from crv.io.errors import BadArgumentError, IoSchemaError, TokenOrderError
from crv.io.write import append


def test_the_summary_has_exactly_the_keys_of_the_contract(dataset, settings, holdings):
    summary = dataset.append("holdings", holdings([250, 1, 99]))
    assert list(summary) == ["table", "run_id", "parts", "rows", "buckets"]
    assert (summary["table"], summary["run_id"], summary["rows"], summary["buckets"]) == (
        "holdings", "village", 3, [0, 2])
    first, second = summary["parts"]
    assert list(first) == ["bucket_id", "path", "rows", "bytes", "tick_min", "tick_max"]
    assert (first["bucket_id"], first["rows"], first["tick_min"], first["tick_max"]) == (0, 2, 1, 99)
    assert (second["bucket_id"], second["rows"], second["tick_min"], second["tick_max"]) == (2, 1, 250, 250)
    folder = f"{settings.root_dir}/runs/village/tables/holdings/bucket=000000/"
    assert re.fullmatch(re.escape(folder) + r"part-[0-9a-f]{32}\.parquet", first["path"])
    assert Path(first["path"]).stat().st_size == first["bytes"]
    assert isinstance(summary, dict) and json.loads(json.dumps(summary)) == summary


def test_a_relative_root_stays_relative(tmp_path, monkeypatch, settings, holdings):
    monkeypatch.chdir(tmp_path)
    from crv.io import IoSettings

    with Dataset(IoSettings(root_dir="here", durability="none"), "r") as dataset:
        path = dataset.append("holdings", holdings([1]))["parts"][0]["path"]
    assert path.startswith("here/runs/r/tables/holdings/bucket=000000/part-")
    assert (tmp_path / path).is_file()


def test_a_part_holds_the_rows_of_its_bucket_in_the_callers_order(dataset, holdings):
    frame = holdings([120, 7, 130, 5, 110])
    summary = dataset.append(TableName.HOLDINGS, frame)
    by_bucket = [pl.read_parquet(part["path"], hive_partitioning=False) for part in summary["parts"]]
    assert [part["tick"].to_list() for part in by_bucket] == [[7, 5], [120, 130, 110]]
    assert [part["quantity"].to_list() for part in by_bucket] == [[1, 3], [0, 2, 4]]
    assert by_bucket[0].columns == ["bucket", "tick", "agent_id", "token_id", "quantity"]


def test_a_parts_footer_has_the_contracts_keys_first(dataset, holdings):
    path = dataset.append("holdings", holdings([1]))["parts"][0]["path"]
    pairs = duckdb.sql(f"select key, value from parquet_kv_metadata('{path}')").fetchall()
    version = f"{SCHEMA_V.major}.{SCHEMA_V.minor}@{SCHEMA_V.date}".encode()
    assert pairs[:3] == [(b"crv_schema_version", version), (b"crv_table_name", b"holdings"),
                         (b"crv_run_id", b"village")]


def test_columns_that_were_not_given_are_absent_from_the_part_and_null_in_a_scan(dataset):
    path = dataset.append("identity_edges", {"tick": [1], "observer_agent_id": ["a"], "edge_kind": ["x"],
                                             "edge_weight": [0.5]})["parts"][0]["path"]
    assert pq.read_schema(path).names == ["bucket", "tick", "observer_agent_id", "edge_kind", "edge_weight"]
    row = dataset.read("identity_edges").row(0, named=True)
    assert row["subject_id"] is None and row["edge_sign"] is None and row["edge_weight"] == 0.5


def test_a_bucket_column_of_the_callers_is_replaced(dataset, holdings):
    dataset.append("holdings", holdings([150]).with_columns(bucket=pl.lit(77)))
    assert dataset.read("holdings")["bucket"].to_list() == [1]


@pytest.mark.parametrize("columns", [[], ["tick"], ["tick", "agent_id", "token_id", "quantity"]])
def test_a_frame_without_rows_writes_nothing(dataset, settings, holdings, files, columns):
    frame = holdings([]).select(columns)
    summary = dataset.append("holdings", frame)
    assert summary == {"table": "holdings", "run_id": "village", "parts": [], "rows": 0, "buckets": []}
    assert files(Path(settings.root_dir).parent) == {}


@pytest.mark.parametrize("column", ["nothing", "quantity"])
def test_a_frame_without_rows_must_have_the_tables_columns_and_types(dataset, settings, files, column):
    with pytest.raises(IoSchemaError) as caught:
        dataset.append("holdings", pl.DataFrame(schema={"tick": pl.Int64, column: pl.Struct({"a": pl.Int64})}))
    assert caught.value.facts["column"] == column
    assert files(Path(settings.root_dir).parent) == {}


def test_big_ticks_and_buckets_with_more_digits(dataset, holdings):
    last = 2**63 - 1
    summary = dataset.append("holdings", holdings([100_000_000, last]))
    assert summary["buckets"] == [1_000_000, last // 100]
    assert "/bucket=1000000/" in summary["parts"][0]["path"]
    assert dataset.read("holdings", {"tick_min": last})["tick"].to_list() == [last]


def test_append_without_a_dataset(settings, holdings):
    summary = append(settings, "village", "holdings", holdings([5]), validate_schema=True, validate_rows=False)
    assert summary["rows"] == 1
    assert Dataset(settings, "village").read("holdings").height == 1


def test_append_many_is_one_commit(dataset, holdings, message):
    done = dataset.append_many({TableName.HOLDINGS: holdings([1, 101]), "messages": [message(3, {"to": "all"})]})
    assert list(done) == ["holdings", "messages"]
    assert done["holdings"]["rows"] == 2 and done["messages"]["rows"] == 1
    (commit,) = dataset.log()
    assert [(t["table"], t["rows_added"]) for t in commit["tables"]] == [("holdings", 2), ("messages", 1)]


def test_append_many_is_whole_or_absent(dataset, holdings, message, settings, files):
    dataset.append("holdings", holdings([1]))
    dataset.refresh_manifests()
    before = files(settings.root_dir)
    with pytest.raises(IoSchemaError, match="topic_label"):
        bad = {key: value for key, value in message(3, {}).items() if key != "topic_label"}
        dataset.append_many({"holdings": holdings([2]), "messages": [bad]})
    assert files(settings.root_dir) == before
    assert dataset.read("holdings").height == 1


def test_append_many_takes_a_table_once(dataset, holdings):
    with pytest.raises(BadArgumentError, match="holdings"):
        dataset.append_many({"holdings": holdings([1]), TableName.HOLDINGS: holdings([2])})
    assert dataset.manifest("holdings") is None


def test_a_token_makes_an_append_repeatable(dataset, holdings):
    first = dataset.append("holdings", holdings([1]), token=("engine", 5))
    assert dataset.append("holdings", holdings([1]), token=("engine", 5)) == first
    assert dataset.read("holdings").height == 1
    with pytest.raises(TokenOrderError, match="engine"):
        dataset.append("holdings", holdings([2]), token=("engine", 4))
    with pytest.raises(TokenOrderError):
        dataset.append("holdings", holdings([2, 3]), token=("engine", 5))
    assert dataset.log()[-1]["token"] == ("engine", 5)
    dataset.append("holdings", holdings([3]))
    for commit in dataset.log():
        assert list(commit) == ["seq", "id", "time", "writer", "kind", "token", "complete_through", "tables"]
    assert dataset.log()[-1]["token"] is None


@pytest.mark.parametrize("token", ["ab", ("a",), (1, 2), ("a", "b"), ("a", 1, 2), ("a", True), ("a", 2**63), 7])
def test_what_is_no_token_is_refused_by_name(dataset, holdings, token):
    with pytest.raises(BadArgumentError, match="token") as caught:
        dataset.append("holdings", holdings([1]), token=token)
    assert repr(token) in str(caught.value)
    assert dataset.manifest("holdings") is None


def test_complete_through_stands_in_the_log(dataset, holdings):
    dataset.append("holdings", holdings([1]), complete_through=7)
    assert dataset.log()[0]["complete_through"] == 7


def test_without_strict_schema_extra_columns_are_kept_behind_the_tables(settings, holdings):
    from dataclasses import replace

    with Dataset(replace(settings, strict_schema=False), "r") as dataset:
        dataset.append("holdings", holdings([1], note=["dry"], score=[1.5]))
        dataset.append("holdings", holdings([2], score=[2]))
        frame = dataset.read("holdings")
    assert frame.columns == ["bucket", "tick", "agent_id", "token_id", "quantity", "note", "score"]
    assert frame["note"].to_list() == ["dry", None] and frame["score"].to_list() == [1.5, 2.0]


def test_validate_schema_off_still_conforms_types(dataset):
    dataset.append("holdings", {"tick": [1], "quantity": ["12"]}, validate_schema=False)
    assert dataset.read("holdings").row(0, named=True) == {
        "bucket": 0, "tick": 1, "agent_id": None, "token_id": None, "quantity": 12}


def test_validate_rows_runs_the_row_models_rules(dataset):
    edge = {"tick": 3, "observer_agent_id": "a", "edge_kind": "self_to_object", "edge_weight": 1.0}
    with pytest.raises(IoSchemaError) as caught:
        dataset.append("identity_edges", [{**edge, "edge_kind": "agent_to_positive_valence", "subject_id": "b"}, edge],
                       validate_rows=True)
    error = caught.value
    assert error.code == "row_rule" and error.facts["row"] == 1 and error.facts["table"] == "identity_edges"
    assert "subject_id, token_id" in str(error)
    dataset.append("identity_edges", [edge])
    assert dataset.read("identity_edges").height == 1


def test_settings_reach_the_parts(settings, holdings):
    from dataclasses import replace

    for codec in ("zstd", "lz4", "snappy"):
        with Dataset(replace(settings, compression=codec, row_group_size=10), codec) as dataset:
            path = dataset.append("holdings", holdings(range(35)))["parts"][0]["path"]
        metadata = pq.read_metadata(path)
        assert metadata.num_row_groups == 4
        assert metadata.row_group(0).column(0).compression.lower().startswith(codec)


def test_progress_is_told_of_parts(dataset, holdings):
    told = []
    dataset.append("holdings", holdings(range(0, 500, 100)), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (5, 5) and [done for done, _ in told] == sorted(done for done, _ in told)


def test_what_progress_throws_ends_the_append_with_the_run_as_it_was(dataset, holdings):
    dataset.append("holdings", holdings([1]))

    class Enough(Exception):
        pass

    def stop(done, total):
        raise Enough

    with pytest.raises(Enough):
        dataset.append("holdings", holdings(range(0, 5000, 100)), progress=stop)
    assert dataset.read("holdings").height == 1 and dataset.verify()["ok"]
    dataset.append("holdings", holdings([2]))
    assert dataset.read("holdings")["tick"].to_list() == [1, 2]


def test_a_closed_dataset_opens_again_when_it_is_used(dataset, holdings):
    dataset.append("holdings", holdings([1]))
    dataset.close()
    dataset.close()
    dataset.append("holdings", holdings([2]))
    assert dataset.read("holdings").height == 2


def test_manifests_are_fresh_for_readers_that_know_nothing_else_once_closed(settings, holdings):
    with Dataset(settings, "r") as dataset:
        for tick in range(5):
            dataset.append("holdings", holdings([tick * 100]))
    path = Path(settings.root_dir) / "runs/r/tables/holdings/manifest.json"
    manifest = json.loads(path.read_text())
    assert [p["row_count"] for p in manifest["partitions"].values()] == [1] * 5
    assert list(manifest)[:5] == ["table", "version", "created_at", "updated_at", "partitions"]


def test_what_is_read_back_is_what_was_given(dataset, holdings):
    frame = holdings([3, 1, 2])
    dataset.append("holdings", frame)
    polars.testing.assert_frame_equal(dataset.read("holdings").drop("bucket"), frame)


STANDS = """
import resource, signal, sys, warnings
from pathlib import Path
from crv.io import Dataset, IoSettings

settings = IoSettings(root_dir=sys.argv[1], durability="none")
rows = lambda tick: {"tick": [tick], "agent_id": ["a"], "token_id": ["t"], "quantity": [tick]}
with Dataset(settings, "r") as dataset:
    for tick in range(40):
        dataset.append("holdings", rows(tick))
# No file may grow beyond 8 KiB from here on: parts and commits are smaller, the manifest of 40 parts is not.
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
if sys.argv[2] == "error":
    warnings.simplefilter("error")
else:
    warnings.simplefilter("always")
dataset = Dataset(settings, "r")
assert dataset.append("holdings", rows(40))["rows"] == 1
assert dataset.append("holdings", rows(41))["rows"] == 1
dataset.close()
with Dataset(settings, "r") as dataset:
    dataset.append("holdings", rows(42))
left_open = Dataset(settings, "r")
left_open.append("holdings", rows(43))
print(left_open.read("holdings").height)
"""


@pytest.mark.parametrize("warned", ["error", "always"])
def test_an_append_that_stands_returns_though_the_manifest_cannot_be_refreshed(tmp_path, warned):
    done = subprocess.run([sys.executable, "-c", STANDS, tmp_path, warned], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "44\n"), done.stderr
    assert "The rows are committed, but the manifest of table holdings could not be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert Dataset(IoSettings(root_dir=str(tmp_path), durability="none"), "r").read("holdings")["tick"].to_list() == list(range(44))
