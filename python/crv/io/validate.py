"""Checks of a frame against a table, as append makes them, without a run."""

from __future__ import annotations

import polars as pl

from crv.core.grammar import TableDescriptor, TableName
from crv.core.tables import get_table
from crv.io._frames import arrow_or_rows
from crv.io._native import io as _io
from crv.io.errors import IoSchemaError, UnknownTableError

__all__ = ["validate_frame_against_descriptor", "validate_frame_for_table"]


def validate_frame_against_descriptor(
    df: pl.DataFrame, desc: TableDescriptor, *, strict: bool = True
) -> pl.DataFrame:
    """The frame with its columns cast to the types of the table, without loss; columns and rows stay in order.

    strict: refuse columns that the table does not have; else they are kept. `bucket` counts as a column of the table:
    a frame that append would take without it is refused here. Raises IoSchemaError with table, column, row and value
    in .facts: for a missing or unknown column, a wrong type, a value that a cast would change, a null in a required
    column, a bad tick.
    """
    table = desc.name.value
    if "bucket" in desc.required and "bucket" not in df.columns:
        raise IoSchemaError(
            f'table "{table}": the required column "bucket" is missing',
            code="missing_column",
            facts={"table": table, "column": "bucket"},
        )
    columns = [(name, dtype, name in desc.required) for name, dtype in desc.columns.items()]
    conformed = pl.DataFrame(_io.conform(arrow_or_rows(df, table), table, columns, strict))
    given = [name for name in conformed.columns if name != "bucket" and name in df.columns]
    try:
        return df.with_columns(pl.col("bucket").cast(pl.Int64)).with_columns(conformed.select(given))
    except pl.exceptions.PolarsError as e:
        raise IoSchemaError(
            f'table "{table}", column "bucket": {e}',
            code="lossy_cast",
            facts={"table": table, "column": "bucket"},
        ) from e


def validate_frame_for_table(df: pl.DataFrame, table: TableName | str, *, strict: bool = True) -> pl.DataFrame:
    """As validate_frame_against_descriptor, for a canonical table by its name. ValueError for an unknown one."""
    try:
        name = TableName(table)
    except ValueError as e:
        raise UnknownTableError(_io.no_such_table(str(table)), facts={"table": str(table)}) from e
    return validate_frame_against_descriptor(df, get_table(name), strict=strict)
