"""crv.io.validate: the checks of append, without a run."""

import dataclasses

import polars as pl
import pytest

from crv.core.grammar import TableName
from crv.core.tables import get_table
from crv.io.errors import IoArgumentError, IoSchemaError
from crv.io.validate import validate_frame_against_descriptor, validate_frame_for_table


def frame(**columns):
    return pl.DataFrame({"bucket": [0, 0], "tick": [1, 2], "agent_id": ["a", "b"], "token_id": ["t", "t"],
                         "quantity": [3, 4], **columns})


@pytest.mark.parametrize("table", ["holdings", TableName.HOLDINGS])
def test_a_fitting_frame_comes_back_as_it_is(table):
    given = frame().select("quantity", "tick", "bucket", "token_id", "agent_id")
    made = validate_frame_for_table(given, table)
    assert isinstance(made, pl.DataFrame) and made.equals(given) and made.columns == given.columns
    assert validate_frame_against_descriptor(given, get_table(TableName.HOLDINGS)).equals(given)


def test_columns_are_cast_without_loss():
    given = frame(tick=[1.0, 2.0], quantity=["3", "-4"], agent_id=pl.Series(["a", "b"], dtype=pl.Categorical))
    made = validate_frame_for_table(given, "holdings")
    assert made.schema == {"bucket": pl.Int64, "tick": pl.Int64, "agent_id": pl.String, "token_id": pl.String,
                           "quantity": pl.Int64}
    assert made.equals(frame(quantity=[3, -4]))


def test_bucket_counts_as_a_column_and_keeps_its_values():
    made = validate_frame_for_table(frame(bucket=[7, 8]), "holdings")
    assert made["bucket"].to_list() == [7, 8]
    with pytest.raises(IoSchemaError, match="bucket"):
        validate_frame_for_table(frame().drop("bucket"), "holdings")


def test_nullable_columns_may_be_absent_and_are_not_added():
    given = pl.DataFrame({"bucket": [0], "tick": [1], "observer_agent_id": ["a"], "edge_kind": ["x"],
                          "edge_weight": [1], "edge_sign": [None]})
    made = validate_frame_for_table(given, "identity_edges")
    assert made.columns == given.columns
    assert made.schema["edge_weight"] == pl.Float64 and made.schema["edge_sign"] == pl.Int64


def test_strict_refuses_other_columns_and_else_they_are_kept():
    with pytest.raises(IoSchemaError, match="note") as caught:
        validate_frame_for_table(frame(note=["x", "y"]), "holdings")
    assert caught.value.facts["column"] == "note" and caught.value.facts["table"] == "holdings"
    made = validate_frame_for_table(frame(note=["x", "y"]), "holdings", strict=False)
    assert made["note"].to_list() == ["x", "y"]


@pytest.mark.parametrize(("columns", "code", "column", "row"), [
    ({"quantity": ["3", "x"]}, "lossy_cast", "quantity", 1),
    ({"quantity": [1.5, 2.0]}, "lossy_cast", "quantity", 0),
    ({"quantity": [1.0, float("nan")]}, "lossy_cast", "quantity", 1),
    ({"quantity": [1.0, 1e30]}, "lossy_cast", "quantity", 1),
    ({"quantity": [" 3", "4"]}, "lossy_cast", "quantity", 0),
    ({"quantity": [None, 3]}, "null_value", "quantity", 0),
    ({"agent_id": ["a", None]}, "null_value", "agent_id", 1),
    ({"tick": [1, None]}, "bad_tick", "tick", 1),
    ({"tick": [1, -1]}, "bad_tick", "tick", 1),
    ({"agent_id": [[1], [2]]}, "wrong_type", "agent_id", None),
    ({"quantity": [{"a": 1}, {"a": 2}]}, "wrong_type", "quantity", None),
])
def test_what_does_not_fit_is_told_by_table_column_and_row(columns, code, column, row):
    """The older package turned most of these into nulls."""
    with pytest.raises(IoSchemaError) as caught:
        validate_frame_for_table(frame(**columns), "holdings")
    error = caught.value
    assert (error.code, error.facts["table"], error.facts["column"], error.facts.get("row")) == (
        code, "holdings", column, row)
    assert "holdings" in str(error) and column in str(error)
    assert row is None or f"row {row}" in str(error)


def test_structs_and_lists_of_structs():
    row = {"bucket": 0, "tick": 1, "agent_id": "a", "chosen_action": {"k": 1}, "action_candidates": [{"k": 1}],
           "token_value_estimates": {"t": 0.5}}
    given = pl.DataFrame([row])
    assert validate_frame_for_table(given, "decisions").equals(given)
    for column, value in (("chosen_action", "text"), ("chosen_action", [1]), ("action_candidates", {"k": 1}),
                          ("action_candidates", "text"), ("action_candidates", [1])):
        with pytest.raises(IoSchemaError) as caught:
            validate_frame_for_table(pl.DataFrame([{**row, column: value}]), "decisions")
        assert caught.value.facts["column"] == column


@pytest.mark.parametrize("table", ["nope", "HOLDINGS", "", 5, None])
def test_an_unknown_table_is_a_schema_error_and_a_value_error(table):
    with pytest.raises(IoSchemaError) as caught:
        validate_frame_for_table(frame(), table)
    assert isinstance(caught.value, ValueError) and f'"{table}"' in str(caught.value)


def test_a_bad_bucket_column_is_told(files):
    with pytest.raises(IoSchemaError, match="bucket"):
        validate_frame_for_table(frame(bucket=["x", "y"]), "holdings")


def test_an_empty_frame_is_checked_for_its_columns():
    assert validate_frame_for_table(frame().clear(), "holdings").schema == frame().schema
    with pytest.raises(IoSchemaError, match="extra"):
        validate_frame_for_table(frame(extra=[1, 2]).clear(), "holdings")


@pytest.mark.parametrize("dtype", ["bool", "timestamp", "list[i64]", "struct{}", "i64!", "null", "list[", "nonsense", ""])
def test_a_column_type_that_no_table_has_is_refused_by_its_name(dtype):
    holdings = get_table(TableName.HOLDINGS)
    desc = dataclasses.replace(holdings, columns={**holdings.columns, "flag": dtype})
    with pytest.raises(IoArgumentError) as refused:
        validate_frame_against_descriptor(frame(flag=[True, False]), desc)
    assert refused.value.code == "bad_argument" and refused.value.facts.get("value", "") == dtype
