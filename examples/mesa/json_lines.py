"""The same model as demo.py, recorded through JSON lines and the command `crv record`: the way for any language.

    python examples/mesa/json_lines.py RUN [TICKS]

Needs Mesa, and `crv` on the PATH; crv's Python package is not used.
"""

import sys

import sugarscape
from recorder import Recorder


def lines(table, rows):
    return ({"table": table, **row} for row in rows)


def main(run, ticks=200):
    model = sugarscape.new_model(seed=42)
    trades = sugarscape.Trades()
    recorder = Recorder(run)
    recorder.record(lines("holdings", sugarscape.holdings_rows(model)))  # tick 0: before anything happened
    for _ in range(int(ticks)):
        model.step()
        recorder.record([*lines("exchange", trades.take()), *lines("holdings", sugarscape.holdings_rows(model))])
    recorder.close()
    print(recorder.summary)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
