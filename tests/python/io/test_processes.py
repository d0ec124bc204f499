"""Other processes and threads: the end of the interpreter, fork, Ctrl-C, and many writers."""

import ast
import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from crv.io import Dataset

HEAD = """
import json, os, signal, sys, threading
from crv.io import Dataset, IoSettings
settings = IoSettings(root_dir=sys.argv[1], durability="none")
def rows(ticks):
    ticks = list(ticks)
    return {"tick": ticks, "agent_id": ["a"] * len(ticks), "token_id": ["t"] * len(ticks), "quantity": ticks}
"""


@pytest.fixture
def python(settings):
    """python(code): runs it in a process of its own; its last line of output as JSON."""

    def run(code, expected=0):
        done = subprocess.run([sys.executable, "-c", HEAD + code, settings.root_dir], capture_output=True, text=True,
                              timeout=300)
        assert done.returncode == expected, done.stderr
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout else done.stderr

    return run


def parts_in_manifest(settings, run="r"):
    path = Path(settings.root_dir) / "runs" / run / "tables/holdings/manifest.json"
    return sum(len(p["parts"]) for p in json.loads(path.read_text())["partitions"].values())


@pytest.mark.parametrize(("end", "code"), [("", 0), ("sys.exit(3)", 3), ("raise RuntimeError('end')", 1)])
def test_manifests_are_fresh_when_the_interpreter_ends(python, settings, end, code):
    """Of a table so big that appends leave its manifest behind. The Dataset is never closed."""
    python(f"""
dataset = Dataset(settings, "r")
dataset.append("holdings", rows(range(0, 110_000, 100)))
for tick in range(5):
    dataset.append("holdings", rows([tick]))
keep = [dataset]
{end}
""", expected=code)
    assert parts_in_manifest(settings) == 1105


def test_a_process_that_only_reads_writes_nothing_at_its_end(python, settings, files, holdings):
    with Dataset(settings, "r") as dataset:
        dataset.append("holdings", holdings([1]))
    before = files(settings.root_dir)
    assert python("""
dataset = Dataset(settings, "r")
print(dataset.read("holdings").height)
""") == 1
    assert files(settings.root_dir) == before


@pytest.mark.parametrize("left_open", [
    'frame = dataset.scan("holdings")',
    'frame = dataset.scan("holdings"); rows = frame.collect_batches(); next(rows)',
    'reader = dataset.scan_arrow("holdings")',
    'reader = dataset.scan_arrow("holdings"); reader.read_next_batch()',
    'relation = dataset.relation("holdings")',
    'batches = dataset.relation("holdings").to_arrow_reader(10); batches.read_next_batch()',
    'cycle = [dataset.scan_arrow("holdings")]; cycle.append(cycle)',
    'import builtins; builtins.kept = dataset.scan_arrow("holdings")',
    'held = threading.Event()\n'
    'def hold():\n    frame = dataset.scan("holdings"); held.set(); threading.Event().wait()\n'
    'threading.Thread(target=hold, daemon=True).start(); held.wait()',
])
def test_a_program_may_end_with_a_scan_open(settings, holdings, left_open):
    with Dataset(settings, "r") as dataset:
        dataset.append("holdings", holdings(range(300)))
    code = HEAD + f"""
dataset = Dataset(settings, "r")
{left_open}
"""
    done = subprocess.run([sys.executable, "-c", code, settings.root_dir], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_importing_crv_io_imports_none_of_the_packages_beside_it(python):
    found = python("""
import crv.io.read, crv.io.write, crv.io.validate, crv.io.run_manifest, crv.io.artifacts, crv.io.fs
print(json.dumps([m for m in sys.modules if m.split(".")[0] == "app" or m.startswith(
    ("crv.world", "crv.mind", "crv.lab", "crv.viz"))]))
""")
    assert found == []


def test_importing_crv_io_needs_neither_duckdb_nor_pandas_nor_tqdm(python):
    assert python("""
print(json.dumps([m for m in ("duckdb", "pandas", "tqdm") if m in sys.modules]))
""") == []


def test_a_forked_child_uses_its_parents_dataset(python, settings):
    """Before Polars has run its first query, as Polars asks for."""
    found = python("""
dataset = Dataset(settings, "r")
dataset.append("holdings", rows([1, 101]))
pid = os.fork()
if pid == 0:
    try:
        dataset.append("holdings", rows([2]))
        assert sorted(dataset.read("holdings")["tick"]) == [1, 2, 101]
        dataset.close()
        os._exit(0)
    except BaseException as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
dataset.append("holdings", rows([3]))
print(json.dumps(sorted(dataset.read("holdings")["tick"])))
""")
    assert found == [1, 2, 3, 101]


def test_a_fork_while_the_parents_own_threads_work(python, settings):
    """Of a table so big that manifests are written in the background: those threads are not there in the child."""
    assert python("""
dataset = Dataset(settings, "r")
dataset.append("holdings", rows(range(0, 110_000, 100)))
for tick in range(1, 201):
    dataset.append("holdings", rows([tick]))
    if tick % 50 == 0:
        pid = os.fork()
        if pid == 0:
            signal.alarm(120)
            dataset.append("holdings", rows([100_000 + tick]))
            dataset.close()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
print(dataset.read("holdings").height)
""") == 1100 + 200 + 4


def test_a_pool_of_forked_workers_appends(python, settings):
    assert python("""
import multiprocessing
dataset = Dataset(settings, "r")
dataset.append("holdings", rows([0]))
def work(worker):
    for tick in range(5):
        dataset.append("holdings", rows([worker * 100 + tick]))
    return worker
with multiprocessing.get_context("fork").Pool(4) as pool:
    assert sorted(pool.map(work, range(8))) == list(range(8))
print(dataset.read("holdings").height)
""") == 41
    assert Dataset(settings, "r").verify()["ok"]


BUSY = """
dataset = Dataset(settings, "r")
dataset.append("holdings", rows(range(0, 110_000, 100)))  # so many parts that manifests are written in the background
for tick in range(1, 101):
    dataset.append("holdings", rows([tick]))
def stands():
    return {path: os.stat(path) for path, _, names in os.walk(settings.root_dir) for path in
            [path, *(os.path.join(path, name) for name in names)]}
"""


@pytest.mark.parametrize("end", ["sys.exit(0)", "del dataset; sys.exit(0)", "dataset.close(); sys.exit(0)",
                                 "frame = dataset.scan('holdings'); del dataset, frame; sys.exit(0)"])
def test_a_forked_child_ends_though_it_has_none_of_the_threads_of_its_parent(python, end):
    assert python(BUSY + f"""
pid = os.fork()
if pid == 0:
    signal.alarm(60)
    {end}
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
print(dataset.read("holdings").height)
""") == 1200


def test_a_forked_childs_end_changes_no_file(python, settings):
    """Manifests that are behind are its parent's to write."""
    assert python(BUSY + """
dataset.close()
dataset.append("holdings", rows([101]))  # the manifest is behind by one commit, and the parent is the one to write it
before = stands()
for end in ("sys", "del", "close"):
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        if end == "del":
            del dataset
        elif end == "close":
            dataset.close()
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
after = stands()
assert after.keys() == before.keys()
print(json.dumps([path for path in before if (before[path].st_mtime_ns, before[path].st_ino) != (
    after[path].st_mtime_ns, after[path].st_ino)]))
""") == []
    assert parts_in_manifest(settings) == 1201


@pytest.mark.parametrize("start", [
    "p = multiprocessing.get_context('fork').Process(target=work, args=(0,)); p.start(); p.join(); assert p.exitcode == 0",
    "with multiprocessing.get_context('fork').Pool(2) as pool: pool.map(work, range(4))",
    "pool = multiprocessing.get_context('fork').Pool(2); pool.map(work, range(4)); pool.close(); pool.join()",
    "with futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context('fork')) as pool: list(pool.map(work, range(4)))",
])
def test_forked_workers_that_let_go_of_their_parents_dataset_end(python, start):
    assert python(BUSY + f"""
import gc, multiprocessing
from concurrent import futures
signal.alarm(200)
def work(job):
    global dataset
    dataset = None
    gc.collect()
    return Dataset(settings, "r").log(after=100)
{start}
print(dataset.read("holdings").height)
""") == 1200


def test_a_fork_while_another_thread_is_in_a_call(python):
    """Its locks are held for ever in the child."""
    assert python("""
dataset = Dataset(settings, "r")
dataset.append("holdings", rows([0]))
go_on = True
def write():
    while go_on:
        dataset.append("holdings", rows([1]))
writer = threading.Thread(target=write)
writer.start()
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        dataset.append("holdings", rows([2]))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
go_on = False
writer.join()
print(dataset.read("holdings", {"tick_min": 2}).height)
""") == 20


def test_spawned_workers_are_handed_a_dataset(settings, tmp_path, holdings):
    script = tmp_path / "script.py"
    script.write_text(HEAD + """
import multiprocessing
def work(job):
    dataset, tick = job
    return dataset.append("holdings", rows([tick]))["rows"]
if __name__ == "__main__":
    dataset = Dataset(settings, "r")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(work, [(dataset, t) for t in range(6)]) == [1] * 6
    assert dataset.read("holdings").height == 6
""")
    done = subprocess.run([sys.executable, script, settings.root_dir], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_ctrl_c_ends_a_long_append_with_the_run_whole(python, settings):
    """The signal comes from outside Python's own code: once the first parts of the append are on disk."""
    found = python("""
dataset = Dataset(settings, "r")
dataset.append("holdings", rows([1]))
table = settings.root_dir + "/runs/r/tables/holdings"
def press():
    while len(os.listdir(table)) < 10:
        pass
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=press, daemon=True).start()
try:
    dataset.append("holdings", rows(range(0, 2_000_000, 100)))
except KeyboardInterrupt:
    ended = True
else:
    ended = False
report = dataset.verify()
dataset.append("holdings", rows([2]))
print(json.dumps([ended, report["ok"], report["rows"], sorted(dataset.read("holdings")["tick"])]))
""")
    assert found == [True, True, 1, [1, 2]]


@pytest.mark.parametrize("work", ['dataset.scan("holdings").collect()', 'dataset.scan_arrow("holdings").read_all()',
                                  'dataset.append("holdings", rows([1]))', "dataset.verify()"])
def test_ctrl_c_ends_any_work_with_the_run_whole(settings, holdings, work):
    with Dataset(settings, "r") as dataset:
        dataset.append("holdings", holdings(range(0, 5000, 100)))
    code = HEAD + f"""
dataset = Dataset(settings, "r")
print("working", flush=True)
while True:
    {work}
    print("again", flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", code, settings.root_dir], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    for _ in range(5):
        child.stdout.readline()
    child.send_signal(signal.SIGINT)
    err = child.communicate(timeout=300)[1]
    assert child.returncode == -signal.SIGINT and "KeyboardInterrupt" in err, err
    dataset = Dataset(settings, "r")
    assert dataset.verify()["ok"]
    assert dataset.read("holdings").height == 50 + sum(c["tables"][0]["rows_added"] for c in dataset.log(after=1))


class Press:
    """A trace function that is Ctrl-C at the n-th line of what Polars calls to get the rows of a scan."""

    def __init__(self, at):
        self.left = at

    def __call__(self, frame, event, arg):
        file = frame.f_code.co_filename
        return self.line if file.endswith(("crv/io/_polars.py", "polars/io/plugins.py")) else None

    def line(self, frame, event, arg):
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self.line


@pytest.mark.parametrize("collect", [lambda f: f.collect(), lambda f: f.collect(engine="streaming"),
                                     lambda f: f.filter(pl.col("tick") > 5).select("tick").head(1).collect()])
def test_ctrl_c_at_any_line_of_a_scan_is_a_keyboard_interrupt(dataset, holdings, collect):
    dataset.append("holdings", holdings(range(0, 300, 100)))
    collect(dataset.scan("holdings"))
    ended = 0
    for at in range(1, 500):
        press = Press(at)
        sys.settrace(press)
        try:
            collect(dataset.scan("holdings"))
        except KeyboardInterrupt:
            ended += 1
        finally:
            sys.settrace(None)
        if press.left > 0:
            break
    assert press.left > 0 and ended == at - 1 > 15
    assert collect(dataset.scan("holdings")).height > 0


def test_threads_append_to_one_dataset_at_once(dataset, holdings):
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: dataset.append("holdings", holdings([n, n + 100])), range(40)))
    assert sum(summary["rows"] for summary in done) == 80
    assert sorted(dataset.read("holdings")["tick"]) == sorted([*range(40), *range(100, 140)])
    assert [commit["seq"] for commit in dataset.log()] == list(range(1, 41))
    assert dataset.verify()["ok"]


def test_threads_with_datasets_of_their_own(settings, holdings):
    def work(n):
        with Dataset(settings, "r") as dataset:
            return dataset.append("holdings", holdings([n]))["rows"]

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(30))) == 30
    assert sorted(Dataset(settings, "r").read("holdings")["tick"]) == list(range(30))


def test_readers_beside_a_writer_see_whole_appends(dataset, holdings, settings):
    ended = threading.Event()

    def write():
        for n in range(30):
            dataset.append("holdings", holdings([n, n + 100, n + 200]))
        ended.set()

    seen = []
    writer = threading.Thread(target=write)
    writer.start()
    with Dataset(settings, "village") as reader:
        while not ended.is_set() or not seen or seen[-1] != 90:
            if reader.manifest("holdings") is not None:
                seen.append(reader.read("holdings").height)
                seen.append(dataset.scan_arrow("holdings").read_all().num_rows)
    writer.join()
    assert all(rows % 3 == 0 for rows in seen) and seen[-1] == 90


def test_processes_append_to_one_run_at_once(settings):
    code = HEAD + """
dataset = Dataset(settings, "r")
for n in range(10):
    dataset.append("holdings", rows([int(sys.argv[2]) * 10 + n]))
"""
    children = [subprocess.Popen([sys.executable, "-c", code, settings.root_dir, str(n)]) for n in range(4)]
    assert [child.wait(timeout=300) for child in children] == [0] * 4
    dataset = Dataset(settings, "r")
    assert sorted(dataset.read("holdings")["tick"]) == list(range(40)) and dataset.verify()["ok"]
    assert parts_in_manifest(settings) == 40 and os.path.exists(settings.root_dir)


def test_one_libarrow_is_in_the_process():
    """crv's extension and pyarrow meet in the very same library, whichever is imported first."""
    for first in ("import pyarrow, crv.io", "import crv.io, pyarrow"):
        code = first + "\nprint({l.split()[-1] for l in open('/proc/self/maps') if 'libarrow.so' in l})"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        found = ast.literal_eval(done.stdout)
        assert len(found) == 1 and "pyarrow/libarrow.so" in next(iter(found)), found
