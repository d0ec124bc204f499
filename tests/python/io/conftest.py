import hashlib
import sys
from pathlib import Path

import polars as pl
import pytest

from crv.io import Dataset, IoSettings

sys.path.insert(0, str(Path(__file__).parent))  # for plain_model and random_tests

from random_tests import SCALE, SEED


@pytest.fixture
def settings(tmp_path):
    return IoSettings(root_dir=str(tmp_path / "out"), durability="none")


@pytest.fixture
def dataset(settings):
    with Dataset(settings, "village") as made:
        yield made


@pytest.fixture
def holdings():
    """holdings([1, 250], ...): a frame of table holdings, one row a tick."""

    def frame(ticks, **columns):
        ticks = list(ticks)
        return pl.DataFrame({
            "tick": pl.Series(ticks, dtype=pl.Int64),
            "agent_id": [f"agent_{i}" for i in range(len(ticks))],
            "token_id": ["grain"] * len(ticks),
            "quantity": pl.Series(range(len(ticks)), dtype=pl.Int64),
            **columns,
        })

    return frame


@pytest.fixture
def message():
    """message(tick, audience={...}): a row of table messages, whose structs are free."""

    def row(tick, audience, claims=None, style=None, **columns):
        return {"tick": tick, "sender_agent_id": "ada", "channel_name": "square", "visibility_scope": "public",
                "audience": audience, "speech_act": "tell", "topic_label": "rain",
                "claims": {} if claims is None else claims, "style": {} if style is None else style, **columns}

    return row


@pytest.fixture
def files():
    """files(folder): what lies below it: every path with a checksum of its bytes."""

    def look(folder):
        return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
                for path in Path(folder).rglob("*")}

    return look


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"CRV_TEST_SEED={SEED} CRV_HYPOTHESIS_SCALE={SCALE}")
