"""What callers send: the bodies of requests, as models that forbid what they do not know. Ranges are those of ``request``."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from store.models import MAX_REQUEST_BYTES
from tui_orch.request.limits import (
    MAX_SECONDS,
    Config,
    Dollars,
    PermissionMode,
    Seconds,
    Timeouts,
    Tools,
)

_MOST_CHARS = 20_000


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character; it must be text")
    return text


_NO_NUL: JsonDict = {"pattern": r"^[^\x00]*$"}
Text = Annotated[str, Field(max_length=_MOST_CHARS, json_schema_extra=_NO_NUL), AfterValidator(_without_nul)]
RequestText = Annotated[
    str, Field(min_length=1, max_length=MAX_REQUEST_BYTES, json_schema_extra=_NO_NUL), AfterValidator(_without_nul)
]


def _whole_numbers(values: object) -> object:
    # JSON has one kind of number: 3.0 is 3.
    if not isinstance(values, dict):
        return values
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value for name, value in values.items()
    }


class Asked(BaseModel):
    """Base of all bodies."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _numbers(cls, values: object) -> object:
        return _whole_numbers(values)


class OrchestrateConfig(Config):
    """How a request is to be run; null stands for "not given".

    In a nested call (by a job's token) title, kind, split, model, priority, timeout and needs hold for the children; what is the
    whole tree's to say stays as it is.
    """

    @model_validator(mode="before")
    @classmethod
    def _numbers(cls, values: object) -> object:
        return _whole_numbers(values)

    max_recursion_depth: int | None = Field(default=None, ge=0, le=5, description="The same as max_depth.")
    max_retries: int | None = Field(default=None, ge=0, le=9, description="Tries after the first: max_attempts - 1.")
    default_timeout: Seconds | None = Field(default=None, description="The same as timeout: seconds of a job.")
    budget: Dollars | None = Field(default=None, description="The same as budget_usd.")
    orchestrator_api_url: str | None = Field(default=None, description="Accepted, not used: this is the server.")
    orchestrator_api_key: str | None = Field(default=None, description="Accepted, never kept: send X-API-Key.")


class Orchestrate(Asked):
    """Hand in a request."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "request": "Build the notes service:\n1. Backend\n2. Frontend\n3. Database",
                    "config": {"max_workers": 3, "max_recursion_depth": 2},
                }
            ]
        }
    )

    request: RequestText = Field(
        description="What is to be done; the items of a numbered list become jobs of their own."
    )
    config: OrchestrateConfig | None = None


class Retry(Asked):
    """Try a job again."""

    fresh: bool = Field(default=False, description="Begin a new Claude Code session instead of resuming the old one.")
    leaves: bool = Field(default=False, description="Try again each failed job at the ends of the branches below it.")


class Slot(Asked):
    """Lend the calling job's slot, or take it back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "waiting-for-12-1", "lend": True}]})

    name: str = Field(
        min_length=1, max_length=200, pattern=r"^[!-~]+$", description="Made up by the client, once a wait."
    )
    lend: bool


class Answer(Asked):
    """Answer an ask."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"answer": "allow", "scope": "once"}]})

    answer: Literal["allow", "deny", "answered"]
    text: Text | None = Field(default=None, description="The answer in words, or why.")
    scope: Literal["once", "subtree", "tree"] = "once"
    rules: list[Annotated[str, Field(max_length=4_000)]] = Field(
        default_factory=list, max_length=50, description="With scope subtree or tree: the rules to keep."
    )


class NewRule(Asked):
    """Allow or deny a job, and all below it, calls of a tool."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"job_id": "12", "verdict": "allow", "rule": "Bash(git log:*)"}]}
    )

    job_id: str
    verdict: Literal["allow", "deny"]
    rule: str = Field(max_length=4_000)
    text: Text | None = None


class LimitsChange(Asked):
    """Change a tree's limits; what is left out stays. What runs heeds it at once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"max_workers": 5, "budget_usd": 20.0}]})

    max_depth: int | None = Field(default=None, ge=0, le=5)
    max_jobs: int | None = Field(default=None, ge=1, le=100_000)
    max_children: int | None = Field(default=None, ge=1, le=1_000)
    max_workers: int | None = Field(default=None, ge=1, le=1_000)
    max_attempts: int | None = Field(default=None, ge=1, le=10)
    timeouts_s: Timeouts | None = Field(
        default=None, description=f"Seconds a level, 1 to 6 of them, each above 0 and at most {MAX_SECONDS}."
    )
    budget_usd: Dollars | None = None


class PermissionsChange(Asked):
    """Change how a tree's workers ask, from their next run on; what is left out stays."""

    permission_mode: PermissionMode | None = None
    allowed_tools: Tools | None = None
