"""A village that harvests and trades: how a model of one's own records a run, and what comes back.

python examples/python/village.py [ROOT]
"""

from __future__ import annotations

import random
import sys

import polars as pl

from crv.core.schema import HoldingsRow
from crv.io import Dataset, IoSettings
from crv.io.errors import IoSchemaError

VILLAGERS = ("ada", "bo", "cy")


def harvest(stores: dict[str, int], dice: random.Random) -> None:
    for villager in stores:
        stores[villager] += dice.randint(0, 3)


def trade(tick: int, stores: dict[str, int]) -> list[dict[str, object]]:
    """Whoever has most sells one unit to whoever has least."""
    seller, buyer = max(stores, key=stores.__getitem__), min(stores, key=stores.__getitem__)
    if stores[seller] - stores[buyer] < 2:
        return []
    stores[seller] -= 1
    stores[buyer] += 1
    return [
        {
            "tick": tick,
            "venue_id": "square",
            "token_id": "grain",
            "exchange_event_type": "trade",
            "side": "buy",
            "quantity": 1.0,
            "price": 2.0,
            "actor_agent_id": buyer,
            "counterparty_agent_id": seller,
            "additional_payload": {"left": stores[seller]},
        }
    ]


def main(root: str = "out") -> None:
    dice = random.Random(7)
    stores: dict[str, int] = {villager: 0 for villager in VILLAGERS}
    with Dataset(IoSettings(root_dir=root, tick_bucket_size=10), "village") as run:
        for tick in range(30):
            harvest(stores, dice)
            trades = trade(tick, stores)
            holdings = [
                HoldingsRow(tick=tick, agent_id=who, token_id="grain", quantity=n) for who, n in stores.items()
            ]
            run.append_many({"exchange": trades, "holdings": holdings}, complete_through=tick)  # one commit

        richest = (
            run.scan("holdings")
            .filter(pl.col("tick") == 29)
            .sort("quantity", descending=True)
            .select("agent_id", "quantity")
            .collect()
        )
        print(richest.rows())
        print(run.read("exchange", {"tick_min": 20}, columns=["tick", "price"]).height, "trades from tick 20 on")

        try:
            run.append("holdings", {"tick": [30], "agent_id": ["ada"], "token_id": ["grain"], "quantity": [1.5]})
        except IoSchemaError as e:
            print(e.code, e.facts["column"], e.facts["row"], e.facts["value"])


if __name__ == "__main__":
    main(*sys.argv[1:])
