"""Which environment variables a worker gets: an allow-list, so that a shell's other secrets stay out of the tree.

Pure: takes a mapping, gives a new one, reads and changes nothing else. What names a session (``CLAUDECODE``,
another job's ``ORCH_TOKEN``), where Python looks (``PYTHONPATH``) and who commits (``GIT_*``) never passes.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from store.home import Home
from store.states import Kind
from tui_orch.worker.cookie import VARIABLE as COOKIE
from tui_orch.worker.cookie import cookie

#: Where a user names what else may pass, by comma; a ``*`` at the end of a name stands for any rest.
PASS = "ORCH_ENV_PASS"

_PERSON = ("HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_*", "TZ", "TERM", "COLORTERM", "NO_COLOR")
_FOLDERS = ("PATH", "TMPDIR", "XDG_*", "VIRTUAL_ENV")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_CLIENT_CERTIFICATE = ("CLAUDE_CODE_CLIENT_CERT", "CLAUDE_CODE_CLIENT_KEY", "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE")
_CLAUDE = ("CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_MAX_RETRIES", "ORCH_CLAUDE_PATH")
_GOOGLE = ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CONFIG")

#: Where the REST API is: ``orch serve`` sets it for its workers, so that a program in one finds it.
API_URL = "ORCHESTRATOR_API_URL"
#: The key that opens the API to a worker: its own token, and never the key of whoever started the tree.
API_KEY = "ORCHESTRATOR_API_KEY"

#: Set for what a worker on another machine starts, which has no store: the folder of its own that stands in for it there.
REMOTE_HOME = "ORCH_REMOTE_HOME"

#: What any worker may know: who and where it is, how it speaks, how it reaches the network and the API.
EVERY_KIND = (*_PERSON, *_FOLDERS, *_PROXIES, *(name.upper() for name in _PROXIES), *_CERTIFICATES, API_URL, PASS)

#: What Claude Code needs to reach its model. It holds keys, so a ``command`` worker does not get it.
CLAUDE_ONLY = ("ANTHROPIC_*", *_CLAUDE, *_CLIENT_CERTIFICATE)

#: A cloud that serves the model instead: its switch, and what passes to Claude Code only while the switch is on.
CLOUDS = {
    "CLAUDE_CODE_USE_BEDROCK": ("CLAUDE_CODE_SKIP_BEDROCK_AUTH", "AWS_*"),
    "CLAUDE_CODE_USE_VERTEX": ("CLAUDE_CODE_SKIP_VERTEX_AUTH", "CLOUD_ML_REGION", "VERTEX_REGION_*", *_GOOGLE),
    "CLAUDE_CODE_USE_FOUNDRY": ("CLAUDE_CODE_SKIP_FOUNDRY_AUTH", "AZURE_*"),
}

#: What makes a process the worker of one attempt: made anew for each, never taken over from around it.
OWN = ("ORCH_HOME", "ORCH_JOB_ID", "ORCH_ATTEMPT_ID", "ORCH_TOKEN", API_KEY, COOKIE)
#: Of what Claude Code needs, what is a place on one machine, and none on another.
_HERE = frozenset({"CLAUDE_CONFIG_DIR", "ORCH_CLAUDE_PATH", "CLAUDE_CODE_CLIENT_CERT", "CLAUDE_CODE_CLIENT_KEY"})
_OFF = frozenset({"", "0", "false", "no", "off"})


def allowed(base: Mapping[str, str], kind: Kind = Kind.CLAUDE) -> dict[str, str]:
    """Return the part of ``base`` that a worker of this kind may have.

    What ``ORCH_ENV_PASS`` names passes to every kind, keys too: the user has asked for it by name.
    What makes a process a worker (``OWN``) never passes, whoever asks for it.
    """
    names = [*EVERY_KIND, *_asked_for(base)]
    if kind is Kind.CLAUDE:
        names.extend(_of_claude(base))
    return {name: value for name, value in base.items() if name not in OWN and _matches(name, names)}


def carried(base: Mapping[str, str], kind: Kind) -> dict[str, str]:
    """Return the part of ``base`` that a worker of this kind on another machine gets from the head: keys, and no places.

    All else it has from the machine on which it runs.
    """
    names = [PASS, *_asked_for(base)]
    if kind is Kind.CLAUDE:
        names.extend(_of_claude(base))
    return {name: value for name, value in base.items() if name not in {*OWN, *_HERE} and _matches(name, names)}


def worker_environment(
    allowed: Mapping[str, str],
    home: Home,
    *,
    store_id: str,
    job: int,
    attempt: int,
    token: str,
    programs: Path | None = None,
) -> dict[str, str]:
    """Return the whole environment of the worker process of an attempt, of which ``allowed`` comes from around it.

    ``token`` lets it touch its own subtree, by the command line and by the API; ``programs`` is the folder of the ``orch`` command (default: that
    of this Python). It stands at the end of PATH, so that ``orch`` is found inside the worker, but the
    project's ``python`` is not replaced by the one that runs orch.
    """
    own = str(programs or Path(sys.executable).parent)
    folders = allowed.get("PATH", os.defpath).split(os.pathsep)
    return {
        **allowed,
        "PATH": os.pathsep.join(folders if own in folders else [*folders, own]),
        "ORCH_HOME": str(home.root),
        "ORCH_JOB_ID": str(job),
        "ORCH_ATTEMPT_ID": f"{job}.{attempt}",
        "ORCH_TOKEN": token,
        API_KEY: token,
        COOKIE: cookie(store_id, job, attempt),
    }


def runner_environment(worker: Mapping[str, str], kind: Kind) -> dict[str, str]:
    """Return the whole environment of what a worker (with the environment ``worker``) starts.

    Filtered once more, because a launcher (a cluster's, say) may have put more around the worker.
    """
    own = {name: worker[name] for name in (*OWN, REMOTE_HOME) if name in worker}
    return {**allowed(worker, kind), **own}


def _of_claude(base: Mapping[str, str]) -> list[str]:
    """Return what passes to Claude Code: the clouds' keys only where their switch is on."""
    on = (switch for switch in CLOUDS if base.get(switch, "").lower() not in _OFF)
    return [*CLAUDE_ONLY, *(name for switch in on for name in (switch, *CLOUDS[switch]))]


def _asked_for(base: Mapping[str, str]) -> list[str]:
    return [name.strip() for name in base.get(PASS, "").split(",") if name.strip()]


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(name.startswith(p[:-1]) if p.endswith("*") else name == p for p in patterns)
