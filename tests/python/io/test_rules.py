"""validate_rows: both sets of rules against a plain reading of the catalog, violations as data, quarantine."""

import math
import tomllib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError
from random_tests import SCALE, SEED

from crv.core import schema
from crv.core.grammar import TableName
from crv.io import Dataset
from crv.io.errors import IoArgumentError, IoSchemaError

CATALOG = Path(__file__).parents[3] / "catalog"


def catalog(name):
    return tomllib.loads((CATALOG / f"{name}.toml").read_text(encoding="utf-8"))


ENUMS = {e["name"]: [m["value"] for m in e.get("members", [])] for e in catalog("enums")["enums"]}
MODELS = {m["table"]: m for m in catalog("models")["models"] if "table" in m}
TABLES = {t["name"]: t for t in catalog("tables")["tables"]}
DTYPES = {"i64": pl.Int64, "f64": pl.Float64, "str": pl.String}

# Nested columns are not what these rows try: one good value each.
NESTED = {
    "audience": {"room": "square"}, "claims": {"rain": 1.0}, "style": {"tone": "dry"},
    "additional_payload": {"left": 3}, "exchange_snapshot": {"price": 1.5}, "salient_agent_pairs": [{"a": "ada"}],
    "chosen_action": {"what": "wait"}, "token_value_estimates": {"grain": 2.0}, "tool_seq": {"first": "look"},
    "action_candidates": [{"action_type": "gift_token", "score": 0.5, "key": "gift_token", "parameters": {"n": 1}}],
}  # fmt: skip


GOOD = {"i64": 1, "f64": 0.5, "str": "ada", "struct": {}, "list[struct]": []}
GOOD_WORDS = {
    ("exchange", "exchange_event_type"): "trade", ("exchange", "side"): "buy", ("messages", "visibility_scope"): "dm",
    ("scenarios_seen", "visibility_scope"): "room", ("identity_edges", "edge_kind"): "self_to_positive_valence",
}  # fmt: skip


def words(field, column):
    allowed = field.get("one_of") or ENUMS.get(field.get("enum") or column.get("enum"), [])
    free = st.sampled_from(["", "a", "a_b", "A", "a_", "ada", " "])
    if not allowed:
        return free
    good = st.sampled_from(allowed)
    return st.integers(0, 2).flatmap(lambda chance: good if chance else good.map(str.title) | free)


def values(table, name):
    field = next(f for f in MODELS[table]["fields"] if f["name"] == name)
    column = next(c for c in TABLES[table]["columns"] if c["name"] == name)
    if name in NESTED:
        return st.just(NESTED[name])
    kinds = {
        "i64": st.integers(-1, 3) | st.integers(0, 2**40),
        "f64": st.floats(-2, 2) | st.sampled_from([math.nan, math.inf, -math.inf]),
        "str": words(field, column),
    }
    if field["type"] == "bool":  # the model knows no other integers
        return st.integers(0, 1)
    value = kinds[column["type"]]
    return value if column.get("required") else st.none() | value


def rows(table):
    names = [c["name"] for c in TABLES[table]["columns"] if c["name"] != "bucket"]
    return st.fixed_dictionaries({name: values(table, name) for name in names})


def frame(table, row):
    dtypes = {c["name"]: DTYPES.get(c["type"]) for c in TABLES[table]["columns"] if c["name"] in row}
    return pl.DataFrame({name: pl.Series([value], dtype=dtypes[name]) for name, value in row.items()})


def model_errors(table, row):
    """Columns in which the row's model finds something wrong; "" for what it says of several at once."""
    try:
        getattr(schema, MODELS[table]["name"]).model_validate(row)
    except ValidationError as e:
        return {str(error["loc"][0]) if error["loc"] else "" for error in e.errors()}
    return set()


def column_errors(table, row, by_model):
    """Columns that break a rule of the catalog's, or are required and empty, which is told only where nothing else is."""
    columns = TABLES[table]["columns"]
    broken = {c["name"] for c in columns if breaks_a_column_rule(c, row.get(c["name"]))}
    empty = {c["name"] for c in columns if c.get("required") and row.get(c["name"]) == ""}
    return broken | (empty - by_model)


def breaks_a_column_rule(column, value):
    if value is None or column["name"] in NESTED:
        return False
    if column["type"] == "f64":
        return not math.isfinite(value)
    if column["type"] == "i64":
        return not column.get("min", -math.inf) <= value <= column.get("max", math.inf)
    return "enum" in column and value not in ENUMS[column["enum"]]


def good_row(table):
    row = {c["name"]: GOOD[c["type"]] for c in TABLES[table]["columns"] if c["name"] != "bucket"}
    row |= {name: value for name, value in NESTED.items() if name in row}
    return row | {name: word for (of, name), word in GOOD_WORDS.items() if of == table}


def told_sets(dataset, table, row):
    """Which sets of rules an append says that the row breaks."""
    try:
        dataset.append(table, frame(table, row), validate_rows=True)
    except IoSchemaError as e:
        assert e.violations, e
        return {violation["rule"].partition(".")[0] for violation in e.violations}
    return set()


@pytest.mark.parametrize("table", MODELS)
def test_each_set_of_rules_gives_the_verdict_of_a_plain_reading(table, dataset):
    @seed(SEED)
    @hypothesis_settings(max_examples=max(100, int(300 * SCALE)), deadline=None, database=None, print_blob=True)
    @given(rows(table))
    def agree(row):
        by_model = model_errors(table, row)
        by_column = column_errors(table, row, by_model)
        expected = {name for name, broken in (("model", by_model), ("column", by_column)) if broken}
        assert told_sets(dataset, table, row) == expected, row

    agree()
    assert told_sets(dataset, table, good_row(table)) == set()
    assert told_sets(dataset, table, good_row(table) | {"tick": -1}) == {"column"}


WORD_RULES = [(t, f["name"]) for t, m in MODELS.items() for f in m["fields"] if set(f) & {"enum", "one_of", "lower_snake"}]


@pytest.mark.parametrize(("table", "column"), WORD_RULES)
def test_a_word_that_the_model_refuses_is_told_of_its_column(table, column, dataset):
    row = good_row(table)
    dataset.append(table, frame(table, row), validate_rows=True)
    with pytest.raises(IoSchemaError) as caught:
        dataset.append(table, frame(table, row | {column: "no such word!"}), validate_rows=True)
    told = {v["column"] for v in caught.value.violations if v["rule"].startswith("model.")}
    assert column in told
    assert model_errors(table, row | {column: "no such word!"}) == {column}


def trades(**columns):
    return pl.DataFrame({
        "tick": [1, 2, 3, 4],
        "venue_id": ["v"] * 4,
        "token_id": ["t"] * 4,
        "exchange_event_type": ["trade"] * 4,
        "additional_payload": [{"n": 1}] * 4,
        **columns,
    })  # fmt: skip


BAD = trades(side=["BUY", "hold", "sell", "keep"], price=[1.0, 2.0, math.nan, 4.0])


def test_one_error_tells_of_every_rule_as_text_and_as_data(dataset, files):
    dataset.append("exchange", trades())
    before = files(Path(dataset.settings.root_dir))
    with pytest.raises(IoSchemaError) as caught:
        dataset.append("exchange", BAD, validate_rows=True)
    assert files(Path(dataset.settings.root_dir)) == before
    by_column = {v["column"]: v for v in caught.value.violations}
    assert set(by_column) == {"side", "price"}
    assert by_column["side"]["count"] == 2
    assert by_column["side"]["first"] == [(1, "hold"), (3, "keep")]
    assert by_column["side"]["rule"] == "model.one_of"
    assert by_column["price"]["rule"] == "column.finite"
    assert caught.value.code == "row_rule"
    for word in ("side", "hold", "keep", "price", "2 rows"):
        assert word in str(caught.value)
    assert "<td>side</td>" in caught.value._repr_html_()
    assert dataset.append("exchange", BAD)["rows"] == 4, "without validate_rows they are taken as they are"


def test_text_is_brought_to_lower_case_only_with_validate_rows(dataset):
    dataset.append("exchange", trades(side=["BUY", "Sell", "buy", None]), validate_rows=True)
    dataset.append("exchange", trades(side=["BUY", "Sell", "buy", None]))
    assert dataset.read("exchange")["side"].to_list() == ["buy", "sell", "buy", None, "BUY", "Sell", "buy", None]


def test_quarantine_takes_the_bad_rows_in_the_same_commit(dataset):
    summary = dataset.append("exchange", BAD, validate_rows=True, on_invalid="quarantine")
    assert list(summary) == ["table", "run_id", "parts", "rows", "buckets", "quarantined"]
    assert (summary["rows"], summary["quarantined"]) == (1, 3)
    assert dataset.read("exchange")["side"].to_list() == ["buy"]
    held = dataset.read("quarantine")
    assert held.columns == ["bucket", "tick", "source_table", "rule", "column", "reason", "row_json"]
    assert held["tick"].to_list() == [2, 3, 4]
    assert held["column"].to_list() == ["side", "price", "side"]
    assert '"side":"hold"' in held["row_json"][0]
    assert [len(commit["tables"]) for commit in dataset.log()] == [2]
    assert [t["table"] for t in dataset.tables()] == ["exchange", "quarantine"]
    assert list(dataset.write_bundle()["tables"]) == ["exchange", "quarantine"]
    assert dataset.scan("quarantine").filter(pl.col("tick") == 3).collect().height == 1
    assert dataset.verify()["ok"]
    assert "quarantine" not in {name.value for name in TableName}
    with pytest.raises(IoSchemaError):
        dataset.append("quarantine", held)


def test_quarantine_of_no_row_and_of_all(dataset):
    good = dataset.append("exchange", trades(), validate_rows=True, on_invalid="quarantine")
    assert (good["rows"], good["quarantined"]) == (4, 0)
    assert [t["table"] for t in dataset.tables()] == ["exchange"]
    none = dataset.append("exchange", trades(price=[math.inf] * 4), validate_rows=True, on_invalid="quarantine")
    assert (none["rows"], none["parts"], none["quarantined"]) == (0, [], 4)
    assert dataset.read("quarantine")["source_table"].to_list() == ["exchange"] * 4


def test_quarantine_needs_validate_rows_and_a_known_word(dataset):
    for how in ({"on_invalid": "quarantine"}, {"on_invalid": "drop", "validate_rows": True}):
        with pytest.raises(IoArgumentError):
            dataset.append("exchange", trades(), **how)
    assert Dataset(dataset.settings, dataset.run_id).tables() == []
