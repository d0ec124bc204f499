#!/usr/bin/env python3
"""Holds the layers of the C++ code: which file may include which.

The rooms of src/io stand in one order. A file may include its own room and those below it, a public header those
below its room. What a room is for stands in docs/impl.md, "Layers".
"""

import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Top first. Each room is a folder of src/io and of tests/io; beside it the public headers that belong to it.
ROOMS = {
    "formats": ["files", "formats", "record"],
    "dataset": ["artifacts", "dataset", "table_of"],
    "run": ["options"],
    "conform": [],
    "rules": [],
    "part": [],
    "log": ["manifest", "token"],
    "arrow": ["frame", "json_rows", "row", "row_columns", "row_types"],
    "storage": [],
    "settings": ["settings"],
    "schema": [],
    "base": ["executor"],
}
ORDER = {room: height for height, room in enumerate(reversed(ROOMS))}
ROOM_OF_HEADER = {header: room for room, headers in ROOMS.items() for header in headers}

# The command's folders, top first; main.cc stands above them.
COMMAND = ["commands", "shell", "output"]

# A library outside of crv, and where its headers may be included.
LIBRARIES = {
    "arrow": re.compile(r"src/io/|include/crv/io/|apps/|bench/|tests/|python/native/|examples/"),
    "parquet": re.compile(r"src/io/(part|formats)/|tests/|bench/"),
    "xxhash.h": re.compile(r"src/io/base/checksum\.cc|tests/"),
    "toml++": re.compile(r"src/io/settings/"),
    "rapidjson": re.compile(r"src/core/"),
    "openssl": re.compile(r"src/core/"),
    "nanobind": re.compile(r"python/native/"),
    "CLI": re.compile(r"apps/"),
    "gtest": re.compile(r"tests/"),
    "gmock": re.compile(r"tests/"),
}
# Headers of the standard library that make system calls are the system's, too.
SYSTEM = {"csignal", "filesystem", "fstream"}
MAY_CALL_SYSTEM = re.compile(r"src/io/base/os\.cc|apps/|tests/|bench/|python/native/")

# C++ that would be passed by: its files end in .h and .cc.
OTHER_SUFFIXES = (".hh", ".hpp", ".hxx", ".inc", ".inl", ".ipp", ".tcc", ".c", ".cpp", ".cxx")

INCLUDE = re.compile(r'^\s*#\s*include(?:_next)?\b\s*(?:"([^"]+)"|<([^>]+)>)?')


def place_of(name):
    """(part of the house, room or None) that a path relative to the top, or an include, lies in."""
    words = name.split("/")
    if words[:2] == ["src", "io"]:
        return "io", words[2] if len(words) > 3 else None
    if words[:2] == ["src", "core"] or words[:3] == ["include", "crv", "core"]:
        return "core", None
    if words[:3] == ["include", "crv", "io"]:
        return "io", ROOM_OF_HEADER.get(words[3].removesuffix(".h"))
    return words[0], None


def target_of(top, include, name):
    """As place_of(), of what a file includes in quotes; ("own", None) for a header beside it."""
    if include.startswith("crv/"):
        return place_of("include/" + include)
    if (top / "src" / include).is_file():
        return place_of("src/" + include)
    if name.startswith("apps/"):
        return "apps", include.split("/")[0] if "/" in include else None
    return "own", None


def refuse_quoted(top, name, include):
    """Why a file may not include this of crv's own, or None."""
    part, room = place_of(name)
    target, target_room = target_of(top, include, name)
    public = include.startswith("crv/")
    if ".." in include.split("/") or include.startswith("/"):
        return "headers are named from the include path"
    if part in ("core", "io") and target == "own":
        return "there is no such header of crv"
    if name.startswith("include/") and not public:
        return "a public header includes public headers only"
    if part == "core" and target == "io":
        return "the core stands below io"
    if part in ("apps", "examples") and not public and target not in ("apps", "own"):
        return f"{part} see public headers only"
    if part == "apps" and target == "apps" and target_room in COMMAND:
        folder = name.split("/")[2]
        if folder in COMMAND and COMMAND.index(target_room) < COMMAND.index(folder):
            return f"{folder}/ stands below {target_room}/"
    if part == "io" and target == "io":
        if target_room is None:
            return "it belongs to no room"
        if room is not None and ORDER[target_room] > ORDER[room]:
            return f"{room}/ stands below {target_room}/"
    return None


def refuse_angled(name, include):
    """Why a file may not include this of others, or None."""
    library = include.split("/")[0]
    if library in ("crv", "io", "core") and not name.startswith("tests/"):
        return "headers of crv stand in quotes"
    if library in LIBRARIES:
        return None if LIBRARIES[library].match(name) else f"only {LIBRARIES[library].pattern} may include {library}"
    is_system = include in SYSTEM or include.endswith((".h", ".hpp"))
    if is_system and not MAY_CALL_SYSTEM.match(name):
        return "system calls stand in src/io/base/os.cc"
    return None


def check_file(top, name):
    """What is wrong with a file, as lines to print."""
    if name.endswith(OTHER_SUFFIXES):
        yield f"{name}: C++ files end in .h and .cc"
        return
    part, room = place_of(name)
    if part == "io" and room not in ORDER:
        yield f"{name}: belongs to no room of tools/layers.py"
        return
    for number, line in enumerate((top / name).read_text(encoding="utf-8").splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        quoted, angled = found.groups()
        if quoted:
            why = refuse_quoted(top, name, quoted)
        else:
            why = refuse_angled(name, angled) if angled else "what it includes must stand there"
        if why:
            yield f"{name}:{number}: includes {quoted or angled or 'by a macro'}: {why}"


def files_of(top):
    for folder in ("src", "include", "apps", "examples", "bench", "tests", "python/native"):
        for file in sorted((top / folder).rglob("*")):
            if file.suffix in (".h", ".cc", *OTHER_SUFFIXES):
                yield file.relative_to(top).as_posix()


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--top", type=pathlib.Path, default=ROOT, help="the tree to look at")
    top = parser.parse_args(arguments).top
    names = list(files_of(top))
    problems = [problem for name in names for problem in check_file(top, name)]
    for room in ORDER:
        if not (top / "src/io" / room).is_dir():
            problems.append(f"src/io/{room}: is a room of tools/layers.py, but no folder")
    print("\n".join([*problems, f"layers: {len(names)} files, {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
