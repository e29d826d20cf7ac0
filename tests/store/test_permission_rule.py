"""What a rule covers: what it says and no more, however a call is written."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rule_words import ASK, JOINS, LOG, bash, rules

from store.errors import BadInput
from store.permission_rule import SPAWN, covers, decide, just, may_cover, meant_by, offered, parse


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
