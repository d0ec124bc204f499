"""Price, volume and wealth over the ticks, as a picture."""

import collections
import math

import matplotlib

matplotlib.use("Agg")  # no screen needed
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter  # noqa: E402

INK, SUGAR, SPICE, VOLUME = "#333333", "#c2417c", "#b8790a", "#2f6f9f"


def by_tick(rows, value):
    """{tick: [value of each row]}"""
    ticks = collections.defaultdict(list)
    for row in rows:
        ticks[row["tick"]].append(value(row))
    return ticks


def draw(trades, traders, last_tick, path):
    plt.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": INK,
                         "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.titlelocation": "left"})
    figure, (price, volume, wealth) = plt.subplots(3, 1, figsize=(9, 8.5), sharex=True, layout="constrained",
                                                   height_ratios=[3, 1.6, 1.8])
    figure.suptitle("Sugarscape with trade, as read back from crv", x=0.01, ha="left", fontsize=13, fontweight="bold")
    draw_price(price, trades)
    draw_volume(volume, trades)
    draw_wealth(wealth, traders)
    wealth.set_xlim(0, last_tick)
    wealth.set_xlabel("tick")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_price(axes, trades):
    prices = by_tick(trades, lambda row: math.log(row["price"]))
    axes.scatter([t["tick"] for t in trades], [t["price"] for t in trades], s=4, color=SUGAR, alpha=0.18, linewidths=0,
                 label="a trade")
    axes.plot(sorted(prices), [math.exp(sum(prices[t]) / len(prices[t])) for t in sorted(prices)], color=INK, lw=1.3,
              label="geometric mean of the tick")
    axes.axhline(1, color=INK, lw=0.6, ls=":")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(FixedLocator([0.1, 0.2, 0.5, 1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_title("Price: units of spice for one of sugar, log scale")
    legend = axes.legend(frameon=False, loc="upper right", ncols=2, markerscale=3)
    for handle in legend.legend_handles:
        handle.set_alpha(0.9)


def draw_volume(axes, trades):
    volumes = by_tick(trades, lambda row: row["sugar"])
    axes.bar(list(volumes), [sum(v) for v in volumes.values()], width=1, color=VOLUME)
    axes.set_yscale("symlog", linthresh=10)
    axes.set_yticks([0, 10, 100, 1000], ["0", "10", "100", "1,000"])
    axes.set_title("Volume: units of sugar traded in the tick, log scale above 10")


def draw_wealth(axes, traders):
    for good, color in (("sugar", SUGAR), ("spice", SPICE)):
        held = by_tick(traders, lambda row: row[good])
        ticks = sorted(held)
        axes.plot(ticks, [sum(held[t]) / len(held[t]) for t in ticks], color=color, lw=1.5, label=good)
    axes.set_ylim(bottom=0)
    axes.set_title(f"Holdings: what a living trader has on average ({len(held[ticks[0]])} traders at first, "
                   f"{len(held[ticks[-1]])} at the end)")
    axes.legend(frameon=False, loc="upper left", ncols=2)
