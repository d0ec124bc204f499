import sys
from pathlib import Path

import pytest

from crv.io import Dataset

sys.path.insert(0, str(Path(__file__).parent))  # for meadow

from meadow import settings_of


@pytest.fixture
def settings(tmp_path):
    return settings_of(tmp_path / "out")


@pytest.fixture
def dataset(settings):
    with Dataset(settings, "village") as made:
        yield made
