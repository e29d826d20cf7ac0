"""``orch asks`` and ``orch answer``: what workers want to know from a person, and what the person says."""

import json
from collections.abc import Sequence
from typing import Literal

import click

from store.asks import Scope, get_ask, open_asks
from store.asks import answer as answer_in_store
from store.errors import BadInput
from store.models import Ask, Job
from store.permission_rule import offered
from store.tree import get_job, path
from tui_orch.cli import as_json, exits, params
from tui_orch.cli.place import Place
from tui_orch.cli.supervised import hint
from tui_orch.client.job_path import job_path
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
        found = [(ask, path(reader, ask.job_id)) for ask in open_asks(reader, root_id)]
    if as_json_:
        print(as_json.text([as_json.ask(ask, way) for ask, way in found]))
        return exits.COMPLETED
    for ask, way in found:
        for line in _lines(ask, way):
            print(line)
    if not found:
        print("nothing waits for you")
    return exits.COMPLETED


@click.command("answer")
@click.argument("ask_id", type=params.ask_id, metavar="ASK")
@click.argument("words", nargs=-1, required=True, metavar="allow|deny|TEXT...")
@click.option(
    "--for",
    "scope",
    type=click.Choice(["once", "subtree", "tree"]),
    default="once",
    help="How far it goes: this call alone (the default), its job and all below, or the whole tree.",
)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="RULE",
    help="With --for: keep this rule, such as 'Bash(git log:*)', and not what `orch asks` shows. Again for more.",
)
@click.option("--json", "as_json_", is_flag=True, help="Print the answered ask as one JSON object.")
@click.pass_obj
def answer(
    place: Place, /, ask_id: int, words: tuple[str, ...], scope: Scope, rules: tuple[str, ...], as_json_: bool
) -> int:
    """Answer an ask.

    Allow or deny a tool call, with words for the worker if you like; or answer a question in words. With --for the
    answer is kept as rules: calls that they cover are not asked about again. See them with `orch rules`.
    """
    if rules and scope == "once":
        raise BadInput("--rule needs to know how far the rule goes: add --for subtree or --for tree")
    with place.open() as session:
        session.caller.require_person("answering an ask")
        with session.store.write() as tx:
            verdict, text = verdict_of(get_ask(tx, ask_id), words)
            found = answer_in_store(tx, ask_id, verdict, text, now_ms(), scope=scope, rules=rules)
            way = path(tx, found.job_id)
        if as_json_:
            print(as_json.text(as_json.ask(found, way)))
        else:
            print(f"ask {ask_id} of #{found.job_id}: {found.answer}{f': {one_line(text)}' if text else ''}")
            if scope != "once":
                top = way[0].id if scope == "tree" else found.job_id
                kept = ", ".join(one_line(rule) for rule in rules or offered(found))
                print(f"kept for #{top} and all below it: {kept}; see: orch rules {top}")
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


def _lines(ask: Ask, way: Sequence[Job]) -> list[str]:
    since = duration(now_ms() - ask.created_ms)
    first, *more = clean(ask.question).split("\n")
    lines = [f"{ask.id}  #{ask.job_id} {ask.kind}, {since} ago: {first}"]
    if len(way) > 1:
        lines.append(f"    {job_path(way)}")
    if ask.title is not None:
        lines.append(f"    says: {one_line(ask.title)}")
    if ask.tool is None or ask.kind == "question":
        lines += [f"    {line}" for line in more]
    else:
        given = "" if ask.input is None else json.dumps(ask.input, ensure_ascii=False)
        lines.append(f"    {one_line(ask.tool)} {one_line(given)}".rstrip())
    if ask.options:
        lines.append(f"    {' | '.join(one_line(option) for option in ask.options)}")
    if ask.kind != "permission":
        return [*lines, f"    orch answer {ask.id} TEXT"]
    own = offered(ask)
    kept = f"the rule: {', '.join(one_line(rule) for rule in own)}" if own else "a rule of yours: --rule RULE"
    lines.append(f"    orch answer {ask.id} allow|deny|TEXT")
    return [*lines, f"    with --for subtree|tree it keeps {kept}"]
