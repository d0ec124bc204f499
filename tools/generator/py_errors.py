"""The Python exceptions: a class for each class of the catalog, and one for each code that has an `also`.

All are made in crv.core.errors, as all codes are in crv::core: what the native core throws may be an error of the
store, and crv.core imports nothing of crv.io. crv.io.errors gives those of the store to users.
"""

from py_text import banner, docstring, exports

CORE_HEAD = '''
from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any, ClassVar


class CrvError(Exception):
    """Base of all errors of crv: a message for a person, a code, and the facts that the message tells of.

    `code` is a word of docs/errors.md, or "" where the error is not one of crv's own. `facts` holds what applies of
    run_id, table, column, key, value, path (texts), row, line, bucket, seq and errno (ints). An error that is also an
    OSError has `errno` and `filename` from its facts.
    """

    code: str
    facts: dict[str, Any]

    _code: ClassVar[str] = ""
    _errno: ClassVar[int | None] = None

    def __init__(self, message: str = "", *, code: str = "", facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code or self._code
        self.facts = dict(facts or {})
        if isinstance(self, OSError):
            _fill(self, message, self.facts, self._errno)

    def __str__(self) -> str:
        # KeyError and OSError have a __str__ of their own, which is not the message.
        return str(self.args[0]) if self.args else ""

    @property
    def violations(self) -> list[dict[str, Any]]:
        """With validate_rows: every rule that a frame breaks. [] for any other error.

        Each is {"rule", "column", "reason", "count", "first"}: count is the number of rows that break it, first holds
        (row, value) of the first few, the row from 0, the value as text.
        """
        return list(self.facts.get("violations", []))

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(
            f"<tr><td>{escape(v['column'])}</td><td>{escape(v['reason'])}</td><td>{v['count']}</td>"
            f"<td>{escape(', '.join(f'{row}: {value}' for row, value in v['first']))}</td></tr>"
            for v in self.violations
        )
        head = "<tr><th>column</th><th>rule</th><th>rows</th><th>first</th></tr>"
        return f"<p>{escape(str(self))}</p>" + (f"<table>{head}{rows}</table>" if rows else "")

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (type(self), str(self), self.code, self.facts), self.__dict__.copy()


def _fill(error: OSError, message: str, facts: Mapping[str, Any], number: int | None) -> None:
    error.errno = facts.get("errno", number)
    error.strerror = message
    error.filename = facts.get("path")


def _made_again(cls: type[CrvError], message: str, code: str, facts: dict[str, Any]) -> CrvError:
    return cls(message, code=code, facts=facts)
'''

IO_TAIL = '''

# Users know these by crv.io.errors, and pickles look for them there.
for _cls in (
    {names}
):
    _cls.__module__ = "crv.io.errors"
'''

CORE_TAIL = '''

def make_error(code: str, message: str, facts: Mapping[str, Any]) -> CrvError:
    """The exception of `code`, not raised: what the native modules throw. An unknown code gives a plain CrvError."""
    cls = CODES.get(code) or _IO_CODES.get(code, CrvError)
    return cls(message, code=code, facts=facts)
'''


def class_name(code):
    """The class of a code: its own where it has an `also`, else that of its group."""
    if not code.get("also"):
        return code["class"]
    return "".join(word.capitalize() for word in code["name"].split("_")) + "Error"


def is_io(name, catalog):
    return name == "IoError" or name.startswith("Io") and any(c["name"] == name for c in catalog.error_classes)


def one_class(name, bases, doc, body=""):
    return f"\n\nclass {name}({', '.join(bases)}):\n{docstring(doc, 4)}{body}"


def family(catalog, of_io):
    """Text of the classes, their names, and text of the lines that tell the class of each code."""
    classes = [c for c in catalog.error_classes if is_io(c["name"], catalog) == of_io]
    codes = [c for c in catalog.error_codes if is_io(c["class"], catalog) == of_io]
    out, names = "", []
    for cls in classes:
        base = "CrvError" if cls["base"] == "Error" else cls["base"]
        out += one_class(cls["name"], [base, *cls.get("also", [])], cls["doc"])
        names.append(cls["name"])
    for code in codes:
        if code.get("also"):
            body = f'\n    _code: ClassVar[str] = "{code["name"]}"\n'
            if "errno" in code:
                body += f"    _errno: ClassVar[int | None] = errno.{code['errno']}\n"
            out += one_class(class_name(code), [code["class"], *code["also"]], code["doc"], body)
            names.append(class_name(code))
    return out, names, "".join(f'    "{c["name"]}": {class_name(c)},\n' for c in codes)


def core(catalog):
    classes, names, codes = family(catalog, False)
    io_classes, io_names, io_codes = family(catalog, True)
    doc = "All errors of crv. Users know those of the store by crv.io.errors. See docs/errors.md."
    moved = IO_TAIL.format(names="\n    ".join(f"{name}," for name in io_names))
    return (banner(doc, "errors.toml") + CORE_HEAD + classes + io_classes + moved
            + "\n# The class that each code is raised as: codes of crv.core, and those of crv.io.\n"
            + f"CODES: dict[str, type[CrvError]] = {{\n{codes}}}\n"
            + f"_IO_CODES: dict[str, type[CrvError]] = {{\n{io_codes}}}\n"
            + CORE_TAIL + "\n" + exports(["CODES", "CrvError", *names, "make_error"]))


def io(catalog):
    _, names, _ = family(catalog, True)
    return (banner("Errors of crv.io. See docs/errors.md.", "errors.toml")
            + "\nfrom __future__ import annotations\n"
            + "\nfrom crv.core.errors import _IO_CODES as CODES\nfrom crv.core.errors import (\n"
            + "".join(f"    {name},\n" for name in sorted(names)) + ")\n" + exports(["CODES", *names]))
