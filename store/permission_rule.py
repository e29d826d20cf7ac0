"""What a permission rule covers, for rules written as Claude Code writes them. Pure: no SQL, no store.

Claude Code applies its own rules itself. Here a rule is applied to a call that Claude Code asks about, because the rule
came after its session began or was made for another job. Whoever made the call wrote its input, so in doubt a rule covers
nothing, and in doubt about a deny nothing is allowed: then a person is asked.
"""

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from store.errors import BadInput
from store.models import Ask, Rule

#: The shell tool, and the tool by which a worker spawns children; of the latter, shell lines alone are asked about.
BASH = "Bash"
SPAWN = "mcp__orch__spawn_subtasks"

_Call = tuple[str, Mapping[str, Any] | None]

_RULE = re.compile(r"(?P<tool>mcp__[A-Za-z0-9_-]+?__\*|[A-Za-z_][A-Za-z0-9_-]*)(?:\((?P<content>.*)\))?", re.DOTALL)
# A line with any of these may do more than its first words say.
_SHELL_JOINS = re.compile(r"[;&|<>`$\n\r\\(){}]")
# An address that every program reads alike: no user, no backslash, nothing percent-encoded before the path.
_PLAIN_URL = re.compile(r"https?://(?P<host>[a-z0-9.-]+)(?::\d{1,5})?(?:[/?#][!-\[\]-~]*)?", re.IGNORECASE | re.ASCII)
_BLANKS = " \t\n"
_PREFIX_ENDS = (":*", " *")
_MOST_CHARS = 4_000
_MOST_OFFERED = 20


def parse(rule: str) -> tuple[str, str | None]:
    """Return a rule's tool and what stands in its brackets, None for all calls of the tool. Raises BadInput."""
    found = _RULE.fullmatch(rule.strip())
    readable = rule.replace("\n", "").replace("\t", "").isprintable()
    if found is None or len(rule) > _MOST_CHARS or not readable:
        raise BadInput(
            f"{rule[:60]!r} is no permission rule; write Tool or Tool(content), such as Read or Bash(git log:*)"
        )
    content = found["content"]
    if content is None or content.strip() in ("", "*"):
        return found["tool"], None
    if not content.strip(" :*"):
        raise BadInput(f"{rule[:60]!r} says nothing; for all calls of the tool write {found['tool']}")
    return found["tool"], content


def split(text: str) -> list[str]:
    """Return the rules of a text with commas between them; a comma within brackets belongs to its rule."""
    found, depth = [""], 0
    for char in text:
        depth = max(0, depth + (char == "(") - (char == ")"))
        if char == "," and not depth:
            found.append("")
        else:
            found[-1] += char
    return [rule.strip() for rule in found if rule.strip()]


def covers(rule: str, tool: str, given: Mapping[str, Any] | None) -> bool:
    """Tell whether a rule surely covers this call."""
    try:
        name, content = parse(rule)
    except BadInput:
        return False
    if not _names(name, tool):
        return False
    if content is None:
        return True
    if tool == BASH:
        return _covers_line(content, _line(given))
    if tool == "WebFetch":
        domain = content.removeprefix("domain:").strip().lower()
        return content.startswith("domain:") and bool(domain) and _host(_value(given, "url")) == domain
    # Of paths just one that begins at the root: how Claude Code reads the others depends on where a rule stands.
    path = _path(given)
    plain = content.startswith("//") and not re.search(r"[*?\[\]!\\]", content)
    return plain and path == content[1:] == posixpath.normpath(content[1:])


def may_cover(rule: str, tool: str, given: Mapping[str, Any] | None) -> bool:
    """Tell whether a rule could cover this call, read as widely as one may: a deny is not got around by writing oddly."""
    try:
        name, content = parse(rule)
    except BadInput:
        return True
    if not _names(name, tool):
        return False
    if content is not None and tool == BASH and (line := _line(given)) is not None:
        words = rf"(?<![\w.-]){re.escape(_squeezed(_start(content)))}(?![\w-])"
        return bool(re.search(r"[$`]", line) or re.search(words, _squeezed(line)))
    if content is not None and tool == "WebFetch" and content.startswith("domain:"):
        host, domain = _host(_value(given, "url")), content.removeprefix("domain:").strip().lower()
        return host is None or host == domain or host.endswith((f".{domain}", "."))
    return True


def decide(
    rules: Sequence[Rule], tool: str, given: Mapping[str, Any] | None, known: Collection[str] = ()
) -> Rule | None:
    """Return the rule that decides on this call, a deny before any allow; None where a person must.

    The shell lines of children that a worker would spawn count as calls of Bash: one denied line denies, and all of
    them must be allowed. A call that a deny could mean is allowed by a rule for just this call alone; so is one that
    Claude Code asks about although it applies the rule itself (``known``): it has a reason then.
    """
    calls = calls_of(tool, given)
    denying = [rule for rule in rules if rule.verdict == "deny"]
    for rule in denying:
        if any(covers(rule.rule, *call) for call in calls):
            return rule
    found = [_allowing(rules, denying, call, known) for call in calls]
    return found[-1] if found and None not in found else None


def calls_of(tool: str, given: Mapping[str, Any] | None) -> list[_Call]:
    """Return the calls that an ask stands for: one, or a call of Bash for each shell line to be spawned."""
    lines = _value(given, "commands") if tool == SPAWN else None
    return [(BASH, {"command": line}) for line in lines] if isinstance(lines, list) else [(tool, given)]


def offered(ask: Ask) -> tuple[str, ...]:
    """Return the rules that an answer for good would keep; empty where no rule can say just what is asked for.

    Claude Code's suggestions, but for those that open more than this tool, and the very call where they leave it open.
    """
    if ask.kind != "permission":
        return ()
    kept = [rule for rule in ask.suggestions[:_MOST_OFFERED] if _fits(rule, ask.tool or "")]
    left = [call for call in calls_of(ask.tool or "", ask.input) if not any(covers(rule, *call) for rule in kept)]
    found = [just(*call) for call in left]
    if None in found and not kept:
        return ()
    return tuple(dict.fromkeys([*kept, *(rule for rule in found if rule is not None)]))


def just(tool: str, given: Mapping[str, Any] | None) -> str | None:
    """Return the rule for just this call, or for its tool where a rule can say no more; None where none says just that."""
    if tool == BASH:
        line = (_line(given) or "").strip(_BLANKS)
        # A star stands for anything: the rule for `rm *` would be one for every rm.
        exact = f"{BASH}({line})"
        return exact if "*" not in line and _reads(exact, (BASH, line)) else None
    path = _path(given)
    if path is None:
        return tool if _reads(tool, (tool, None)) else None
    exact = f"{tool}(/{path})"
    return exact if covers(exact, tool, given) and _reads(exact, (tool, f"/{path}")) else None


def meant_by(rules: Iterable[str], ask: Ask) -> bool:
    """Tell whether rules that a person names for an ask are about it: offered for it, or such as could cover it."""
    named, calls = tuple(rules), calls_of(ask.tool or "", ask.input)
    if set(named) & set(offered(ask)):
        return True
    return bool(calls) and all(any(may_cover(rule, *call) for rule in named) for call in calls)


def _allowing(rules: Sequence[Rule], denying: Sequence[Rule], call: _Call, known: Collection[str]) -> Rule | None:
    doubtful = any(may_cover(rule.rule, *call) for rule in denying)
    for rule in rules:
        if rule.verdict != "allow" or not covers(rule.rule, *call):
            continue
        if _says_just(rule, call) or not (doubtful or rule.rule in known):
            return rule
    return None


def _says_just(rule: Rule, call: _Call) -> bool:
    exact = just(*call)
    return exact not in (None, call[0]) and _reads(rule.rule, parse(str(exact)))


def _fits(rule: str, tool: str) -> bool:
    try:
        name, content = parse(rule)
    except BadInput:
        return False
    return content is not None or (name == tool and tool != BASH)


def _reads(rule: str, wanted: tuple[str, str | None]) -> bool:
    try:
        return parse(rule) == wanted
    except BadInput:
        return False


def _names(name: str, tool: str) -> bool:
    if name == tool:
        return True
    # A rule for a whole MCP server: mcp__server or mcp__server__*
    server = name.removesuffix("__*")
    return server.startswith("mcp__") and server.count("__") == 1 and tool.startswith(f"{server}__")


def _value(given: object, name: str) -> Any:
    return given.get(name) if isinstance(given, Mapping) else None


def _path(given: Mapping[str, Any] | None) -> Any:
    return _value(given, "file_path") or _value(given, "notebook_path")


def _line(given: Mapping[str, Any] | None) -> str | None:
    """Return a shell line; None for what is none, and for one that wants to run outside Claude Code's sandbox."""
    line = _value(given, "command")
    return line if isinstance(line, str) and not _value(given, "dangerouslyDisableSandbox") else None


def _covers_line(content: str, line: str | None) -> bool:
    if line is None:
        return False
    # The blanks of the shell alone: to it, any other is part of a word.
    said, wanted = line.strip(_BLANKS), content.strip(_BLANKS)
    if not wanted.endswith(_PREFIX_ENDS):
        return said == wanted
    prefix = wanted[:-2].strip(_BLANKS)
    plain = not _SHELL_JOINS.search(said) and said.isprintable()
    return bool(prefix) and plain and (said == prefix or said.startswith(f"{prefix} "))


def _start(content: str) -> str:
    """Return what a rule's lines begin with, or hold, without any star."""
    wanted = content.strip(_BLANKS)
    return (wanted[:-2] if wanted.endswith(_PREFIX_ENDS) else wanted).split("*")[0].strip(_BLANKS)


def _squeezed(line: str) -> str:
    """Return a line without what a shell takes away: quotes, backslashes, blanks beyond one."""
    return " ".join(re.sub(r"['\"\\]", "", line).split())


def _host(url: object) -> str | None:
    found = _PLAIN_URL.fullmatch(url) if isinstance(url, str) else None
    return found["host"].lower() if found else None
