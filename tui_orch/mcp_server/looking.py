"""The tools that only look: ``subtask_status``, ``job_results``, ``job_tree``, ``list_jobs`` and ``open_asks``."""

from store import asks
from store.database import Reader
from store.errors import NotFound
from store.models import Job
from store.tree import get_job, is_within, path, roots, subtree
from store.use import subtree_counts
from tui_orch.client.caller import Caller
from tui_orch.client.measures import now_ms
from tui_orch.mcp_server import telling
from tui_orch.mcp_server.answer import Answer, Progress
from tui_orch.mcp_server.desk import Desk
from tui_orch.mcp_server.given import Given, Target
from tui_orch.mcp_server.standing import entries_of, require_ended, standing
from tui_orch.worker.claude.wording import fenced

MOST_IN_TREE = 300
DEFAULT_IN_TREE = 100
MOST_LISTED = 100
DEFAULT_LISTED = 20
_MOST_ASKS = 50
_MOST_OFFSET = 100_000_000


async def subtask_status(desk: Desk, given: Given, _: Progress) -> Answer:
    """Tell how a job or batch stands, with the results of its children that have ended."""
    wanted = given.target()

    def look(reader: Reader, caller: Caller) -> str:
        target = wanted or Target(_default(reader, caller))
        found, entries = standing(reader, caller, target), entries_of(reader, target)
        job = get_job(reader, target.job_id)

        def body(mark: str) -> list[str]:
            own = telling.result_text(job, 0, mark) if found.ended and target.batch is None else []
            return [*own, *telling.children_text(entries, mark)]

        return telling.with_mark(f"{_first_up(found.line())}.", body)

    return Answer(await desk.read(look))


async def job_results(desk: Desk, given: Given, _: Progress) -> Answer:
    """Tell what a job or batch that has ended found."""
    target = given.required_target()
    offset = given.whole("offset", 0, _MOST_OFFSET, 0)

    def look(reader: Reader, caller: Caller) -> str:
        found = standing(reader, caller, target)
        require_ended(found)
        entries, job = entries_of(reader, target), get_job(reader, target.job_id)
        head = f"{_first_up(found.line())}."
        if target.batch is None and not entries and job.result is None and not job.error:
            head += " It left no result."

        def body(mark: str) -> list[str]:
            own = telling.result_text(job, offset, mark) if target.batch is None else []
            return own if offset else [*own, *telling.children_text(entries, mark)]

        if offset and not (target.batch is None and job.result is not None and offset < len(job.result)):
            return f"{head} There is nothing behind offset {offset}."
        return telling.with_mark(head, body)

    return Answer(await desk.read(look))


async def job_tree(desk: Desk, given: Given, _: Progress) -> Answer:
    """Tell a job and all below it, a line each."""
    wanted, limit = given.job_id(), given.whole("limit", 1, MOST_IN_TREE, DEFAULT_IN_TREE)

    def look(reader: Reader, caller: Caller) -> str:
        top_id = wanted or _default(reader, caller)
        caller.require_within(reader, top_id)
        get_job(reader, top_id)
        jobs = subtree(reader, top_id, limit)
        total = sum(subtree_counts(reader, top_id).values())
        left = f", {total - len(jobs)} of them left out" if total > len(jobs) else ""
        head = f"Job #{top_id} and all below it: {total} job{'' if total == 1 else 's'}{left}."
        return telling.with_mark(head, lambda mark: [fenced(telling.tree_text(jobs, now_ms()), mark)])

    return Answer(await desk.read(look))


async def list_jobs(desk: Desk, given: Given, _: Progress) -> Answer:
    """Tell the trees, newest first; inside a job that job alone."""
    limit = given.whole("limit", 1, MOST_LISTED, DEFAULT_LISTED)
    before = given.job_id("before")

    def look(reader: Reader, caller: Caller) -> str:
        own = caller.fence
        found = roots(reader, limit + 1, before) if own is None else [get_job(reader, own.job_id)]
        if not found:
            return "There are no trees yet." if before is None else f"There are no trees before #{before}."
        return telling.with_mark(_counted(found, limit), lambda mark: [fenced(_lines(found[:limit]), mark)])

    return Answer(await desk.read(look))


async def open_asks(desk: Desk, given: Given, _: Progress) -> Answer:
    """Tell what waits for a person's answer, oldest first."""
    wanted = given.job_id()

    def look(reader: Reader, caller: Caller) -> str:
        top_id = wanted if wanted is not None else caller.fence.job_id if caller.fence is not None else None
        root_id = None
        if top_id is not None:
            caller.require_within(reader, top_id)
            root_id = get_job(reader, top_id).root_id
        found = asks.open_asks(reader, root_id)
        if top_id is not None:
            found = [ask for ask in found if is_within(reader, ask.job_id, top_id)]
        if not found:
            return "Nothing waits for a person."
        head = f"{len(found)} open ask{'' if len(found) == 1 else 's'}"
        head += f", the oldest {_MOST_ASKS}:" if len(found) > _MOST_ASKS else ":"
        return telling.with_mark(
            head,
            lambda mark: [
                telling.ask_text(ask, [job.id for job in path(reader, ask.job_id)], now_ms(), mark)
                for ask in found[:_MOST_ASKS]
            ],
        )

    return Answer(await desk.read(look))


def _default(reader: Reader, caller: Caller) -> int:
    """Return the job that is meant where none is named: the caller's own, or the root of the newest tree."""
    if caller.fence is not None:
        return caller.fence.job_id
    newest = roots(reader, 1)
    if not newest:
        raise NotFound("there is no tree yet; hand one in with submit_request or spawn_subtasks")
    return newest[0].id


def _counted(found: list[Job], limit: int) -> str:
    if len(found) > limit:
        return f"The {limit} newest trees; more with before={found[limit - 1].id}:"
    return f"{len(found)} job{'' if len(found) == 1 else 's'}:"


def _lines(jobs: list[Job]) -> str:
    return "\n".join(telling.job_line(job, now_ms()) for job in jobs)


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]
