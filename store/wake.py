"""The datagram socket beside the store by which a writer wakes a waiting supervisor at once (0.2 ms).

A wake-up carries nothing and proves nothing: the truth is in the database, and whoever waits looks there
every second anyway. So a poke never fails and never blocks, and nothing is ever read from one.
"""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

#: Bytes of a path that fit into a Unix socket address, with the NUL that ends it, on the narrowest system.
_ADDRESS_BYTES = 104
_DATAGRAM_BYTES = 16


def poke(socket_path: Path) -> None:
    """Wake whoever listens at ``socket_path``; nobody there, or a listener with enough to do, is no error."""
    # Whatever goes wrong here (no socket, a dead one, a full queue, no descriptor left) only costs the
    # listener the time to its next look; the commit that this follows is done and must not seem to have
    # failed.
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
        _address(socket_path) as address,
    ):
        sender.setblocking(False)
        sender.sendto(b"", address)


def listen(socket_path: Path) -> socket.socket:
    """Return a non-blocking socket (file mode 0600) that becomes readable at every poke.

    Takes the place of a dead listener's socket, so the caller must already be the only one that may listen.
    Raises OSError where the folder is missing or its file system knows no sockets.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        listener.setblocking(False)
        socket_path.unlink(missing_ok=True)
        with _address(socket_path) as address:
            listener.bind(address)
        socket_path.chmod(0o600)
    except OSError:
        listener.close()
        raise
    return listener


def drain(listener: socket.socket) -> int:
    """Take all pokes that have come, and return how many. The next one makes the socket readable again."""
    pokes = 0
    while True:
        try:
            listener.recv(_DATAGRAM_BYTES)
        except BlockingIOError:
            return pokes
        pokes += 1


@contextlib.contextmanager
def _address(socket_path: Path) -> Iterator[str]:
    """Yield a name for ``socket_path`` that fits into an address: by its folder's descriptor if it is long."""
    if len(os.fsencode(socket_path)) < _ADDRESS_BYTES:
        yield str(socket_path)
        return
    folder = os.open(socket_path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{socket_path.name}"
    finally:
        os.close(folder)
