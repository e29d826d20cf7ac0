"""A tree of 1 → 5 → 25 → 125 jobs whose parents wait for their children, at 1, 2, 4 and 8 at once.

    python benchmarks/trees.py [--quick | --full] [--peers NAME,...] [--json]

Every job runs `sleep BODY`, then hands in its children; the tree has ended when all have. The ideal is the work over the
slots, or the four bodies of a path if that is longer. Services and workers are started before. "never": it is stuck, all
slots are taken by parents that wait. After twice the ideal the processes are looked at, and for 3 s (ray: 20) no body ran.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from peer_processes import Peer, PeerFailed, find_peers
from peers.names import ONLY_IN_FULL, OURS, PEERS
from peers.protocol import CHILDREN
from table import Row, Table, options, print_tables

MAKE = "make"
WIDTHS = (1, 2, 4, 8)
#: Where the others are measured without --full.
PEERS_WIDTH = 4
TARGET_OF_MAKE, TARGET_OF_IDEAL = 1.15, 1.05
NEVER = "never"


@dataclass(frozen=True, slots=True)
class Tree:
    """What is run: levels below the root, and how long each job sleeps (s)."""

    below: int
    body_s: float

    @property
    def jobs(self) -> int:
        """Return how many there are, the root included."""
        return sum(CHILDREN**level for level in range(self.below + 1))

    def ideal_s(self, width: int) -> float:
        """Return the seconds that no scheduler can beat."""
        return max(self.jobs / width, self.below + 1) * self.body_s

    def patience_s(self, width: int) -> float:
        """Return after how long it is looked at whether a peer is stuck."""
        return 2 * self.ideal_s(width)


SHORT, LONG, QUICK = Tree(3, 0.05), Tree(3, 1.0), Tree(1, 0.05)


@dataclass
class Runs:
    """The seconds of one way to express the tree, under the number of slots; None for one that did not end."""

    peer: Peer
    way: str
    took_s: dict[int, list[float | None]] = field(default_factory=dict)

    def median(self, width: int) -> float | None:
        """Return the median; None where any did not end, or nothing was measured."""
        took = self.took_s.get(width, [])
        ended = [seconds for seconds in took if seconds is not None]
        return statistics.median(ended) if ended and len(ended) == len(took) else None


def main() -> int:
    """Measure and print."""
    chosen = options(__doc__).parse_args()
    peers, skipped = find_peers(_names(chosen))
    ours = [peer for peer in peers if peer.name == OURS]
    turns = chosen.turns or (3 if chosen.full else 1)
    everything = bool(chosen.full or chosen.peers)
    if chosen.quick:
        tables = [_measure(QUICK, peers, (2,), 1, skipped, everything=False)]
    else:
        tables = [_measure(SHORT, peers, WIDTHS, turns, skipped, everything=everything)]
        if ours:
            tables.append(_measure(LONG, ours, WIDTHS if chosen.full else WIDTHS[-1:], 1, skipped, everything=False))
    notes = [
        f"targets for tui-orch: {TARGET_OF_MAKE} of make with bodies of {SHORT.body_s:g} s, "
        f"{TARGET_OF_IDEAL} of the ideal with {LONG.body_s:g} s",
        f"{NEVER}: stuck, all slots are taken by parents that wait",
        *(f"can not express it: {peer.version}" for peer in peers if not peer.tree_ways),
        *(f"skipped: {reason}" for reason in skipped),
    ]
    print_tables([*tables, Table("Notes", (), notes)], as_json=chosen.json)
    return 0


def _names(chosen: argparse.Namespace) -> list[str]:
    if chosen.peers:
        return [str(name) for name in chosen.peers.split(",")]
    if chosen.quick:
        return [MAKE, OURS]
    return [name for name in PEERS if chosen.full or name not in ONLY_IN_FULL]


def _measure(
    tree: Tree, peers: Sequence[Peer], widths: Sequence[int], turns: int, skipped: list[str], *, everything: bool
) -> Table:
    """Run the tree, peers in turns; without ``everything`` the others at one width only, and ours in one way only."""
    runs = [Runs(peer, way) for peer in peers for way in _ways(peer, everything=everything)]
    for turn in range(turns):
        for width in widths:
            for run in runs:
                if everything or width == PEERS_WIDTH or run.peer.name in {MAKE, OURS}:
                    try:
                        run.took_s.setdefault(width, []).append(_took_s(run, tree, width))
                    except PeerFailed as error:
                        skipped.append(f"turn {turn}, {width} at once: {error}")
    make = next((run for run in runs if run.peer.name == MAKE), None)
    rows = [_row(run, make, widths, tree) for run in runs]
    return Table(f"{tree.jobs} jobs with bodies of {tree.body_s:g} s: times the ideal (times make)", rows)


def _took_s(run: Runs, tree: Tree, width: int) -> float | None:
    return run.peer.tree(width, tree.below, tree.body_s, run.way, tree.patience_s(width))


def _ways(peer: Peer, *, everything: bool) -> tuple[str, ...]:
    return peer.tree_ways[:1] if peer.name == OURS and not everything else peer.tree_ways


def _row(run: Runs, make: Runs | None, widths: Sequence[int], tree: Tree) -> Row:
    row: Row = {"peer": f"{run.peer.version}, {run.way}"}
    for width in widths:
        row[f"{width} at once"] = _cell(run, make, width, tree)
    return row


def _cell(run: Runs, make: Runs | None, width: int, tree: Tree) -> str:
    if width not in run.took_s:
        return ""
    took_s = run.median(width)
    if took_s is None:
        return NEVER
    of_make = make.median(width) if make is not None and make is not run else None
    times = f"{took_s / tree.ideal_s(width):.2f}"
    return f"{times} ({took_s / of_make:.2f})" if of_make else times


if __name__ == "__main__":
    sys.exit(main())
