"""Workers as jobs of a Ray cluster, over the Jobs REST API of its head.

Knows Ray's words and traps: it answers errors as text with a traceback, "exists already" as 500, and calls a job that has
lost its machine failed without an exit code.
"""

import shlex
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import httpx

from tui_orch.supervisor.engines.engine import EngineDown, EngineJob, EngineRefusal, EngineState, Standing, one_line

#: Seconds that one call may take. A head that is cut off does not refuse, it just says nothing.
CALL_S = 10.0
#: With more jobs to look at than this, all of the cluster are asked for at once.
_ONE_BY_ONE = 20
#: Of the log of a job that has failed.
_LOG_LINES = 3

_STANDINGS: Mapping[str, Standing] = {
    "PENDING": "pending",
    "RUNNING": "running",
    "SUCCEEDED": "ended",
    "STOPPED": "ended",
    "FAILED": "ended",
}


class Ray:
    """An engine; see `engine.Engine`. Whoever can talk to the head sees a job's arguments and environment."""

    def __init__(self, address: str, token_file: Path | None = None, *, poll_s: float = 0.5) -> None:
        self.title = f"Ray at {address}"
        self.poll_s = poll_s
        self._token_file = token_file
        # Nobody's proxy lies between us and the cluster, and no token of another service is sent to it.
        self._client = httpx.Client(base_url=address, timeout=CALL_S, trust_env=False)

    def submit(self, job: EngineJob) -> None:
        """Have a job run, unless there is one of its name."""
        needs = job.needs
        asked: dict[str, Any] = {
            "entrypoint": f"exec {shlex.join(job.argv)}",
            "submission_id": job.name,
            "runtime_env": {"env_vars": dict(job.env)},
            # Without anything asked for, it would run on the head, outside all limits.
            "entrypoint_num_cpus": 1 if needs.cpus is None else needs.cpus,
        }
        if needs.memory_mb is not None:
            asked["entrypoint_memory"] = needs.memory_mb * 1_000_000
        if needs.resources:
            asked["entrypoint_resources"] = dict(needs.resources)
        if needs.labels:
            asked["entrypoint_label_selector"] = dict(needs.labels)
        answer = self._call("POST", "/api/jobs/", asked)
        if answer.status_code == httpx.codes.OK:
            return
        if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR and self._state(job.name) is not None:
            return  # it is there already, whatever else the head has to say
        # The head hands on what the node's agent said, a 400 as a 500.
        if answer.status_code == httpx.codes.BAD_REQUEST or "failed with status code 400" in answer.text:
            raise EngineRefusal(f"{self.title} refuses it: {_last_line(answer.text)}")
        raise self._odd(answer, in_doubt=answer.is_server_error)

    def poll(self, names: Collection[str]) -> Mapping[str, EngineState]:
        """Return what has become of jobs."""
        if not names:
            self._required(self._call("GET", "/api/version"))
            return {}
        if len(names) <= _ONE_BY_ONE:
            found = {name: self._state(name) for name in names}
            return {name: state for name, state in found.items() if state is not None}
        listed = self._required(self._call("GET", "/api/jobs/"))
        if not isinstance(listed, list):
            raise EngineDown(f"{self.title} answers what is no list of jobs")
        wanted = set(names)
        jobs = [job for job in listed if isinstance(job, dict) and job.get("submission_id") in wanted]
        return {job["submission_id"]: _state_of(job) for job in jobs}

    def stop(self, names: Collection[str]) -> None:
        """Ask jobs to end: SIGTERM, and SIGKILL 3 s later; one that is pending begins, and is ended, when its turn comes."""
        for name in names:
            answer = self._call("POST", f"/api/jobs/{name}/stop")
            if answer.status_code != httpx.codes.NOT_FOUND:
                self._required(answer)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _state(self, name: str) -> EngineState | None:
        answer = self._call("GET", f"/api/jobs/{name}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        job = self._required(answer)
        if not isinstance(job, dict):
            raise EngineDown(f"{self.title} answers what is no job")
        return _state_of(job)

    def _call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        try:
            headers = {} if self._token_file is None else {"Authorization": f"Bearer {self._token()}"}
            return self._client.request(method, path, json=body, headers=headers)
        except httpx.ConnectError as error:
            raise EngineDown(f"{self.title} does not answer: {error}") from error
        except httpx.ConnectTimeout as error:
            raise EngineDown(f"{self.title} does not answer: no connection within {CALL_S:g} s") from error
        except httpx.HTTPError as error:
            said = str(error) or type(error).__name__
            raise EngineDown(f"{self.title} does not answer: {said}", in_doubt=True) from error

    def _token(self) -> str:
        """Read the token anew each time: it may be changed."""
        assert self._token_file is not None
        try:
            return self._token_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise EngineDown(f"{self.title}: its token_file can not be read: {error}") from error

    def _required(self, answer: httpx.Response) -> Any:
        if answer.status_code != httpx.codes.OK:
            raise self._odd(answer)
        try:
            return answer.json()
        except ValueError as error:
            raise EngineDown(f"{self.title} answers what is no JSON: is it the address of a Ray head?") from error

    def _odd(self, answer: httpx.Response, *, in_doubt: bool = False) -> EngineDown:
        if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            return EngineDown(
                f"{self.title} lets us not in: {_last_line(answer.text)}; see token_file in [launcher.ray]"
            )
        return EngineDown(f"{self.title} answers {answer.status_code}: {_last_line(answer.text)}", in_doubt=in_doubt)


def _state_of(job: Mapping[str, Any]) -> EngineState:
    standing: Standing = _STANDINGS.get(str(job.get("status")), "running")
    code = job.get("driver_exit_code")
    exit_code = code if isinstance(code, int) else None
    if job.get("status") == "FAILED" and exit_code is None:
        standing = "lost"
    address = httpx.URL(job.get("driver_agent_http_address") or "").host
    why = _what_failed(str(job.get("message") or "")) if job.get("status") == "FAILED" else None
    return EngineState(standing, exit_code if standing == "ended" else None, address or None, why)


def _what_failed(message: str) -> str:
    """Return the end of what a job has said, where that is in the message, and else the message."""
    _, said, log = message.partition(" chars):\n")
    lines = [line for line in log.splitlines() if not line.startswith("Running entrypoint for job")]
    return one_line(" / ".join(lines[-_LOG_LINES:]) if said else message)


def _last_line(text: str) -> str:
    """Return what a traceback comes to."""
    lines = [line.strip() for line in text.splitlines() if line.strip(" \t.")]
    return lines[-1] if lines else "nothing"
