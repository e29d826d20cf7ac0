"""What a permission rule covers, for rules written as Claude Code writes them. Pure: no SQL, no store.

Claude Code applies its own rules itself. Here a rule is applied to a call that Claude Code asks about, because the rule
came after its session began or was made for another job. In doubt a rule covers nothing: then a person is asked.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from store.errors import BadInput
from store.models import Ask, Rule

#: The shell tool, and the tool by which a worker spawns children; of the latter, shell lines alone are asked about.
BASH = "Bash"
SPAWN = "mcp__orch__spawn_subtasks"

_RULE = re.compile(r"(?P<tool>[A-Za-z_][\w-]*(?:\*)?)(?:\((?P<content>.*)\))?", re.DOTALL)
# A line with any of these may do more than its first words say.
_SHELL_JOINS = re.compile(r"[;&|<>`\n\r\\(){}]|\$")
_MOST_CHARS = 4_000


def parse(rule: str) -> tuple[str, str | None]:
    """Return a rule's tool and what stands in its brackets, None for all calls of the tool. Raises BadInput."""
    found = _RULE.fullmatch(rule.strip())
    if found is None or len(rule) > _MOST_CHARS or not rule.strip().replace("\n", "").isprintable():
        raise BadInput(
            f"{rule[:60]!r} is no permission rule; write Tool or Tool(content), such as Read or Bash(git log:*)"
        )
    content = found["content"]
    return found["tool"], None if content is None or content.strip() in ("", "*") else content


def covers(rule: str, tool: str, given: Mapping[str, Any] | None) -> bool:
    """Tell whether a rule surely covers this call."""
    name, content = parse(rule)
    if not _names(name, tool):
        return False
    if content is None:
        return True
    values = given or {}
    if tool == BASH:
        return _covers_line(content, values.get("command"))
    if tool == "WebFetch" and content.startswith("domain:"):
        return _host(values.get("url")) == content.removeprefix("domain:").strip().lower()
    return content in (values.get("file_path"), values.get("path"), values.get("notebook_path"), values.get("url"))


def decide(rules: Sequence[Rule], tool: str, given: Mapping[str, Any] | None) -> Rule | None:
    """Return the rule that decides on this call, a deny before any allow; None where a person must.

    The shell lines of children that a worker would spawn count as calls of Bash: one denied line denies, and all of
    them must be allowed.
    """
    calls = calls_of(tool, given)
    for rule in rules:
        if rule.verdict == "deny" and any(covers(rule.rule, *call) for call in calls):
            return rule
    allowing = [rule for rule in rules if rule.verdict == "allow"]
    found = [next((rule for rule in allowing if covers(rule.rule, *call)), None) for call in calls]
    return found[-1] if found and None not in found else None


def calls_of(tool: str, given: Mapping[str, Any] | None) -> list[tuple[str, Mapping[str, Any] | None]]:
    """Return the calls that an ask stands for: one, or a call of Bash for each shell line to be spawned."""
    lines = (given or {}).get("commands") if tool == SPAWN else None
    if not isinstance(lines, list):
        return [(tool, given)]
    return [(BASH, {"command": line}) for line in lines]


def offered(ask: Ask) -> tuple[str, ...]:
    """Return the rules that an answer for good would keep: Claude Code's suggestions, else this very call or its tool."""
    if ask.suggestions:
        return ask.suggestions
    found = []
    for tool, given in calls_of(ask.tool or "", ask.input):
        line = (given or {}).get("command")
        found.append(f"{BASH}({line})" if tool == BASH and isinstance(line, str) else tool)
    return tuple(dict.fromkeys(found))


def covered_by(rules: Iterable[str], ask: Ask) -> bool:
    """Tell whether each call of an ask is covered by one of these rules, or they are its own suggestions."""
    named = tuple(rules)
    if set(named) & set(ask.suggestions):
        return True
    return all(any(covers(rule, *call) for rule in named) for call in calls_of(ask.tool or "", ask.input))


def told(given: Mapping[str, Any] | None) -> str:
    """Return a call's input in one line of JSON, for people."""
    return json.dumps(dict(given or {}), ensure_ascii=False)


def _names(name: str, tool: str) -> bool:
    if name == tool:
        return True
    # A rule for a whole MCP server: mcp__server or mcp__server__*
    server = name.removesuffix("__*")
    return server.startswith("mcp__") and server.count("__") == 1 and tool.startswith(f"{server}__")


def _covers_line(content: str, line: object) -> bool:
    if not isinstance(line, str):
        return False
    said, wanted = line.strip(), content.strip()
    prefix = next((wanted.removesuffix(end).strip() for end in (":*", " *") if wanted.endswith(end)), None)
    if prefix is None:
        return said == wanted
    return bool(prefix) and not _SHELL_JOINS.search(said) and (said == prefix or said.startswith(f"{prefix} "))


def _host(url: object) -> str | None:
    try:
        return urlsplit(url).hostname if isinstance(url, str) else None
    except ValueError:
        return None
