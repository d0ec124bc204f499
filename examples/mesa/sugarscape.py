"""Mesa's Sugarscape with trade, and what is recorded of it: each trade, and what each trader has at the end of a tick."""

from mesa.examples.advanced.sugarscape_g1mt.agents import Trader
from mesa.examples.advanced.sugarscape_g1mt.model import SugarscapeG1mt

TRADE = ["buyer", "seller", "sugar", "spice", "price"]  # who buys sugar pays with spice, `price` of it for one of sugar
HAS = ["sugar", "spice"]  # of a trader


def new_model(seed):
    return SugarscapeG1mt(seed=seed)


def listen(take):
    """Hands each trade to take(model, row) as it happens: the model keeps prices and partners, but not how much changed
    hands."""
    offer, exchange = Trader.maybe_sell_spice, Trader.sell_spice
    offered = None

    def maybe_sell_spice(trader, other, price, *welfare):
        nonlocal offered
        offered = price
        return offer(trader, other, price, *welfare)

    def sell_spice(trader, other, sugar, spice):
        exchange(trader, other, sugar, spice)
        take(trader.model, dict(zip(TRADE, (trader.unique_id, other.unique_id, sugar, spice, offered))))

    Trader.maybe_sell_spice, Trader.sell_spice = maybe_sell_spice, sell_spice
