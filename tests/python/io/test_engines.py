"""Parts of a drifting table, read by other engines without crv's help: the same values."""

import json

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest

DRIFT = [
    [(1, {"n": 1, "deep": {"x": 1}})],
    [(120, {"n": 2.5, "s": "text", "l": [1, 2]}), (5, {"l": []})],
    [(2, {"deep": {"x": None, "y": [{"k": 1}, {"k": None}]}, "b": True, "none": None})],
    [(3, {"n": None, "s": None}), (130, {"deep": {"y": []}})],
    [(4, {"none": {"late": "known"}, "l": [0.5]})],
]


@pytest.fixture
def parts(dataset):
    """Paths of the table's parts in scan order; columns drift, too."""
    for number, rows in enumerate(DRIFT):
        frame = [{"tick": tick, "venue_id": "v", "token_id": "t", "exchange_event_type": "trade",
                  **({"price": 1.5} if number % 2 else {"side": "buy"}), "additional_payload": payload}
                 for tick, payload in rows]
        dataset.append("exchange", frame)
    return [part["path"] for part in dataset._planned("exchange", None, None).plan()]


def without_empty(value):
    """An engine that does not know crv shows the child that stands in an empty struct."""
    if isinstance(value, dict):
        return {key: without_empty(item) for key, item in value.items() if key != "_empty"}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


def comparable(rows):
    return sorted(json.dumps(without_empty(row), sort_keys=True) for row in rows)


def expected(dataset, columns):
    return comparable(dataset.read("exchange", columns=columns).to_dicts())


COLUMNS = ["tick", "price", "side", "additional_payload"]


def test_polars_with_its_options_for_missing_and_extra_fields(dataset, parts):
    schema = dataset.scan("exchange", columns=COLUMNS).collect_schema()
    options = pl.ScanCastOptions(integer_cast="allow-float", missing_struct_fields="insert",
                                 extra_struct_fields="ignore")
    frame = pl.scan_parquet(parts, schema=schema, missing_columns="insert", extra_columns="ignore",
                            cast_options=options, hive_partitioning=False)
    assert comparable(frame.collect().to_dicts()) == expected(dataset, COLUMNS)


def test_duckdb_by_name(dataset, parts):
    relation = duckdb.connect().sql(
        f"select {', '.join(COLUMNS)} from read_parquet({parts!r}, union_by_name = true, hive_partitioning = false)")
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in relation.fetchall()]
    assert comparable(rows) == expected(dataset, COLUMNS)


def test_pyarrow_under_the_unified_schema(dataset, parts):
    """pyarrow does not unite the fields of structs: columns without any drift inside read as one dataset."""
    plain = ["tick", "price", "side", "venue_id"]
    schema = pa.schema([("tick", pa.int64()), ("price", pa.float64()), ("side", pa.string()),
                        ("venue_id", pa.string())])
    table = pa.dataset.dataset(parts, schema=schema, format="parquet").to_table()
    assert comparable(table.to_pylist()) == expected(dataset, plain)


def test_pyarrow_part_by_part(dataset, parts):
    import pyarrow.parquet as pq

    rows = {}
    for path in parts:
        for row in pq.ParquetFile(path).read().to_pylist():
            rows[row["tick"]] = row
    for row in dataset.read("exchange").to_dicts():
        payload = without_empty(rows[row["tick"]]["additional_payload"])
        for key, value in payload.items():
            assert subset(value, row["additional_payload"][key])


def subset(part, whole):
    """What the part holds is in the united value; what it lacks there is null."""
    if isinstance(part, dict):
        return whole is not None and all(subset(item, whole[key]) for key, item in part.items())
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(subset, part, whole))
    return part == whole


def test_every_part_stands_alone_with_one_type_a_path(parts):
    """No null types, no views, no dictionaries: what engines differ on."""
    import pyarrow.parquet as pq

    def leaves(kind):
        if pa.types.is_struct(kind):
            return [leaf for field in kind for leaf in leaves(field.type)]
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            return leaves(kind.value_type)
        return [kind]

    for path in parts:
        found = {str(leaf) for field in pq.read_schema(path) for leaf in leaves(field.type)}
        assert found <= {"int64", "double", "string", "large_string", "bool"}


def test_a_list_whose_elements_nobody_knew_is_crvs_to_read(dataset, message):
    """The one drift that others cannot unite; docs/python.md says so."""
    dataset.append("messages", [message(1, {"ids": []})])
    dataset.append("messages", [message(2, {"ids": ["a"]})])
    assert dataset.read("messages")["audience"].to_list() == [{"ids": []}, {"ids": ["a"]}]
    assert dataset._planned("messages", None, ["tick"]).readable_by_others()
    assert not dataset._planned("messages", None, ["audience"]).readable_by_others()
