"""The options of ``orch run`` and ``orch submit``, and the tree that a request and these options ask for."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from store.database import Store
from store.home import Home
from store.settings import Settings, get_settings
from tui_orch.cli.exits import BadUse
from tui_orch.cli.params import needs, timeouts

if TYPE_CHECKING:
    from tui_orch.request.document import RequestDocument
    from tui_orch.workspace.choose import Choice

F = TypeVar("F", bound=Callable[..., Any])

#: What the options are called in a request's config.
_CONFIG_NAMES = {"budget": "budget_usd", "attempts": "max_attempts", "allow": "allowed_tools"}

_OPTIONS = (
    click.argument("file", required=False, metavar="[FILE|-]"),
    click.option("--request", metavar="TEXT", help="The request itself, instead of a FILE."),
    click.option("--kind", metavar="claude|command|group", help="What a worker runs (default: claude)."),
    click.option("--split", metavar="auto|list|none", help="Whether a numbered list becomes jobs (default: auto)."),
    click.option("--max-workers", type=int, metavar="N", help="Workers at once, 1 to 10 (default: 5)."),
    click.option("--max-depth", type=int, metavar="N", help="Levels of child jobs, 0 to 5 (default: 3)."),
    click.option("--max-jobs", type=int, metavar="N", help="Jobs of the whole tree (default: 200)."),
    click.option("--max-children", type=int, metavar="N", help="Children of one job (default: 20)."),
    click.option(
        "--timeout", type=timeouts, metavar="T[,T...]", help="Time a job may take, or one for each level: 20m,5m."
    ),
    click.option("--budget", type=float, metavar="USD", help="Dollars that the tree may spend."),
    click.option("--model", metavar="NAME", help="The model that Claude Code uses."),
    click.option("--title", metavar="TEXT", help="The root job's title (default: the request's first line)."),
    click.option("--allow", multiple=True, metavar="TOOL", help='A tool rule that needs no asking: "Bash(git log:*)".'),
    click.option("--permission-mode", metavar="MODE", help="Claude Code's (default: acceptEdits)."),
    click.option(
        "--workspace", metavar="auto|shared|worktree", help="A git worktree for each job, or one folder for all."
    ),
    click.option("--priority", type=int, metavar="N", help="-100 to 100; higher first (default: 0)."),
    click.option("--attempts", type=int, metavar="N", help="Failed tries of one job before it fails (default: 2)."),
    click.option(
        "--needs",
        type=needs,
        metavar="JSON",
        help='What the machine of each job must have: {"cpus": 2, "memory_mb": 4000}.',
    ),
    click.option("--no-supervisor", is_flag=True, help="Only store the tree; start no supervisor."),
    click.option("--json", "as_json_", is_flag=True, help="Print one JSON object and nothing else."),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line said: where the request is, and the options that were given."""

    file: str | None
    request: str | None
    options: dict[str, Any]


def request_options(command: F) -> F:
    """Give a command the options of a request."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def new_tree(asked: Asked, home: Home) -> "Choice":
    """Return the tree that is asked for and where its work goes; nothing is written.

    Raises RequestError, BadUse, StoreUnusable.
    """
    # Imported late, as in _load: pydantic takes longer than all that the other commands need.
    from tui_orch.request.compose import compose  # noqa: PLC0415
    from tui_orch.request.limits import DEFAULT_MAX_DEPTH, read_config  # noqa: PLC0415
    from tui_orch.workspace.choose import choose  # noqa: PLC0415

    overrides = read_config(_config(asked.options), "the options")
    document = _load(asked)
    settings: Settings | None = None
    if home.database.exists():
        with Store.open(home) as store, store.read() as reader:
            settings = get_settings(reader)
    max_depth = DEFAULT_MAX_DEPTH if settings is None else settings.max_depth
    tree = compose(document, overrides, Path.cwd(), default_max_depth=max_depth)
    if not Path(tree.work_dir).is_dir():
        raise BadUse(f"{document.source}: work_dir {tree.work_dir} is no folder; workers run in one that is there")
    return choose(tree, settings)


def _load(asked: Asked) -> "RequestDocument":
    from tui_orch.request.document import load_file, load_stream, load_text  # noqa: PLC0415

    if asked.request is not None and asked.file is not None:
        raise BadUse("a FILE and --request are both given; keep one")
    if asked.request is not None:
        return load_text(asked.request, "--request")
    if asked.file == "-":
        return load_stream(sys.stdin.buffer, "standard input")
    if asked.file is not None:
        return load_file(asked.file)
    raise BadUse("there is no request; give a FILE, - for standard input, or --request TEXT")


def _config(options: dict[str, Any]) -> dict[str, Any]:
    values = {_CONFIG_NAMES.get(name, name): value for name, value in options.items() if value not in (None, ())}
    if "allowed_tools" in values:
        values["allowed_tools"] = list(values["allowed_tools"])
    if "needs" in values:
        values["needs"] = values["needs"].as_json()
    levels = values.pop("timeout", None)
    if levels is not None:
        values |= {"timeout": levels[0]} if len(levels) == 1 else {"timeouts": list(levels)}
    return values
