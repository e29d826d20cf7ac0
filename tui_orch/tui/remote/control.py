"""What the screen changes in a remote store: each a call of the REST API, made off the screen's thread.

Owns no rules: the server refuses, and its word is shown. Nothing is sent twice: whether a call that was lost has been heard
is not known, so the person is told.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from store.asks import Scope
from store.control import Stopped
from store.errors import Refused
from store.models import Limits, NewTree
from store.states import Kind
from tui_orch.client.api_errors import OrchestratorError, TryAgain, read
from tui_orch.client.api_place import Place
from tui_orch.client.api_steps import Call, Lost
from tui_orch.client.http_steps import Line
from tui_orch.tui.access import HandedIn

#: Seconds that a new job may take to come into the copy.
ARRIVAL_S = 5.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of an answer."""

    job_id: int
    rule_id: int | None


class RemoteControl:
    """A person's hands on a remote store. ``wait_for`` waits until the copy has a job: see `Follower.wait_for`."""

    def __init__(self, place: Place, key: str, wait_for: Callable[[int, float], bool]) -> None:
        self._place = place
        self._key = key
        self._wait_for = wait_for

    def cancel(self, job_id: int) -> Stopped:
        """See `Controls.cancel`."""
        done = self._call("POST", f"/jobs/{job_id}/cancel")
        return Stopped(done["ended"], done["stopping"])

    def retry(self, job_id: int, *, fresh: bool = False) -> tuple[int, ...]:
        """See `Controls.retry`."""
        return self._retry(job_id, fresh=fresh)

    def retry_leaves(self, job_id: int) -> tuple[int, ...]:
        """See `Controls.retry_leaves`."""
        return self._retry(job_id, leaves=True)

    def pause(self, root_id: int | None, *, pause: bool) -> bool:
        """See `Controls.pause`."""
        where = "" if root_id is None else f"/jobs/{root_id}"
        return bool(self._call("POST", f"{where}/{'pause' if pause else 'resume'}")["changed"])

    def set_limits(self, root_id: int, limits: Limits) -> object:
        """See `Controls.set_limits`."""
        return self._call("PATCH", f"/jobs/{root_id}/limits", _given(limits))

    def submit(self, new: NewTree) -> HandedIn:
        """See `Controls.submit`."""
        made = self._call("POST", "/orchestrate", {"request": new.root.request, "config": config(new)})
        root_id = int(made["job_id"])
        self._wait_for(root_id, ARRIVAL_S)
        return HandedIn(root_id, tuple(map(str, made["notes"])))

    def answer(
        self, ask_id: int, verdict: Literal["allow", "deny", "answered"], text: str | None, scope: Scope = "once"
    ) -> Answered:
        """See `Controls.answer`."""
        body = {"answer": verdict, "scope": scope, **({} if text is None else {"text": text})}
        done = self._call("POST", f"/asks/{ask_id}/answer", body)
        return Answered(int(done["job_id"]), done["rule_id"])

    def _retry(self, job_id: int, **how: bool) -> tuple[int, ...]:
        return tuple(int(each) for each in self._call("POST", f"/jobs/{job_id}/retry", how)["queued"])

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return what the server says. Raises Refused, or OSError where nobody answers."""
        with Line(self._place, self._key) as line:
            answer = line.do(Call(method, path, body))
        if isinstance(answer, Lost):
            raise ConnectionError(f"{answer.why}; look whether it was done, and try again")
        assert answer is not None
        assert not isinstance(answer, bytes)
        try:
            found = read(answer)
        except OrchestratorError as error:
            raise Refused(str(error)) from error
        if isinstance(found, TryAgain):
            raise ConnectionError(f"{found.why}; try again")
        return found


def config(new: NewTree) -> dict[str, Any]:
    """Return the config with which the API makes this tree of the request of its root."""
    kind = new.items[0].kind if new.items else new.root.kind
    values = {
        **_given(new.limits),
        "kind": kind.value if kind is not Kind.GROUP else None,
        "split": "list" if new.items else "none",
        "title": new.root.title,
        "priority": new.root.priority or None,
        "model": new.model,
        "permission_mode": new.permission_mode,
        "allowed_tools": None if new.allowed_tools is None else list(new.allowed_tools),
        "setting_sources": None if new.setting_sources is None else list(new.setting_sources),
        "park_after_s": new.park_after_s,
        "workspace": new.workspace,
        "workspace_setup": new.workspace_setup,
        "needs": None if new.needs is None else new.needs.as_json(),
        "work_dir": None if new.work_dir == "." else new.work_dir,
    }
    values["timeouts"] = values.pop("timeouts_s", None)
    return {name: value for name, value in values.items() if value not in (None, "")}


def _given(limits: Limits) -> dict[str, Any]:
    found = {name: getattr(limits, name) for name in Limits.__dataclass_fields__}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in found.items() if value is not None
    }
