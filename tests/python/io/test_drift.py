"""Random nested drifts against a plain model: what any mix of appends makes of a table's types and rows."""

import functools
import tempfile

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from plain_model import UNIVERSES, same, structs, type_of, unite, widened
from random_tests import examples

from crv.io import Dataset, IoSettings

LONE = ("struct", {})


@st.composite
def drifts(draw):
    """Appends of (tick, payload) rows, all payloads out of one universe of types."""
    universe = draw(UNIVERSES)
    rows = st.lists(st.tuples(st.integers(0, 250), structs(universe)), min_size=1, max_size=4)
    return draw(st.lists(rows, min_size=1, max_size=5))


def row(tick, payload):
    return {"tick": tick, "venue_id": "v", "token_id": "t", "exchange_event_type": "trade",
            "additional_payload": payload}


def in_scan_order(appends):
    return sorted(((tick // 100, n, i, tick, payload) for n, rows in enumerate(appends)
                   for i, (tick, payload) in enumerate(rows)), key=lambda r: r[:3])


@examples(400)
@given(drifts(), st.integers(0, 250))
def test_any_drift_reads_as_the_plain_model_says(appends, least):
    with tempfile.TemporaryDirectory() as root:
        with Dataset(IoSettings(root_dir=root, durability="none"), "r") as dataset:
            for rows in appends:
                dataset.append("exchange", [row(*pair) for pair in rows])
            kind = functools.reduce(unite, (type_of(payload) for rows in appends for _, payload in rows), LONE)
            expected = [(tick, widened(payload, kind)) for *_, tick, payload in in_scan_order(appends)]
            columns = ["tick", "additional_payload"]
            check(dataset.read("exchange", columns=columns).rows(), expected)
            arrow = dataset.scan_arrow("exchange", columns=columns).read_all()
            check(list(zip(*(arrow[name].to_pylist() for name in columns), strict=True)), expected)
            filtered = dataset.scan("exchange").filter(pl.col("tick") >= least).select(columns).collect().rows()
            check(filtered, [pair for pair in expected if pair[0] >= least])
            assert dataset.verify()["ok"]
        with Dataset(IoSettings(root_dir=root, durability="none"), "r") as again:
            again.rebuild_manifest("exchange")
            check(again.read("exchange", columns=columns).rows(), expected)


def check(found, expected):
    assert [tick for tick, _ in found] == [tick for tick, _ in expected]
    for (_, one), (_, other) in zip(found, expected, strict=True):
        assert same(one, other), f"{one!r} is not {other!r}"


@examples(100)
@given(drifts())
def test_one_frame_or_many_appends_give_the_same(appends):
    kind = functools.reduce(unite, (type_of(payload) for rows in appends for _, payload in rows), LONE)
    together = [pair for rows in appends for pair in rows]
    with tempfile.TemporaryDirectory() as root, Dataset(IoSettings(root_dir=root, durability="none"), "r") as dataset:
        dataset.append("exchange", [row(*pair) for pair in together])
        expected = [(tick, widened(payload, kind)) for *_, tick, payload in in_scan_order([together])]
        check(dataset.read("exchange", columns=["tick", "additional_payload"]).rows(), expected)
