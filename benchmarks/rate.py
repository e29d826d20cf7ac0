"""How many jobs a second, beside what a user would pick instead: no-op processes through the whole of each peer.

    python benchmarks/rate.py [--quick | --full] [--peers NAME,...] [--json]

From the first job handed in until the last has ended, services and workers started before; as many jobs as take about
half a second (the yardstick: a fifth). `xargs -P`, which does nothing but start processes, runs right before each turn of each peer: the ratio is
to that, so a machine that gets busier meanwhile is the same for both.
"""

import argparse
import statistics
import sys

from peer_processes import Peer, PeerFailed, find_peers
from peers.names import ONLY_IN_FULL, OURS, PEERS, YARDSTICK
from table import Row, Table, options, print_tables

WIDTHS = (2, 8)
TARGET, AIM = 0.35, 0.5
#: For how long each turn of the yardstick runs (s): it is started once for each peer, and makes some two hundred processes.
YARDSTICK_S = 0.2
Pair = tuple[float, float]


def main() -> int:
    """Measure and print."""
    chosen = options(__doc__).parse_args()
    peers, skipped = find_peers(_names(chosen))
    turns = chosen.turns or (3 if chosen.full else 1)
    seconds, repeats, widths = (0.05, 1, WIDTHS[:1]) if chosen.quick else (0.5, 3, WIDTHS)
    tables = []
    for width in widths:
        found: dict[str, list[Pair]] = {peer.name: [] for peer in peers}
        for turn in range(turns):
            for peer in peers:
                try:
                    found[peer.name].append(_beside_yardstick(peer, peers[0], seconds, width, repeats))
                except PeerFailed as error:
                    skipped.append(f"turn {turn}: {error}")
        rows = [_row(peer, found[peer.name]) for peer in peers if found[peer.name]]
        tables.append(Table(f"No-op jobs a second, {width} at once", rows))
    notes = [f"target for tui-orch: {TARGET} of xargs -P, aim {AIM}", *(f"skipped: {reason}" for reason in skipped)]
    print_tables([*tables, Table("Notes", (), notes)], as_json=chosen.json)
    return 0


def _names(chosen: argparse.Namespace) -> list[str]:
    if chosen.peers:
        return list(dict.fromkeys((YARDSTICK, *chosen.peers.split(","))))
    if chosen.quick:
        return [YARDSTICK, "make", OURS]
    return [name for name in PEERS if chosen.full or name not in ONLY_IN_FULL]


def _beside_yardstick(peer: Peer, yardstick: Peer, seconds: float, width: int, repeats: int) -> Pair:
    """Return the rates of the peer and of the yardstick right before it."""
    beside = yardstick.rate(min(seconds, YARDSTICK_S), width, repeats)
    own = beside if peer is yardstick else peer.rate(seconds, width, repeats)
    return statistics.median(own), statistics.median(beside)


def _row(peer: Peer, pairs: list[Pair]) -> Row:
    return {
        "peer": peer.version,
        "jobs/s": statistics.median(own for own, _ in pairs),
        "of xargs -P": statistics.median(own / beside for own, beside in pairs),
    }


if __name__ == "__main__":
    sys.exit(main())
