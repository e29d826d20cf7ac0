"""SIGTERM as something to wait for: the handler only notes it, and a descriptor becomes readable."""

import os
import signal
from types import FrameType, TracebackType
from typing import Self


class StopSignal:
    """Within the block SIGTERM and SIGINT set ``asked`` and make ``fileno()`` readable, and do nothing else."""

    def __init__(self) -> None:
        self.asked = False
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def fileno(self) -> int:
        """Return the descriptor that is readable once a stop was asked for."""
        return self._read

    def __enter__(self) -> Self:
        self._old = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)
        os.close(self._read)
        os.close(self._write)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if not self.asked:
            self.asked = True
            os.write(self._write, b"!")
