"""``orch show``: everything that the store knows about one job."""

import json
from typing import Any

import click

from store.asks import job_asks
from store.database import Reader
from store.models import Ask, Attempt, Job, LedgerEntry, Tree, Workspace
from store.states import Status
from store.tree import attempts, get_job, get_tree, history, ledger, needs_in_force
from store.workspaces import get_workspace
from tui_orch.cli import as_json, params
from tui_orch.cli.limit_use import limit_use
from tui_orch.cli.place import Place
from tui_orch.cli.result_text import headline
from tui_orch.cli.tree_view import label
from tui_orch.client.measures import clock, duration, moment, money, now_ms
from tui_orch.client.text import clean, one_line
from tui_orch.client.work_text import work_text


@click.command("show")
@click.argument("job_id", type=params.job_id, metavar="ID")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(place: Place, job_id: int, as_json_: bool) -> int:
    """Show everything about one job.

    Request, result, attempts, children, asks, history, and the limits with what is used of them.
    """
    with place.open() as session, session.store.read() as reader:
        session.caller.require_within(reader, job_id)
        job = get_job(reader, job_id)
        entries, tries, asked = ledger(reader, job_id), attempts(reader, job_id), job_asks(reader, job_id)
        work = get_workspace(reader, job_id)
        if as_json_:
            print(as_json.text(as_json.job(job, entries, work) | _more(reader, job, tries, asked)))
            return 0
        lines = [
            *_head(job, get_tree(reader, job.root_id), session.store.home.project.as_posix()),
            *_work(work),
            *_text("request", job.request),
            *_text("result", job.result),
            *_text("error", job.error),
            *_text("data", None if job.data is None else json.dumps(job.data, ensure_ascii=False, indent=2)),
            *_part("attempts", [_attempt(found) for found in tries]),
            *_part("children", [line for entry in entries for line in _child(entry)]),
            *_part("asks", [_ask(found) for found in asked]),
            *_part("denied", [one_line(json.dumps(found, ensure_ascii=False)) for found in job.denials]),
            *_part("history", [_change(at_ms, said) for at_ms, said in _history(reader, job_id)]),
            *_part("limits", [f"{use.name}: {use.text}" for use in limit_use(reader, job.root_id)]),
        ]
    for line in lines:
        print(line)
    return 0


def _more(reader: Reader, job: Job, tries: list[Attempt], asked: list[Ask]) -> dict[str, Any]:
    needs = needs_in_force(job, get_tree(reader, job.root_id))
    return {
        "needs": None if needs is None else needs.as_json(),
        "attempt_list": [as_json.attempt(found) for found in tries],
        "asks": [as_json.ask(found) for found in asked],
        "history": [
            {"at_ms": change.at_ms, "status": change.status.value, "reason": change.reason, "attempt": change.attempt}
            for change in history(reader, job.id)
        ],
        "limits": {use.name: {"limit": use.limit, "used": use.used} for use in limit_use(reader, job.root_id)},
    }


def _head(job: Job, tree: Tree, project: str) -> list[str]:
    now, needs = now_ms(), needs_in_force(job, tree)
    fields = {
        "parent": f"#{job.parent_id}, depth {job.depth}, tree #{job.root_id}"
        if job.parent_id
        else "none: it is a tree's root",
        "batch": as_json.batch_name(job.parent_id, job.batch),
        "kind": f"{job.kind}{f' ({one_line(job.model)})' if job.model else ''}",
        "folder": one_line(tree.work_dir or project),
        "needs": json.dumps(needs.as_json()) if needs else None,
        "created": moment(job.created_ms),
        "started": moment(job.started_ms) if job.started_ms is not None else None,
        "took": duration((job.ended_ms or now) - job.started_ms) if job.started_ms is not None else None,
        "deadline": moment(job.deadline_ms) if job.deadline_ms is not None and job.ended_ms is None else None,
        "not before": clock(job.not_before_ms) if job.not_before_ms is not None and job.not_before_ms > now else None,
        "cost": f"{money(job.cost_usd)}, with all below it {money(job.subtree_cost_usd)} ({job.subtree_tokens} tokens)"
        if job.subtree_tokens or job.subtree_cost_usd
        else None,
        "session": one_line(job.session_id) if job.session_id else None,
        "does": one_line(job.activity) if job.activity and job.status is Status.RUNNING else None,
    }
    return [f"#{job.id} {label(job)}  {one_line(job.title)}"] + [
        f"  {name + ':':<12}{value}" for name, value in fields.items() if value
    ]


def _work(found: Workspace | None) -> list[str]:
    if found is None:
        return []
    return [f"  {'work:':<12}{work_text(found)}", *(f"  {'conflict:':<12}{one_line(file)}" for file in found.conflicts)]


def _child(entry: LedgerEntry) -> list[str]:
    return [headline(entry)] + ([] if entry.workspace is None else [f"  {work_text(entry.workspace)}"])


def _text(name: str, text: str | None) -> list[str]:
    return [] if not text else ["", f"{name}:", *(f"  {line}" for line in clean(text).split("\n"))]


def _part(name: str, lines: list[str]) -> list[str]:
    return [] if not lines else ["", f"{name}:", *(f"  {line}" for line in lines)]


def _attempt(found: Attempt) -> str:
    outcome = found.outcome or ("running" if found.claimed_ms is not None else "starting")
    parts = [f"{found.number}  {moment(found.started_ms)}  {outcome}"]
    if found.reason:
        parts.append(f"({one_line(found.reason)})")
    if found.ended_ms is not None:
        parts.append(duration(found.ended_ms - found.started_ms))
    if found.exit_code is not None:
        parts.append(f"exit code {found.exit_code}")
    if found.usage.cost_usd or found.usage.turns:
        parts.append(f"{money(found.usage.cost_usd)}, {found.usage.turns} turns")
    if found.host is not None:
        parts.append(f"on {one_line(found.host)}")
    if found.pid is not None and found.ended_ms is None:
        parts.append(f"pid {found.pid}")
    if found.error:
        parts.append(one_line(found.error))
    return "  ".join(parts)


def _ask(found: Ask) -> str:
    answer = "open" if found.answer is None else found.answer + (f": {one_line(found.text)}" if found.text else "")
    return f"{found.id}  {one_line(found.question)}  [{answer}]"


def _history(reader: Reader, job_id: int) -> list[tuple[int, str]]:
    return [
        (change.at_ms, f"{change.status}{f' ({one_line(change.reason)})' if change.reason else ''}")
        for change in history(reader, job_id)
    ]


def _change(at_ms: int, said: str) -> str:
    return f"{moment(at_ms)}  {said}"
