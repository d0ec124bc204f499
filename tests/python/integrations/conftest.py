import pytest

from crv.io import Dataset, IoSettings


@pytest.fixture
def settings(tmp_path):
    return IoSettings(root_dir=str(tmp_path / "out"), durability="none")


@pytest.fixture
def dataset(settings):
    with Dataset(settings, "village") as made:
        yield made
