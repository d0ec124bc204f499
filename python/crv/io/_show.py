"""What notebooks and terminals show of crv's objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
__all__ = ["size", "table"]


def size(number_of_bytes: int) -> str:
    """A number of bytes for people: "1.5 MiB"."""
    value = float(number_of_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{number_of_bytes} B" if unit == "B" else f"{value:.1f} {unit}"


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A small HTML table; numbers stand to the right."""
    from html import escape

    def cell(value: object) -> str:
        side = ' style="text-align:right"' if isinstance(value, int | float) else ""
        return f"<td{side}>{escape(str(value))}</td>"

    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(cell(value) for value in row) + "</tr>" for row in rows)
    return f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
