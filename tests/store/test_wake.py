"""The wake-up socket: heard at once, missed by nobody, and never in a writer's way."""

import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import socket

import pytest

from store.wake import drain, listen, poke


@pytest.fixture(params=["short", "long"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where a socket is to be: also where its path is longer than a socket's address may be (108 bytes)."""
    folder = tmp_path / ("f" if request.param == "short" else "f" * 120)
    folder.mkdir()
    return folder / "wake.sock"


@pytest.fixture
def listener(address: Path) -> Iterator[socket]:
    with listen(address) as listening:
        yield listening


def is_awake(listener: socket, seconds: float = 0) -> bool:
    return bool(select.select([listener], [], [], seconds)[0])


def test_a_poke_wakes_and_draining_rests(address: Path, listener: socket) -> None:
    assert not is_awake(listener)
    poke(address)
    poke(address)
    assert is_awake(listener, 30)
    assert drain(listener) == 2
    assert not is_awake(listener)
    assert drain(listener) == 0
    poke(address)
    assert is_awake(listener, 30)


def test_another_process_can_poke(address: Path, listener: socket) -> None:
    script = "import sys; from pathlib import Path; from store.wake import poke; poke(Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", script, str(address)], check=True, timeout=30)
    assert is_awake(listener, 30)


def test_only_the_owner_may_poke(address: Path, listener: socket) -> None:
    assert address.stat().st_mode & 0o777 == 0o600


def test_nobody_listening_is_no_error(address: Path) -> None:
    poke(address)
    poke(address.parent / "missing" / "wake.sock")
    listen(address).close()  # the file is left over from a listener that died
    poke(address)
    address.unlink()
    address.write_text("not a socket")
    poke(address)
    assert address.read_text() == "not a socket"


def test_a_listener_with_enough_to_do_blocks_nobody(address: Path, listener: socket) -> None:
    for _ in range(1000):
        poke(address)
    assert 0 < drain(listener) <= 1000


def test_a_new_listener_takes_the_place_of_a_dead_one(address: Path) -> None:
    listen(address).close()
    with listen(address) as listener:
        poke(address)
        assert is_awake(listener, 30)


def test_where_no_socket_can_be_the_caller_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        listen(tmp_path / "missing" / "wake.sock")
    with pytest.raises(FileNotFoundError):
        listen(tmp_path / ("x" * 120) / "wake.sock")
