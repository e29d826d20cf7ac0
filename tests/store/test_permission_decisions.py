"""What several rules decide together, and what an answer for good would keep."""

from dataclasses import replace
from typing import Any

import pytest
from rule_words import ASK, LOG, bash, decided, rules

from store.permission_rule import SPAWN, calls_of, decide, meant_by, offered, split


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
