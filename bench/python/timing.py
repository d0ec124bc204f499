"""Times measured side by side: each round runs every candidate once, so that what else the machine does hits all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def medians(candidates: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds that each candidate takes, the median over the rounds; a first round warms up and does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(rounds + 1):
        for name, run in candidates.items():
            begun = time.perf_counter()
            run()
            if turn:
                seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(values) for name, values in seconds.items()}


def show(title: str, seconds: dict[str, float], against: str) -> None:
    print(f"\n{title}")
    width = max(map(len, seconds))
    for name, value in seconds.items():
        ratio = "" if name == against else f"   x {value / seconds[against]:.2f}"
        print(f"  {name:<{width}}  {1000 * value:10.2f} ms{ratio}")
