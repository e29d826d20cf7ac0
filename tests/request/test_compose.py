"""How a request and the options beside it become a tree: what is split, into what, and what is refused."""

from pathlib import Path

import pytest

from store.models import Limits, NewJob, NewTree
from store.needs import Needs
from store.states import Kind
from tui_orch.request.compose import TITLE_CHARS, command_of, compose, title_of
from tui_orch.request.document import load_text
from tui_orch.request.errors import RequestError
from tui_orch.request.limits import Config

WORK_DIR = Path("/srv/project")
LIST = "Build it:\n\n1. Backend\n2. Front end\n\nKeep it small."
COMMANDS = "Look around:\n1. `ls -l`\n2. echo `date`"


def tree(text: str, **options: object) -> NewTree:
    return compose(load_text(text, "plan.md"), Config.model_validate(options), WORK_DIR)


def error_of(text: str, **options: object) -> str:
    with pytest.raises(RequestError) as caught:
        tree(text, **options)
    assert str(caught.value).startswith("plan.md: ")
    return str(caught.value)


def test_a_request_without_a_list_is_one_worker() -> None:
    assert tree("Fix the login.") == NewTree(
        root=NewJob("Fix the login.", Kind.CLAUDE, "Fix the login."), work_dir="/srv/project"
    )
    assert tree("make test", kind="command").root == NewJob("make test", Kind.COMMAND, "make test")


@pytest.mark.parametrize("options", [{}, {"split": "auto"}, {"split": "list"}, {"kind": "group"}, {"kind": "claude"}])
def test_a_list_becomes_a_group_and_each_child_gets_the_context_and_its_item(options: dict[str, object]) -> None:
    found = tree(LIST, **options)
    assert found.root == NewJob(LIST, Kind.GROUP, "Build it:")
    assert found.items == (
        NewJob("Build it:\n\nKeep it small.\n\nBackend", Kind.CLAUDE, "Backend"),
        NewJob("Build it:\n\nKeep it small.\n\nFront end", Kind.CLAUDE, "Front end"),
    )


def test_without_context_an_item_is_the_whole_request() -> None:
    assert [item.request for item in tree("1. a\n2. b").items] == ["a", "b"]


def test_command_items_are_command_lines_and_the_context_only_titles_the_group() -> None:
    found = tree(COMMANDS, kind="command")
    assert found.root == NewJob(COMMANDS, Kind.GROUP, "Look around:")
    assert found.items == (
        NewJob("ls -l", Kind.COMMAND, "ls -l"),
        NewJob("echo `date`", Kind.COMMAND, "echo `date`"),
    )


@pytest.mark.parametrize(
    ("item", "command"),
    [
        ("`ls -l`", "ls -l"),
        ("` ls `", "ls"),
        ("`a` && `b`", "`a` && `b`"),
        ("ls", "ls"),
        ("``ls``", "``ls``"),
        ("```sh\nls\n\npwd\n```", "ls\n\npwd"),
        ("~~~\nls\n~~~", "ls"),
        ("```sh\nls\n```\nthen more", "```sh\nls\n```\nthen more"),
        ('for f in *; do\n  echo "$f"\ndone', 'for f in *; do\n  echo "$f"\ndone'),
    ],
)
def test_backticks_around_a_whole_command_go(item: str, command: str) -> None:
    assert command_of(item) == command


def test_a_command_item_without_a_command_is_refused() -> None:
    assert "item 2 holds no command" in error_of("1. ls\n2. ` `", kind="command")


def test_split_none_never_splits() -> None:
    assert tree(LIST, split="none").root.kind is Kind.CLAUDE
    assert tree(LIST, split="none").items == ()
    assert tree(COMMANDS, split="none", kind="command").root.kind is Kind.COMMAND
    assert "split none forbids it" in error_of(LIST, split="none", kind="group")


def test_split_list_and_kind_group_need_a_list() -> None:
    assert "split list needs one list of at least 2 items" in error_of("Fix it.", split="list")
    assert "kind group needs one list of at least 2 items" in error_of("Fix it.", kind="group")
    assert "split list needs" in error_of("Fix it.", split="list", max_depth=0)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, Kind.CLAUDE),
        ({"kind": "group"}, Kind.CLAUDE),
        ({"split": "list"}, Kind.CLAUDE),
        ({"kind": "command"}, Kind.COMMAND),
    ],
)
def test_with_recursion_off_the_request_runs_as_one_worker(options: dict[str, object], kind: Kind) -> None:
    found = tree(LIST, max_depth=0, **options)
    assert (found.root.kind, found.root.request, found.items) == (kind, LIST, ())
    assert found.limits.max_depth == 0


def test_current_depth_can_use_the_depth_up() -> None:
    assert tree(LIST, max_depth=2, current_depth=1).limits.max_depth == 1
    assert tree(LIST, max_depth=2, current_depth=2).items == ()
    found = compose(load_text(LIST, "-"), Config(current_depth=1), WORK_DIR, default_max_depth=1)
    assert (found.limits.max_depth, found.items) == (0, ())


def test_options_go_before_the_front_matter() -> None:
    text = f"---\nmax_depth: 2\nmax_workers: 3\ntimeouts: [9, 8]\nsplit: none\n---\n{LIST}"
    found = tree(text, split="auto", max_workers=1, timeout=5)
    assert len(found.items) == 2
    assert found.limits == Limits(max_depth=2, max_workers=1, timeouts_s=(5.0,))


def test_everything_else_reaches_the_tree() -> None:
    text = """---
model: opus
permission_mode: plan
allowed_tools: [Read]
setting_sources: []
park_after_s: 60
priority: 7
budget: 3
title: "  The   title "
---
1. a
2. b"""
    found = tree(text)
    assert (found.model, found.permission_mode, found.allowed_tools) == ("opus", "plan", ("Read",))
    assert (found.setting_sources, found.park_after_s, found.limits.budget_usd) == ((), 60.0, 3.0)
    assert (found.root.title, found.root.priority) == ("The title", 7)
    assert [item.priority for item in found.items] == [7, 7]


@pytest.mark.parametrize(
    ("given", "used"), [(None, "/srv/project"), ("sub/dir", "/srv/project/sub/dir"), ("/other", "/other")]
)
def test_a_relative_work_dir_lies_within_the_folder_of_the_run(given: str | None, used: str) -> None:
    assert tree("x", work_dir=given).work_dir == used


def test_more_items_than_the_store_takes_are_left_to_the_store() -> None:
    text = "\n".join(f"{number}. part {number}" for number in range(1, 301))
    assert len(tree(text, max_children=1, max_jobs=1).items) == 300


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Build it\nnow", "Build it"),
        ("\n  \n## Build   it\t now", "Build it now"),
        ("#1 is first", "#1 is first"),
        ("大規模　構築", "大規模 構築"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
        ("word " * 30, ("word " * 16)[:79].rstrip() + "…"),
        ("red \x1b[31m\u202etext", "red [31m text"),
        ("", ""),
    ],
)
def test_a_title_is_the_first_line_that_holds_something(text: str, title: str) -> None:
    assert title_of(text) == title
    assert len(title_of(text)) <= TITLE_CHARS


def test_what_machines_must_have_is_said_once_for_the_whole_tree() -> None:
    """In the front matter as a mapping; an option goes before it."""
    text = f"---\nneeds:\n  cpus: 2\n  resources: {{claude: 1}}\n  labels:\n    zone: a\n---\n{LIST}"
    needs = Needs(2.0, None, {"claude": 1.0}, {"zone": "a"})
    found = tree(text)
    assert (found.needs, found.root.needs, {each.needs for each in found.items}) == (needs, None, {None})
    assert tree(text, needs={"memory_mb": 500}).needs == Needs(memory_mb=500)
    assert tree(LIST).needs is None


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ("{gpus: 1}", "plan.md: needs has the unknown key 'gpus'; allowed: cpus, memory_mb, resources, labels"),
        ("{labels: {zone: 1}}", "plan.md: zone in labels of needs is 1; allowed: a text of 1 to 63"),
        ("much", "plan.md: needs must be what the machine of each job must have"),
    ],
)
def test_needs_that_are_not_right_are_named(needs: str, said: str) -> None:
    assert error_of(f"---\nneeds: {needs}\n---\nDo it.").startswith(said)
