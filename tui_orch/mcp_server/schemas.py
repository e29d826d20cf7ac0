"""The JSON schemas of what the tools take and give, as data. A config's keys and ranges come from ``request.limits``."""

from collections.abc import Mapping
from typing import Any

from store.states import Status
from tui_orch.mcp_server.looking import DEFAULT_IN_TREE, DEFAULT_LISTED, MOST_IN_TREE, MOST_LISTED
from tui_orch.mcp_server.steering import SCOPES, VERDICTS
from tui_orch.mcp_server.waiting import DEFAULT_S, MOST_S
from tui_orch.request.limits import Config
from tui_orch.worker.claude.tasks import TASK_SCHEMA

JOB = {"type": ["integer", "string"], "description": "A job's id, such as 12."}
TARGET = {"type": ["integer", "string"], "description": "A job's id, such as 12, or a batch of its children: '12-1'."}
_ID = {"type": "string", "description": "The id to ask for later: '12', or '12-1' for a batch."}
#: Read like the rest, but of no use to who has no depth of its own.
_NO_USE = ("current_depth",)
_IDS = {"type": "array", "items": {"type": "integer"}}
_MESSAGE = {"type": "string", "description": "What happened, and what to do next."}


def takes(required: tuple[str, ...] = (), **properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a tool's arguments."""
    named = {name: dict(schema) for name, schema in properties.items()}
    return {"type": "object", "properties": named, "required": list(required), "additionalProperties": False}


def gives(**properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a tool's data; all of it is always there."""
    named = {name: dict(schema) for name, schema in properties.items()} | {"message": dict(_MESSAGE)}
    return {"type": "object", "properties": named, "required": list(named)}


def _config(text: str, without: tuple[str, ...] = ()) -> dict[str, Any]:
    found = Config.model_json_schema()["properties"]
    named = {name: _plain(of) for name, of in found.items() if name not in (*_NO_USE, *without)}
    return {"type": "object", "description": text, "properties": named}


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a key's schema without its null: leaving it out says the same."""
    (value,) = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    return {name: of for name, of in value.items() if name not in ("default", "title")} | {
        "description": schema["description"]
    }


REQUEST = takes(
    ("request",),
    request={
        "type": "string",
        "description": (
            "What is to be done, complete in itself: the workers see nothing of this conversation. A numbered list "
            "becomes one job an item, the text around it being shared by all."
        ),
    },
    config=_config("Limits and ways of the tree, as orch run takes them. What is left out: the store's settings."),
)
TASKS = takes(
    ("tasks",),
    tasks={"type": "array", "items": TASK_SCHEMA, "description": "The subtasks; they run at the same time."},
    config=_config("Limits and ways of the new tree. Not inside a job.", ("kind", "split")),
)
HANDED_IN = gives(job_id=_ID, status={"type": "string"}, job_ids={**_IDS, "description": "Its parts, if any."})
STATUS = takes(job_id=TARGET | {"description": f"{TARGET['description']} Default: the newest tree; in a job, its own."})
WAIT = takes(
    ("job_id",),
    job_id=TARGET,
    timeout_s={
        "type": "number",
        "minimum": 0,
        "maximum": MOST_S,
        "default": DEFAULT_S,
        "description": "Seconds to wait at most.",
    },
)
STANDING = gives(
    job_id=_ID,
    status={"type": "string", "enum": [status.value for status in Status]},
    reason={"type": ["string", "null"]},
    ended={"type": "boolean"},
    jobs={
        "type": "object",
        "description": "How many jobs there are, itself included, and how many are in each state.",
        "additionalProperties": {"type": "integer"},
    },
    open_asks={"type": "integer", "description": "How many questions of it wait for a person."},
    cost_usd={"type": "number"},
)
RESULTS = takes(
    ("job_id",),
    job_id=TARGET,
    offset={
        "type": "integer",
        "minimum": 0,
        "default": 0,
        "description": "Where to go on in a long result, as the answer before said.",
    },
)
TREE = takes(
    job_id=JOB | {"description": "The job at the top. Default: the newest tree; in a job, its own."},
    limit={"type": "integer", "minimum": 1, "maximum": MOST_IN_TREE, "default": DEFAULT_IN_TREE},
)
LIST = takes(
    limit={"type": "integer", "minimum": 1, "maximum": MOST_LISTED, "default": DEFAULT_LISTED},
    before=JOB | {"description": "Turns the page: only trees older than this one."},
)
CANCEL = takes(("job_id",), job_id=JOB)
CANCELLED = gives(job_id=_ID, ended={"type": "integer"}, stopping={"type": "integer"})
RETRY = takes(
    ("job_id",),
    job_id=JOB,
    fresh={
        "type": "boolean",
        "default": False,
        "description": "true: begin a new Claude Code session instead of resuming the old one.",
    },
)
RETRIED = gives(job_id=_ID, queued={**_IDS, "description": "The jobs that run again."})
ASKS = takes(job_id=JOB | {"description": "Only what this job and those below it ask. Default: everything."})
ANSWER = takes(
    ("ask_id",),
    ask_id={"type": ["integer", "string"], "description": "The ask's number, from open_asks."},
    answer={
        "type": "string",
        "enum": list(VERDICTS),
        "description": "allow or deny a tool call; answered: the text answers a question. Default with a text: answered.",
    },
    text={"type": "string", "description": "The person's words: the answer itself, or why."},
    scope={
        "type": "string",
        "enum": list(SCOPES),
        "default": "once",
        "description": "How far an allow or deny goes: this call, the job and all below it, or its whole tree.",
    },
    rules={
        "type": "array",
        "items": {"type": "string"},
        "description": "With scope subtree or tree: the permission rules to keep, such as Bash(git log:*). "
        "Default: those that open_asks shows.",
    },
)
ANSWERED = gives(
    ask_id={"type": "integer"},
    job_id=_ID,
    answer={"type": "string"},
    rule_id={"type": ["integer", "null"], "description": "The rule that was kept, if any."},
)
