"""Errors: what each is an instance of, what it carries, and how it shows."""

import copy
import errno
import pickle
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import crv.core.errors as core
import crv.io.errors as io

CATALOG = tomllib.loads(
    (Path(__file__).parents[3] / "catalog" / "errors.toml").read_text(encoding="utf-8"))
CODES = {code["name"]: code for code in CATALOG["codes"]}
BUILTIN = {e.__name__: e for e in (KeyError, MemoryError, OSError, RuntimeError, TypeError, ValueError)}


def class_named(name):
    return core.CrvError if name == "Error" else getattr(core, name, None) or getattr(io, name)


def test_classes_of_the_older_package_keep_their_bases():
    assert issubclass(core.SchemaError, ValueError)
    assert issubclass(core.GrammarError, ValueError)
    assert issubclass(core.VersionMismatch, RuntimeError)
    for cls in (io.IoConfigError, io.IoSchemaError, io.IoWriteError, io.IoManifestError):
        assert issubclass(cls, io.IoError)
        assert not issubclass(cls, (ValueError, OSError))
    assert issubclass(io.IoError, core.CrvError)
    assert issubclass(io.IoCommitUnknownError, io.IoWriteError)


@pytest.mark.parametrize("entry", CATALOG["classes"], ids=lambda e: e["name"])
def test_class_has_the_base_of_the_catalog(entry):
    cls = class_named(entry["name"])
    assert issubclass(cls, class_named(entry["base"]))
    for also in entry.get("also", []):
        assert issubclass(cls, BUILTIN[also])
    assert cls.__name__ in (core if cls.__module__ == core.__name__ else io).__all__


@pytest.mark.parametrize("code", CODES)
def test_each_code_is_made_as_its_class_and_carries_what_it_was_given(code):
    facts = {"table": "exchange", "row": 7, "path": "/runs/r", "errno": errno.ENOSPC}
    error = core.make_error(code, "it's gone", facts)
    assert isinstance(error, class_named(CODES[code]["class"]))
    for also in CODES[code].get("also", []):
        assert isinstance(error, BUILTIN[also])
    assert (error.code, error.facts, str(error), error.args) == (code, facts, "it's gone", ("it's gone",))
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert (again.code, again.facts, str(again), again.args) == (code, facts, "it's gone", ("it's gone",))
    if isinstance(error, OSError):
        assert (error.errno, error.filename, error.strerror) == (errno.ENOSPC, "/runs/r", "it's gone")
        again = pickle.loads(pickle.dumps(error))
        assert (again.errno, again.filename) == (errno.ENOSPC, "/runs/r")


def test_a_missing_part_is_enoent_where_the_system_said_nothing():
    error = core.make_error("part_missing", "no part", {"path": "p"})
    assert isinstance(error, io.PartMissingError)
    assert (error.errno, error.filename) == (errno.ENOENT, "p")
    assert core.make_error("part_damaged", "bad part", {}).errno is None


def test_an_error_of_an_unknown_code_is_still_a_crv_error():
    error = core.make_error("from_the_future", "what", {})
    assert type(error) is core.CrvError
    assert error.code == "from_the_future"


def test_callers_can_raise_with_a_text_alone():
    with pytest.raises(io.IoSchemaError, match="^no column$") as caught:
        raise io.IoSchemaError("no column")
    assert (caught.value.code, caught.value.facts) == ("", {})
    with pytest.raises(ValueError) as caught:
        raise io.UnknownTableError("no table")
    assert caught.value.code == "unknown_table"


def test_a_key_error_shows_its_message_and_not_its_repr():
    error = core.make_error("manifest_damaged", "torn: 'x'", {})
    assert isinstance(error, KeyError)
    assert str(error) == "torn: 'x'"


def test_facts_are_a_copy_and_notes_survive_pickling():
    facts = {"row": 1}
    error = core.make_error("lossy_cast", "lost", facts)
    error.facts["row"] = 2
    assert facts == {"row": 1}
    error.add_note("while testing")
    assert pickle.loads(pickle.dumps(error)).__notes__ == ["while testing"]


def test_core_errors_do_not_load_crv_io():
    code = """
import sys
from crv.core.errors import make_error
make_error("grammar", "", {})
assert "crv.io" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_error_of_the_store_is_made_without_it():
    """The native core throws such ones, too: read_failed, where there are no random bytes for a run id."""
    code = """
import pickle, sys
import crv.core
from crv.core.errors import make_error
error = make_error("read_failed", "no random bytes", {"errno": 5})
assert "crv.io" not in sys.modules
assert (str(type(error)), error.errno) == ("<class 'crv.io.errors.ReadFailedError'>", 5), type(error)
assert [base.__name__ for base in type(error).__bases__] == ["IoReadError", "OSError"]
again = pickle.loads(pickle.dumps(error))
from crv.io.errors import CODES, ReadFailedError
assert type(again) is type(error) is ReadFailedError is CODES["read_failed"]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_errors_are_known_by_their_public_modules():
    for module in (core, io):
        for name in module.__all__:
            if isinstance(found := getattr(module, name), type):
                assert (found.__module__, found.__qualname__) == (module.__name__, name)
