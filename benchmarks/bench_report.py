"""The tables of all benchmarks as one document, and the part of it that the project's README shows too. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from table import Table, markdown

BEGIN, END = "<!-- performance: begin -->", "<!-- performance: end -->"
_HEAD = """\
# Benchmarks

`make bench` prints these tables as they are on your machine, in under ten minutes; `python benchmarks/all.py --write` writes them here
and into the project's README. Each program prints its own (`--quick`: does it run at all; `--json`), and says in its first lines what it
measures and how. What is compared with, and how to install it: [peers/](peers/README.md). The screen: [../docs/benchmarks.md](../docs/benchmarks.md).

Let nothing else run meanwhile: the load that is told is that before each program. Benchmarks are no tests: nothing fails where a figure
is missed.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """What one program has printed: its tables, or the lines of one that prints no JSON."""

    title: str
    program: str
    measured: str  # where, when, and how busy the machine was
    body: str
    in_readme: bool


def part_of(title: str, program: str, said: Mapping[str, Any], *, in_readme: bool) -> Part:
    """Return the part of a program's JSON."""
    tables = (Table(table["title"], table["rows"], table["notes"]) for table in said["tables"])
    return Part(title, program, said["measured"], "\n".join(markdown(table) for table in tables), in_readme)


def document(parts: Sequence[Part]) -> str:
    """Return the whole of benchmarks/README.md; what the README shows too stands between the markers."""
    shown = [_section(part) for part in parts if part.in_readme]
    others = [_section(part) for part in parts if not part.in_readme]
    return "\n".join([_HEAD, BEGIN, "", *shown, END, "", *others]).rstrip() + "\n"


def performance(text: str) -> str:
    """Return what stands between the markers of a text, for both documents the same. Raises ValueError where they are missing."""
    _, found, rest = text.partition(BEGIN)
    part, ended, _ = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"there is no {BEGIN} … {END}; put both lines where the section belongs")
    return part


def with_performance(text: str, part: str) -> str:
    """Return a text with ``part`` between its markers. Raises ValueError where they are missing."""
    return text.replace(f"{BEGIN}{performance(text)}{END}", f"{BEGIN}{part}{END}", 1)


def _section(part: Part) -> str:
    return f"### {part.title}\n\n`python benchmarks/{part.program}` · {part.measured}\n\n{part.body}"
