"""Runs all benchmarks one after the other and prints all tables: ``make bench``, in under ten minutes.

    python benchmarks/all.py [--quick] [--only NAME,...] [--write]

``--write`` writes them into benchmarks/README.md and the part between its markers into README.md too. Stores for benchmarks
are made once, in the folder for temporary files. A program that breaks is named, and the others run.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench_report import Part, document, part_of, performance, with_performance
from table import machine

from tui_orch.worker.subreaper import become_subreaper, end_descendants

HERE = Path(__file__).parent
#: A program that takes longer is given up (s).
LIMIT_S = 240.0
MOST_MINUTES = 10.0


@dataclass(frozen=True, slots=True)
class Program:
    """One benchmark. ``options`` make it short enough; the screen's prints lines, all others JSON."""

    name: str
    title: str
    options: tuple[str, ...] = ()
    in_readme: bool = False
    prints_json: bool = True


PROGRAMS = (
    Program("rate.py", "Rate: jobs a second", in_readme=True),
    Program("latency.py", "Latency: from a job handed in to its process", in_readme=True),
    Program("trees.py", "Trees: parents that wait for their children", in_readme=True),
    Program("claude_tree.py", "A tree of real Claude Code workers", in_readme=True),
    Program("promise.py", "The promise of 20 minutes", in_readme=True),
    Program("rest.py", "Rest: what is used while nothing happens", in_readme=True),
    Program("scale.py", "Scale: 10 thousand to 1 million jobs in the store"),
    Program("simulation.py", "Simulation: what deciding costs"),
    Program("run.py", "The screen", ("paint", "person", "live", "--app-alone", "--repeat", "3"), prints_json=False),
)


class Broke(Exception):
    """A program that did not do it; the text says which and why."""


def main() -> int:
    """Run, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="does each run at all? (the screen's is left out)")
    parser.add_argument("--only", metavar="NAME,...", help="these programs only: rate, trees, ...")
    parser.add_argument(
        "--write", action="store_true", help="write benchmarks/README.md, and README.md between its markers"
    )
    chosen = parser.parse_args()
    if chosen.write and (chosen.quick or chosen.only):
        parser.error("--write wants all of them, and not --quick")
    only = {name.removesuffix(".py") for name in (chosen.only or "").split(",") if name}
    wanted = [program for program in PROGRAMS if not only or program.name.removesuffix(".py") in only]
    become_subreaper()
    print(machine(), "\n", flush=True)
    began, parts, broken = time.monotonic(), [], []
    for program in wanted:
        if chosen.quick and not program.prints_json:
            continue
        try:
            parts.append(_run(program, quick=chosen.quick))
            print(f"### {parts[-1].title}\n\n{parts[-1].measured}\n\n{parts[-1].body}", flush=True)
        except Broke as error:
            broken.append(str(error))
            print(f"{error}\n", file=sys.stderr, flush=True)
    minutes = (time.monotonic() - began) / 60
    print(f"all took {minutes:.1f} minutes{'' if minutes <= MOST_MINUTES else f', more than {MOST_MINUTES:g}'}")
    if chosen.write and not broken:
        _write(parts)
    return 1 if broken else 0


def _run(program: Program, *, quick: bool) -> Part:
    options = ("--quick",) if quick else program.options
    argv = [sys.executable, str(HERE / program.name), *options, *(("--json",) if program.prints_json else ())]
    measured = machine()
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise Broke(f"{program.name} had not ended after {LIMIT_S:g} s") from error
    finally:
        end_descendants(0)  # the supervisors and services of one that was given up
    if done.returncode:
        raise Broke(f"{program.name} ended with code {done.returncode}")
    if program.prints_json:
        return part_of(program.title, program.name, json.loads(done.stdout), in_readme=program.in_readme)
    table = "\n".join(line for line in done.stdout.splitlines() if line.startswith("|"))
    return Part(program.title, " ".join((program.name, *options)), measured, f"{table}\n", program.in_readme)


def _write(parts: list[Part]) -> None:
    """Write both documents, or neither."""
    own, readme = HERE / "README.md", HERE.parent / "README.md"
    text = document(parts)
    try:
        shown = with_performance(readme.read_text("utf-8"), performance(text))
    except ValueError as error:
        raise SystemExit(f"README.md: {error}") from error
    own.write_text(text, "utf-8")
    readme.write_text(shown, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
