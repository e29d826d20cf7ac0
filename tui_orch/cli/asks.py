"""``orch asks`` and ``orch answer``: what workers want to know from a person, and what the person says."""

import json
from typing import Literal

import click

from store.asks import answer as answer_in_store
from store.asks import get_ask, open_asks
from store.models import Ask
from store.tree import get_job
from tui_orch.cli import as_json, exits, params
from tui_orch.cli.place import Place
from tui_orch.cli.supervised import hint
from tui_orch.client.measures import duration, now_ms
from tui_orch.client.text import clean, one_line

Verdict = Literal["allow", "deny", "answered"]


@click.command("asks")
@click.argument("job_id", required=False, type=params.job_id, metavar="[ID]")
@click.option("--json", "as_json_", is_flag=True, help="Print a JSON list.")
@click.pass_obj
def asks(place: Place, job_id: int | None, as_json_: bool) -> int:
    """List what waits for your answer.

    Oldest first; with ID only what is asked in that job's tree.
    """
    with place.open() as session, session.store.read() as reader:
        root_id = None if job_id is None else get_job(reader, job_id).root_id
        found = open_asks(reader, root_id)
    if as_json_:
        print(as_json.text([as_json.ask(ask) for ask in found]))
        return exits.COMPLETED
    for ask in found:
        for line in _lines(ask):
            print(line)
    if not found:
        print("nothing waits for you")
    return exits.COMPLETED


@click.command("answer")
@click.argument("ask_id", type=params.ask_id, metavar="ASK")
@click.argument("words", nargs=-1, required=True, metavar="allow|deny|TEXT...")
@click.option("--json", "as_json_", is_flag=True, help="Print the answered ask as one JSON object.")
@click.pass_obj
def answer(place: Place, ask_id: int, words: tuple[str, ...], as_json_: bool) -> int:
    """Answer an ask.

    Allow or deny a tool call, with words for the worker if you like; or answer a question in words.
    """
    with place.open() as session:
        session.caller.require_person("answering an ask")
        with session.store.write() as tx:
            verdict, text = verdict_of(get_ask(tx, ask_id), words)
            found = answer_in_store(tx, ask_id, verdict, text, now_ms())
        if as_json_:
            print(as_json.text(as_json.ask(found)))
        else:
            print(f"ask {ask_id} of #{found.job_id}: {found.answer}{f': {one_line(text)}' if text else ''}")
        hint(session.store.home)
    return exits.COMPLETED


def verdict_of(ask: Ask, words: tuple[str, ...]) -> tuple[Verdict, str | None]:
    """Return what a person's words mean. A question takes any words; only ``deny`` alone refuses it."""
    first, text = words[0].lower(), " ".join(words)
    if ask.kind == "question":
        return ("deny", None) if words == ("deny",) else ("answered", text)
    if first == "allow":
        return "allow", " ".join(words[1:]) or None
    if first == "deny":
        return "deny", " ".join(words[1:]) or None
    return "answered", text


def _lines(ask: Ask) -> list[str]:
    since = duration(now_ms() - ask.created_ms)
    first, *more = clean(ask.question).split("\n")
    lines = [f"{ask.id}  #{ask.job_id} {ask.kind}, {since} ago: {first}"]
    if ask.tool is None or ask.kind == "question":
        lines += [f"    {line}" for line in more]
    else:
        given = "" if ask.input is None else json.dumps(ask.input, ensure_ascii=False)
        lines.append(f"    {one_line(ask.tool)} {one_line(given)}".rstrip())
    if ask.options:
        lines.append(f"    {' | '.join(one_line(option) for option in ask.options)}")
    how = "allow|deny|TEXT" if ask.kind == "permission" else "TEXT"
    return [*lines, f"    orch answer {ask.id} {how}"]
