"""The table of hostile cases in docs/reliability.md, between two marks, and nothing else of that file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- inputs -->", "<!-- /inputs -->"

Row = tuple[str, str, str]
"""Family, what it is, what became of it."""


def table(rows: Iterable[Row]) -> str:
    """Return the table in Markdown."""
    lines = ["| kind | input | what becomes of it |", "|---|---|---|"]
    lines += [f"| {family} | {what} | {gave} |" for family, what, gave in rows]
    return "\n".join(lines)


def written_table() -> str:
    """Return the table that the page holds."""
    return PAGE.read_text().partition(BEGIN)[2].partition(END)[0].strip("\n")


def write_table(rows: Iterable[Row]) -> None:
    """Replace the page's table."""
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected {BEGIN} and {END} in {PAGE.name}")
    PAGE.write_text(f"{before}{BEGIN}\n{table(rows)}\n{END}{after}")
