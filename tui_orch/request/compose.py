"""Turns a request and the options beside it into the tree to insert: one job, or a group of its items.

Pure: reads nothing, asks nothing. Whether a tree may hold that many jobs is the store's to say, not ours.
"""

import re
from pathlib import Path

from store.models import NewJob, NewTree
from store.states import Kind
from tui_orch.request.document import RequestDocument
from tui_orch.request.errors import RequestError
from tui_orch.request.limits import DEFAULT_MAX_DEPTH, Config, limits_of, needs_of, overlay
from tui_orch.request.split import Split, split

#: Characters that a title has at most; a longer one is cut and ends in "…".
TITLE_CHARS = 80

_HEADING_MARK = re.compile(r"#{1,6}\s+")
_IN_BACKTICKS = re.compile(r"`([^`]+)`")
_IN_FENCE = re.compile(r"(`{3,}|~{3,})[^\n`]*\n(.*)\n\1", re.DOTALL)
_LIST_WANTED = "one list of at least 2 items (1. 2. 3., ① ② ③ or - [ ]) outside code fences"


def compose(
    document: RequestDocument,
    overrides: Config,
    work_dir: Path,
    *,
    default_max_depth: int = DEFAULT_MAX_DEPTH,
) -> NewTree:
    """Return the tree that ``document`` asks for, ``overrides`` (the options of a command) going first.

    ``work_dir`` is absolute: the folder of the run, used unless the config names another, absolute or within
    it. ``default_max_depth`` is that of the store's settings. With max_depth 0 nothing is split. Raises
    RequestError where kind, split and request do not fit together.
    """
    config = overlay(document.config, overrides)
    limits = limits_of(config, default_max_depth)
    kind = Kind(config.kind or Kind.CLAUDE)
    parts = _parts(document, config, kind)
    if limits.max_depth == 0 or not parts.items:
        # Recursion is off, or nothing to split: one worker does it all. A group has none, so Claude.
        root_kind: Kind = Kind.CLAUDE if kind is Kind.GROUP else kind
        items: tuple[NewJob, ...] = ()
    else:
        root_kind = Kind.GROUP
        items = tuple(_child(document, parts, position, kind, config) for position in range(len(parts.items)))
    return NewTree(
        root=NewJob(
            request=document.request,
            kind=root_kind,
            title=title_of(config.title or document.request),
            priority=config.priority or 0,
        ),
        items=items,
        limits=limits,
        work_dir=str(work_dir / config.work_dir) if config.work_dir else str(work_dir),
        model=config.model,
        permission_mode=config.permission_mode,
        allowed_tools=config.allowed_tools,
        setting_sources=config.setting_sources,
        park_after_s=config.park_after_s,
        workspace=config.workspace,
        workspace_setup=config.workspace_setup,
        needs=needs_of(config),
    )


def _parts(document: RequestDocument, config: Config, kind: Kind) -> Split:
    mode = config.split or "auto"
    if mode == "none":
        if kind is Kind.GROUP:
            raise RequestError(f"{document.source}: kind group runs the items of a list; split none forbids it")
        return Split(document.request, ())
    parts = split(document.request)
    if not parts.items and (mode == "list" or kind is Kind.GROUP):
        wanted_by = "split list" if mode == "list" else "kind group"
        raise RequestError(f"{document.source}: {wanted_by} needs {_LIST_WANTED}; the request has none")
    return parts


def _child(document: RequestDocument, parts: Split, position: int, kind: Kind, config: Config) -> NewJob:
    item = parts.items[position]
    priority = config.priority or 0
    if kind is not Kind.COMMAND:
        return NewJob(child_request(parts, item), Kind.CLAUDE, title_of(item), priority=priority)
    command = command_of(item)
    if not command:
        raise RequestError(f"{document.source}: item {position + 1} holds no command between its backticks")
    return NewJob(request=command, kind=Kind.COMMAND, title=title_of(command), priority=priority)


def child_request(parts: Split, item: str) -> str:
    """Return what the worker of one item is asked: the text around the list, which all share, and its item."""
    return f"{parts.context}\n\n{item}" if parts.context else item


def command_of(item: str) -> str:
    """Return the command line that ``item`` is, without backticks or a code fence around the whole of it."""
    for pattern in (_IN_BACKTICKS, _IN_FENCE):
        if found := pattern.fullmatch(item):
            return str(found[found.lastindex or 0]).strip()
    return item


def title_of(text: str) -> str:
    """Return the first line of ``text`` that holds something, without heading marks, cut if it is long."""
    lines = (" ".join("".join(c if c.isprintable() else " " for c in line).split()) for line in text.split("\n"))
    first = _HEADING_MARK.sub("", next((line for line in lines if line), ""), count=1)
    return first if len(first) <= TITLE_CHARS else first[: TITLE_CHARS - 1].rstrip() + "…"
