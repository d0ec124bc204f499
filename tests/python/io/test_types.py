"""What an append takes: a closed list of types and names (docs/format.md), which four engines read as the same values.

All else is refused, whatever way it comes; what older writers let through is told by verify and still read.
"""

import datetime as dt
import json
import math
import re
import unicodedata
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crv.io import Dataset, IoSettings
from crv.io import manifest as m
from crv.io.errors import IoReadError, IoSchemaError

FORMAT = Path(__file__).parents[3] / "docs" / "format.md"
NS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
INT64 = 2**63
EVENT = {"venue_id": "v", "token_id": "t", "exchange_event_type": "trade", "additional_payload": {"k": 1}}


@pytest.fixture
def dataset(tmp_path):
    with Dataset(IoSettings(root_dir=str(tmp_path / "out"), durability="none", strict_schema=False), "village") as made:
        yield made


def frame(arrays):
    """A frame of table exchange with these columns."""
    rows = len(next(iter(arrays.values())))
    event = {key: pa.array([value] * rows) for key, value in EVENT.items()}
    return pa.table({"tick": pa.array(range(rows)), **event, **arrays})


def plain(scalar):
    """The value of an Arrow scalar, whatever type holds it: moments and times in nanoseconds, dates in days."""
    if not scalar.is_valid:
        return None
    if isinstance(scalar, pa.StructScalar):
        return {name: plain(value) for name, value in scalar.items() if name != "_empty"}
    if isinstance(scalar, pa.ListScalar | pa.LargeListScalar | pa.FixedSizeListScalar):
        return [plain(value) for value in scalar.values]
    if pa.types.is_temporal(scalar.type):
        kind = scalar.type
        return scalar.value * (NS[kind.unit] if hasattr(kind, "unit") and kind.unit in NS else 1)
    value = scalar.as_py()
    if isinstance(value, float):
        return repr(value)
    return value


def values(column):
    return [plain(value) for value in column]


def from_duckdb(sql, connection):
    return connection.sql(sql).to_arrow_table()


def engines(dataset, table="exchange"):
    """The rows of a table as each engine reads them: through crv, and straight from the parts."""
    parts = [part["path"] for part in dataset._planned(table, None, None).plan()]
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    relation = dataset.relation(table, connection=connection)
    return {
        "crv": dataset.scan_arrow(table).read_all(),
        "polars": dataset.read(table).to_arrow(),
        "duckdb": relation.order("tick").to_arrow_table(),
        "polars, parts": pl.scan_parquet(parts, glob=False, hive_partitioning=False).collect().to_arrow(),
        "duckdb, parts": from_duckdb(
            f"from read_parquet({parts!r}, hive_partitioning = false) order by tick", connection),
        "pyarrow, parts": pa.concat_tables(pq.ParquetFile(part).read() for part in parts),
    }


def nested(array):
    """The values inside a struct, a list and a list of structs, as a payload has them."""
    ones = pa.array(range(len(array) + 1), pa.int32())
    lists = pa.ListArray.from_arrays(ones, array)
    structs = pa.StructArray.from_arrays([array], names=["k"])
    return pa.StructArray.from_arrays([array, lists, pa.ListArray.from_arrays(ones, structs)], names=["k", "l", "ls"])


ARRAY, DICTIONARY = pa.array, pa.DictionaryArray.from_arrays


def integers(kind, values):
    return pa.array(values, pa.int32() if kind.bit_width == 32 else pa.int64()).view(kind)


CALENDAR = {"ms": (-62135596800000, 253402300799999), "us": (-62135596800000000, 253402300799999999),
            "ns": (-INT64 + 2, INT64 - 2)}
DAY = 86400


def moments(unit, zone=None):
    first, last = CALENDAR[unit]
    margin = 0 if zone is None else DAY * 10**9 // NS[unit]
    return pa.array([first + margin, -1, 0, 1, 1700000000123, last - margin, None], pa.int64()).view(pa.timestamp(unit, zone))


# By the names that docs/format.md gives the types: arrays of each Arrow type that becomes such.
ACCEPTED = {
    "i64": [pa.array([0, 1, None], kind) for kind in (pa.int8(), pa.int16(), pa.uint8(), pa.uint16(), pa.uint32())] + [
        pa.array([-INT64, INT64 - 1, 0, None]), pa.array([0, INT64 - 1], pa.uint64()),
        DICTIONARY(pa.array([1, 0, None]), pa.array([5, -7]))],
    "f64": [pa.array([0.0, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, 0.1, None]),
            pa.array([0.1, -0.0, math.inf, None], pa.float32()), pa.array(np.array([0.1, 2.5, -0.0], "f2"))],
    "str": [pa.array(["", "a", "José", "😀", "a\0b", "\ufeff", "e\u0301", "é", "x" * 70_000, None], kind)
            for kind in (pa.string(), pa.large_string(), pa.string_view())] + [
        DICTIONARY(pa.array([0, 1, None]), pa.array(["ä", "b"])),
        DICTIONARY(pa.array([0, 1, None], pa.uint8()), pa.array(["ä", "b"], pa.large_string()))],
    "bool": [pa.array([True, False, None])],
    "list": [pa.array([[1, None], [], None], kind) for kind in (pa.list_(pa.int64()), pa.large_list(pa.int8()),
                                                                pa.list_view(pa.int64()), pa.large_list_view(pa.int8()))] + [
        pa.array([[1, 2], None], pa.list_(pa.int64(), 2)), pa.array([[("a", 1), ("b", None)], [], None], pa.map_(pa.string(), pa.int64())),
        pa.array([[["a"], []], [None], None])],
    "struct": [pa.array([{"a": 1, "b": {"c": "x"}}, {"a": None, "b": None}, None]),
               DICTIONARY(pa.array([1, 0]), pa.array([{"a": 1}, {"a": 2}]))],
    "date32[day]": [integers(pa.date32(), [-719162, -1, 0, 1, 2932896, None]),
                    pa.array([dt.date(1, 1, 1), dt.date(9999, 12, 31)], pa.date64())],
    "time32[ms]": [integers(pa.time32("ms"), [0, 1, DAY * 1000 - 1, None]), pa.array([0, DAY - 1], pa.int32()).view(pa.time32("s"))],
    "time64[us]": [integers(pa.time64("us"), [0, 1, DAY * 10**6 - 1, None])],
    "time64[ns]": [integers(pa.time64("ns"), [0, 1, 1001, DAY * 10**9 - 1, None])],
    "timestamp[ms]": [moments("ms"), pa.array([-62135596800, 0, 253402300799], pa.int64()).view(pa.timestamp("s"))],
    "timestamp[us]": [moments("us")],
    "timestamp[ns]": [moments("ns")],
    "timestamp[ms, tz=ZONE]": [moments("ms", zone) for zone in ("UTC", "Asia/Kolkata")],
    "timestamp[us, tz=ZONE]": [moments("us", zone) for zone in ("UTC", "America/New_York", "Pacific/Kiritimati", "Etc/GMT+12")],
    "timestamp[ns, tz=ZONE]": [moments("ns", zone) for zone in ("UTC", "Europe/Berlin", "Pacific/Kiritimati", "Etc/GMT+12")],
    "decimal128(P, S)": [pa.array([Decimal("9" * p).scaleb(-s), Decimal("-" + "9" * p).scaleb(-s), Decimal(0), None], kind(p, s))
                         for kind, p, s in ((pa.decimal32, 9, 2), (pa.decimal64, 18, 18), (pa.decimal128, 1, 0),
                                            (pa.decimal128, 19, 4), (pa.decimal256, 20, 3))] + [
        pa.array([Decimal("9" * 28), Decimal("1E-10"), None], pa.decimal128(38, 10))],
    "binary": [pa.array([b"", b"\xff\x00", b"x" * 70_000, None], kind) for kind in (pa.binary(), pa.large_binary(), pa.binary_view())],
    "fixed_size_binary[N]": [pa.array([b"\xff\x00", b"ab", None], pa.binary(2)), pa.array([b"\xff" * 16], pa.binary(16))],
}


def test_the_docs_list_these_types():
    text = FORMAT.read_text().split("## What is accepted")[1].split("\n## ")[0]
    assert [row for row in re.findall(r"^\| `([^`]*)` \|", text, re.MULTILINE)] == list(ACCEPTED)


CASES = [pytest.param(name, array, id=f"{name}-{array.type}") for name, arrays in ACCEPTED.items() for array in arrays]


def stored(array):
    """As the values are told by docs/format.md: narrow numbers are wide ones, a dictionary is what it holds."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary.take(array.indices)
    if pa.types.is_map(array.type):
        return [None if row is None else [{"key": key, "value": value} for key, value in row] for row in array.to_pylist()]
    if array.type == pa.date64():
        array = array.cast(pa.date32())
    if pa.types.is_floating(array.type):
        array = array.cast(pa.float64())
    return values(array)


@pytest.mark.parametrize(("name", "array"), CASES)
def test_each_type_is_the_same_in_every_engine(dataset, name, array):
    dataset.append("exchange", frame({"v": array}))
    expected = stored(array)
    for engine, table in engines(dataset).items():
        assert values(table.column("v")) == expected, engine
    assert dataset.verify()["findings"] == []


@pytest.mark.parametrize(("name", "array"), CASES)
def test_each_type_is_the_same_inside_a_payload(dataset, name, array):
    dataset.append("exchange", frame({"additional_payload": nested(array)}))
    expected = [{"k": value, "l": [value], "ls": [{"k": value}]} for value in stored(array)]
    for engine, table in engines(dataset).items():
        assert values(table.column("additional_payload")) == expected, engine



def test_python_reads_the_ends_of_the_calendar(dataset):
    """to_list() and fetchall() make Python's own dates of them."""
    dataset.append("exchange", frame({"a": moments("us"), "b": moments("us", "Asia/Kolkata"), "c": moments("ms", "UTC")}))
    dataset.append("exchange", frame({"d": ACCEPTED["date32[day]"][0], "e": ACCEPTED["time64[us]"][0].take(pa.array([0, 1, 2, 3, 0, 0]))}))
    frames = dataset.read("exchange")
    assert len(frames.rows()) == 13
    assert len(dataset.relation("exchange").fetchall()) == 13
    assert len(dataset.scan_arrow("exchange").read_all().to_pylist()) == 13


# ---- refused ----

def raw(data, kind=pa.string()):
    binary = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}[kind]
    return pa.array(data, binary).view(kind)


def deep(levels, values=(None, 7)):
    array = pa.array(values)
    for level in range(1, levels):
        array = (pa.StructArray.from_arrays([array], names=["c"]) if level % 2
                 else pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), array))
    return array


BYTES = [b"ok", b"Jos\xe9"]
REFUSED = {
    "text": (raw(BYTES), "", "Jos\\xe9"),
    "large text": (raw(BYTES, pa.large_string()), "", "Jos\\xe9"),
    "text view": (raw(BYTES, pa.string_view()), "", "Jos\\xe9"),
    "surrogate": (raw([b"ok", b"\xed\xa0\x80"]), "", "\\xed\\xa0\\x80"),
    "dictionary": (DICTIONARY(pa.array([0, 1]), raw(BYTES)), "", "Jos\\xe9"),
    "list": (pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), raw(BYTES)), "[]", "Jos\\xe9"),
    "struct": (pa.StructArray.from_arrays([raw(BYTES)], names=["x"]), ".x", "Jos\\xe9"),
    "map key": (pa.MapArray.from_arrays(pa.array([0, 1, 2], pa.int32()), raw(BYTES), pa.array([1, 2])), "[].key", "Jos\\xe9"),
    "map value": (pa.MapArray.from_arrays(pa.array([0, 1, 2], pa.int32()), pa.array(["a", "b"]), raw(BYTES)), "[].value", "Jos\\xe9"),
    "decimal256": (pa.array([None, Decimal(1)], pa.decimal256(39, 0)), "", "1"),
    "duration": (pa.array([None, 5], pa.duration("us")), "", "5"),
    "interval": (pa.array([None, (1, 2, 3)], pa.month_day_nano_interval()), "", None),
    "list of 0": (pa.array([None, []], pa.list_(pa.int64(), 0)), "", "[]"),
    "deep": (deep(33, [7, 8]), None, None),
    "uuid": (pa.array([None, b"0123456789abcdef"], pa.uuid()), "", None),
    "extension": (pa.ExtensionArray.from_storage(pa.json_(), pa.array([None, "{}"])), "", None),
    "date": (integers(pa.date32(), [0, 2932897]), "", None),
    "early date": (integers(pa.date32(), [0, -719163]), "", None),
    "time": (integers(pa.time64("us"), [0, DAY * 10**6]), "", None),
    "negative time": (integers(pa.time32("ms"), [0, -1]), "", None),
    "uint64": (pa.array([0, INT64], pa.uint64()), "", str(INT64)),
    **{f"zone {zone}": (pa.array([None, 1700000000000000], pa.timestamp("us", zone)), "", "2023-11-14T22:13:20.000000Z")
       for zone in ("Z", "utc", "Asia/Beijing", "Factory", "localtime")},
    **{f"moment {unit} {end}": (integers(pa.timestamp(unit), [0, value]), "", None)
       for unit, ends in CALENDAR.items() for end, value in (("first", ends[0] - 1), ("last", ends[1] + 1))},
    "moment of seconds": (integers(pa.timestamp("s"), [0, 2**60]), "", None),
    "zoned moment": (integers(pa.timestamp("us", "UTC"), [0, CALENDAR["us"][1]]), "", None),
    "date64": (integers(pa.date64(), [0, 1]), "", None),
    "dense union": (pa.UnionArray.from_dense(pa.array([0, 0], pa.int8()), pa.array([0, 1], pa.int32()), [pa.array([1, 2])]), "", None),
}


@pytest.mark.parametrize("where", ["column", "payload"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_listed_is_refused_with_its_place(dataset, files, name, where):
    array, below, value = REFUSED[name]
    dataset.append("exchange", frame({"additional_payload": pa.array([{"k": 1}])}))
    before = files(dataset.settings.root_dir)
    column = "v" if where == "column" else "additional_payload.v"
    given = {"v": array} if where == "column" else {"additional_payload": pa.StructArray.from_arrays([array], names=["v"])}
    with pytest.raises(IoSchemaError) as caught:
        dataset.append("exchange", frame(given))
    facts = caught.value.facts
    assert caught.value.code in ("wrong_type", "lossy_cast")
    assert facts["table"] == "exchange"
    assert facts["column"].startswith(column) if below is None else facts["column"] == column + below
    assert facts["row"] == (0 if name in ("dense union", "deep") else 1)
    assert facts["value"] == value if value is not None else facts["value"]
    assert files(dataset.settings.root_dir) == before
    assert dataset.read("exchange").height == 1


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_text_of_the_table_is_utf8(dataset, kind):
    for array in (raw(BYTES, kind), DICTIONARY(pa.array([0, 1]), raw(BYTES, kind))):
        with pytest.raises(IoSchemaError) as caught:
            dataset.append("exchange", frame({"side": array}))
        assert (caught.value.code, caught.value.facts["column"], caught.value.facts["row"]) == ("wrong_type", "side", 1)
    dataset.append("exchange", frame({"side": raw(BYTES, kind).slice(0, 1)}))
    dataset.append("exchange", frame({"side": DICTIONARY(pa.array([0, 0]), raw(BYTES, kind))}))
    assert dataset.read("exchange")["side"].to_list() == ["ok"] * 3


LISTS = {key: [value] for key, value in EVENT.items()}
REALISTIC = {
    "timedelta": lambda: {"tick": [1], **LISTS, "v": [dt.timedelta(seconds=3)]},
    "polars duration": lambda: pl.DataFrame({"tick": [1], **LISTS, "v": [dt.timedelta(seconds=3)]}),
}


@pytest.mark.parametrize("way", REALISTIC)
def test_durations_of_python(dataset, way):
    with pytest.raises(IoSchemaError) as caught:
        dataset.append("exchange", REALISTIC[way]())
    assert (caught.value.code, caught.value.facts["column"], caught.value.facts["row"]) == ("wrong_type", "v", 0)


OFFSETS = {
    "pandas": lambda: pd.DataFrame({"tick": [1], **LISTS, "v": pd.to_datetime(["2024-01-01T09:00:00+05:30"])}),
    "datetime": lambda: {"tick": [1], **LISTS,
                         "v": [dt.datetime(2024, 1, 1, 9, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))]},
    "pyarrow": lambda: frame({"v": pa.array([dt.datetime(2024, 1, 1, 3, 30)], pa.timestamp("us")).view(
        pa.timestamp("us", "+05:30"))}),
}


@pytest.mark.parametrize("way", OFFSETS)
def test_moments_with_an_offset_are_those_moments_in_utc(dataset, way):
    dataset.append("exchange", OFFSETS[way]())
    moment = dt.datetime(2024, 1, 1, 3, 30, tzinfo=dt.UTC)
    assert dataset.read("exchange")["v"].to_list() == [moment]
    for engine, table in engines(dataset).items():
        assert values(table.column("v")) == [int(moment.timestamp()) * 10**9], engine
    assert dataset.verify()["findings"] == []


@pytest.mark.parametrize("depth", [10, 15, 16, 32, 40, 100])
def test_a_tree_is_readable_by_all_or_refused(dataset, depth):
    def tree(left):
        return {"label": "n", "children": [tree(left - 1)] if left else []}

    row = {"tick": 1, **EVENT, "additional_payload": tree(depth)}
    if depth <= 10:
        dataset.append("exchange", [row])
        for engine, table in engines(dataset).items():
            assert values(table.column("additional_payload"))[0]["children"][0]["label"] == "n", engine
    if depth >= 16:
        with pytest.raises(IoSchemaError) as caught:
            dataset.append("exchange", [row])
        assert (caught.value.code, caught.value.facts["row"]) == ("wrong_type", 0)
        assert dataset.manifest("exchange") is None


def test_the_deepest_that_is_accepted(dataset):
    dataset.append("exchange", frame({"v": deep(32)}))
    for engine, table in engines(dataset).items():
        assert values(table.column("v")) == values(deep(32)), engine


# ---- names ----

GOOD_NAMES = [" ", "**", "a*", "*a", "^a", "a$", "^", "$", "a.b", ".", 'a"b', "a'b", "a`b", "a\nb", "\t", "a,b", "[a]", "a[]",
              "x" * 2_000, "é", "\ufeff", "😀", "element", "list", "key", "select", "filename", "rowid", "0", "\x7f", "\\", "a/b",
              "%", "?", "(a)", "COLUMNS(*)", "Quantity_2"]
BAD_NAMES = ["", "*", "^a.*$", "^$", "^tick$", "a\0b", "\0", "_empty"]


def ways(name, value):
    """A row whose payload, or one of whose columns, has that name."""
    event = {"tick": [1], **LISTS}
    payload = {"zz": 1, "deep": [{name: value, "zz": 2}]}
    column = {**event, name: [value]}
    yield "payload, rows", [{"tick": 1, **EVENT, "additional_payload": payload}]
    yield "payload, columns", {**event, "additional_payload": [payload]}
    yield "payload, pyarrow", pa.table({**event, "additional_payload": [payload]})
    yield "column, rows", [{"tick": 1, **EVENT, name: value}]
    yield "column, columns", column
    yield "column, pyarrow", pa.table(column)
    yield "column, batches", pa.RecordBatchReader.from_batches(pa.table(column).schema, pa.table(column).to_batches())
    yield "column, polars", pl.DataFrame(column)
    yield "payload, polars", pl.DataFrame({**event, "additional_payload": [payload]})
    yield "column, pandas", pd.DataFrame(column)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_engines_cannot_read_are_refused(dataset, name):
    for way, given in ways(name, 5):
        with pytest.raises(IoSchemaError) as caught:
            dataset.append("exchange", given)
        assert caught.value.code == "reserved_name", way
        assert caught.value.facts.get("column", "").endswith(name), way
    assert dataset.manifest("exchange") is None


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_all_other_names_are_names_in_every_engine(dataset, name):
    payload = pa.array([{name: 7, "zz": 1}])
    dataset.append("exchange", frame({name: pa.array([5]), "additional_payload": payload}))
    for engine, table in engines(dataset).items():
        assert table.column_names.count(name) == 1, engine
        assert values(table.column(name)) == [5], engine
        assert values(table.column("additional_payload")) == [{name: 7, "zz": 1}], engine
    assert dataset.scan("exchange").select(pl.col(name), pl.col("additional_payload").struct.field(name).alias("f")).collect().rows() == [(5, 7)]
    quoted, text = name.replace('"', '""'), name.replace("'", "''")
    relation = dataset.relation("exchange").select(f"\"{quoted}\", struct_extract(additional_payload, '{text}')")
    assert relation.fetchall() == [(5, 7)]


def test_names_that_differ_in_their_unicode_form_are_two(dataset):
    one, other = "é", unicodedata.normalize("NFD", "é")
    dataset.append("exchange", frame({one: pa.array([1]), other: pa.array([2]), "additional_payload": pa.array([{one: 3, other: 4}])}))
    for engine, table in engines(dataset).items():
        assert (values(table.column(one)), values(table.column(other))) == ([1], [2]), engine
        assert values(table.column("additional_payload")) == [{one: 3, other: 4}], engine


def test_columns_that_differ_in_case_alone_are_refused_and_keys_are_not(dataset):
    for given in ({"mood": pa.array([1]), "Mood": pa.array([2])}, {"Venue_ID": pa.array(["w"])}, {"PRICE": pa.array([1.0])}):
        with pytest.raises(IoSchemaError) as caught:
            dataset.append("exchange", frame(given))
        assert caught.value.code == "reserved_name"
    dataset.append("exchange", frame({"mood": pa.array([1])}))
    with pytest.raises(IoSchemaError):
        dataset.append("exchange", frame({"Mood": pa.array([2])}))
    dataset.append("exchange", frame({"additional_payload": pa.array([{"ada": 1, "Ada": 2}])}))
    assert dataset.read("exchange")["additional_payload"].to_list()[1] == {"k": None, "ada": 1, "Ada": 2}
    part = dataset._planned("exchange", None, None).plan()[-1]["path"]
    renamed = duckdb.connect().sql(f"from read_parquet({part!r})").to_arrow_table().column("additional_payload")
    assert renamed.to_pylist() == [{"ada": 1, "Ada_1": 2}]  # as docs/format.md says


# ---- quarantine ----

def test_bad_text_and_dates_go_to_quarantine_readable_by_all(dataset):
    good = frame({"side": raw([b"buy", b"Jos\xe9", b"sell", b"buy"]), "additional_payload": pa.StructArray.from_arrays(
        [raw([b"x", b"x", b"y\xff", b"z"]), integers(pa.date32(), [0, 1, 2, 2932897])], names=["k", "d"])})
    summary = dataset.append("exchange", good, validate_rows=True, on_invalid="quarantine")
    assert (summary["rows"], summary["quarantined"]) == (1, 3)
    assert dataset.read("exchange")["side"].to_list() == ["buy"]
    found = engines(dataset, "quarantine")
    for engine, table in found.items():
        assert table.column("rule").to_pylist() == ["column.type"] * 3, engine
        assert table.column("column").to_pylist() == ["side", "additional_payload.k", "additional_payload.d"], engine
        rows = [json.loads(row) for row in table.column("row_json").to_pylist()]
        assert rows[0]["side"] == "Jos\\xe9", engine
        assert rows[1]["additional_payload"]["k"] == "y\\xff", engine
        assert rows[2]["additional_payload"]["d"] == "10000-01-01", engine
    assert dataset.verify()["findings"] == []


# ---- what older writers let through ----

KEYS = {"crv_schema_version": "0.1@2025-09-20", "crv_table_name": "exchange", "crv_run_id": "village"}


@pytest.fixture
def old_run(tmp_path):
    """old_run({"v": array}): a run of the older package with these columns."""
    settings = IoSettings(root_dir=str(tmp_path / "old"), durability="none", strict_schema=False)

    def make(arrays):
        rows = frame(arrays)
        rows = rows.add_column(0, "bucket", pa.array([0] * rows.num_rows)).replace_schema_metadata(KEYS)
        folder = Path(settings.root_dir) / "runs/village/tables/exchange/bucket=000000"
        folder.mkdir(parents=True)
        name = f"part-{'0a' * 16}.parquet"
        pq.write_table(rows, folder / name)
        made = m.new_manifest("exchange")
        m.update_with_new_part(made, 0, m.PartMeta(path=name, rows=rows.num_rows, bytes=(folder / name).stat().st_size,
                                                   tick_min=0, tick_max=rows.num_rows - 1, created_at=made.created_at))
        (folder.parent / "manifest.json").write_text(json.dumps(made.to_json_obj(), indent=2))
        return Dataset(settings, "village")

    return make



OLD = {
    "offset": (pa.array([1700000000000000, None], pa.timestamp("us", "+05:30")), "v", True),
    "unknown zone": (pa.StructArray.from_arrays([pa.array([1, 2], pa.timestamp("ns", "Asia/Beijing"))], names=["at"]), "v.at", True),
    "decimal256": (pa.array([Decimal("9" * 40), None], pa.decimal256(40, 0)), "v", True),
    "duration": (pa.array([5, None], pa.duration("us")), "v", True),
    "date": (integers(pa.date32(), [0, 2932897]), "v", True),
    "key": (pa.array([{"": 1}, {"": 2}]), "v.", True),
    "deep": (deep(40), "v", True),
    "text": (raw([b"Jos\xe9", b"ok"]), "v", False),
    "text in a list": (pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), raw([b"ok", b"\xff"])), "v[]", False),
}


@pytest.mark.parametrize("name", OLD)
def test_what_an_older_writer_took_is_told_and_read(old_run, name):
    array, path, by_polars = OLD[name]
    with old_run({"v": array}) as dataset:
        (found,) = [f for f in dataset.verify()["findings"] if f["code"] == "unreadable_by_others"]
        assert found["path"].endswith(".parquet") and f'"{path}' in found["message"]
        assert found["severity"] == ("note" if by_polars else "error")
        assert dataset.verify()["ok"] == by_polars
        read = dataset.scan_arrow("exchange").read_all()
        if by_polars:
            assert values(read.column("v")) == values(array)
            assert dataset.read("exchange").height == 2
            assert dataset.scan("exchange").select("v").collect().height == 2
        else:
            assert read.num_rows == 2
            with pytest.raises(IoReadError) as caught:
                dataset.read("exchange")
            assert caught.value.code == "part_damaged"
            assert caught.value.facts["column"] == path and caught.value.facts["path"].endswith(".parquet")
        assert dataset.read("exchange", columns=["tick", "side"])["tick"].to_list() == [0, 1]
        with pytest.raises(IoSchemaError):
            dataset.append("exchange", frame({"v": array}))
        dataset.append("exchange", [{"tick": 2, **EVENT}])
        assert dataset.scan_arrow("exchange", columns=["tick"]).read_all().num_rows == 3


def test_moments_in_an_unknown_zone_are_those_moments_in_utc_for_polars(old_run):
    with old_run({"v": OLD["offset"][0], "w": OLD["decimal256"][0]}) as dataset:
        read = dataset.read("exchange")
        assert read.schema["v"] == pl.Datetime("us", "UTC") and read.schema["w"] == pl.String
        assert read["v"].to_list() == [dt.datetime(2023, 11, 14, 22, 13, 20, tzinfo=dt.UTC), None]
        assert read["w"].to_list() == ["9" * 40, None]
        assert dataset.scan("exchange").filter(pl.col("tick") == 0).select("w").collect().rows() == [("9" * 40,)]


@pytest.mark.parametrize("name", ["^a.*$", "*"])
def test_columns_with_the_name_of_a_pattern_are_read(old_run, name):
    with old_run({"abc": pa.array([1, 2]), name: pa.array([3, 4])}) as dataset:
        assert dataset.read("exchange")[name].to_list() == [3, 4]
        assert dataset.read("exchange")["abc"].to_list() == [1, 2]
        assert [f["severity"] for f in dataset.verify()["findings"] if f["code"] == "unreadable_by_others"] == ["note"]
