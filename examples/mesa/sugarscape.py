"""Mesa's Sugarscape with trade, and the rows that it gives: table `exchange` of trades, `holdings` of who has what."""

from mesa.examples.advanced.sugarscape_g1mt.agents import Trader
from mesa.examples.advanced.sugarscape_g1mt.model import SugarscapeG1mt


class Trades:
    """Listens to the traders. The model keeps prices and partners, but not how much changed hands."""

    def __init__(self):
        self._rows = []
        self._price = None
        offer, exchange = Trader.maybe_sell_spice, Trader.sell_spice

        def maybe_sell_spice(trader, other, price, *welfare):
            self._price = price
            return offer(trader, other, price, *welfare)

        def sell_spice(trader, other, sugar, spice):
            exchange(trader, other, sugar, spice)
            self._rows.append(trade_row(trader, other, sugar, spice, self._price))

        Trader.maybe_sell_spice, Trader.sell_spice = maybe_sell_spice, sell_spice

    def take(self):
        """The trades since the last call, in the order in which they happened."""
        rows, self._rows = self._rows, []
        return rows


def name_of(trader):
    return f"trader_{trader.unique_id}"


def trade_row(buyer, seller, sugar, spice, price):
    """Who sells spice buys sugar. The price is in units of spice for one of sugar; whole units change hands."""
    return {
        "tick": buyer.model.steps,
        "venue_id": "sugarscape",
        "token_id": "sugar",
        "exchange_event_type": "trade",
        "side": "buy",
        "quantity": sugar,
        "price": price,
        "actor_agent_id": name_of(buyer),
        "counterparty_agent_id": name_of(seller),
        "additional_payload": {"spice_paid": spice},
    }


def holdings_rows(model):
    """Sugar and spice of every living trader at the end of the current tick. The model keeps whole units as floats."""
    for trader in model.agents_by_type[Trader]:
        for token, quantity in (("sugar", trader.sugar), ("spice", trader.spice)):
            yield {"tick": model.steps, "agent_id": name_of(trader), "token_id": token, "quantity": int(quantity)}


def new_model(seed):
    return SugarscapeG1mt(seed=seed)
