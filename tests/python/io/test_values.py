"""What numbers, decimals and missing values become: the same on every way in, and nothing else than was given."""

import decimal
import json
import math
from collections.abc import Mapping
from decimal import Decimal as D
from fractions import Fraction

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from crv.io.errors import IoSchemaError

NAN, INF = float("nan"), float("inf")


def holding(**cells):
    return {"tick": 1, "agent_id": "a", "token_id": "t", "quantity": 1, **cells}


def columns(name, values):
    rows = [holding() for _ in values]
    return {key: [row[key] for row in rows] for key in rows[0]} | {name: values}


# Each way in gets the same Python floats and must give the same texts.
WAYS = {
    "rows": lambda v: [holding(agent_id=x) for x in v],
    "rows_of_numpy": lambda v: [holding(agent_id=x if x is None else np.float64(x)) for x in v],
    "columns": lambda v: columns("agent_id", v),
    "columns_of_tuples": lambda v: columns("agent_id", tuple(v)),
    "polars": lambda v: pl.DataFrame(columns("agent_id", pl.Series(v, dtype=pl.Float64))),
    "pyarrow": lambda v: pa.table(columns("agent_id", pa.array(v, pa.float64()))),
    "dictionary": lambda v: pa.table(columns("agent_id", pa.array(v, pa.float64()).dictionary_encode())),
    "pandas": lambda v: pd.DataFrame(columns("agent_id", v)),
    "pandas_objects": lambda v: pd.DataFrame(columns("agent_id", pd.Series(v, dtype=object))),
    "records": lambda v: pd.DataFrame(columns("agent_id", v)).to_dict("records"),
    "duckdb": lambda v: duckdb.connect().from_arrow(pa.table(columns("agent_id", pa.array(v, pa.float64())))),
}


@pytest.mark.parametrize("way", WAYS)
def test_floats_are_one_text_on_every_way_in(dataset, way):
    floats = [1.0, 0.1, -2.5, 9007199254740992.0, 1e16, 1e-7, -0.0, 3.0]
    dataset.append("holdings", WAYS[way](floats))
    assert dataset.read("holdings")["agent_id"].to_list() == [
        "1", "0.1", "-2.5", "9007199254740992", "10000000000000000", "1e-07", "0", "3"]


@pytest.mark.parametrize("way", WAYS)
def test_nan_for_a_required_text_is_missing(dataset, way):
    with pytest.raises(IoSchemaError) as caught:
        dataset.append("holdings", WAYS[way]([1.0, NAN]))
    assert caught.value.code == "null_value"
    assert (caught.value.facts["column"], caught.value.facts["row"]) == ("agent_id", 1)
    assert dataset.manifest("holdings") is None


@pytest.mark.parametrize("way", WAYS)
def test_an_infinity_for_a_text_is_refused(dataset, way):
    with pytest.raises(IoSchemaError) as caught:
        dataset.append("holdings", WAYS[way]([1.0, -INF]))
    assert (caught.value.code, caught.value.facts["row"]) == ("lossy_cast", 1)


SIDES = {
    "rows": lambda e, v: [{**e, "side": x} for x in v],
    "columns": lambda e, v: {**{k: [x] * len(v) for k, x in e.items()}, "side": v},
    "numpy_objects": lambda e, v: {**{k: [x] * len(v) for k, x in e.items()}, "side": np.array(v, dtype=object)},
    "pandas": lambda e, v: pd.DataFrame([{**e, "side": x} for x in v]),
    "records": lambda e, v: pd.DataFrame([{**e, "side": x} for x in v]).to_dict("records"),
}
EVENT = {"tick": 1, "venue_id": "v", "token_id": "t", "exchange_event_type": "trade", "additional_payload": {"k": 1}}


@pytest.mark.parametrize("given", [[NAN, "buy"], ["buy", NAN], [NAN, NAN], ["sell", None, NAN, "buy"]])
@pytest.mark.parametrize("way", SIDES)
def test_nan_among_texts_is_null(dataset, way, given):
    dataset.append("exchange", SIDES[way](EVENT, given), validate_rows=True)
    assert dataset.read("exchange")["side"].to_list() == [x if isinstance(x, str) else None for x in given]


def test_text_among_numbers_is_still_refused(dataset):
    for given in ([1, "buy"], ["buy", 1], [0.5, "buy"]):
        for way in ("rows", "columns"):
            with pytest.raises(IoSchemaError):
                dataset.append("exchange", SIDES[way](EVENT, given))


def test_a_nan_that_is_no_text_stays_what_it_is(dataset):
    dataset.append("exchange", [{**EVENT, "price": NAN, "additional_payload": {"x": NAN}}])
    frame = dataset.read("exchange")
    assert math.isnan(frame["price"][0]) and math.isnan(frame["additional_payload"][0]["x"])
    with pytest.raises(IoSchemaError):  # an open path is no text column
        dataset.append("exchange", [{**EVENT, "additional_payload": {"y": NAN}},
                                    {**EVENT, "additional_payload": {"y": "a"}}])


def test_nan_in_a_declared_text_of_list_elements_is_null(dataset):
    decision = {"tick": 1, "agent_id": "a", "chosen_action": {"k": 1}, "token_value_estimates": {"t": 1.0}}
    candidates = [{"action_type": "gift_token", "score": 1.0, "key": NAN},
                  {"action_type": "gift_token", "score": 1.0, "key": "k"}]
    dataset.append("decisions", [{**decision, "action_candidates": candidates}])
    numbers = pl.DataFrame([{**decision, "action_candidates": [{"action_type": "gift_token", "score": 1, "key": 7.0},
                                                               {"action_type": "gift_token", "score": 1, "key": NAN}]}])
    dataset.append("decisions", numbers)
    found = dataset.read("decisions")["action_candidates"].to_list()
    assert [[c["key"] for c in row] for row in found] == [[None, "k"], ["7", None]]


NARROW = {
    "polars_f32": lambda v: pl.DataFrame(columns("agent_id", pl.Series(v, dtype=pl.Float32))),
    "arrow_f32": lambda v: pa.table(columns("agent_id", pa.array(v, pa.float32()))),
    "numpy_f32": lambda v: columns("agent_id", np.array(v, dtype="f4")),
    "list_f32": lambda v: columns("agent_id", [np.float32(x) for x in v]),
    "rows_f32": lambda v: [holding(agent_id=np.float32(x)) for x in v],
    "pandas_f32": lambda v: pd.DataFrame(columns("agent_id", v)).astype({"agent_id": "float32"}),
    "arrow_f16": lambda v: pa.table(columns("agent_id", pa.array([np.float16(x) for x in v], pa.float16()))),
    "numpy_f16": lambda v: columns("agent_id", np.array(v, dtype="f2")),
    "rows_f16": lambda v: [holding(agent_id=np.float16(x)) for x in v],
}


@pytest.mark.parametrize("way", NARROW)
def test_narrow_floats_are_the_shortest_decimal_of_their_width(dataset, way):
    dataset.append("holdings", NARROW[way]([0.1, 2.0, -0.3]))
    assert dataset.read("holdings")["agent_id"].to_list() == ["0.1", "2", "-0.3"]


def test_a_narrow_float_for_a_number_is_the_number_that_it_is(dataset):
    dataset.append("holdings_valuation", [holding(mark_price=np.float32(0.1))])
    dataset.append("holdings_valuation", pl.DataFrame([holding()]).with_columns(mark_price=pl.lit(0.1, dtype=pl.Float32)))
    assert dataset.read("holdings_valuation")["mark_price"].to_list() == [float(np.float32(0.1))] * 2


@pytest.mark.parametrize("given", [7, 7.0, D(7), D("7.00"), np.int8(7), np.float32(7), np.uint64(7), Fraction(7)])
def test_one_id_is_one_text(dataset, given):
    dataset.append("holdings", [holding(agent_id=given)])
    if not isinstance(given, Fraction):
        dataset.append("holdings", columns("agent_id", [given]))
    assert set(dataset.read("holdings")["agent_id"].to_list()) == {"7"}


def test_integers_beyond_64_bits_are_texts_where_the_table_has_text(dataset):
    dataset.append("holdings", [holding(agent_id=2**128 - 1)])
    dataset.append("holdings", pa.table(columns("agent_id", pa.array([D(2**100)]))))
    assert dataset.read("holdings")["agent_id"].to_list() == [str(2**128 - 1), str(2**100)]


# ---- decimals ----

GOOD = [("quantity", D("9007199254740993")), ("quantity", D("1E+2")), ("quantity", D("9223372036854775807")),
        ("quantity", D("0E+5")), ("quantity", D("-3.00")), ("quantity", Fraction(2**53 + 1)),
        ("mark_price", D("0.1")), ("mark_price", D("0.50")), ("mark_price", D("1E+22")), ("mark_price", D("-7")),
        ("mark_price", D(0.1)), ("mark_price", D("9007199254740994")), ("mark_price", Fraction(1, 2)),
        ("mark_price", D("Infinity")), ("mark_price", D("5E-324"))]
BAD = [("quantity", D("1.5")), ("quantity", D("9223372036854775808")), ("quantity", D("NaN")), ("quantity", D("sNaN")),
       ("quantity", Fraction(1, 3)), ("mark_price", D("0.12345678901234567890")), ("mark_price", D("9007199254740993")),
       ("mark_price", D("123456789012345678.12")), ("mark_price", D("1E-400")), ("mark_price", D("1E+400")),
       ("mark_price", D("sNaN")), ("mark_price", Fraction(1, 3)), ("mark_price", Fraction(1, 10)),
       ("mark_price", np.longdouble("0.1")), ("agent_id", D("Infinity")), ("agent_id", D("1E+5000")),
       ("agent_id", Fraction(1, 3))]


def same(found, given):
    if isinstance(given, D) and not given.is_finite():
        return D(found) == given
    return Fraction(found) == Fraction(given) or D(repr(found)) == given


@pytest.mark.parametrize(("column", "value"), GOOD)
def test_decimals_that_fit(dataset, column, value):
    dataset.append("holdings_valuation", [holding(**{column: value})])
    (found,) = dataset.read("holdings_valuation")[column].to_list()
    assert same(found, value)


@pytest.mark.parametrize(("column", "value"), BAD)
def test_decimals_that_do_not_fit_are_refused_with_path_row_and_value(dataset, column, value):
    with pytest.raises(IoSchemaError) as caught:
        dataset.append("holdings_valuation", [holding(), holding(**{column: value})])
    assert caught.value.code in ("lossy_cast", "type_conflict")
    facts = caught.value.facts
    assert (facts["table"], facts["column"], facts["row"]) == ("holdings_valuation", column, 1)
    assert dataset.manifest("holdings_valuation") is None


@pytest.mark.parametrize(("value", "expected"), [
    (D("0.1"), 0.1), (D(5), 5), (D("5.00"), 5), (D("1E+22"), 1e22), (Fraction(1, 4), 0.25), (np.float32(0.5), 0.5),
    (np.bool_(True), True), (np.array([1, 2]), [1, 2]), (np.array([[0.5], [1.5]]), [[0.5], [1.5]]), (np.int8(-3), -3)])
def test_payloads_hold_numbers_as_they_are(dataset, value, expected):
    dataset.append("exchange", [{**EVENT, "additional_payload": {"x": value, "l": [value]}}])
    (found,) = dataset.read("exchange")["additional_payload"].to_list()
    assert repr(found) == repr({"x": expected, "l": [expected]})


@pytest.mark.parametrize("value", [D("0.12345678901234567890"), D("1E+400"), Fraction(1, 3), D("12345678901234567890123"),
                                   np.longdouble("0.1")])
def test_payloads_refuse_what_nothing_holds(dataset, value):
    with pytest.raises(IoSchemaError) as caught:
        dataset.append("exchange", [EVENT, {**EVENT, "additional_payload": {"a": [1.0, {"b": value}]}}])
    facts = caught.value.facts
    assert (caught.value.code, facts["column"], facts["row"]) == ("lossy_cast", "additional_payload.a[].b", 1)
    assert facts["value"] == str(value)[:120]


DECIMALS = {
    "arrow": lambda v, p, s: pa.array(v, pa.decimal128(p, s)),
    "arrow_small": lambda v, p, s: pa.array(v, pa.decimal64(min(p, 18), min(s, 18))),
    "arrow_wide": lambda v, p, s: pa.array(v, pa.decimal256(p, s)),
    "polars": lambda v, p, s: pl.Series(v, dtype=pl.Decimal(p, s)),
    "objects": lambda v, p, s: np.array(v, dtype=object),
    "list": lambda v, p, s: v,
}


@pytest.mark.parametrize("way", DECIMALS)
def test_decimal_columns_follow_the_same_rule(dataset, way):
    make = DECIMALS[way]
    dataset.append("holdings_valuation", {
        **columns("quantity", make([D(5), D(-7)], 18, 0)), "mark_price": make([D("0.10"), D("3.00")], 10, 2),
        "agent_id": make([D("1.00"), D("2.50")], 10, 2)})
    frame = dataset.read("holdings_valuation")
    assert frame["quantity"].to_list() == [5, -7] and frame["mark_price"].to_list() == [0.1, 3.0]
    assert frame["agent_id"].to_list() == ["1", "2.5"]
    for column, values, scale in (("quantity", [D(1), D("0.5")], 1),
                                  ("mark_price", [D("0.5"), D("0.123456789012345678")], 18)):
        with pytest.raises(IoSchemaError) as caught:
            dataset.append("holdings_valuation", columns(column, make(values, 18, scale)))
        assert (caught.value.code, caught.value.facts["column"], caught.value.facts["row"]) == ("lossy_cast", column, 1)


def test_sums_of_duckdb_are_taken(dataset):
    connection = duckdb.connect()
    sums = connection.sql("select 1 as tick, 'a' as agent_id, 't' as token_id, sum(x) as quantity from range(10) r(x)")
    dataset.append("holdings", sums)
    payload = connection.sql("select 1 as tick, 'v' as venue_id, 't' as token_id, 'trade' as exchange_event_type, "
                             "sum(x) as quantity, {'n': sum(x)} as additional_payload from range(10) r(x)")
    dataset.append("exchange", [{**EVENT, "additional_payload": {"n": 1}}])
    dataset.append("exchange", payload)
    dataset.append("exchange", [{**EVENT, "additional_payload": {"n": 2}}])
    assert dataset.read("holdings")["quantity"].to_list() == [45]
    assert [p["n"] for p in dataset.read("exchange")["additional_payload"]] == [1, 45, 2]


def test_sums_that_come_first_in_a_payload_meet_later_integers(dataset):
    payload = duckdb.connect().sql("select 1 as tick, 'v' as venue_id, 't' as token_id, 'trade' as exchange_event_type, "
                                   "{'n': sum(x)} as additional_payload from range(10) r(x)")
    dataset.append("exchange", payload)
    dataset.append("exchange", [{**EVENT, "additional_payload": {"n": D(2)}}])
    assert [p["n"] for p in dataset.read("exchange")["additional_payload"]] == [45, 2]
    assert dataset.verify()["ok"]


def test_bad_values_go_to_quarantine_and_good_ones_follow_the_rule(dataset):
    frame = pl.DataFrame([holding(tick=i) for i in range(4)]).with_columns(
        agent_id=pl.Series([1.0, NAN, 2.0, INF]), quantity=pl.Series([D("1.0"), D("2.0"), D("2.5"), D("4.0")]))
    summary = dataset.append("holdings", frame, validate_rows=True, on_invalid="quarantine")
    assert summary["quarantined"] == 3
    assert dataset.read("holdings").select("agent_id", "quantity").rows() == [("1", 1)]
    bad = dataset.read("quarantine").select("rule", "column").rows()
    assert bad == [("column.required", "agent_id"), ("column.type", "quantity"), ("column.type", "agent_id")]
    assert [json.loads(row)["tick"] for row in dataset.read("quarantine")["row_json"]] == [1, 2, 3]


def test_a_decimal_context_changes_nothing(dataset):
    with decimal.localcontext() as context:
        context.prec, context.capitals = 3, 0
        dataset.append("holdings_valuation", [holding(quantity=D("9007199254740993"), mark_price=D("1E-7"))])
    assert dataset.read("holdings_valuation").select("quantity", "mark_price").rows() == [(9007199254740993, 1e-7)]


class Repeating(Mapping):
    """A mapping that gives a key twice, as those of forms and headers do."""

    def __init__(self, pairs):
        self._pairs = pairs

    def __getitem__(self, key):
        return next(value for name, value in self._pairs if name == key)

    def __iter__(self):
        return (name for name, _ in self._pairs)

    def __len__(self):
        return len(self._pairs)


@pytest.mark.parametrize(("row", "column"), [
    (Repeating([*holding().items(), ("tick", 2)]), "tick"),
    ({**holding(), "agent_id": Repeating([("x", 1), ("x", 1)])}, "agent_id.x")])
def test_a_key_that_stands_twice_is_refused(dataset, row, column):
    with pytest.raises(IoSchemaError) as caught:
        dataset.append("holdings", [row])
    assert (caught.value.code, caught.value.facts["column"]) == ("duplicate_column", column)
