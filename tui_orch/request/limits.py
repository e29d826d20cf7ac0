"""The config that a user may give with a request: its keys, their ranges, and the limits that they ask for.

Owns the words and ranges; the store has the last say on them (its settings may hold another ceiling).
A key that is absent or null is "not given": the store's default, or what the request's file says, holds.
"""

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args
from unicodedata import category

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from store.errors import BadInput
from store.models import Limits
from store.needs import NEEDS_SCHEMA, Needs, parse_needs
from tui_orch.request.errors import RequestError, show

#: Seconds that a timeout or an open ask may last: a week.
MAX_SECONDS = 604_800
#: Workers at once that a config may ask for. The store's own ceiling is 10 unless its settings raise it.
MAX_WORKERS = 1_000
#: Characters of a shell line that prepares a worktree.
MAX_SETUP_CHARS = 4_000
#: What the store takes where a tree says nothing.
DEFAULT_MAX_DEPTH = 3

#: Other names of keys. ``max_retries`` counts the tries after the first, ``max_attempts`` all of them.
ALIASES = {
    "max_recursion_depth": "max_depth",
    "max_retries": "max_attempts",
    "default_timeout": "timeout",
    "budget": "budget_usd",
}
_UNPLAIN = ("Cc", "Cs", "Zl", "Zp")  # control characters, halves of UTF-16 pairs, line ends
_NEEDS = "needs"  # the type of an error that says what is allowed itself
_MAX_RETRIES = "a whole number from 0 to 9"


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _plain(text: str) -> str:
    if not text.strip() or any(category(char) in _UNPLAIN for char in text):
        raise ValueError("not plain text")
    return text


def _no_option(text: str) -> str:
    if text.startswith("-") or any(char.isspace() for char in text):
        raise ValueError("could be taken for an option")
    return text


def _no_tilde(text: str) -> str:
    if text.startswith("~"):
        raise ValueError("only a shell expands it")
    return text


def _each_once(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise ValueError("one of them twice")
    return values


def _right_needs(value: dict[str, Any]) -> dict[str, Any]:
    try:
        return parse_needs(value).as_json()
    except BadInput as error:
        raise PydanticCustomError(_NEEDS, "{said}", {"said": str(error)}) from error


KindName = Literal["claude", "command", "group"]
SplitMode = Literal["auto", "list", "none"]
PermissionMode = Literal["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"]
Source = Literal["user", "project", "local"]
WorkspaceMode = Literal["auto", "shared", "worktree"]
PlainText = Annotated[str, AfterValidator(_plain)]
Word = Annotated[PlainText, Field(max_length=200), AfterValidator(_no_option)]
ShellLine = Annotated[PlainText, Field(max_length=MAX_SETUP_CHARS)]
Tool = Annotated[PlainText, Field(pattern=r"^[^-\s]")]
PathText = Annotated[PlainText, AfterValidator(_no_tilde)]
Depth = Annotated[int, Field(ge=0)]
Dollars = Annotated[float, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0, le=MAX_SECONDS)]
Patience = Annotated[float, Field(ge=0, le=MAX_SECONDS)]
Tools = Annotated[tuple[Tool, ...], BeforeValidator(_as_tuple)]
Sources = Annotated[tuple[Source, ...], BeforeValidator(_as_tuple), AfterValidator(_each_once)]
#: As JSON, so that a config can be written down: what `parse_needs` has found right.
NeedsJson = Annotated[dict[str, Any], AfterValidator(_right_needs), WithJsonSchema(NEEDS_SCHEMA)]
Timeouts = Annotated[tuple[Seconds, ...], BeforeValidator(_as_tuple), Field(min_length=1, max_length=6)]


def _whole(low: int, high: int) -> Any:
    return Field(default=None, ge=low, le=high, description=f"a whole number from {low} to {high}")


def _choice(names: Any) -> Any:
    return Field(default=None, description=f"one of {', '.join(get_args(names))}")


def _given(description: str) -> Any:
    return Field(default=None, description=description)


class Config(BaseModel):
    """What a user asks for; None stands for "not given". ``read_config`` makes it, or says what is wrong.

    Each ``description`` says what is allowed. ``current_depth`` can only make ``max_depth`` stricter.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    max_depth: int | None = _whole(0, 5)
    max_workers: int | None = _whole(1, MAX_WORKERS)
    max_jobs: int | None = _whole(1, 100_000)
    max_children: int | None = _whole(1, 1_000)
    max_attempts: int | None = _whole(1, 10)
    timeout: Seconds | None = _given(f"a number of seconds above 0, at most {MAX_SECONDS}")
    timeouts: Timeouts | None = _given(
        f"a list of 1 to 6 numbers of seconds, one a level, each above 0 and at most {MAX_SECONDS}"
    )
    budget_usd: Dollars | None = _given("a number of dollars above 0")
    model: Word | None = _given("the name of a model, without spaces")
    kind: KindName | None = _choice(KindName)
    split: SplitMode | None = _choice(SplitMode)
    permission_mode: PermissionMode | None = _choice(PermissionMode)
    allowed_tools: Tools | None = _given("a list of tool rules, such as Read or Bash(git log:*)")
    setting_sources: Sources | None = _given("a list of user, project, local, each at most once")
    work_dir: PathText | None = _given("a path, absolute or from the folder of the run (~ is not expanded)")
    workspace: WorkspaceMode | None = _choice(WorkspaceMode)
    workspace_setup: ShellLine | None = _given(
        f"one shell line of at most {MAX_SETUP_CHARS} characters, run in each new worktree"
    )
    title: PlainText | None = _given("one line of text (in quotes where YAML would take it for a number)")
    priority: int | None = _whole(-100, 100)
    park_after_s: Patience | None = _given(f"a number of seconds from 0 to {MAX_SECONDS}")
    needs: NeedsJson | None = _given(
        "what the machine of each job must have, where workers run on several: cpus, memory_mb, resources, labels"
    )
    current_depth: Depth | None = _given("a whole number from 0")

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, values: object) -> object:
        return _without_aliases(values) if isinstance(values, Mapping) else values

    @model_validator(mode="after")
    def _not_both(self) -> "Config":
        if self.timeout is not None and self.timeouts is not None:
            raise PydanticCustomError(
                "conflict", "timeout (for every level) and timeouts (one a level) are both given; keep one"
            )
        return self


def _without_aliases(values: Mapping[Any, object]) -> dict[Any, object]:
    given = dict(values)
    for alias, name in ALIASES.items():
        value = given.pop(alias, None)
        if value is None:
            continue
        if given.get(name) is not None:
            raise PydanticCustomError("conflict", f"{alias} and {name} are the same; keep one")
        is_count = alias == "max_retries" and isinstance(value, int) and not isinstance(value, bool)
        given[name] = value + 1 if is_count else value
    return given


def read_config(values: object, where: str) -> Config:
    """Return the config in ``values``, a mapping of keys; ``where`` names its source, such as a file.

    Raises RequestError with one line for the first problem.
    """
    if not isinstance(values, Mapping):
        raise RequestError(f"{where}: the config must be a mapping of keys to values, not {show(values)}")
    known = [*Config.model_fields, *ALIASES]
    for key in values:
        if key not in known:
            raise RequestError(f"{where}: unknown key {show(key)}{_near(key, known)}; allowed: {', '.join(known)}")
    try:
        return Config.model_validate(dict(values))
    except ValidationError as error:
        raise RequestError(f"{where}: {_first_problem(error, values)}") from error


def _near(key: object, known: list[str]) -> str:
    near = difflib.get_close_matches(str(key)[:100].lower().replace("-", "_"), known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _first_problem(error: ValidationError, values: Mapping[str, object]) -> str:
    problem = error.errors(include_url=False, include_context=False)[0]
    if not problem["loc"] or problem["type"] == _NEEDS:
        return problem["msg"]
    name = str(problem["loc"][0])
    aliases = [alias for alias, of in ALIASES.items() if of == name and values.get(alias) is not None]
    written = aliases[0] if aliases else name
    allowed = _MAX_RETRIES if written == "max_retries" else Config.model_fields[name].description
    item = next((place + 1 for place in problem["loc"][1:] if isinstance(place, int)), None)
    if item is not None:
        return f"{written} must be {allowed}; item {item} is {show(problem['input'])}"
    return f"{written} must be {allowed}, not {show(values[written])}"


def overlay(base: Config, over: Config) -> Config:
    """Return ``base`` with everything that ``over`` gives in its place.

    Either of ``timeout`` and ``timeouts`` replaces both; of two ``current_depth`` the deeper one holds.
    """
    changes = over.model_dump(exclude_none=True)
    if over.timeout is not None or over.timeouts is not None:
        changes |= {"timeout": over.timeout, "timeouts": over.timeouts}
    if base.current_depth is not None and over.current_depth is not None:
        changes["current_depth"] = max(base.current_depth, over.current_depth)
    return base.model_copy(update=changes)


def limits_of(config: Config, default_max_depth: int = DEFAULT_MAX_DEPTH) -> Limits:
    """Return the limits that ``config`` asks for; ``default_max_depth`` is that of the store."""
    max_depth = config.max_depth
    if config.current_depth:
        max_depth = max(0, (default_max_depth if max_depth is None else max_depth) - config.current_depth)
    return Limits(
        max_depth=max_depth,
        max_jobs=config.max_jobs,
        max_children=config.max_children,
        max_workers=config.max_workers,
        max_attempts=config.max_attempts,
        timeouts_s=config.timeouts if config.timeout is None else (config.timeout,),
        budget_usd=config.budget_usd,
    )


def needs_of(config: Config) -> Needs | None:
    """Return what ``config`` asks of machines."""
    return None if config.needs is None else parse_needs(config.needs)
