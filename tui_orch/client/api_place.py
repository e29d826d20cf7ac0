"""Where the API is and which key opens it: what the caller says, else what a worker's environment says.

Reads the note that ``orch serve`` leaves in the store's folder, and nothing else; asks no server anything.
"""

import json
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from tui_orch.client.api_errors import AuthenticationError

URL = "ORCHESTRATOR_API_URL"
KEY = "ORCHESTRATOR_API_KEY"
TOKEN = "ORCH_TOKEN"
HOME = "ORCH_HOME"
#: What ``orch serve`` writes into the store's folder: {"url": ..., "pid": ...}.
NOTE = "api.json"
DEFAULT_URL = "http://localhost:8000"
PREFIX = "/api/v1"


class Place:
    """Where the API is now. One that the caller named stays; any other is looked up again when it is lost."""

    def __init__(self, api_url: str | None, environ: Mapping[str, str]) -> None:
        """Raises ValueError for an address that is none."""
        self._note = Path(environ[HOME]) / NOTE if environ.get(HOME) else None
        self._is_fixed = bool(api_url)
        if api_url:
            self.url = checked_url(api_url, "api_url")
        elif environ.get(URL):
            self.url = checked_url(environ[URL], URL)
        else:
            self.url = self._noted() or DEFAULT_URL

    def look_again(self) -> None:
        """Nobody answers at ``url``: a server that was started again may have another port, and has noted it."""
        if not self._is_fixed:
            self.url = self._noted() or self.url

    def _noted(self) -> str | None:
        if self._note is None:
            return None
        try:
            return checked_url(json.loads(self._note.read_text("utf-8"))["url"], str(self._note))
        except (OSError, ValueError, KeyError, TypeError):
            return None  # no server has left a note, or not a whole one; the address that is known is tried again


def checked_url(url: str, source: str) -> str:
    """Return an address of the API without what every call adds to it. Raises ValueError, naming ``source``."""
    bare = str(url).strip().rstrip("/").removesuffix(PREFIX)
    try:
        parts = urlsplit(bare)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        is_one = is_one and (parts.port is None or parts.port > 0) and not (parts.query or parts.fragment)
    except ValueError:
        is_one = False
    if not is_one:
        raise ValueError(f"{source} must be an address like {DEFAULT_URL}, not {bare[:200]!r}")
    return bare


def is_loopback(url: str) -> bool:
    """Tell whether ``url`` is on this machine, where no proxy stands between."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def key_of(api_key: str | None, environ: Mapping[str, str]) -> str:
    """Return the key to use. Raises AuthenticationError where there is none, or one that no header can carry."""
    key = (api_key or environ.get(KEY) or environ.get(TOKEN) or "").strip()
    if not key:
        raise AuthenticationError(
            f"there is no key to the API: give api_key, or set {KEY}; a person makes one with: orch key new NAME"
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise AuthenticationError("the key holds characters that no key has; give it as it was printed")
    return key
