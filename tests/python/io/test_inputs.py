"""What append takes: frames of every kind, columns, rows; and what it makes of their types."""

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from crv.core.schema import (DecisionRow, ExchangeRow, IdentityEdgeRow, MessageRow, OracleCallRow, ScenarioRow)
from crv.io.errors import BadArgumentError, IoSchemaError

COLUMNS = {"tick": [1, 150], "agent_id": ["a", "b"], "token_id": ["t", "u"], "quantity": [3, -4]}
ROWS = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]


class Stream:
    """Of some package that nobody knows."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


def pandas_frame():
    return pd.DataFrame(COLUMNS)


KINDS = {
    "polars": lambda: pl.DataFrame(COLUMNS),
    "polars_many_chunks": lambda: pl.concat([pl.DataFrame(COLUMNS).head(1), pl.DataFrame(COLUMNS).tail(1)],
                                            rechunk=False),
    "pyarrow_table": lambda: pa.table(COLUMNS),
    "pyarrow_batch": lambda: pa.RecordBatch.from_pydict(COLUMNS),
    "pyarrow_reader": lambda: pa.table(COLUMNS).to_reader(),
    "pandas": pandas_frame,
    "pandas_object_text": lambda: pandas_frame().astype({"agent_id": object}),
    "pandas_sliced": lambda: pd.DataFrame({"tick": [0, 1, 150], "agent_id": ["x", "a", "b"], "token_id": ["x", "t", "u"],
                                           "quantity": [0, 3, -4]}).query("tick > 0"),
    "pandas_odd_unnamed_index": lambda: pandas_frame().set_axis([7, 7], axis=0),
    "pandas_named_index": lambda: pandas_frame().set_index("tick"),
    "pandas_two_named_indexes": lambda: pandas_frame().set_index(["tick", "agent_id"]),
    "pandas_categorical": lambda: pandas_frame().astype({"agent_id": "category"}),
    "pandas_nullable": lambda: pandas_frame().convert_dtypes(),
    "duckdb_relation": lambda: duckdb.connect().sql(
        "select * from (values (1, 'a', 't', 3), (150, 'b', 'u', -4)) v(tick, agent_id, token_id, quantity)"),
    "any_stream": lambda: Stream(pa.table(COLUMNS)),
    "columns_of_lists": lambda: COLUMNS,
    "columns_of_arrays": lambda: {"tick": np.array([1, 150], dtype="u2"), "agent_id": np.array(["a", "b"]),
                                  "token_id": pd.Series(["t", "u"]), "quantity": np.array([3, -4], dtype="i1")},
    "columns_of_series": lambda: {"tick": pl.Series([1, 150]), "agent_id": ("a", "b"), "token_id": pa.array(["t", "u"]),
                                  "quantity": pl.Series([3, -4])},
    "rows_of_dicts": lambda: ROWS,
    "rows_in_a_tuple": lambda: tuple(ROWS),
    "polars_categorical": lambda: pl.DataFrame(COLUMNS).with_columns(
        pl.col("agent_id").cast(pl.Categorical), pl.col("token_id").cast(pl.Enum(["u", "t", "z"]))),
    "polars_small_types": lambda: pl.DataFrame(COLUMNS).with_columns(pl.col("tick").cast(pl.UInt8),
                                                                     pl.col("quantity").cast(pl.Int8)),
    "polars_floats": lambda: pl.DataFrame(COLUMNS).with_columns(pl.col("tick", "quantity").cast(pl.Float64)),
    "polars_texts": lambda: pl.DataFrame(COLUMNS).with_columns(pl.col("tick", "quantity").cast(pl.String)),
    "arrow_dictionary": lambda: pa.table({**COLUMNS, "agent_id": pa.array(["a", "b"]).dictionary_encode()}),
    "arrow_large_and_view": lambda: pa.table({**COLUMNS, "agent_id": pa.array(["a", "b"], pa.large_string()),
                                              "token_id": pa.array(["t", "u"], pa.string_view())}),
    "columns_in_another_order": lambda: pl.DataFrame(COLUMNS).select("quantity", "token_id", "tick", "agent_id"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_frame_gives_the_same_rows(dataset, kind):
    summary = dataset.append("holdings", KINDS[kind]())
    assert (summary["rows"], summary["buckets"]) == (2, [0, 1])
    assert dataset.read("holdings").rows() == [(0, 1, "a", "t", 3), (1, 150, "b", "u", -4)]
    assert dataset.read("holdings").schema["agent_id"] == pl.String


@pytest.mark.parametrize("given", [5, None, "text", b"bytes", object(), {1, 2}, pl.LazyFrame(COLUMNS),
                                   pl.Series([1]).to_list(), pl.Series("tick", [1]), pd.Series([1], name="tick"),
                                   pa.chunked_array([[1]]), (r for r in ROWS), [ROWS[0], None], [[1]]])
def test_what_is_no_frame_is_a_type_error_that_names_it(dataset, given):
    with pytest.raises(TypeError) as caught:
        dataset.append("holdings", given)
    assert "row" in str(caught.value) or type(given).__name__ in str(caught.value)
    assert dataset.manifest("holdings") is None


@pytest.mark.parametrize(("given", "column", "words"), [
    ({**COLUMNS, "tick": [1, "x"]}, "tick", []),
    ({**COLUMNS, "quantity": [object(), 1]}, "quantity", []),
    ({**COLUMNS, "agent_id": ["a", 5]}, "agent_id", []),
    ({**COLUMNS, "quantity": 5}, "quantity", []),
    ({**COLUMNS, "quantity": [2**70, 1]}, "quantity", []),
    (pd.DataFrame({**COLUMNS, "quantity": [object(), 1]}), "quantity", []),
    (pl.DataFrame({**COLUMNS, "agent_id": pl.Series([object(), object()], dtype=pl.Object)}), "agent_id", []),
    (pl.DataFrame({**COLUMNS, "quantity": pl.Series([1, 2], dtype=pl.Int128)}), "quantity", ["128 bits"]),
    (pl.DataFrame({**COLUMNS, "quantity": pl.Series([[1], [2]], dtype=pl.List(pl.Int128))}), "quantity", ["128 bits"]),
    ([{**ROWS[0]}, {**ROWS[1], "quantity": object()}], "quantity", ["row 1"]),
    ([{**ROWS[0]}, {**ROWS[1], "quantity": 2**70}], "quantity", ["row 1"]),
    ([{**ROWS[0]}, {**ROWS[1], "quantity": "many"}], "quantity", ["row 1", "integer"]),
    ([{**ROWS[0], 5: 1}], "5", ["row 0"]),
    (pl.DataFrame({**COLUMNS, "quantity": [1.5, 2.0]}), "quantity", ["row 0", "1.5"]),
])
def test_values_without_a_type_are_told_by_column(dataset, given, column, words):
    with pytest.raises(IoSchemaError) as caught:
        dataset.append("holdings", given)
    for word in [column, *words]:
        assert word in str(caught.value)
    assert caught.value.facts["column"] == column
    assert dataset.manifest("holdings") is None


def test_columns_of_different_lengths_are_refused(dataset):
    with pytest.raises(IoSchemaError, match="length"):
        dataset.append("holdings", {**COLUMNS, "tick": [1]})


def nested(depth, cycle=False):
    inner = payload = {}
    for i in range(depth):
        inner["k"] = [{}] if i % 2 else {}
        inner = inner["k"][0] if i % 2 else inner["k"]
    inner["k"] = payload if cycle else 1
    return payload


@pytest.mark.parametrize("payload", [nested(3000), nested(3, cycle=True), nested(200), nested(100_000)],
                         ids=["3000", "itself", "200", "100000"])
@pytest.mark.parametrize("kind", ["rows", "columns", "pandas"])
def test_nesting_without_end_is_refused(dataset, files, kind, payload):
    rows = [{"tick": 1, "venue_id": "v", "token_id": "t", "exchange_event_type": "trade", "additional_payload": p}
            for p in ({}, payload)]
    given = {"rows": lambda: rows, "columns": lambda: {k: [r[k] for r in rows] for k in rows[0]},
             "pandas": lambda: pd.DataFrame({k: [r[k] for r in rows] for k in rows[0]})}[kind]()
    with pytest.raises(IoSchemaError) as caught:
        dataset.append("exchange", given)
    facts = caught.value.facts
    assert facts["table"] == "exchange" and facts["column"].startswith("additional_payload") and len(str(caught.value)) < 1000
    assert facts.get("row") == 1 or kind != "rows" and facts.get("row") is None
    assert dataset.manifest("exchange") is None


def test_meta_that_holds_itself_is_refused(dataset):
    dataset.append("holdings", ROWS)
    for meta in (nested(3, cycle=True), nested(100_000)):
        with pytest.raises(BadArgumentError):
            dataset.write_bundle(meta)


# Of pandas: what pyarrow has no type for, or would take for something else.
PANDAS = {
    "two_columns_of_one_name": (lambda: pandas_frame().rename(columns={"token_id": "agent_id"}), "agent_id", None, "duplicate_column"),
    "beyond_int64": (lambda: pandas_frame().assign(quantity=pd.Series([1, 2**64], dtype=object)), "quantity", 1, "wrong_type"),
    "far_beyond_int64": (lambda: pandas_frame().assign(quantity=pd.Series([1, 2**200], dtype=object)), "quantity", 1, "wrong_type"),
    "uint64": (lambda: pandas_frame().assign(quantity=pd.Series([1, 2**63], dtype=object)), "quantity", 1, None),
    "texts_and_numbers": (lambda: pandas_frame().assign(agent_id=pd.Series(["a", 5], dtype=object)), "agent_id", 1, "wrong_type"),
    "no_time_for_text": (lambda: pandas_frame().assign(agent_id=pd.Series(["a", pd.NaT], dtype=object)), "agent_id", 1, None),
    "no_times": (lambda: pandas_frame().assign(agent_id=pd.Series([pd.NaT, pd.NaT])), "agent_id", None, None),
    "complex": (lambda: pandas_frame().assign(quantity=pd.Series([1j, 2j])), "quantity", None, "wrong_type"),
    "period": (lambda: pandas_frame().assign(quantity=pd.Series([1, pd.Period("2024-01")], dtype=object)), "quantity", 1, "wrong_type"),
}


@pytest.mark.parametrize("case", PANDAS)
def test_pandas_columns_without_a_type_are_told_by_column_and_row(dataset, case):
    make, column, row, code = PANDAS[case]
    with pytest.raises(IoSchemaError) as caught:
        dataset.append("holdings", make())
    facts = caught.value.facts
    assert (facts["table"], facts["column"]) == ("holdings", column)
    assert code is None or caught.value.code == code
    assert row is None or facts["row"] == row and facts["value"]
    assert dataset.manifest("holdings") is None


def test_sparse_columns_of_pandas_are_taken_or_told(dataset):
    frame = pandas_frame().assign(quantity=pd.arrays.SparseArray([3, -4]))
    try:
        dataset.append("holdings", frame)
    except IoSchemaError as error:
        assert error.facts["column"] == "quantity" and "sparse" in str(error).lower()
    else:
        assert dataset.read("holdings")["quantity"].to_list() == [3, -4]


@pytest.mark.parametrize("value", [pd.NaT, pd.NA, object(), 1j, b"x", {1}, 10**5000, pd.Period("2024-01"), range(3)],
                         ids=lambda value: type(value).__name__)
def test_a_value_that_has_no_place_in_a_row_is_told(dataset, value):
    for column in ("agent_id", "quantity"):
        with pytest.raises(IoSchemaError) as caught:
            dataset.append("holdings", [ROWS[0], {**ROWS[1], column: value}])
        facts = caught.value.facts
        assert (facts["table"], facts["column"], facts["row"]) == ("holdings", column, 1)


class Odd:
    def __repr__(self):
        raise ValueError("no repr")


def test_a_value_that_cannot_be_shown_is_still_told(dataset):
    for given in ([{**ROWS[0], "quantity": Odd()}], {**COLUMNS, "quantity": [1, Odd()]}):
        with pytest.raises(IoSchemaError) as caught:
            dataset.append("holdings", given)
        assert caught.value.facts["column"] == "quantity"


def test_no_rows_of_any_kind(dataset):
    for given in ([], {}, (), pl.DataFrame(), pa.table({}), pd.DataFrame(), {"tick": []}):
        assert dataset.append("holdings", given)["rows"] == 0
    assert dataset.manifest("holdings") is None


# ---- row models ----

def test_row_models_with_everything_given(dataset):
    edge = IdentityEdgeRow(tick=1, observer_agent_id="o", edge_kind="self_to_agent", subject_id="s", object_id="x",
                           edge_weight=0.5, edge_sign=-1)
    dataset.append("identity_edges", [edge], validate_rows=True)
    assert dataset.read("identity_edges").row(0, named=True) == {"bucket": 0, **edge.model_dump()}


DEFAULTS = {
    "exchange": ExchangeRow(tick=1, venue_id="v", token_id="t", exchange_event_type="trade"),
    "scenarios_seen": ScenarioRow(tick=1, observer_agent_id="o", context_hash="h"),
    "messages": MessageRow(tick=1, sender_agent_id="s", channel_name="c", visibility_scope="public", audience={},
                           speech_act="a", topic_label="l"),
    "decisions": DecisionRow(tick=1, agent_id="a", chosen_action={}, action_candidates=[], token_value_estimates={}),
    "oracle_calls": OracleCallRow(tick=1, agent_id="a", engine="e", signature_id="s", persona_id="p", persona_hash="h",
                                  representation_hash="r", context_hash="c", value_json="{}", latency_ms=1,
                                  cache_hit=True, n_tool_calls=0),
}


@pytest.mark.parametrize("validate_rows", [False, True])
@pytest.mark.parametrize("table", DEFAULTS)
def test_the_default_of_every_row_model_is_written_and_comes_back(dataset, table, validate_rows):
    row = DEFAULTS[table]
    dataset.append(table, [row], validate_rows=validate_rows)
    expected = {"bucket": 0, **row.model_dump()}
    assert dataset.read(table).to_dicts() == [expected]
    assert dataset.scan_arrow(table).read_all().to_pylist() == [expected]
    assert dataset.verify()["ok"]


def test_an_empty_struct_becomes_a_struct_of_nulls_where_others_have_fields(dataset, message):
    dataset.append("messages", [message(1, {})])
    assert dataset.read("messages")["audience"].to_list() == [{}]
    dataset.append("messages", [message(2, {"kind": "all", "to": {"x": 1}})])
    dataset.append("messages", [message(3, {"to": {}})])
    frame = dataset.read("messages")
    assert frame["audience"].to_list() == [{"kind": None, "to": None}, {"kind": "all", "to": {"x": 1}},
                                           {"kind": None, "to": {"x": None}}]
    assert frame["audience"].null_count() == 0 and frame["claims"].to_list() == [{}, {}, {}]
    assert dataset.scan_arrow("messages").read_all()["audience"].to_pylist() == frame["audience"].to_list()


def test_cache_hit_is_a_number(dataset):
    dataset.append("oracle_calls", [DEFAULTS["oracle_calls"]])
    assert dataset.read("oracle_calls")["cache_hit"].to_list() == [1]
    assert dataset.read("oracle_calls").schema["cache_hit"] == pl.Int64


# ---- values ----

def test_values_of_every_nested_type_come_back(dataset, message):
    claims = pl.DataFrame({"claims": [{
        "i": 2**62, "f": 0.1, "s": "naïve 𝒳\x00", "b": True, "l": [1, None, 3], "ls": [{"a": 1}, None],
        "ll": [[1], [], None], "d": dt.date(2026, 11, 24), "t": dt.datetime(2026, 1, 2, 3, 4, 5, 6), "y": b"\x00\xff",
        "nan": float("nan"), "inf": float("-inf"), "z": -0.0, "none": None}]})
    rest = pl.DataFrame([{k: v for k, v in message(1, {"k": 1}, style={"k": 1}).items() if k != "claims"}])
    dataset.append("messages", pl.concat([rest, claims], how="horizontal"))
    for found in (dataset.read("messages")["claims"][0], dataset.scan_arrow("messages").read_all()["claims"].to_pylist()[0]):
        expected = claims["claims"][0]
        assert repr(found) == repr(expected)


@pytest.mark.parametrize("small", [pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32,
                                   pl.Categorical, pl.Enum(["1", "2"])])
def test_nested_types_have_one_form(dataset, message, small):
    values = pl.Series(["1", "2"]) if small in (pl.Categorical,) or isinstance(small, pl.Enum) else pl.Series([1, 2])
    frame = pl.DataFrame([message(1, {}), message(2, {})]).with_columns(
        claims=pl.struct(x=values.cast(small), l=pl.concat_list(values.cast(small))))
    frame = frame.with_columns(pl.struct(k=pl.lit(1)).alias("audience"), pl.struct(k=pl.lit(1)).alias("style"))
    dataset.append("messages", frame)
    one = pl.String if values.dtype == pl.String else pl.Float64 if small == pl.Float32 else pl.Int64
    assert dataset.read("messages").schema["claims"] == pl.Struct({"x": one, "l": pl.List(one)})
    assert dataset.read("messages")["claims"].struct.field("x").to_list() == values.to_list()


def test_fields_that_are_null_throughout_are_no_damage(dataset, message):
    dataset.append("messages", [message(1, {"a": None, "b": {"c": None}, "l": [], "m": [None]})])
    assert dataset.read("messages")["audience"].to_list() == [{"a": None, "b": {"c": None}, "l": [], "m": [None]}]
    assert dataset.verify()["findings"] == []
    dataset.append("messages", [message(2, {"a": 1, "b": {"c": "x"}, "l": [1.5], "m": ["y"]})])
    assert dataset.verify()["findings"] == []
