"""A part that was changed on disk is an error that names it, never other values."""

import random
from pathlib import Path

import polars as pl
import pytest
from random_tests import SEED

from crv.io import Dataset
from crv.io.errors import IoReadError, PartDamagedError, PartMissingError


def parts(dataset):
    return sorted(Path(dataset.settings.root_dir).rglob("part-*.parquet"))


def again(dataset):
    return Dataset(dataset.settings, dataset.run_id)


def test_any_flipped_byte_is_found_before_a_row_is_read(dataset, holdings):
    dataset.append("holdings", holdings(range(50)))
    (part,) = parts(dataset)
    sound = part.read_bytes()
    dice = random.Random(SEED)
    for at in sorted(dice.sample(range(len(sound)), 60)):
        part.write_bytes(sound[:at] + bytes([sound[at] ^ (1 << dice.randrange(8))]) + sound[at + 1 :])
        with pytest.raises(PartDamagedError) as caught:
            again(dataset).read("holdings")
        assert caught.value.facts["path"] == str(part), at
        assert isinstance(caught.value, OSError)
    part.write_bytes(sound)
    assert again(dataset).read("holdings").height == 50


def test_only_parts_that_are_opened_are_looked_at(dataset, holdings):
    dataset.append("holdings", holdings([1, 150]))
    first, second = parts(dataset)
    first.write_bytes(first.read_bytes()[:-1])
    late = again(dataset).scan("holdings").filter(pl.col("tick") > 100)
    assert late.collect()["tick"].to_list() == [150]
    with pytest.raises(PartDamagedError):
        again(dataset).read("holdings")
    second.unlink()
    with pytest.raises(PartMissingError):
        late.collect()


def test_the_look_can_be_left_out(dataset, holdings):
    dataset.append("holdings", holdings(range(3)))
    (part,) = parts(dataset)
    sound = part.read_bytes()
    # A byte of the footer's keys that Polars has no use for.
    at = sound.rindex(b"crv_run_id")
    part.write_bytes(sound[:at] + b"x" + sound[at + 1 :])
    assert again(dataset).read("holdings", checksums=False).height == 3
    with pytest.raises(IoReadError):
        again(dataset).read("holdings")


def test_of_a_large_part_the_pages_that_are_asked_for_are_checked(dataset):
    rows = 400_000
    dice = random.Random(SEED)
    frame = pl.DataFrame({
        "tick": pl.int_range(rows, eager=True) // 5000,
        "agent_id": ["ada"] * rows,
        "token_id": ["grain"] * rows,
        "quantity": [dice.randrange(2**62) for _ in range(rows)],
    })
    dataset.append("holdings", frame)
    (part,) = parts(dataset)
    sound = part.read_bytes()
    assert len(sound) > 2 << 20
    at = len(sound) // 2  # quantity has nearly all of the bytes
    part.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
    with pytest.raises(PartDamagedError) as caught:
        again(dataset).read("holdings")
    assert caught.value.facts["path"] == str(part)
    with pytest.raises(PartDamagedError):
        again(dataset).scan("holdings").filter(pl.col("quantity") > 5).select("tick").collect()
    assert again(dataset).read("holdings", columns=["tick", "agent_id"]).height == rows
    part.write_bytes(sound)
    assert again(dataset).read("holdings")["quantity"].to_list() == frame["quantity"].to_list()
