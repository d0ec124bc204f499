"""Table descriptors."""

import dataclasses
import importlib

import pytest

from crv.core import grammar, tables
from crv.core.grammar import TableDescriptor, TableName
from crv.core.versioning import SCHEMA_V, SchemaVersion


def test_tables_are_those_of_the_vectors(vectors):
    expected = vectors("table_catalog")["tables"]
    assert [table.name.value for table in tables.list_tables()] == [table["name"] for table in expected]
    assert [table.name for table in tables.list_tables()] == list(TableName)
    for want in expected:
        table = tables.get_table(TableName[want["enum_member"]])
        assert list(table.columns.items()) == [(c["name"], c["dtype"]) for c in want["columns"]]
        assert table.required == want["required"]
        assert table.nullable == want["nullable"]
        assert table.partitioning == want["partitioning"]
        assert table.version == SchemaVersion(**want["version"]) == SCHEMA_V
        assert set(table.required) | set(table.nullable) == set(table.columns)
        assert set(table.required).isdisjoint(table.nullable)


@pytest.mark.parametrize("name", TableName)
def test_each_table_is_a_constant_here_and_in_a_module_of_its_own(name):
    constant = f"{name.name}_DESC"
    module = importlib.import_module(f"crv.core.tables.{name.value}")
    assert getattr(module, constant) is getattr(tables, constant) is tables.get_table(name)


def test_a_text_is_no_table_name():
    with pytest.raises(KeyError):
        tables.get_table("exchange")


def test_the_list_is_the_callers_own():
    tables.list_tables().clear()
    assert len(tables.list_tables()) == 8


def test_descriptors_are_frozen_and_cannot_be_hashed():
    table = tables.get_table(TableName.HOLDINGS)
    assert tables.TableDescriptor is TableDescriptor is grammar.TableDescriptor
    names = [field.name for field in dataclasses.fields(table)]
    assert names == ["name", "columns", "partitioning", "required", "nullable", "version"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.version = None
    with pytest.raises(TypeError):
        hash(table)
