"""Calls, asks and rules in few words, for tests of what a rule covers and what rules decide."""

from typing import Any

from store.models import Ask, Rule
from store.permission_rule import decide

ASK = Ask(7, 2, 1, 1, "permission", "Bash", {"command": "ls"}, "?", (), None, (), 0, None, None, None, None)
LOG = "Bash(git log:*)"
#: What makes one line into more than one command, or into another one.
JOINS = (
    ";",
    "&",
    "&&",
    "|",
    "||",
    "\n",
    "\r",
    "`id`",
    "$(id)",
    "$HOME",
    "${x}",
    ">",
    "<",
    ">>",
    "<<<x",
    "\\",
    "(",
    "{",
)


def bash(line: object, **more: Any) -> dict[str, Any]:
    return {"command": line, **more}


def rules(*said: str) -> list[Rule]:
    """``deny Bash(rm:*)`` and the like, with ids from 1."""
    return [
        Rule(number, 1, verdict, rule, None, None, 0, None)
        for number, (verdict, _, rule) in enumerate((line.partition(" ") for line in said), start=1)
    ]


def decided(said: tuple[str, ...], tool: str, values: dict[str, Any] | None) -> int | None:
    found = decide(rules(*said), tool, values)
    return found.id if found else None
