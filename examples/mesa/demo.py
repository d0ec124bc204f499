"""Records a Mesa simulation with crv, tick by tick as it runs, and looks at the run with Polars and the command `crv`.

The model is Mesa's Sugarscape with trade: traders on a map of sugar and spice who eat both, and barter with their
neighbors. Its data collector is a CrvCollector: what the model reports, each trade, and what each trader has go to crv.
`make demo` sees to all that it needs.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time
import warnings

import picture
import polars as pl
import sugarscape

from crv.integrations.mesa import CrvCollector
from crv.io import Dataset, IoSettings
from crv.io.dataset import list_runs

HERE = pathlib.Path(__file__).resolve().parent


def fresh_run_id(settings):
    """sugarscape_001, sugarscape_002, ...: a run of its own each time, so that no demo mixes with an earlier one."""
    taken = set(list_runs(settings))
    return next(name for n in range(1, len(taken) + 2) if (name := f"sugarscape_{n:03}") not in taken)


def collector_of(model, run):
    """The reporters that the model came with, and more: what each trader has, and a table of trades."""
    given = model.datacollector
    traders = {sugarscape.Trader: {name: name for name in sugarscape.HAS}}
    return CrvCollector(run, given.model_reporters, given.agent_reporters, traders, {"trades": sugarscape.TRADE})


def simulate(run, ticks, seed):
    """Runs the model and records each tick as one commit over all tables. Returns the model, its first collector, which
    has seen the same, and seconds taken."""
    sugarscape.listen(lambda model, row: model.datacollector.add_table_row("trades", row))
    model = sugarscape.new_model(seed)
    mesas_own, model.datacollector = model.datacollector, collector_of(model, run)
    took = {"model": 0.0, "crv": 0.0, "processor": 0.0}

    def record():
        mesas_own.collect(model)
        begun, busy = time.perf_counter(), time.process_time()
        model.datacollector.flush()  # else the next step would do it
        took["crv"] += time.perf_counter() - begun
        took["processor"] += time.process_time() - busy

    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # of the mean price where nobody traded
        model.datacollector.collect(model)  # tick 0: before anything happened
        record()
        for _ in range(ticks):
            begun = time.perf_counter()
            model.step()
            took["model"] += time.perf_counter() - begun
            record()
    return model, mesas_own, took


def check_against_model(model, mesas_own, trades):
    """What crv gives back must be what the model's own data collector saw: trades and mean price of each tick."""
    seen = pl.from_pandas(mesas_own.get_model_vars_dataframe())
    recorded = pl.from_pandas(model.datacollector.get_model_vars_dataframe())
    ours = trades.group_by("tick").agg(volume=pl.len(), price=pl.col("price").log().mean().exp())
    both = seen.with_row_index("tick").with_columns(pl.col("tick").cast(pl.Int64)).join(ours, on="tick", how="left")
    wrong = both.filter(
        (pl.col("Trade Volume") != pl.col("volume").fill_null(0))
        | ((pl.col("Price") - pl.col("price")).abs() > 1e-9 * pl.col("price"))
    )
    if wrong.height or not recorded.equals(seen):
        sys.exit(f"demo: what crv gives back is not what the model saw:\n{wrong}\n{recorded}\n{seen}")
    print(f"\nChecked: crv gives back the very {trades.height:,} trades and prices that the model's own collector saw "
          f"in {seen.height - 1:,} ticks.")


def print_figures(run, took):
    tables, commits = run.tables(), len(run.log())
    print(f"""
Figures of this very run, on this machine
  recorded      {sum(t['rows'] for t in tables):,} rows in {commits:,} commits, one a tick, each synced to the disk
  on disk       {sum(t['bytes'] for t in tables):,} bytes of Parquet in {sum(t['parts'] for t in tables):,} files
  the model     {took['model']:6.2f} s  in model.step()
  crv           {took['crv']:6.2f} s  in flush(), {1000 * took['crv'] / commits:.1f} ms a tick, waiting for the disk included
                {took['processor']:6.2f} s  of it processor time""")


def show(*command):
    print("\n$ " + " ".join(command), flush=True)
    subprocess.run(command, check=True)


def look(run, ticks, where):
    print("\n>>> run.scan('trades').filter(pl.col('tick').is_between(10, 12))")
    some = run.scan("trades").filter(pl.col("tick").is_between(10, 12))
    with pl.Config(tbl_rows=6, tbl_width_chars=110):
        print(some.select("tick", *sugarscape.TRADE).collect())
    last = pl.col("tick") >= ticks - 1
    print(f"\n>>> print(run.explain('trades', filter=pl.col('tick') >= {ticks - 1}))")
    plan = run.explain("trades", filter=last)
    print("".join(line for line in plan.splitlines(True) if not line.startswith("  skip")), end="")
    print(f"\n>>> run.scan('agents_trader').filter(pl.col('tick') == {ticks}).select(pl.len(), pl.sum(...), pl.max(...))")
    ends = run.scan("agents_trader").filter(pl.col("tick") == ticks)
    most = pl.max(sugarscape.HAS).name.prefix("most_")
    print(ends.select(pl.len().alias("traders"), pl.sum(sugarscape.HAS), most).collect())
    show("crv", *where, "tables", run.run_id)
    show("crv", *where, "log", run.run_id, "--after", str(len(run.log()) - 3))


def print_next_steps(run, root, where, figure):
    command = os.path.relpath(shutil.which("crv"))
    python = os.path.relpath(sys.executable)
    crv = " ".join(["crv", *where])
    print(f"""
Where everything is
  the run       {root}/runs/{run.run_id}/    Parquet files by table and bucket of ticks, and the log of commits
  the picture   {figure}
  the command   {command}
  Python        {python}    with crv, Polars and Mesa
  this demo     {os.path.relpath(HERE)}/    json_lines.py records the same without crv's Python package

What to try next
  {python} -c "from crv.io import Dataset, IoSettings; print(Dataset(IoSettings(root_dir='{root}'), '{run.run_id}').read('trades'))"
  export PATH="$PWD/{os.path.dirname(command)}:$PATH"
  {crv} scan {run.run_id} trades -o trades.csv
  {crv} verify {run.run_id}
  {crv} schema trades --run {run.run_id}
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

    settings = IoSettings(root_dir=options.root)
    with Dataset(settings, fresh_run_id(settings)) as run:
        print(f"Recording {options.ticks} ticks of Mesa's Sugarscape (seed {options.seed}) into run {run.run_id} ...",
              flush=True)
        model, mesas_own, took = simulate(run, options.ticks, options.seed)
        print_figures(run, took)
        # out/ is crv's own default, so the commands shown need no --root and can be typed as they stand.
        where = [] if options.root == "out" else ["--root", options.root]
        look(run, options.ticks, where)

        trades = run.read("trades", columns=["tick", "price", "sugar"])
        traders = run.read("agents_trader", columns=["tick", *sugarscape.HAS])
        check_against_model(model, mesas_own, trades)
        figure = pathlib.Path(options.root) / f"{run.run_id}.png"
        picture.draw(trades.to_dicts(), traders.to_dicts(), options.ticks, figure)
        print_next_steps(run, options.root, where, figure)


if __name__ == "__main__":
    main()
