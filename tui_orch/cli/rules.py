"""``orch rules``: what workers may do without asking a person, and what never: shown, made and removed."""

from typing import Any

import click

from store.asks import apply_rules
from store.database import Reader, Transaction
from store.errors import BadInput
from store.models import Rule
from store.permission_rule import split
from store.rules import add_rule, remove_rule, rules_in_force, set_permissions
from store.settings import get_settings
from store.tree import get_job, get_tree
from tui_orch.cli import as_json, exits, params
from tui_orch.cli.place import Place
from tui_orch.cli.supervised import hint
from tui_orch.client.measures import duration, now_ms
from tui_orch.client.text import one_line


@click.command("rules")
@click.argument("job_id", required=False, type=params.job_id, metavar="[ID]")
@click.option("--allow", multiple=True, metavar="RULE", help="Allow this to the job and all below it. Again for more.")
@click.option("--deny", multiple=True, metavar="RULE", help="Deny this; a deny goes before any allow.")
@click.option("--why", metavar="TEXT", help="What a denied worker is told.")
@click.option("--remove", multiple=True, type=params.rule_id, metavar="N", help="Let rule N hold no longer.")
@click.option("--mode", "permission_mode", metavar="MODE", help="The tree's permission mode.")
@click.option("--allowed-tools", metavar="RULES", help="The tree's allowed tools, with commas between; '' for none.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(place: Place, /, job_id: int | None, as_json_: bool, **changes: Any) -> int:
    """Show, make and remove permission rules.

    With ID those of its tree. A rule is written as Claude Code writes it: Read, Bash(make), Bash(git log:*). What is
    asked heeds a rule at once; what a worker may do without asking is fixed when its run begins. Modes: acceptEdits,
    default, plan, dontAsk, bypassPermissions. For new trees: `orch settings permission_mode` and `allowed_tools`.
    """
    wanted = {name: value for name, value in changes.items() if value not in (None, ())}
    with place.open() as session:
        if wanted:
            session.caller.require_person("a change of rules")
            with session.store.write() as tx:
                _change(tx, job_id, wanted)
            hint(session.store.home)
        with session.store.read() as reader:
            root_id = None if job_id is None else get_job(reader, job_id).root_id
            if root_id is not None:
                session.caller.require_own_tree(reader, root_id)
            found = _read(reader, root_id)
    if as_json_:
        print(as_json.text(found | {"rules": [as_json.rule(rule) for rule in found["rules"]]}))
        return exits.COMPLETED
    for line in _lines(found):
        print(line)
    return exits.COMPLETED


def _change(tx: Transaction, job_id: int | None, wanted: dict[str, Any]) -> None:
    for rule_id in wanted.get("remove", ()):
        remove_rule(tx, rule_id, now_ms())
    made = [(verdict, rule) for verdict in ("allow", "deny") for rule in wanted.get(verdict, ())]
    ways = {name: wanted[name] for name in ("permission_mode", "allowed_tools") if name in wanted}
    if job_id is None and (made or ways):
        raise BadInput("say for which job: orch rules ID ...; for all new trees: orch settings allowed_tools RULES")
    if "why" in wanted and not made:
        raise BadInput("--why belongs to a rule: add --deny RULE or --allow RULE")
    if job_id is None:
        return
    if ways:
        if "allowed_tools" in ways:
            ways["allowed_tools"] = split(ways["allowed_tools"])
        set_permissions(tx, get_job(tx, job_id).root_id, **ways)
    for verdict, rule in made:
        add_rule(tx, job_id, verdict, rule, now_ms(), text=wanted.get("why"))
    if made:
        apply_rules(tx, job_id, now_ms())


def _read(reader: Reader, root_id: int | None) -> dict[str, Any]:
    settings = get_settings(reader)
    found: dict[str, Any] = {
        "store": {"permission_mode": settings.permission_mode, "allowed_tools": list(settings.allowed_tools)},
        "tree": None,
        "rules": rules_in_force(reader, root_id),
    }
    if root_id is not None:
        tree = get_tree(reader, root_id)
        ways = {"permission_mode": tree.permission_mode, "allowed_tools": list(tree.allowed_tools)}
        found["tree"] = {"root_id": root_id} | ways
    return found


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [_ways("new trees", found["store"])]
    if found["tree"] is not None:
        lines.append(_ways(f"tree #{found['tree']['root_id']}", found["tree"]))
    lines += [_line(rule) for rule in found["rules"]]
    if not found["rules"]:
        lines.append("no rules; orch answer ASK allow --for subtree makes one, or: orch rules ID --allow RULE")
    return lines


def _ways(name: str, ways: dict[str, Any]) -> str:
    tools = ", ".join(one_line(rule) for rule in ways["allowed_tools"]) or "none"
    return f"{name}: mode {ways['permission_mode']}, allowed tools: {tools}"


def _line(rule: Rule) -> str:
    text = f"  {one_line(rule.text)}" if rule.text else ""
    since = duration(now_ms() - rule.created_ms)
    return f"{rule.id:>4}  {rule.verdict:<5}  {one_line(rule.rule)}  for #{rule.job_id} and below, {since} ago{text}"
