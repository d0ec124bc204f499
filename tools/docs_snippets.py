#!/usr/bin/env python3
"""Compiles and runs the snippets of a Markdown document, so that the docs cannot lie.

What counts is the info string after the opening fence:

  ```cpp           A C++ program linked to crv::crv. Without a main() its lines become the body of one, includes first.
  ```sh run        A bash script, run with `set -euo pipefail`. Plain ```sh is only shown.
  ```python        A Python program, run by the interpreter of --python; without that, only shown.
  ```console       Lines that begin with "$ " are commands, what follows each is its expected output.
  ```text output   The expected standard output of the snippet before it.

In expected output `...` stands for anything within a line, and alone on a line for any number of lines.
All snippets of a document run in their order in one fresh folder, with the built `crv` first on PATH.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w+-]*) *(?P<words>.*?) *$")
MARK = "\x1esnippet-command-done\x1e"


class SnippetError(Exception):
    """A document that cannot be read, or a snippet that does not do what the document says."""


@dataclasses.dataclass
class Snippet:
    kind: str  # "cpp", "sh", "python" or "console"
    line: int  # of the first line of code, from 1
    code: str
    expected: str | None = None
    program: str = ""


def fences(text):
    """Yields (language, words, first line, code) of each fenced block."""
    opened = None
    for number, line in enumerate(text.splitlines(), 1):
        match = FENCE.match(line)
        if opened is None:
            if match:
                opened = (match["language"], match["words"].split(), number + 1, len(match["indent"]), [])
        elif match and not match["language"] and not match["words"]:
            language, words, first, _, lines = opened
            yield language, words, first, "".join(entry + "\n" for entry in lines)
            opened = None
        else:
            indent = opened[3]
            opened[4].append(line[indent:] if line[:indent].isspace() else line)
    if opened is not None:
        raise SnippetError(f"line {opened[2] - 1}: this fence is never closed")


def parse(text, stem):
    """The snippets of a document that are run."""
    snippets = []
    for language, words, line, code in fences(text):
        if language == "cpp":
            snippets.append(Snippet("cpp", line, code, program=f"{stem}_{len(snippets) + 1}"))
        elif language == "sh" and words == ["run"]:
            snippets.append(Snippet("sh", line, code))
        elif language == "python":
            snippets.append(Snippet("python", line, code))
        elif language == "console":
            snippets.append(Snippet("console", line, code))
        elif language == "text" and words == ["output"]:
            if not snippets or snippets[-1].kind == "console" or snippets[-1].expected is not None:
                raise SnippetError(f"line {line}: there is no snippet before it whose output this could be")
            snippets[-1].expected = code
        elif words:
            raise SnippetError(f"line {line - 1}: ```{language} {' '.join(words)} is no kind of snippet")
    return snippets


def cpp_source(snippet, document):
    """The snippet as a translation unit whose compiler errors point into the document."""
    if re.search(r"\bint main\(", snippet.code):
        return f'#line {snippet.line} "{document}"\n{snippet.code}'
    includes, body = [], []
    for line in snippet.code.splitlines():
        is_include = line.startswith("#include")
        includes.append(line if is_include else "")
        body.append("" if is_include else line)
    place = f'#line {snippet.line} "{document}"'
    return "\n".join([place, *includes, "int main() {", place, *body, "}", ""])


def matches(expected, actual):
    """Whether output is what the document shows, `...` standing for anything."""
    pattern = ""
    for line in expected.rstrip().splitlines():
        if line.strip() == "...":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*?".join(re.escape(piece) for piece in line.rstrip().split("...")) + r"\n"
    tidy = "".join(line.rstrip() + "\n" for line in actual.rstrip().splitlines())
    return re.fullmatch(pattern, tidy) is not None


def check_output(what, expected, actual):
    if not matches(expected, actual):
        raise SnippetError(f"{what} printed\n{actual.rstrip()}\nbut the document shows\n{expected.rstrip()}")


def execute(what, command, folder, environment):
    done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise SnippetError(f"{what} ended with status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def console_commands(code):
    """Yields (command, expected output) of a console session."""
    command, expected = None, []
    for line in code.splitlines():
        if line.startswith("$ "):
            if command is not None:
                yield command, "\n".join(expected)
            command, expected = line[2:], []
        elif command is not None and command.endswith("\\") and not expected:
            command += "\n" + line.removeprefix("> ")
        elif command is None:
            raise SnippetError(f"a console snippet must begin with a command: {line}")
        else:
            expected.append(line)
    if command is not None:
        yield command, "\n".join(expected)


def bash(script):
    return ["bash", "-c", "set -euo pipefail\n" + script]


def run_console(what, snippet, folder, environment):
    commands = list(console_commands(snippet.code))
    script = "".join(f"{command}\nprintf %s '{MARK}'\n" for command, _ in commands)
    outputs = execute(what, bash(script), folder, environment).split(MARK)
    for (command, expected), actual in zip(commands, outputs):
        check_output(f"{what}: {command}", expected, actual)


def run(document, programs, paths, folder, python=None):
    """Runs all snippets of a document. Returns how many; raises SnippetError for the first that fails."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CRV_IO_")}
    environment["PATH"] = os.pathsep.join([*map(str, paths), environment.get("PATH", os.defpath)])
    snippets = parse(document.read_text(encoding="utf-8"), document.stem)
    for snippet in snippets:
        what = f"{document}:{snippet.line}"
        if snippet.kind == "console":
            run_console(what, snippet, folder, environment)
            continue
        if snippet.kind == "python" and python is None:
            continue
        if snippet.kind == "python":
            # A pad of lines, so that what a traceback says of lines is true of the document.
            command = [str(python), "-c", "\n" * (snippet.line - 1) + snippet.code]
        else:
            command = bash(snippet.code) if snippet.kind == "sh" else [str(programs / snippet.program)]
        output = execute(what, command, folder, environment)
        if snippet.expected is not None:
            check_output(what, snippet.expected, output)
    return len(snippets)


def extract(document, folder):
    """Writes the C++ snippets as <program>.cc. Returns the names of all snippets, "" for those without a program."""
    folder.mkdir(parents=True, exist_ok=True)
    snippets = parse(document.read_text(encoding="utf-8"), document.stem)
    for snippet in snippets:
        if snippet.kind != "cpp":
            continue
        file = folder / f"{snippet.program}.cc"
        source = cpp_source(snippet, document)
        if not file.exists() or file.read_text(encoding="utf-8") != source:
            file.write_text(source, encoding="utf-8")
    return [snippet.program for snippet in snippets]


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("extract", help="write the C++ snippets as files; print their names, one a snippet")
    verb.add_argument("document", type=pathlib.Path)
    verb.add_argument("folder", type=pathlib.Path)
    verb = verbs.add_parser("run", help="run all snippets")
    verb.add_argument("document", type=pathlib.Path)
    verb.add_argument("--programs", type=pathlib.Path, required=True, help="folder of the built C++ snippets")
    verb.add_argument("--path", type=pathlib.Path, action="append", default=[], help="folder to put before PATH")
    verb.add_argument("--work", type=pathlib.Path, required=True, help="folder to run in; emptied first")
    verb.add_argument("--python", type=pathlib.Path, help="interpreter of the Python snippets, with crv in it")
    options = parser.parse_args(arguments)
    try:
        if options.verb == "extract":
            print("\n".join(name or "-" for name in extract(options.document, options.folder)))
        else:
            count = run(options.document, options.programs, options.path, options.work, options.python)
            print(f"{options.document}: {count} snippets ran and did what the document says")
    except SnippetError as error:
        print(f"{options.document}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
