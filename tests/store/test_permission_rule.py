"""What a rule covers: what it says and no more, however a call is written."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from store.errors import BadInput
from store.models import Ask, Rule
from store.permission_rule import SPAWN, calls_of, covers, decide, just, may_cover, meant_by, offered, parse, split

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


@pytest.mark.parametrize(
    ("rule", "meant"),
    [
        ("Read", ("Read", None)),
        (" Bash() ", ("Bash", None)),
        ("Bash(*)", ("Bash", None)),
        ("Bash( * )", ("Bash", None)),
        (LOG, ("Bash", "git log:*")),
        ("Bash(echo (a))", ("Bash", "echo (a)")),
        ("Bash(ls\npwd)", ("Bash", "ls\npwd")),
        ("mcp__files__*", ("mcp__files__*", None)),
        ("mcp__files__read_it", ("mcp__files__read_it", None)),
    ],
)
def test_a_rule_is_read_as_claude_code_writes_it(rule: str, meant: tuple[str, str | None]) -> None:
    assert parse(rule) == meant


@pytest.mark.parametrize(
    "rule",
    [
        *("", " ", "(ls)", "Bash(ls", "Bash ls", "Bash(ls) x", "Ba*", "Bash*(ls)", "Bäsh(ls)", "Bash(:*)", "Bash(**)"),
        *("Bash(ls\x1b[2J)", "Bash(\u202els)", "Bash(x\x00)", f"Bash({'x' * 4_000})", "Bash,Read"),
    ],
)
def test_what_is_no_rule_is_refused_and_covers_nothing(rule: str) -> None:
    with pytest.raises(BadInput):
        parse(rule)
    assert not covers(rule, "Bash", bash("ls"))


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (LOG, "git log"),
        (LOG, "git log --oneline -3"),
        (LOG, " git log\n"),
        (LOG, "git log --output=/etc/x"),  # the person said: whatever follows
        ("Bash(git log *)", "git log -3"),
        ("Bash(git log; rm -rf x)", "git log; rm -rf x"),
        ("Bash(echo $HOME)", "echo $HOME"),
        ("Bash(FOO=1 make)", "FOO=1 make"),
        ("Bash", "rm -rf / ; anything"),
    ],
)
def test_lines_that_a_rule_covers(rule: str, line: str) -> None:
    assert covers(rule, "Bash", bash(line))


@pytest.mark.parametrize(
    "line",
    [f"git log {join} rm -rf x" for join in JOINS]
    + ["git log; rm -rf x", "git log\nrm -rf x", "git log;rm", "git log&rm", "git log|sh", "git log>x", "git log `rm`"]
    + ["FOO=1 git log", "GIT_PAGER=rm git log", "PATH=. git log", "env git log", "sudo git log", "/tmp/git log"]
    + [
        "git logs",
        "git log-x",
        "git  log",
        "git",
        "gitlog",
        "'git log' x",
        '"git" log',
        "g\\it log",
        "git\tlog",
        "GIT LOG",
    ]
    + [
        "\u00a0git log",
        "git log\u00a0x",
        "git log\x00; rm",
        "git log\x0brm",
        "git log\u2028rm",
        "",
        " ",
        "echo git log",
    ],
)
def test_a_prefix_covers_no_line_that_does_more_or_other_things(line: str) -> None:
    assert not covers(LOG, "Bash", bash(line))


@pytest.mark.parametrize(
    ("rule", "tool", "values"),
    [
        (LOG, "Bash", None),
        (LOG, "Bash", {}),
        (LOG, "Bash", bash(["git log"])),
        (LOG, "Bash", bash(None)),
        (LOG, "Bash", "git log"),
        (LOG, "Bash", ["git log"]),
        (LOG, "Bash", bash("git log", dangerouslyDisableSandbox=True)),
        (LOG, "bash", bash("git log")),
        (LOG, "BashOutput", bash("git log")),
        (LOG, "PowerShell", bash("git log")),
        (LOG, "", bash("git log")),
        ("Bash(git log)", "Bash", bash("git log -1")),
        ("Read(x)", "Read", {"file_path": "/srv/x"}),
        ("Read(/etc/x)", "Read", {"file_path": "/etc/x"}),  # to Claude Code that is a path of the project
        ("Read(//etc/*)", "Read", {"file_path": "/etc/*"}),
        ("Read(//etc/**)", "Read", {"file_path": "/etc/../home/me/x"}),
        ("Read(//etc/../x)", "Read", {"file_path": "/etc/../x"}),
        ("Read(//etc/x)", "Read", {"file_path": "/etc/./x"}),
        ("Read(//etc/x)", "Read", {"file_path": ["/etc/x"]}),
        ("Read(//etc/x)", "Write", {"file_path": "/etc/x"}),
        ("mcp__a", "mcp__ab__x", {}),
        ("mcp__a__x", "mcp__a__y", {}),
        ("mcp__a__*", "mcp__a", {}),
        ("mcp__a__x__*", "mcp__a__x__y", {}),
    ],
)
def test_in_doubt_a_rule_covers_nothing(rule: str, tool: str, values: Any) -> None:
    """Odd types, other tools, paths that can be read in two ways."""
    assert not covers(rule, tool, values)


@pytest.mark.parametrize(
    ("rule", "tool", "values"),
    [
        ("Read", "Read", {"file_path": "/x"}),
        ("Read", "Read", None),
        ("Read(//etc/x)", "Read", {"file_path": "/etc/x"}),
        ("NotebookEdit(//a/b.ipynb)", "NotebookEdit", {"notebook_path": "/a/b.ipynb"}),
        ("mcp__a", "mcp__a__x", {}),
        ("mcp__a__*", "mcp__a__x", {}),
        ("WebFetch(domain:Example.com)", "WebFetch", {"url": "HTTPS://example.COM:8443/a?b#c"}),
    ],
)
def test_other_tools_are_meant_by_name_path_or_domain(rule: str, tool: str, values: Any) -> None:
    assert covers(rule, tool, values)


@pytest.mark.parametrize(
    "url",
    [
        *("http://other.com/example.com", "http://example.com.other.com", "http://sub.example.com", "//example.com"),
        *("http://example.com@other.com", "http://other.com\\@example.com", "http://x@example.com", "http:example.com"),
        *("ftp://example.com", "http://example.com\\.other.com", "http://exa\tmple.com", "http://example.com /x", 5),
        *("http://example.com%2eother.com", "http://ex\u00e4mple.com", "http://example.com:x", "http://", None),
        "http://example.com.",
    ],
)
def test_a_domain_is_covered_only_where_every_program_reads_it_alike(url: object) -> None:
    assert not covers("WebFetch(domain:example.com)", "WebFetch", {"url": url})


words = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=";&|<>`$\\(){}*"), min_size=1)


@given(
    said=st.lists(words, min_size=1, max_size=3),
    join=st.sampled_from(JOINS),
    rest=st.text(max_size=10),
    tight=st.booleans(),
)
def test_no_join_of_the_shell_is_ever_meant_by_a_prefix(said: list[str], join: str, rest: str, *, tight: bool) -> None:
    """Wherever it stands, with or without blanks."""
    line = " ".join(said)
    more = f"{line}{join}x{rest}" if tight else f"{line} {join} x{rest}"
    assert not covers(f"Bash({line}:*)", "Bash", bash(more))


@given(st.text(max_size=30), st.text(max_size=30))
@example("rm *", "rm -rf /")
@example("*", "anything")
@example("", "anything")
@example("ls:*", "ls x")
@example("ls *", "ls; rm x")
@example("x)", "y")
def test_the_rule_for_just_one_line_covers_no_other(line: str, other: str) -> None:
    """A line with a star, or one that is empty, would make a rule that means more: there is none for it."""
    rule = just("Bash", bash(line))
    if rule is None:
        return
    assert covers(rule, "Bash", bash(line))
    assert covers(rule, "Bash", bash(other)) == (line.strip(" \t\n") == other.strip(" \t\n"))


@given(
    st.text(max_size=20),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from(["Bash", "Read", "WebFetch", SPAWN, "mcp__a__b", ""]),
)
def test_no_text_and_no_input_of_a_tool_breaks_it(text: str, values: Any, tool: str) -> None:
    """Whatever stands in the store, by whatever way it came there: an answer, never an error."""
    for rule in (text, f"Bash({text})", f"{tool}({text})"):
        for shape in (values, {"command": values}, {"commands": values}, {"url": values}, {"file_path": values}):
            covers(rule, tool, shape)
            may_cover(rule, tool, shape)
            decide(rules(f"allow {rule}", f"deny {rule}"), tool, shape)
            meant_by((rule,), replace(ASK, tool=tool, input=shape))
            offered(replace(ASK, tool=tool, input=shape, suggestions=(text,)))


@given(st.text(max_size=40), st.sampled_from([LOG, "Bash(ls)", "Bash", "Bash(git * x)", "Bash(python3 -c:*)"]))
def test_what_a_rule_covers_it_may_cover(line: str, rule: str) -> None:
    """The wide reading holds the narrow one."""
    for said in (line, f"git log {line}", f"ls{line}"):
        assert may_cover(rule, "Bash", bash(said)) or not covers(rule, "Bash", bash(said))


@pytest.mark.parametrize(
    ("said", "line", "by"),
    [
        (("allow Bash(ls)",), "ls", 1),
        (("allow Bash(ls)",), "pwd", None),
        (("deny Bash(ls)",), "ls", 1),
        (("allow Bash", "deny Bash(rm:*)"), "rm x", 2),
        (("allow Bash(rm x)", "deny Bash(rm:*)"), "rm x", 2),
        (("allow Bash", "deny Bash(rm:*)"), "ls", 1),
        (("allow Bash", "deny Bash(rm:*)"), "pytest --format x --perm y", 1),
        # A deny that is written round is not got around: a person is asked.
        (("allow Bash", "deny Bash(rm:*)"), "cd x; rm y", None),
        (("allow Bash", "deny Bash(rm:*)"), "r\\m y", None),
        (("allow Bash", "deny Bash(rm:*)"), "'r'm y", None),
        (("allow Bash", "deny Bash(rm:*)"), "/bin/rm y", None),
        (("allow Bash", "deny Bash(rm:*)"), "sh -c 'rm y'", None),
        (("allow Bash", "deny Bash(rm:*)"), "$X y", None),
        (("allow Bash", "deny Bash(git push:*)"), "git  push", None),
        (("allow Bash", "deny Bash(git * push)"), "git status", None),
        # But what a person has allowed word for word is allowed.
        (("allow Bash(cd x; rm y)", "deny Bash(rm:*)"), "cd x; rm y", 1),
        (("allow Read", "deny Bash"), "ls", 2),
    ],
)
def test_a_deny_goes_first_and_doubt_about_it_asks(said: tuple[str, ...], line: str, by: int | None) -> None:
    assert decided(said, "Bash", bash(line)) == by


def test_a_deny_of_some_paths_or_domains_leaves_no_doubt_to_an_allow() -> None:
    said = ("allow Read", "deny Read(//etc/**)", "allow WebFetch", "deny WebFetch(domain:bad.com)")
    assert decided(said, "Read", {"file_path": "/etc/passwd"}) is None
    assert decided(said, "WebFetch", {"url": "https://bad.com/x"}) == 4
    assert decided(said, "WebFetch", {"url": "https://sub.bad.com/x"}) is None
    assert decided(said, "WebFetch", {"url": "https://good.com\\@bad.com/x"}) is None
    assert decided(said, "WebFetch", {"url": "https://good.com/x"}) == 3


def test_where_claude_code_asks_in_spite_of_a_rule_a_person_is_asked() -> None:
    """It guards some files and lines whatever the rules say; but a rule for just this call was made for that."""
    said = rules("allow Write", "allow Bash(make:*)", "allow Write(//p/.git/x)", "allow mcp__a__b")
    known = {rule.rule for rule in said}
    for file, by in (("/p/.git/config", None), ("/p/.git/x", 3)):
        found = decide(said, "Write", {"file_path": file}, known)
        assert (found and found.id) == by
    assert decide(said, "Bash", bash("make all"), known) is None
    assert decide(said, "Bash", bash("make all"), {"Write"}) == said[1]
    assert decide(said, "mcp__a__b", {}, known) is None


def test_no_rule_decides_nothing() -> None:
    assert decide([], "Bash", bash("ls")) is None
    assert decided(("allow Bash(ls)",), SPAWN, {"commands": []}) is None


def test_the_lines_of_children_are_decided_one_by_one() -> None:
    """One denied line denies; all must be allowed."""
    both = {"commands": ["make a", "make b"]}
    assert calls_of(SPAWN, both) == [("Bash", bash("make a")), ("Bash", bash("make b"))]
    assert decided(("allow Bash(make:*)",), SPAWN, both) == 1
    assert decided(("allow Bash(make a)",), SPAWN, both) is None
    assert decided(("allow Bash(make a)", "allow Bash(make b)"), SPAWN, both) == 2
    assert decided(("allow Bash", "deny Bash(make b)"), SPAWN, both) == 2
    assert decided(("allow Bash(make:*)",), SPAWN, {"commands": ["make a", "make b; rm x"]}) is None
    assert decided(("allow Bash",), SPAWN, {"tasks": []}) is None


@pytest.mark.parametrize(
    ("changes", "rules_offered"),
    [
        ({}, ("Bash(ls)",)),
        ({"suggestions": ("Bash(ls:*)", "Read(//etc/**)")}, ("Bash(ls:*)", "Read(//etc/**)")),
        # A suggestion opens no whole tool but the one that is asked for, and never the shell.
        ({"suggestions": ("Bash",)}, ("Bash(ls)",)),
        ({"suggestions": ("Bash(*)", "Read")}, ("Bash(ls)",)),
        ({"suggestions": ("no rule",)}, ("Bash(ls)",)),
        ({"tool": "Read", "input": {"file_path": "/x"}, "suggestions": ("Bash",)}, ("Read(//x)",)),
        ({"tool": "Read", "input": {"file_path": "/x"}, "suggestions": ("Read",)}, ("Read",)),
        (
            {"tool": "Read", "input": {"file_path": "/a/x"}, "suggestions": ("Read(//a/**)",)},
            ("Read(//a/**)", "Read(//a/x)"),
        ),
        ({"tool": "Write", "input": {"file_path": "x"}}, ()),
        ({"tool": "Write", "input": {"file_path": "/a/../x"}}, ()),
        ({"tool": "Write", "input": {"file_path": "/a/*"}}, ()),
        ({"tool": "Write", "input": {"file_path": ["/a"]}}, ()),
        ({"tool": "WebSearch", "input": {"query": "x"}}, ("WebSearch",)),
        # What the suggestions leave open is kept too: the same line of another job is not asked about again.
        (
            {"input": bash("make a && make b"), "suggestions": ("Bash(make a *)",)},
            ("Bash(make a *)", "Bash(make a && make b)"),
        ),
        ({"input": bash("rm *"), "suggestions": ("Bash(rm *)",)}, ("Bash(rm *)",)),
        ({"input": bash("(rm *)"), "suggestions": ("Bash(rm x)",)}, ("Bash(rm x)",)),
        ({"tool": "mcp__a__b", "suggestions": ("mcp__a__b",)}, ("mcp__a__b",)),
        ({"input": bash("rm *")}, ()),
        ({"input": bash("*")}, ()),
        ({"input": bash(" ")}, ()),
        ({"input": None}, ()),
        ({"input": bash("ls \x1b[2J")}, ()),
        ({"input": bash("ls", dangerouslyDisableSandbox=True)}, ()),
        ({"tool": "Bash(*)"}, ()),
        ({"tool": "Read "}, ()),
        ({"tool": None}, ()),
        ({"tool": SPAWN, "input": {"commands": ["a", "b", "a"]}}, ("Bash(a)", "Bash(b)")),
        ({"tool": SPAWN, "input": {"commands": ["a", "b *"]}}, ()),
        ({"kind": "question"}, ()),
    ],
)
def test_what_is_offered_says_just_what_was_asked_for(changes: dict[str, Any], rules_offered: tuple[str, ...]) -> None:
    ask = replace(ASK, **changes)
    assert offered(ask) == rules_offered
    assert meant_by(rules_offered, ask) or not rules_offered


@pytest.mark.parametrize(
    ("said", "line", "about_it"),
    [
        (("Bash(ls)",), "ls", True),
        (("Bash(pwd)",), "ls", False),
        ((LOG,), "cd x && git log", True),
        (("Bash(python3 -c:*)",), "python3 -c 'print(1)'", True),
        (("Read", "Bash(ls)"), "ls", True),
        (("Read",), "ls", False),
        ((), "ls", False),
    ],
)
def test_rules_that_a_person_names_must_be_about_the_ask(said: tuple[str, ...], line: str, *, about_it: bool) -> None:
    """So that a slip is told; they may say more than it, and need not decide it by themselves."""
    assert meant_by(said, replace(ASK, input=bash(line))) is about_it


def test_nothing_covers_an_ask_about_no_call() -> None:
    assert not meant_by(("Bash",), replace(ASK, tool=SPAWN, input={"commands": []}))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" , ,", []),
        ("Read, Bash(git log:*),Edit ", ["Read", "Bash(git log:*)", "Edit"]),
        ("Bash(echo a, (b, c), d),Read", ["Bash(echo a, (b, c), d)", "Read"]),
        ("Bash(echo ), Read", ["Bash(echo )", "Read"]),
        ("), Read", [")", "Read"]),
    ],
)
def test_a_text_is_split_into_rules_at_commas_outside_brackets(text: str, found: list[str]) -> None:
    assert split(text) == found
