"""What a person sets for the whole store: slots, ceilings, and the defaults of a new tree's limits."""

from dataclasses import dataclass
from typing import Any

from store import rows
from store.database import Reader, Transaction
from store.errors import BadInput
from store.permission_rule import parse


@dataclass(frozen=True, slots=True)
class Settings:
    """The row of ``settings``; the schema explains each."""

    slots: int
    max_workers_ceiling: int
    min_free_memory_mb: int
    grace_s: float
    retry_base_s: float
    max_depth: int
    max_jobs: int
    max_children: int
    max_workers: int
    max_attempts: int
    timeouts_s: tuple[float, ...]
    park_after_s: float
    permission_mode: str
    allowed_tools: tuple[str, ...]
    usage_limit_policy: str
    idle_timeout_s: float
    output_cap_mb: float
    workspace: str  # auto | shared | worktree
    workspace_setup: str
    git_hooks: str  # on | off
    git_signing: str  # on | off
    max_worktrees: int
    worktrees_mb: float


NAMES = tuple(Settings.__dataclass_fields__)


def get_settings(reader: Reader) -> Settings:
    """Return the settings in force."""
    row = reader.row(f"SELECT {', '.join(NAMES)} FROM settings")
    assert row is not None
    values: dict[str, Any] = dict(zip(NAMES, row, strict=True))
    values["timeouts_s"] = tuple(float(seconds) for seconds in rows.loads(values["timeouts_s"]))
    values["allowed_tools"] = rows.strings(values["allowed_tools"])
    return Settings(**values)


def set_setting(tx: Transaction, name: str, value: Any) -> Settings:
    """Change one setting. ``timeouts_s`` takes a sequence of seconds. Raises BadInput for a name or value that is not allowed."""
    if name not in NAMES:
        raise BadInput(f"there is no setting {name!r}; there are: {', '.join(NAMES)}")
    if name == "allowed_tools":
        for rule in value:
            parse(rule)
    stored = rows.dumps(list(value)) if isinstance(value, (list, tuple)) else value
    tx.run(f"UPDATE settings SET {name} = ?", (stored,))
    return get_settings(tx)
