"""``python3 check.py``: start the service on a free port and an empty file, use it, say whether it works."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent


def call(url: str, method: str = "GET", data: object = None) -> tuple[int, str]:
    """One request: the status and the text that came back."""
    target = urlsplit(url)
    connection = HTTPConnection(target.netloc, timeout=10)
    with closing(connection):
        connection.request(method, f"{target.path}?{target.query}", None if data is None else json.dumps(data))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def checks(url: str) -> list[tuple[str, bool]]:
    """Use the service at ``url``: what was tried, and whether it did what it should."""

    def api(path: str, method: str = "GET", data: object = None) -> tuple[int, Any]:
        status, text = call(url + path, method, data)
        return status, json.loads(text) if text else None

    page = call(url)
    empty = api("api/notes")
    created = api("api/notes", "POST", {"title": " Milk ", "body": "2 litres"})
    second = api("api/notes", "POST", {"title": "Bread"})
    note = f"api/notes/{created[1].get('id')}"
    return [
        ("the page is served", page[0] == 200 and "<title>Notes</title>" in page[1]),
        ("its script and style are served", {call(url + f)[0] for f in ("app.js", "style.css")} == {200}),
        ("at first there are no notes", empty == (200, [])),
        ("a note is created", created[0] == 201 and created[1]["title"] == "Milk"),
        ("a note is read", api(note) == (200, created[1])),
        (
            "the newest comes first",
            [n["id"] for n in api("api/notes")[1]] == [second[1]["id"], created[1]["id"]],
        ),
        ("a note without a title is refused", api("api/notes", "POST", {"title": " "})[0] == 400),
        ("an unknown field is refused", api("api/notes", "POST", {"title": "x", "colour": "red"})[0] == 400),
        (
            "a note is changed",
            api(note, "PUT", {"title": "Milk", "body": "3 litres"})[1]["body"] == "3 litres",
        ),
        ("a search finds it", [n["title"] for n in api("api/search?q=LITRES")[1]] == ["Milk"]),
        ("a search takes % as a letter", api("api/search?q=%25")[1] == []),
        ("a note is deleted", api(note, "DELETE") == (204, None)),
        ("a deleted note is gone", api(note)[0] == 404),
        ("an unknown path is refused", api("api/nothing")[0] == 404),
    ]


def main() -> int:
    """0: all checks passed; 1: some did not."""
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", "notes", "--port", "0", "--db", str(Path(folder) / "notes.db")]
        with subprocess.Popen(argv, cwd=HERE, stdout=subprocess.PIPE, text=True) as service:
            try:
                results = checks(service.stdout.readline().strip() if service.stdout else "")
            finally:
                service.terminate()
    failed = [what for what, passed in results if not passed]
    for what in failed:
        print(f"FAILED: {what}")
    print(f"{len(failed)} of {len(results)} checks failed" if failed else f"all {len(results)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
