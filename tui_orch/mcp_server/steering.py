"""The tools by which a person steers: ``cancel_job``, ``retry_job`` and ``answer_ask``."""

from typing import Literal, cast

from store import asks
from store.control import cancel, retry
from store.database import Transaction
from store.models import Ask
from tui_orch.client.caller import Caller
from tui_orch.mcp_server.answer import Answer, Progress, told
from tui_orch.mcp_server.desk import Desk
from tui_orch.mcp_server.given import BadArguments, Given

VERDICTS = ("allow", "deny", "answered")
SCOPES = ("once", "subtree", "tree")


async def cancel_job(desk: Desk, given: Given, _: Progress) -> Answer:
    """Cancel a job and all below it."""
    job_id = given.required_id()

    def change(tx: Transaction, caller: Caller, now_ms: int) -> tuple[int, int]:
        caller.require_within(tx, job_id)
        stopped = cancel(tx, job_id, now_ms)
        return stopped.ended, stopped.stopping

    ended, stopping = await desk.write(change)
    return told(
        f"Job #{job_id} is cancelled: {ended} job(s) ended, {stopping} being stopped.",
        job_id=str(job_id),
        ended=ended,
        stopping=stopping,
    )


async def retry_job(desk: Desk, given: Given, _: Progress) -> Answer:
    """Try a job again that did not complete."""
    job_id, fresh = given.required_id(), given.flag("fresh")

    def change(tx: Transaction, caller: Caller, now_ms: int) -> tuple[list[int], bool]:
        caller.require_within(tx, job_id)
        return list(retry(tx, job_id, now_ms, fresh=fresh)), caller.fence is None

    queued, by_person = await desk.write(change)
    listed = ", ".join(f"#{found}" for found in queued)
    text = f"Tried again: {listed}." if queued else f"Job #{job_id}: there was nothing left to do again."
    broken = await desk.supervise() if queued and by_person else None
    return told(_and_broken(text, broken), job_id=str(job_id), queued=queued)


async def answer_ask(desk: Desk, given: Given, _: Progress) -> Answer:
    """Answer what a worker asks a person."""
    ask_id = given.required_id("ask_id")
    verdict, text = given.choice("answer", VERDICTS), given.text("text")
    scope, rules = given.choice("scope", SCOPES) or "once", given.texts("rules")
    if verdict is None and text is None:
        raise BadArguments(f"answer_ask needs answer ({', '.join(VERDICTS)}), or text for a question")

    def change(tx: Transaction, caller: Caller, now_ms: int) -> Ask:
        caller.require_person("answering an ask")
        return asks.answer(
            tx,
            ask_id,
            cast(Literal["allow", "deny", "answered"], verdict or "answered"),
            text,
            now_ms,
            scope=cast(asks.Scope, scope),
            rules=rules,
        )

    found = await desk.write(change)
    kept = f"; rule {found.rule_id} keeps it for the {scope}" if found.rule_id is not None else ""
    said = f"Ask {ask_id} of job #{found.job_id} is answered: {found.answer}{kept}."
    return told(
        _and_broken(said, await desk.supervise()),
        ask_id=ask_id,
        job_id=str(found.job_id),
        answer=found.answer,
        rule_id=found.rule_id,
    )


def _and_broken(text: str, broken: str | None) -> str:
    return text if broken is None else f"{text} But nothing runs: {broken}"
