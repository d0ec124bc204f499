"""A filter on ticks opens only the parts that can match; a filter on others skips row groups; a select reads only its
columns."""

import re
from pathlib import Path

import polars as pl
import pytest

PARTS = 10_000


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """10,000 buckets of one row each, the ticks 0, 100, 200, ..."""
    from crv.io import Dataset, IoSettings

    with Dataset(IoSettings(root_dir=str(tmp_path_factory.mktemp("wide")), durability="none"), "wide") as dataset:
        ticks = range(0, PARTS * 100, 100)
        dataset.append("holdings", {"tick": ticks, "agent_id": [f"a{t % 7}" for t in ticks], "token_id": ["t"] * PARTS,
                                    "quantity": ticks})
        yield dataset


def counts(text):
    read, of = re.search(r"reads (\d+) of (\d+) parts", text).groups()
    return int(read), int(of)


@pytest.mark.parametrize(("condition", "parts"), [
    (pl.col("tick").is_between(500_000, 500_400), 5),
    (pl.col("tick") == 700, 1),
    (pl.col("tick") == 701, 0),
    ((pl.col("tick") >= 999_900) & (pl.col("agent_id") == "a1"), 1),
    ((pl.col("agent_id") == "a1") & (pl.col("quantity") > 3) & (pl.col("tick") < 250), 3),
    (pl.col("bucket") == 77, 1),
    (pl.col("bucket").is_in([1, 2, 9999]), 3),
    (pl.col("tick").is_in([100, 123, 300]), 2),
    ((pl.col("tick") < 100) | (pl.col("tick") > 999_800), 2),
    (~(pl.col("tick") > 150), 2),
    ((pl.col("tick") // 100) % 1000 == 0, 10),
    (pl.col("tick").is_null(), 0),
    (pl.col("agent_id") == "a1", PARTS),
    ((pl.col("tick") < 100) | (pl.col("agent_id") == "a1"), PARTS),
    (pl.col("quantity") == 500, PARTS),
    (pl.lit(True), PARTS),
    (pl.col("tick") > 999_900, 0),
])
def test_explain_counts_the_parts_that_a_filter_opens(wide, condition, parts):
    assert counts(wide.explain("holdings", filter=condition)) == (parts, PARTS)


@pytest.mark.parametrize(("where", "parts"), [
    ({"tick_min": 500_000, "tick_max": 500_400}, 5),
    ({"tick_max": 0}, 1),
    ({"tick_min": 999_901}, 0),
    (None, PARTS),
])
def test_explain_counts_the_parts_that_a_range_opens(wide, where, parts):
    assert counts(wide.explain("holdings", where)) == (parts, PARTS)


def test_explain_tells_the_limit_too(wide):
    assert counts(wide.explain("holdings", limit=3)) == (3, PARTS)
    text = wide.explain("holdings", {"tick_min": 100}, limit=2)
    assert counts(text) == (2, PARTS) and "(bucket)" in text and "(limit)" in text


def test_a_range_and_a_filter_are_taken_together(wide):
    text = wide.explain("holdings", {"tick_min": 1000, "tick_max": 2000}, filter=pl.col("tick") > 1500)
    assert counts(text) == (5, PARTS)


def test_a_query_works_where_only_the_parts_that_can_match_are_left(tmp_path, wide):
    """The proof that nothing else is opened: all other part files are gone."""
    import shutil

    from crv.io import Dataset, IoSettings
    from crv.io.errors import IoReadError

    wide.refresh_manifests()
    root = Path(wide.settings.root_dir)
    kept = {f"bucket={bucket:06d}" for bucket in range(5000, 5005)}
    for path in root.rglob("*"):
        to = tmp_path / path.relative_to(root)
        if path.is_file() and (path.suffix != ".parquet" or path.parent.name in kept):
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)
    left = Dataset(IoSettings(root_dir=str(tmp_path), durability="none"), "wide")
    expected = [500_000, 500_100, 500_200, 500_300, 500_400]

    frame = left.scan("holdings").filter(pl.col("tick").is_between(500_000, 500_400)).select("quantity", "tick")
    assert frame.collect()["quantity"].to_list() == expected
    assert left.read("holdings", {"tick_min": 500_000, "tick_max": 500_400})["tick"].to_list() == expected
    arrow = left.scan_arrow("holdings", {"tick_min": 500_000, "tick_max": 500_400}).read_all()
    assert arrow["tick"].to_pylist() == expected
    assert left.scan("holdings").collect_schema().names()[:2] == ["bucket", "tick"]
    with pytest.raises(IoReadError) as caught:
        left.scan("holdings").filter(pl.col("tick").is_between(500_000, 500_500)).collect()
    assert "bucket=005005" in str(caught.value) and isinstance(caught.value, FileNotFoundError | OSError)


def test_a_limit_opens_only_the_first_parts(dataset, holdings):
    dataset.append("holdings", holdings(range(0, 1000, 100)))
    for path in Path(dataset.settings.root_dir).rglob("bucket=*/*.parquet"):
        if path.parent.name >= "bucket=000002":
            path.unlink()
    assert dataset.read("holdings", limit=2)["tick"].to_list() == [0, 100]
    assert dataset.scan("holdings").head(1).collect()["tick"].to_list() == [0]


tick, token, quantity = pl.col("tick"), pl.col("token_id"), pl.col("quantity")
FIRST_ROWS_THEN_A_FILTER = {
    "head, ticks": lambda x: x.head(5).filter(tick >= 3),
    "head, late ticks": lambda x: x.head(5).filter(tick >= 200),
    "head, bucket": lambda x: x.head(5).filter(pl.col("bucket") >= 1),
    "head, another column": lambda x: x.head(5).filter(quantity >= 3),
    "head, both": lambda x: x.head(7).filter((tick > 100) & (quantity >= 6)),
    "head, text": lambda x: x.head(5).filter(token == "t1"),
    "limit": lambda x: x.limit(5).filter(quantity >= 3),
    "slice from 0": lambda x: x.slice(0, 5).filter(quantity >= 3),
    "slice from 2": lambda x: x.slice(2, 5).filter(tick >= 102),
    "tail": lambda x: x.tail(5).filter(tick >= 501),
    "head of one, nothing left": lambda x: x.head(1).filter(quantity == 9),
    "head of nothing": lambda x: x.head(0).filter(quantity >= 3),
    "head of all": lambda x: x.head(24).filter(tick == 302),
    "head beyond all": lambda x: x.head(1_000_000).filter(tick == 302),
    "filter, head": lambda x: x.filter(tick >= 3).head(5),
    "filter, head, filter": lambda x: x.filter(tick >= 3).head(5).filter(tick >= 102),
    "head, filter, head": lambda x: x.head(9).filter(tick >= 3).head(2),
    "head, head, filter": lambda x: x.head(9).head(5).filter(tick >= 100),
    "head, filter, tail": lambda x: x.head(9).filter(tick >= 3).tail(2),
    "head, select, filter": lambda x: x.head(5).select("quantity", "tick").filter(quantity >= 3),
    "select, head, filter": lambda x: x.select("quantity", "tick").head(5).filter(tick >= 3),
    "head, filter, select of another": lambda x: x.head(5).filter(tick >= 3).select("token_id"),
    "head, with_columns, filter": lambda x: x.head(5).with_columns(z=quantity * 2).filter(pl.col("z") >= 6),
    "with_columns, head, filter": lambda x: x.with_columns(z=tick // 100).head(5).filter(pl.col("z") >= 1),
    "with_columns, head, filter of ticks": lambda x: x.with_columns(tick=tick + 1).head(5).filter(tick >= 3),
    "rename, head, filter": lambda x: x.rename({"tick": "time"}).head(5).filter(pl.col("time") >= 3),
    "head, drop_nulls": lambda x: x.head(5).drop_nulls(["tick"]),
    "head, remove": lambda x: x.head(5).remove(tick < 3),
    "head, unique, filter": lambda x: x.head(5).unique(maintain_order=True).filter(tick >= 3),
    "head, sort, filter": lambda x: x.head(5).sort("tick", descending=True).filter(tick >= 3),
    "head, row index, filter": lambda x: x.head(5).with_row_index().filter(tick >= 3),
    "head, filter, sum": lambda x: x.head(5).filter(tick >= 3).select(quantity.sum()),
    "head, filter, number of rows": lambda x: x.head(5).filter(tick >= 3).select(pl.len()),
    "head, filter, group": lambda x: x.head(9).filter(tick >= 3).group_by("token_id", maintain_order=True).len(),
    "a filter of constants": lambda x: x.head(5).filter(pl.lit(False)),
}


@pytest.fixture(scope="module")
def first_rows(tmp_path_factory):
    """By kind: a Dataset of six parts of four rows each in six buckets, its table, and the table as a frame."""
    from crv.io import Dataset, IoSettings

    made = {}
    event = {"venue_id": "v", "exchange_event_type": "trade"}
    for kind, table in (("by Polars", "holdings"), ("by the core", "exchange")):
        dataset = Dataset(IoSettings(root_dir=str(tmp_path_factory.mktemp("first")), durability="none"), "first")
        for part in range(6):
            rows = [{"tick": part * 100 + i, "token_id": f"t{i % 2}", "quantity": part * 4 + i} for i in range(4)]
            ids = [] if part < 3 else ["x"]
            more = event | {"additional_payload": {"ids": ids}} if table == "exchange" else {"agent_id": "a"}
            dataset.append(table, [row | more for row in rows])
        made[kind] = dataset, table, dataset.read(table)
    yield made
    for dataset, _, _ in made.values():
        dataset.close()


@pytest.mark.parametrize("kind", ["by Polars", "by the core"])
@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize("query", FIRST_ROWS_THEN_A_FILTER)
def test_first_rows_are_taken_before_a_filter_that_comes_after(first_rows, kind, engine, query):
    dataset, table, whole = first_rows[kind]
    apply = FIRST_ROWS_THEN_A_FILTER[query]
    for where, expected in ((None, whole), ({"tick_min": 2, "tick_max": 401}, whole.filter(tick.is_between(2, 401)))):
        lazy = dataset.scan(table, where)
        assert apply(lazy).collect(engine=engine).equals(apply(expected)), where


def test_explain_takes_the_limit_before_the_filter(first_rows):
    dataset, table, _ = first_rows["by Polars"]
    late = tick >= 300
    assert counts(dataset.explain(table, filter=late)) == (3, 6)
    assert counts(dataset.explain(table, filter=late, limit=5)) == (2, 6)
    assert counts(dataset.explain(table, filter=late, limit=24)) == (3, 6)
    assert counts(dataset.explain(table, {"tick_min": 100}, filter=late, limit=5)) == (2, 6)


def test_the_schema_is_known_without_opening_a_part(dataset, holdings, message):
    dataset.append("holdings", holdings([1]))
    dataset.append("messages", [message(1, {"kind": "all", "ids": [1]})])
    for path in Path(dataset.settings.root_dir).rglob("*.parquet"):
        path.unlink()
    assert dataset.scan("holdings").collect_schema()["quantity"] == pl.Int64
    audience = dataset.scan("messages").collect_schema()["audience"]
    assert audience == pl.Struct({"kind": pl.String, "ids": pl.List(pl.Int64)})
    assert dataset.scan_arrow("messages").schema.field("audience").type.num_fields == 2


def damaged(path, column):
    """The part with every page of a column overwritten."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    content = bytearray(Path(path).read_bytes())
    for group in range(metadata.num_row_groups):
        chunk = metadata.row_group(group).column(metadata.schema.names.index(column))
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        content[start:start + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
    Path(path).write_bytes(content)


def test_columns_that_are_not_asked_for_are_not_read(dataset, holdings):
    path = dataset.append("holdings", holdings(range(50)))["parts"][0]["path"]
    damaged(path, "agent_id")
    assert dataset.scan("holdings", checksums=False).select("tick", "quantity").collect().height == 50
    assert dataset.scan_arrow("holdings", columns=["quantity"]).read_all().num_rows == 50
    from crv.io.errors import IoReadError

    with pytest.raises(IoReadError):
        dataset.scan("holdings").select("agent_id").collect()


def test_row_groups_that_a_filter_rules_out_are_not_read(settings, holdings):
    """By the filter on a column that no part is pruned by: the other row groups are damaged."""
    from dataclasses import replace

    import pyarrow.parquet as pq

    from crv.io import Dataset

    with Dataset(replace(settings, row_group_size=10), "groups") as dataset:
        path = dataset.append("holdings", holdings(range(100)))["parts"][0]["path"]
        chunk = pq.read_metadata(path)
        content = bytearray(Path(path).read_bytes())
        for group in range(1, chunk.num_row_groups):
            for column in range(chunk.num_columns):
                part = chunk.row_group(group).column(column)
                start = part.dictionary_page_offset or part.data_page_offset
                content[start:start + part.total_compressed_size] = b"\xff" * part.total_compressed_size
        Path(path).write_bytes(content)
        found = dataset.scan("holdings", checksums=False).filter(pl.col("quantity") < 5).collect()
        assert found["quantity"].to_list() == [0, 1, 2, 3, 4]


def test_lists_of_unknown_elements_are_pushed_down_to_as_well(dataset, message):
    """Parts that Polars cannot read are read by the core, with the same filters, columns and limits."""
    dataset.append("messages", [message(5, {"ids": []}), message(105, {"ids": [], "n": 1})])
    dataset.append("messages", [message(205, {"ids": ["x"]})])
    lazy = dataset.scan("messages")
    whole = lazy.collect()
    assert whole["audience"].to_list() == [{"ids": [], "n": None}, {"ids": [], "n": 1}, {"ids": ["x"], "n": None}]
    assert lazy.select("audience", "tick").collect().equals(whole.select("audience", "tick"))
    assert lazy.filter(pl.col("tick") > 100).select("audience").collect().equals(
        whole.filter(pl.col("tick") > 100).select("audience"))
    assert lazy.filter(pl.col("sender_agent_id") == "ada").select("tick").head(2).collect()["tick"].to_list() == [5, 105]
    assert lazy.head(1).collect().equals(whole.head(1))
    assert lazy.filter(pl.col("tick") == 7).collect().schema == whole.schema
    (path,) = (part["path"] for part in [p for p in dataset._planned("messages", None, None).plan()]
               if part["tick_min"] == 5)
    Path(path).unlink()
    assert lazy.filter(pl.col("tick") > 100).collect().height == 2
