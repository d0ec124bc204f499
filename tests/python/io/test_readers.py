"""Frames that are made while they are read: what the code behind them raises comes out of append as it is."""

import functools
import io
import os
import signal
import struct
import subprocess
import sys
import traceback

import polars as pl
import pyarrow as pa
import pytest

from crv.io import Dataset
from crv.io.errors import (BadArgumentError, IoReadError, IoSchemaError, OutOfMemoryError, PartDamagedError,
                           ReadFailedError)

SCHEMA = pa.schema([("tick", pa.int64()), ("agent_id", pa.string()), ("token_id", pa.string()),
                    ("quantity", pa.int64())])
ROWS = [{"tick": 1, "agent_id": "a", "token_id": "t", "quantity": 1}]


def batch(tick):
    return pa.RecordBatch.from_pylist([{**ROWS[0], "tick": tick}], schema=SCHEMA)


def reader(batches):
    return pa.RecordBatchReader.from_batches(SCHEMA, batches)


def failing(error):
    """Two batches, then `error`, or what it raises when it is called."""
    yield batch(1)
    yield batch(200)
    if callable(error):
        error()
    raise error


class Stream:
    """Of some package that nobody knows."""

    def __init__(self, made):
        self._made = made

    def __arrow_c_stream__(self, requested_schema=None):
        return self._made.__arrow_c_stream__(requested_schema)


class Unheard(BaseException):
    """Of the user's own."""


ERRORS = {
    "value": ValueError("boom"),
    "key": KeyError("boom"),
    "os": OSError(28, "boom"),
    "of_pyarrow": pa.ArrowInvalid("boom"),
    "of_crv": IoSchemaError("boom", code="wrong_type"),
    "memory": MemoryError("boom"),
    "ctrl_c": KeyboardInterrupt("boom"),
    "exit": SystemExit("boom"),
    "unheard": Unheard("boom"),
}
APPENDS = {
    "append": lambda dataset, frame: dataset.append("holdings", frame),
    "append_many": lambda dataset, frame: dataset.append_many({"holdings": frame}),
    "append_many_last": lambda dataset, frame: dataset.append_many({"exchange": _trades(), "holdings": frame}),
}


def _trades():
    return [{"tick": 1, "venue_id": "v", "token_id": "t", "exchange_event_type": "trade", "additional_payload": {}}]


def functions_of(error):
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


@pytest.fixture
def unchanged(dataset, files):
    """To be called after what has failed: nothing was committed or is left on disk, and the Dataset is good."""
    dataset.append("holdings", ROWS)
    dataset.refresh_manifests()
    before = files(dataset.settings.root_dir)

    def look():
        assert files(dataset.settings.root_dir) == before
        assert [commit["seq"] for commit in dataset.log()] == [1]
        assert dataset.append("holdings", reader([batch(2), batch(300)]))["rows"] == 2
        assert dataset.read("holdings")["tick"].to_list() == [1, 2, 300]
        assert dataset.verify()["ok"]

    return look


@pytest.mark.parametrize("how", APPENDS)
@pytest.mark.parametrize("kind", ERRORS)
def test_what_a_generator_raises_comes_out_unchanged(dataset, unchanged, kind, how):
    error = ERRORS[kind].with_traceback(None)
    with pytest.raises(type(error)) as caught:
        APPENDS[how](dataset, reader(failing(error)))
    assert caught.value is error
    assert functions_of(error)[-1] == "failing"
    unchanged()


def _open_nothing():
    open("/no/such/file")


CALLED = {
    "no_file": (_open_nothing, FileNotFoundError),
    "pyarrow": (lambda: pa.array(["text", 1]), pa.ArrowTypeError),
    "file_of_pyarrow": (lambda: pa.OSFile("/no/such/file"), FileNotFoundError),
    "ctrl_c": (functools.partial(signal.raise_signal, signal.SIGINT), KeyboardInterrupt),
}


@pytest.mark.parametrize("kind", CALLED)
def test_what_a_generator_calls_may_raise(dataset, unchanged, kind):
    call, expected = CALLED[kind]
    with pytest.raises(expected) as caught:
        dataset.append("holdings", reader(failing(call)))
    assert type(caught.value) is expected and "failing" in functions_of(caught.value)
    unchanged()


def test_a_file_of_the_users_may_raise(dataset, unchanged):
    class File(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 300:
                raise ValueError("boom")
            return super().read(size)

    with pytest.raises(ValueError, match="^boom$") as caught:
        dataset.append("holdings", pa.ipc.open_stream(File(written([batch(1), batch(200)]))))
    assert functions_of(caught.value)[-1] == "read"
    unchanged()


def test_a_damaged_part_is_named_where_a_scan_of_it_is_appended(dataset, settings, holdings):
    with Dataset(settings, "other") as other:
        (part,) = other.append("holdings", holdings(range(100)))["parts"]
        os.truncate(part["path"], part["bytes"] - 1)
        with pytest.raises(PartDamagedError) as caught:
            dataset.append("holdings", other.scan_arrow("holdings", columns=["tick", "agent_id", "token_id", "quantity"]))
    assert part["path"] in str(caught.value) and dataset.manifest("holdings") is None


def test_a_stream_that_cannot_be_made_raises_what_it_does(dataset, unchanged):
    error = ERRORS["value"].with_traceback(None)

    class Nothing:
        def __arrow_c_stream__(self, requested_schema=None):
            raise error

    with pytest.raises(ValueError) as caught:
        dataset.append("holdings", Nothing())
    assert caught.value is error
    unchanged()


def test_columns_from_a_generator_raise_what_it_does(dataset, unchanged):
    error = ERRORS["value"].with_traceback(None)

    def ticks():
        yield 1
        raise error

    with pytest.raises(ValueError) as caught:
        dataset.append("holdings", {**{key: [value] for key, value in ROWS[0].items()}, "tick": ticks()})
    assert caught.value is error
    unchanged()


def test_columns_from_a_generator_are_read_once(dataset):
    columns = {"tick": range(3), "agent_id": (text for text in ["a", float("nan"), "c"]), "token_id": iter("tuv"),
               "quantity": map(int, "123")}
    with pytest.raises(IoSchemaError) as caught:
        dataset.append("holdings", columns)
    assert (caught.value.code, caught.value.facts["column"], caught.value.facts["row"]) == ("null_value", "agent_id", 1)
    dataset.append("holdings", {**columns, "agent_id": iter("abc"), "token_id": iter("tuv"), "quantity": map(int, "123")})
    assert dataset.read("holdings").rows() == [(0, 0, "a", "t", 1), (0, 1, "b", "u", 2), (0, 2, "c", "v", 3)]


# ---- Ctrl-C ----

def test_ctrl_c_in_a_producer_of_a_c_stream(dataset, unchanged):
    """Arrow's C interface has no exceptions, but this one is not for whoever handles errors of reading."""
    with pytest.raises(KeyboardInterrupt) as caught:
        dataset.append("holdings", Stream(reader(failing(CALLED["ctrl_c"][0]))))
    assert isinstance(caught.value.__cause__, ReadFailedError)
    unchanged()


@pytest.mark.parametrize("frame", ["made", "Stream(made)"])
def test_ctrl_c_from_outside_ends_an_append_that_waits_for_its_generator(settings, frame):
    code = f"""
import sys, time
import pyarrow as pa
from crv.io import Dataset, IoSettings
class Stream:
    def __init__(self, made):
        self._made = made
    def __arrow_c_stream__(self, requested_schema=None):
        return self._made.__arrow_c_stream__(requested_schema)
batch = pa.RecordBatch.from_pylist({ROWS!r})
def batches():
    yield batch
    print("waiting", flush=True)
    while True:
        time.sleep(0.01)
dataset = Dataset(IoSettings(root_dir=sys.argv[1], durability="none"), "r")
dataset.append("holdings", {ROWS!r})
made = pa.RecordBatchReader.from_batches(batch.schema, batches())
try:
    dataset.append("holdings", {frame})
except KeyboardInterrupt:
    print(dataset.append("holdings", {ROWS!r})["rows"], len(dataset.log()), dataset.verify()["ok"])
"""
    child = subprocess.Popen([sys.executable, "-c", code, settings.root_dir], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "waiting\n"
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=300)
    assert out == "1 2 True\n", err


# ---- what is still an error of reading ----

def written(batches):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, SCHEMA) as out:
        for one in batches:
            out.write_batch(one)
    return sink.getvalue()


WHOLE = written([batch(1), batch(200)])
BROKEN = {
    "cut_in_metadata": lambda: pa.ipc.open_stream(WHOLE[:-150]),
    "cut_in_body": lambda: pa.ipc.open_stream(WHOLE[:-20]),
    "cut_file": lambda: pa.ipc.open_stream(io.BytesIO(WHOLE[:-20])),
    "no_batch": lambda: reader(iter([batch(1), 5])),
    "other_columns": lambda: reader(iter([batch(1), pa.record_batch({"x": [1]})])),
    "no_frames": lambda: reader(map(functools.partial(os.read, 10**6), [1])),  # nothing of Python's between
    "c_stream": lambda: Stream(reader(failing(ValueError("boom")))),
    "c_stream_in_a_reader": lambda: pa.RecordBatchReader.from_stream(Stream(reader(failing(ValueError("boom"))))),
}


@pytest.mark.parametrize("how", BROKEN)
def test_an_error_of_the_reader_itself_is_an_error_of_reading(dataset, unchanged, how):
    with pytest.raises(IoReadError) as caught:
        dataset.append("holdings", BROKEN[how]())
    assert caught.value.code == "read_failed" and isinstance(caught.value, OSError)
    assert ("boom" in str(caught.value)) == how.startswith("c_stream") and "\n" not in str(caught.value)
    assert len(str(caught.value)) > 10
    if how == "no_frames":
        assert caught.value.errno == caught.value.facts["errno"] == 9
    unchanged()


def test_a_reader_that_lacks_memory_says_so(dataset, unchanged, tmp_path):
    """The length of a body, made so large that no memory holds it."""
    messages = pa.ipc.MessageReader.open_stream(WHOLE)
    messages.read_next_message()  # the schema
    length = struct.pack("<q", messages.read_next_message().body.size)
    (tmp_path / "huge").write_bytes(WHOLE.replace(length, struct.pack("<q", 1 << 50)))
    with pa.OSFile(str(tmp_path / "huge")) as file, pytest.raises(OutOfMemoryError) as caught:
        dataset.append("holdings", pa.ipc.open_stream(file))
    assert isinstance(caught.value, MemoryError) and caught.value.code == "out_of_memory"
    unchanged()


# ---- readers that are good ----

def test_a_reader_is_not_read_where_the_call_is_refused(dataset):
    made = reader(iter([batch(1), batch(200)]))
    with pytest.raises(BadArgumentError):
        dataset.append("holdings", made, token=("writer", "no number"))
    assert dataset.append("holdings", made)["rows"] == 2
    assert dataset.append("holdings", made)["rows"] == 0  # it is at its end


def test_batches_may_differ_from_their_reader_in_what_no_value_shows(dataset):
    strict = pa.schema([field.with_nullable(False).with_metadata({"k": "v"}) for field in SCHEMA], {"m": "n"})
    batches = [batch(1), pa.RecordBatch.from_pylist([{**ROWS[0], "tick": 200}], schema=strict)]
    dataset.append("holdings", reader(iter(batches)))
    assert dataset.read("holdings").drop("bucket").rows() == [(1, "a", "t", 1), (200, "a", "t", 1)]
    assert pl.from_arrow(dataset.scan_arrow("holdings").read_all()).equals(dataset.read("holdings"))
