"""Messages between a launcher and a forker: what was said counts, also by one that died with more to read."""

import os

import pytest

from tui_orch.worker.brief import Brief
from tui_orch.worker.fork_messages import (
    MESSAGE_BYTES,
    Ended,
    Ready,
    Refused,
    Request,
    Started,
    pair,
    receive_answer,
    receive_request,
    send_answer,
    send_request,
)

REQUEST = Request(
    1, 2, "store/1.2", {"NAME": "valu\N{LATIN SMALL LETTER E WITH ACUTE}\udcff"}, Brief(("a", "b"), "/w", (3, 4))
)


def test_a_request_comes_as_it_was_sent() -> None:
    launcher, forker = pair()
    with launcher, forker:
        send_request(launcher, REQUEST)
        assert receive_request(forker) == REQUEST
        launcher.close()
        assert receive_request(forker) is None


def test_answers_come_in_order_and_a_worker_with_its_descriptor() -> None:
    launcher, forker = pair()
    mine = os.pidfd_open(os.getpid())
    with launcher, forker:
        for said in (Ready(), Started(7, mine), Refused("why"), Ended(7, -9)):
            send_answer(forker, said)
        first, started, *others = (receive_answer(launcher) for _ in range(4))
        assert (first, others) == (Ready(), [Refused("why"), Ended(7, -9)])
        assert isinstance(started, Started)
        assert started.pid == 7
        assert started.fd != mine
        os.close(started.fd)
    os.close(mine)


def test_what_was_answered_by_one_that_died_with_requests_unread_is_heard() -> None:
    """The system tells the death first; taken for the end of all answers, workers that live would be unknown."""
    launcher, forker = pair()
    with launcher:
        send_answer(forker, Ready())
        send_request(launcher, REQUEST)
        forker.close()
        assert receive_answer(launcher) == Ready()
        assert receive_answer(launcher) is None


def test_a_request_too_large_for_a_message_is_refused_where_it_is_sent() -> None:
    launcher, forker = pair()
    with launcher, forker, pytest.raises(OSError, match="too long"):
        send_request(launcher, Request(1, 1, "m", {"LARGE": "x" * MESSAGE_BYTES}))
