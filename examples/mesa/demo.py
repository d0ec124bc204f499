"""Records a Mesa simulation with crv, tick by tick as it runs, and looks at the run through the command `crv`.

The model is Mesa's Sugarscape with trade: traders on a map of sugar and spice who eat both, and barter with their
neighbours. Each trade and what each trader holds goes to crv. Needs `crv` on the PATH; `make demo` sees to all.
"""

import argparse
import json
import math
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time

import picture
import sugarscape
from recorder import Recorder

HERE = pathlib.Path(__file__).resolve().parent


class Crv:
    """The command, with the root folder of the runs. Shows what it calls."""

    def __init__(self, root):
        self._root = root
        # out/ is crv's own default, so the commands shown need no --root and can be typed as they stand.
        self._globals = [] if root == "out" else ["--root", root]

    def show(self, *words, without=None):
        """Shows a command and what it prints; `without`: no lines with this word."""
        command = ["crv", *self._globals, *words]
        print("\n$ " + " ".join(command) + (f" | grep -v {without}" if without else ""), flush=True)
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        print("".join(line for line in output.splitlines(True) if not without or without not in line), end="",
              flush=True)

    def answer(self, *words):
        output = subprocess.run(["crv", "--json", "--root", self._root, *words], check=True, capture_output=True)
        return json.loads(output.stdout)

    def rows(self, run, table, *columns, ticks=".."):
        """The rows of a table as dicts."""
        output = subprocess.run(["crv", "--root", self._root, "scan", run, table, "--ticks", ticks, "--columns",
                                 ",".join(columns), "--format", "jsonl"], check=True, capture_output=True)
        return [json.loads(line) for line in output.stdout.splitlines()]


def fresh_run_id(crv):
    """sugarscape_001, sugarscape_002, ...: a run of its own each time, so that no demo mixes with an earlier one."""
    taken = crv.answer("runs")["runs"]
    number = 1
    while f"sugarscape_{number:03}" in taken:
        number += 1
    return f"sugarscape_{number:03}"


def simulate(run, root, ticks, seed):
    """Runs the model and records it. Returns the model, the closed recorder, and the seconds that each has taken."""
    of_others = resource.getrusage(resource.RUSAGE_CHILDREN)
    before = of_others.ru_utime + of_others.ru_stime
    model = sugarscape.new_model(seed)
    trades = sugarscape.Trades()
    recorder = Recorder(run, root)
    recorder.record(sugarscape.holdings_rows(model))  # tick 0: before anything happened
    seconds = 0.0
    for _ in range(ticks):
        begun = time.perf_counter()
        model.step()
        seconds += time.perf_counter() - begun
        recorder.record([*trades.take(), *sugarscape.holdings_rows(model)])
    recorder.close()
    of_crv = resource.getrusage(resource.RUSAGE_CHILDREN)
    return model, recorder, {"model": seconds, "crv": of_crv.ru_utime + of_crv.ru_stime - before}


def check_against_model(model, trades):
    """What crv gives back must be what the model's own data collector saw: trades and mean price of each tick."""
    prices = {}
    for trade in trades:
        prices.setdefault(trade["tick"], []).append(math.log(trade["price"]))
    seen = model.datacollector.get_model_vars_dataframe()
    for tick, volume, price in zip(range(1, len(seen) + 1), seen["Trade Volume"], seen["Price"]):
        logs = prices.get(tick, [])
        same = len(logs) == volume and (not logs or math.isclose(math.exp(sum(logs) / len(logs)), price))
        if not same:
            sys.exit(f"demo: the model saw {volume} trades at {price} in tick {tick}, crv gives back {len(logs)}")
    print(f"\nChecked: crv gives back the very {len(trades):,} trades and prices that the model's own collector saw "
          f"in {len(seen):,} ticks.")


def print_figures(crv, run, recorder, took):
    tables = crv.answer("tables", run)["tables"]
    seconds = recorder.seconds
    summary = recorder.summary
    print(f"""
Figures of this very run, on this machine
  recorded      {summary['rows']:,} rows in {summary['commits']:,} commits, one a tick, each synced to the disk
  on disk       {sum(t['bytes'] for t in tables):,} bytes of Parquet in {sum(t['parts'] for t in tables):,} files
  the model     {took['model']:6.2f} s  in model.step()
  recording     {seconds['encode']:6.2f} s  to make JSON lines of the rows
                {seconds['pipe']:6.2f} s  to write them to the pipe, waiting for crv included
                {seconds['close']:6.2f} s  at the end, for crv to commit what was left in the pipe
  crv itself    {took['crv']:6.2f} s  of processor time, beside the model on another core""")


def print_next_steps(run, root, figure):
    command = os.path.relpath(shutil.which("crv"))
    where = "" if root == "out" else f"--root {root} "
    print(f"""
Where everything is
  the run       {root}/runs/{run}/    Parquet files by table and bucket of ticks, and the log of commits
  the picture   {figure}
  the command   {command}
  this demo     {os.path.relpath(HERE)}/   recorder.py is all that another Python model needs

What to try next
  export PATH="$PWD/{os.path.dirname(command)}:$PATH"
  crv {where}scan {run} holdings --ticks 100 --columns agent_id,token_id,quantity --limit 10
  crv {where}scan {run} exchange -o trades.csv
  crv {where}verify {run}
  crv schema exchange
  crv --help
docs/format.md tells how to read the run without crv, README.md how to record from C++ and other languages.""")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ticks", type=int, default=200, help="steps of the model (default 200)")
    parser.add_argument("--seed", type=int, default=42, help="of the model (default 42)")
    parser.add_argument("--root", default="out", help="folder for the run and the picture (default out)")
    options = parser.parse_args()
    if shutil.which("crv") is None:
        sys.exit("demo: there is no crv on the PATH. `make demo` builds it and sees to that.")

    crv = Crv(options.root)
    run = fresh_run_id(crv)
    print(f"Recording {options.ticks} ticks of Mesa's Sugarscape (seed {options.seed}) into run {run} ...", flush=True)
    model, recorder, took = simulate(run, options.root, options.ticks, options.seed)
    print_figures(crv, run, recorder, took)

    crv.show("tables", run)
    crv.show("scan", run, "exchange", "--ticks", "10..12", "--limit", "8",
             "--columns", "tick,actor_agent_id,counterparty_agent_id,quantity,price")
    crv.show("scan", run, "exchange", "--ticks", f"{options.ticks - 1}..", "--explain", without="skip")
    crv.show("log", run, "--after", str(recorder.summary["commits"] - 3))

    trades = crv.rows(run, "exchange", "tick", "price", "quantity")
    holdings = crv.rows(run, "holdings", "tick", "token_id", "quantity")
    check_against_model(model, trades)
    figure = pathlib.Path(options.root) / f"{run}.png"
    picture.draw(trades, holdings, options.ticks, figure)
    print_next_steps(run, options.root, figure)


if __name__ == "__main__":
    main()
