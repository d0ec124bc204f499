#!/usr/bin/env python3
"""Wheels of the Python package, and environments to use and to test them in.

    python_env.py versions           the Pythons of this machine that crv supports, one a line
    python_env.py wheel [VERSION]    build the wheel (of the first version there is) into dist/ and print its path
    python_env.py prepare            make the environments that the tests need, of every version
    python_env.py path               the Python of the first of them, whether it is made yet or not
    python_env.py test VERSION ...   run pytest with these arguments in one of them
    python_env.py types              check the types of the package and the examples
    python_env.py demo               print the path of a Python that has the wheel and what the demo needs

An environment holds the pinned packages of tools/requirements-*.txt and the wheel, nothing else. It is kept in .deps/ and
made anew when those files change; a new wheel replaces the old one. The network is needed only when one is made.
"""

import filecmp
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEPS = ROOT / ".deps"
DIST = ROOT / "dist"
VERSIONS = ("3.11", "3.12", "3.13")
STABLE_ABI_FROM = "3.12"  # one wheel serves this version and all later ones
TOOLS = ROOT / "tools"


def run(*command, **options):
    subprocess.run([str(c) for c in command], check=True, **options)


def is_version(python, version):
    """Whether it is a Python of that version that can make environments."""
    probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([str(python), "-c", probe], capture_output=True, text=True)
    except OSError:
        return False
    return done.returncode == 0 and done.stdout.strip() == version


def find_python(version):
    """A Python of that version: the running one, one on PATH, one of pyenv; None where there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [sys.executable, shutil.which(f"python{version}"), f"/usr/bin/python{version}"]
    candidates += sorted(pyenv.glob(f"{version}.*/bin/python"), reverse=True)
    return next((Path(c) for c in candidates if c and is_version(c, version)), None)


@functools.cache
def pythons():
    found = {version: find_python(version) for version in VERSIONS}
    return {version: python for version, python in found.items() if python}


def environment(name, version, requirements):
    """The Python of an environment with the packages of the requirement files."""
    home = DEPS / f"python-{version}-{name}"
    wanted = "".join((TOOLS / f"requirements-{r}.txt").read_text() for r in requirements)
    stamp = home / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"tools/python_env.py: making {home.relative_to(ROOT)}", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        run(pythons()[version], "-m", "venv", home)
        files = [a for r in requirements for a in ("--requirement", TOOLS / f"requirements-{r}.txt")]
        run(home / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--only-binary", ":all:", *files)
        stamp.write_text(wanted)
    return home / "bin/python"


def build_version(version):
    """The version whose wheel serves `version`."""
    if version < STABLE_ABI_FROM:
        return version
    return min(v for v in pythons() if v >= STABLE_ABI_FROM)


def arrow_of(version):
    """The Arrow that the wheel is built against: what CMake has unpacked for the C++ build, else the environment's."""
    pinned = re.search(r"CRV_PYARROW_VERSION (\S+)\)", (ROOT / "cmake/CrvArrow.cmake").read_text())[1]
    unpacked = DEPS / f"pyarrow-{pinned}" / "pyarrow"
    if unpacked.exists():
        return unpacked
    python = environment("test", version, ["test"])
    return next(python.parent.parent.glob("lib/python*/site-packages/pyarrow"))


def sources():
    """Digest of all that a wheel is made of."""
    digest = hashlib.sha256()
    folders = [ROOT / name for name in ("cmake", "include", "src", "python")]
    files = [f for folder in folders for f in folder.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    for file in sorted(files) + [ROOT / n for n in ("CMakeLists.txt", "LICENSE", "README.md", "pyproject.toml")]:
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


@functools.cache
def wheel(wanted):
    """Builds the wheel that serves a version, unless it is there for these sources. Its path."""
    version = build_version(wanted)
    if version != wanted:
        return wheel(version)
    stamp, now = ROOT / "build" / "wheels" / f"{version}.sources", sources()
    if stamp.exists() and (known := stamp.read_text().split())[0] == now and (DIST / known[1]).exists():
        return DIST / known[1]
    python = environment("build", version, ["build"])
    out = ROOT / "build" / "wheels" / version
    shutil.rmtree(out, ignore_errors=True)
    run(python, "-m", "pip", "wheel", ROOT, "--quiet", "--disable-pip-version-check", "--no-deps",
        "--no-build-isolation", "--wheel-dir", out,
        "--config-settings", f"cmake.define.CRV_ARROW_ROOT={arrow_of(version)}", stdout=sys.stderr)
    (made,) = out.glob("crv-*.whl")
    DIST.mkdir(exist_ok=True)
    shutil.copy2(made, DIST / made.name)
    stamp.write_text(f"{now} {made.name}")
    return DIST / made.name


def with_wheel(name, version, requirements):
    """The Python of an environment with the wheel in it as well."""
    python = environment(name, version, requirements)
    built = wheel(version)
    installed = python.parent.parent / "crv.whl"
    if not installed.exists() or not filecmp.cmp(built, installed, shallow=False):
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index",
            "--force-reinstall", built, stdout=sys.stderr)
        shutil.copy2(built, installed)
    return python


def test_python(version):
    return DEPS / f"python-{version}-test" / "bin/python"


def check_types():
    """mypy and basedpyright, both strict, over the package and the examples that use it."""
    python = DEPS / f"python-{next(iter(pythons()))}-types" / "bin/python"
    run(python, "-m", "mypy", "--strict", ROOT / "python/crv", ROOT / "examples/python", cwd=ROOT)
    run(python, "-m", "basedpyright", "--pythonpath", python, cwd=ROOT)


def main(arguments):
    match arguments:
        case ["versions"]:
            print("\n".join(pythons()))
        case ["wheel", *rest]:
            print(wheel(rest[0] if rest else next(iter(pythons()))))
        case ["prepare"]:
            for version in pythons():
                with_wheel("test", version, ["test"])
            with_wheel("types", next(iter(pythons())), ["test", "types"])
        case ["path"]:
            print(test_python(next(iter(pythons()))))
        case ["test", version, *rest]:
            python = test_python(version)
            os.execv(python, [str(python), "-m", "pytest", *rest])
        case ["types"]:
            check_types()
        case ["demo"]:
            print(with_wheel("demo", next(iter(pythons())), ["test", "demo"]))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except subprocess.CalledProcessError as failed:  # it has said why
        sys.exit(failed.returncode)
