"""Tables in Markdown, the line that says where and when they were measured, and the options of all benchmarks. Pure but for that line."""

import argparse
import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with the same keys, which are the headings; ``notes`` stand below it."""

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()


def markdown(table: Table) -> str:
    """Return the table's text."""
    lines = [f"**{table.title}**", ""]
    if table.rows:
        headings = list(table.rows[0])
        right = [any(isinstance(row[heading], (int, float)) for row in table.rows) for heading in headings]
        lines.append("| " + " | ".join(headings) + " |")
        lines.append("|" + "|".join("---:" if to_right else "---" for to_right in right) + "|")
        lines += ["| " + " | ".join(_cell(row[heading]) for heading in headings) + " |" for row in table.rows]
        lines.append("")
    return "\n".join([*lines, *(f"- {note}" for note in table.notes)]).rstrip() + "\n"


def print_tables(tables: Sequence[Table], *, as_json: bool) -> None:
    """Print them for a person, or as one JSON object for a program."""
    if as_json:
        said = [{"title": table.title, "rows": table.rows, "notes": table.notes} for table in tables]
        print(json.dumps({"measured": machine(), "tables": said}, indent=1))
        return
    print(f"{machine()}\n")
    for table in tables:
        print(markdown(table))


def machine() -> str:
    """Return where and when this is measured, and how busy the machine is."""
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    return f"{time.strftime('%d %B %Y')}, {system}, {cores} cores, Python {platform.python_version()}, load {load:.1f}"


def options(text: str | None) -> argparse.ArgumentParser:
    """Return a parser with what every benchmark takes."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few jobs and few peers: does it run at all?")
    parser.add_argument("--full", action="store_true", help="all peers at every width, more turns; some ten minutes")
    parser.add_argument("--peers", metavar="NAME,...", help="these peers only")
    parser.add_argument("--turns", type=int, metavar="N", help="rounds through all peers")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value)
