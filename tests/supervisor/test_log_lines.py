"""The supervisor's log: a line is made once, however many it is written to."""

import logging
from pathlib import Path

import pytest

from store.database import Store
from store.home import Home
from tui_orch.supervisor import main


def test_a_line_is_formatted_once_for_the_file_and_for_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / ".orch")
    Store.open(home, create=True).close()
    asked = []
    plain = logging.Formatter.format

    def counted(self: logging.Formatter, record: logging.LogRecord) -> str:
        asked.append(record)
        return plain(self, record)

    monkeypatch.setattr(logging.Formatter, "format", counted)
    before = main.log.handlers[:], main.log.level, main.log.propagate
    try:
        main._log_to(home, to_stderr=True)
        main.log.info("#%d.%d: started", 7, 1)
        main.log.info("#%d.%d: ended", 7, 1)
    finally:
        for handler in main.log.handlers:
            handler.close()
        main.log.handlers[:], main.log.level, main.log.propagate = before
    written = home.supervisor_log.read_text().splitlines()
    assert written == capsys.readouterr().err.splitlines()
    assert [line.partition(" INFO ")[2] for line in written] == ["#7.1: started", "#7.1: ended"]
    assert len(asked) == len(written)
