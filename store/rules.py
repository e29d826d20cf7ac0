"""Rules: what people have allowed or denied a job and all below it. Keeps them; what one covers is in permission_rule."""

from collections.abc import Sequence

from store.database import Reader, Transaction
from store.errors import NotFound
from store.models import Ask, Rule, Tree
from store.permission_rule import parse
from store.rows import dumps, storable
from store.tree import get_job, get_tree

_COLUMNS = ", ".join(f"rules.{name}" for name in Rule.__dataclass_fields__)
_INSERT = "INSERT INTO rules(job_id, verdict, rule, text, ask_id, created_ms) VALUES (?, ?, ?, ?, ?, ?)"
_SAME = "SELECT id FROM rules WHERE job_id = ? AND verdict = ? AND rule = ? AND removed_ms IS NULL"
# For a job: its own and those of all jobs above it.
_ABOVE = f"""
WITH RECURSIVE above(id, parent_id) AS (
  SELECT id, parent_id FROM jobs WHERE id = ?
  UNION
  SELECT jobs.id, jobs.parent_id FROM jobs JOIN above ON jobs.id = above.parent_id)
SELECT {_COLUMNS} FROM rules WHERE removed_ms IS NULL AND job_id IN (SELECT id FROM above) ORDER BY id
"""
_OF_TREE = f"""
SELECT {_COLUMNS} FROM rules JOIN jobs ON jobs.id = rules.job_id
WHERE rules.removed_ms IS NULL AND (?1 IS NULL OR jobs.root_id = ?1) ORDER BY rules.id LIMIT ?2
"""


def add_rule(
    tx: Transaction,
    job_id: int,
    verdict: str,
    rule: str,
    now_ms: int,
    *,
    text: str | None = None,
    ask_id: int | None = None,
) -> int:
    """Keep a rule for a job and all below it. Return its id; the same rule twice is one. Raises BadInput, NotFound."""
    parse(rule)
    get_job(tx, job_id)
    same = tx.value(_SAME, (job_id, verdict, rule.strip()))
    return (
        int(same)
        if same is not None
        else tx.insert(_INSERT, (job_id, verdict, rule.strip(), storable(text), ask_id, now_ms))
    )


def remove_rule(tx: Transaction, rule_id: int, now_ms: int) -> Rule:
    """Let a rule hold no longer; runs that began with it keep it until they end. Raises NotFound."""
    if not tx.run("UPDATE rules SET removed_ms = ? WHERE id = ? AND removed_ms IS NULL", (now_ms, rule_id)):
        raise NotFound(f"there is no rule {rule_id} in force; see: orch rules")
    return get_rule(tx, rule_id)


def get_rule(reader: Reader, rule_id: int) -> Rule:
    """Return one rule, in force or not. Raises NotFound."""
    row = reader.row(f"SELECT {_COLUMNS} FROM rules WHERE id = ?", (rule_id,))
    if row is None:
        raise NotFound(f"there is no rule {rule_id}; see: orch rules")
    return Rule(*row)


def rules_for(reader: Reader, job_id: int) -> list[Rule]:
    """Return the rules in force for a job, its own and those from above, oldest first."""
    return [Rule(*row) for row in reader.rows(_ABOVE, (job_id,))]


def rules_asked_for(reader: Reader, ask: Ask) -> list[Rule]:
    """Return the rules in force by which an ask was answered, or that its answer made; empty for one answered once."""
    if ask.rule_id is None:
        return []
    return [rule for rule in rules_for(reader, ask.job_id) if rule.id == ask.rule_id or rule.ask_id == ask.id]


def ways_of(reader: Reader, job_id: int) -> list[Rule]:
    """Return all that decides on a job's calls: the rules in force for it, and its tree's allowed tools as rules (id 0)."""
    tree = get_tree(reader, get_job(reader, job_id).root_id)
    always = [Rule(0, tree.root_id, "allow", rule, None, None, 0, None) for rule in tree.allowed_tools]
    return [*rules_for(reader, job_id), *always]


def rules_in_force(reader: Reader, root_id: int | None = None, limit: int = 1_000) -> list[Rule]:
    """Return the rules in force of a tree, or of the whole store, oldest first."""
    return [Rule(*row) for row in reader.rows(_OF_TREE, (root_id, limit))]


def set_permissions(
    tx: Transaction, root_id: int, permission_mode: str | None = None, allowed_tools: Sequence[str] | None = None
) -> Tree:
    """Change how a tree's workers ask, from their next run on; None leaves one as it is. Raises BadInput, NotFound."""
    get_tree(tx, root_id)
    for rule in allowed_tools or ():
        parse(rule)
    tx.run(
        "UPDATE trees SET permission_mode = coalesce(?, permission_mode), allowed_tools = coalesce(?, allowed_tools) WHERE root_id = ?",
        (permission_mode, None if allowed_tools is None else dumps(list(allowed_tools)), root_id),
    )
    return get_tree(tx, root_id)
