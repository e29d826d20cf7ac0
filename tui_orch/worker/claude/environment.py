"""Gives this process exactly one environment for a while: the SDK hands our own on to Claude Code, and only adds to it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def exactly(env: Mapping[str, str]) -> Iterator[None]:
    """Let ``os.environ`` be ``env`` within the block, and what it was before after it."""
    before = dict(os.environ)
    _set(env)
    try:
        yield
    finally:
        _set(before)


def _set(env: Mapping[str, str]) -> None:
    for name in os.environ.keys() - env.keys():
        del os.environ[name]
    os.environ.update(env)
