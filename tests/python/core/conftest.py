import json
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def vectors():
    """vectors(name): a file of the vectors that the C++ tests read, too."""
    folder = Path(__file__).parents[2] / "core" / "data"
    return lambda name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
