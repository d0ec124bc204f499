"""The same model as demo.py, recorded through JSON lines and the command `crv record`: the way for any language.

    python examples/mesa/json_lines.py RUN [TICKS]

Needs Mesa, and `crv` on the PATH; crv's Python package is not used.
"""

import sys

import sugarscape
from recorder import Recorder


def traders(model):
    for trader in model.agents_by_type[sugarscape.Trader]:
        has = {name: float(getattr(trader, name)) for name in sugarscape.HAS}
        yield {"table": "agents_trader", "tick": model.steps, "agent_id": trader.unique_id, **has}


def main(run, ticks=200):
    trades = []
    sugarscape.listen(lambda model, row: trades.append({"table": "trades", "tick": model.steps, **row}))
    model = sugarscape.new_model(seed=42)
    recorder = Recorder(run, create=True)
    recorder.record(traders(model))  # tick 0: before anything happened
    for _ in range(int(ticks)):
        model.step()
        recorder.record([*trades, *traders(model)])
        trades.clear()
    recorder.close()
    print(recorder.summary)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
