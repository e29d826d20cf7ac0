"""What only a person, or a program with a key, may do: answer asks, keep rules, change limits, pause, try again, look at all."""

from typing import Annotated

from fastapi import APIRouter, Query

from store import control
from store.asks import answer, apply_rules, get_ask, open_asks
from store.database import Reader
from store.models import Ask, Limits, Rule
from store.repair import retry_failed
from store.rules import add_rule, get_rule, remove_rule, rules_for, rules_in_force, set_permissions
from store.tree import get_tree, path, store_state
from store.use import tree_use
from tui_orch.api import asked, told
from tui_orch.api.calls import Call, Called, JobId, Number, OfJob
from tui_orch.api.names import Named, job_named, number
from tui_orch.api.problems import documented
from tui_orch.api.views import sayable

router = APIRouter(tags=["people"])


@router.get("/asks", responses=documented(404))
def list_asks(call: Called, job_id: OfJob = None, limit: Annotated[int, Query(ge=1, le=1_000)] = 200) -> told.Asks:
    """List what waits for an answer, oldest first."""
    call.caller.require_person("the list of asks")
    with call.stores.read() as reader:
        found = open_asks(reader, _root_id(call, reader, job_id), limit)
        return told.Asks(asks=[_ask(reader, each) for each in found])


@router.post("/asks/{ask_id}/answer", responses=documented(404, 409))
def answer_ask(call: Called, ask_id: Number, body: asked.Answer) -> told.AskTold:
    """Answer an ask, for this once or as a rule for its job's subtree or tree; a second answer is 409."""
    call.caller.require_person("answering an ask")
    wanted = number(ask_id, "ask")
    with call.stores.write() as tx:
        found = answer(tx, wanted, body.answer, body.text, call.now_ms, scope=body.scope, rules=tuple(body.rules))
        return _ask(tx, found)


@router.get("/asks/{ask_id}", responses=documented(404))
def show_ask(call: Called, ask_id: Number) -> told.AskTold:
    """Show one ask, open or answered."""
    call.caller.require_person("the list of asks")
    with call.stores.read() as reader:
        return _ask(reader, get_ask(reader, number(ask_id, "ask")))


@router.get("/rules", responses=documented(404))
def list_rules(call: Called, job_id: OfJob = None) -> told.Rules:
    """List the rules in force: all, or those for one job, its own and those from above."""
    call.caller.require_person("the list of rules")
    with call.stores.read() as reader:
        if job_id is None:
            found = rules_in_force(reader)
        else:
            found = rules_for(reader, call.caller.job(reader, Named(job_named(job_id))).id)
    return told.Rules(rules=[_rule(each) for each in found])


@router.post("/rules", responses=documented(404))
def new_rule(call: Called, body: asked.NewRule) -> told.RuleTold:
    """Keep a rule for a job and all below it; the open asks there that it covers are answered by it."""
    call.caller.require_person("a rule")
    with call.stores.write() as tx:
        job = call.caller.job(tx, Named(job_named(body.job_id)))
        rule_id = add_rule(tx, job.id, body.verdict, body.rule, call.now_ms, text=body.text)
        apply_rules(tx, job.id, call.now_ms)
        return _rule(get_rule(tx, rule_id))


@router.delete("/rules/{rule_id}", responses=documented(404))
def drop_rule(call: Called, rule_id: Number) -> told.RuleTold:
    """Let a rule hold no longer; 404 where it does not hold any more."""
    call.caller.require_person("removing a rule")
    with call.stores.write() as tx:
        return _rule(remove_rule(tx, number(rule_id, "rule"), call.now_ms))


@router.post("/jobs/{job_id}/retry", responses=documented(404, 409))
def retry_job(call: Called, job_id: JobId, body: asked.Retry | None = None) -> told.Retried:
    """Try a job again that failed, was cancelled or is partial; what succeeded is not run again."""
    call.caller.require_person("trying a job again")
    asked_for = body or asked.Retry()
    again = retry_failed if asked_for.leaves else control.retry
    with call.stores.write() as tx:
        job = call.caller.job(tx, Named(job_named(job_id)))
        queued = again(tx, job.id, call.now_ms, fresh=asked_for.fresh)
    return told.Retried(job_id=str(job.id), queued=[str(each) for each in queued])


@router.post("/jobs/{job_id}/pause", responses=documented(404))
def pause_tree(call: Called, job_id: JobId) -> told.Paused:
    """Start nothing new in the job's tree; what runs goes on."""
    return _pause(call, job_id, paused=True)


@router.post("/jobs/{job_id}/resume", responses=documented(404))
def resume_tree(call: Called, job_id: JobId) -> told.Paused:
    """Go on after a pause of the job's tree."""
    return _pause(call, job_id, paused=False)


@router.post("/pause")
def pause_store(call: Called) -> told.Paused:
    """Start nothing new in the whole store; what runs goes on."""
    return _pause(call, None, paused=True)


@router.post("/resume")
def resume_store(call: Called) -> told.Paused:
    """Go on after a pause of the whole store; takes back a brake (usage limit), too."""
    return _pause(call, None, paused=False)


@router.get("/jobs/{job_id}/limits", responses=documented(404))
def show_limits(call: Called, job_id: JobId) -> told.TreeLimits:
    """Show the limits of the job's tree, and what of them is used."""
    with call.stores.read() as reader:
        return _limits(reader, call.caller.job(reader, Named(job_named(job_id))).root_id)


@router.patch("/jobs/{job_id}/limits", responses=documented(404, 409))
def change_limits(call: Called, job_id: JobId, body: asked.LimitsChange) -> told.TreeLimits:
    """Change the limits of the job's tree; what runs heeds it at once."""
    call.caller.require_person("a change of limits")
    with call.stores.write() as tx:
        root_id = call.caller.job(tx, Named(job_named(job_id))).root_id
        control.set_limits(tx, root_id, Limits(**body.model_dump()))
        return _limits(tx, root_id)


@router.patch("/jobs/{job_id}/permissions", responses=documented(404))
def change_permissions(call: Called, job_id: JobId, body: asked.PermissionsChange) -> told.TreeLimits:
    """Change how the workers of the job's tree ask, from their next run on."""
    call.caller.require_person("a change of permissions")
    with call.stores.write() as tx:
        root_id = call.caller.job(tx, Named(job_named(job_id))).root_id
        set_permissions(tx, root_id, body.permission_mode, body.allowed_tools)
        return _limits(tx, root_id)


@router.get("/state")
def state(call: Called) -> told.State:
    """Show the whole store at a glance."""
    call.caller.require_person("the state of the whole store")
    with call.stores.read() as reader:
        found = store_state(reader)
    return told.State(
        seq=found.seq,
        counts={status.value: count for status, count in found.counts.items()},
        slots=found.slots,
        using_slots=found.using_slots,
        open_asks=found.open_asks,
        paused_ms=found.paused_ms,
        brake_reason=found.brake_reason,
        brake_until_ms=found.brake_until_ms,
    )


def _root_id(call: Call, reader: Reader, job_id: str | None) -> int | None:
    return None if job_id is None else call.caller.job(reader, Named(job_named(job_id))).root_id


def _pause(call: Call, job_id: str | None, *, paused: bool) -> told.Paused:
    call.caller.require_person("a pause" if paused else "going on after a pause")
    with call.stores.write() as tx:
        root_id = _root_id(call, tx, job_id)
        changed = control.pause(tx, root_id, call.now_ms) if paused else control.resume(tx, root_id)
    return told.Paused(root_id=None if root_id is None else str(root_id), paused=paused, changed=changed)


def _limits(reader: Reader, root_id: int) -> told.TreeLimits:
    tree, used = get_tree(reader, root_id), tree_use(reader, root_id)
    return told.TreeLimits(
        root_id=str(root_id),
        limits=told.LimitsInForce(
            max_depth=tree.max_depth,
            max_jobs=tree.max_jobs,
            max_children=tree.max_children,
            max_workers=tree.max_workers,
            max_attempts=tree.max_attempts,
            timeouts_s=list(tree.timeouts_s),
            budget_usd=tree.budget_usd,
        ),
        used=told.LimitsUsed(
            jobs=tree.jobs,
            deepest=used.deepest,
            most_children=used.most_children,
            running=used.running,
            spent_usd=used.spent_usd,
        ),
        paused_ms=tree.paused_ms,
        permission_mode=tree.permission_mode,
        allowed_tools=list(tree.allowed_tools),
    )


def _ask(reader: Reader, found: Ask) -> told.AskTold:
    return told.AskTold(
        ask_id=found.id,
        job_id=str(found.job_id),
        root_id=str(found.root_id),
        path=[str(job.id) for job in path(reader, found.job_id)],
        kind=found.kind,
        tool=found.tool,
        input=sayable(found.input),
        question=found.question,
        title=found.title,
        options=list(found.options),
        suggestions=list(found.suggestions),
        created_ms=found.created_ms,
        answer=found.answer,
        text=found.text,
        rule_id=found.rule_id,
        answered_ms=found.answered_ms,
    )


def _rule(found: Rule) -> told.RuleTold:
    return told.RuleTold(
        rule_id=found.id,
        job_id=str(found.job_id),
        verdict=found.verdict,
        rule=found.rule,
        text=found.text,
        ask_id=found.ask_id,
        created_ms=found.created_ms,
        removed_ms=found.removed_ms,
    )
