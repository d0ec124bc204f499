"""What the tests of definitions share: classes to define tables from, and how a refusal looks."""

import dataclasses
import enum
from typing import NamedTuple

import pydantic
import pytest
from pydantic import BaseModel

from crv.io._definitions import definition
from crv.io.errors import IoSchemaError

TINY = 5e-324  # the smallest float above 0


class Color(enum.Enum):
    red = "r"
    blue = "b"


class Word(enum.StrEnum):
    a = "A"


class Mixed(enum.Enum):
    a = 1
    b = "b"


class Point(BaseModel):
    x: float
    y: float | None = None


@dataclasses.dataclass
class Spot:
    name: str
    where: Point


class Ids(pydantic.RootModel[list[int]]):
    pass


class Both(NamedTuple):
    x: int


def column(given):
    (made,) = definition("t", {"x": given})["columns"]
    assert made.pop("name") == "x"
    return made


def needed(text, **rules):
    return {"type": text, "required": True, **rules}


def free(text, **rules):
    return {"type": text, **rules}


def refused(call, column, *words):
    """The error of the call: its code and facts are right, and the words stand in it."""
    with pytest.raises(IoSchemaError) as caught:
        call()
    error = caught.value
    assert (error.code, error.facts["table"], error.facts["column"]) == ("bad_definition", "t", column)
    assert error.facts["key"] and error.facts["value"]
    assert str(error).startswith(f'Table "t", column "{column}"' if column else 'Table "t": ')
    assert str(error).endswith(".") and "\n" not in str(error)
    for word in words:
        assert word in str(error)
    return error
