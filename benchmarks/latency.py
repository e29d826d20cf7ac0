"""How soon a process starts after it was handed in, on an idle system; and how soon a `claude` worker asks the model.

    python benchmarks/latency.py [--quick | --full] [--peers NAME,...] [--json]

The process is `date +%s%N`: its first act is to write the time, to the nanosecond, 1 ms or so after its exec (the floor of
the table, a bare `subprocess.run`, is mostly that). The clock runs from the moment at which the peer has taken the job (for
tui-orch: the commit; for others: the call that hands in returns), and, in the other columns, from before that call.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from peer_processes import ClaudeStarts, PeerFailed, claude_starts, find_peers
from peers.names import ONLY_IN_FULL, OURS, PEERS, YARDSTICK
from peers.protocol import CLOCK
from table import Row, Table, options, print_tables

TARGET_LIBRARY_MS, TARGET_PLAIN_MS, TARGET_CLAUDE = 6, 30, 1.15
#: (handing in began, was done, first act of the process), ns
Sample = tuple[int, int, int]


def main() -> int:
    """Measure and print."""
    chosen = options(__doc__).parse_args()
    if chosen.peers:
        names = chosen.peers.split(",")
    elif chosen.quick:
        names = [YARDSTICK, OURS]
    else:
        names = [name for name in PEERS if chosen.full or name not in ONLY_IN_FULL]
    peers, skipped = find_peers(names)
    turns = chosen.turns or (3 if chosen.full else 1)
    count = 2 if chosen.quick else 20
    found: dict[str, list[Sample]] = {"a bare subprocess.run": []}
    for turn in range(turns):
        found["a bare subprocess.run"] += _bare(count)
        for peer in peers:
            for way in peer.latency_ways:
                name = f"{peer.version}, {way}" if way else peer.version
                try:
                    found.setdefault(name, []).extend(peer.latency(count, way))
                except PeerFailed as error:
                    skipped.append(f"turn {turn}: {error}")
    rows = [_row(name, samples) for name, samples in found.items() if samples]
    targets = f"targets for tui-orch, p50: {TARGET_LIBRARY_MS} ms by the library, {TARGET_PLAIN_MS} ms by plain sqlite3"
    notes = [targets, *(f"skipped: {reason}" for reason in skipped)]
    tables = [Table("From the job handed in to the start of its process, ms", rows, notes)]
    if not chosen.quick and (not chosen.peers or OURS in names):
        tables.append(_claude(claude_starts(5 * turns)))
    print_tables(tables, as_json=chosen.json)
    return 0


def _bare(count: int) -> list[Sample]:
    samples = []
    for _ in range(count):
        time.sleep(0.05)
        now = time.time_ns()
        samples.append((now, now, int(subprocess.run(CLOCK, capture_output=True, check=True).stdout)))
    return samples


def _row(name: str, samples: Sequence[Sample]) -> Row:
    taken = [(started - taken) / 1e6 for _, taken, started in samples]
    called = [(started - called) / 1e6 for called, _, started in samples]
    return {
        "peer": name,
        "p50": statistics.median(taken),
        "p95": _p95(taken),
        "p50 from the call": statistics.median(called),
        "p95 from the call": _p95(called),
    }


def _claude(starts: ClaudeStarts) -> Table:
    bare, ours = statistics.median(starts.bare_ms), statistics.median(starts.worker_ms)
    rows: list[Row] = [
        {"what": "a bare claude -p", "p50": bare, "p95": _p95(starts.bare_ms), "of the bare one": 1.0},
        {"what": "a claude worker", "p50": ours, "p95": _p95(starts.worker_ms), "of the bare one": ours / bare},
    ]
    notes = [f"Claude Code {starts.version}; in turns, {len(starts.bare_ms)} each", f"target: {TARGET_CLAUDE}"]
    return Table("From the commit, or the start by hand, to the first request to the model, ms", rows, notes)


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[min(len(values) - 1, round(0.95 * len(values)))]


if __name__ == "__main__":
    sys.exit(main())
