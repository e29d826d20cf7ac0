"""``orch answer --for``, ``orch rules`` and the settings of permissions: what a person says once and for all."""

import json
import subprocess
from collections import Counter
from typing import Any

import pytest
from at_orch import PROGRAM, AtOrch

from store.models import Fence


def grow(orch: AtOrch) -> tuple[Fence, Fence, Fence]:
    """#1 Build it, #2 below it, #3 below that: all run."""
    top = orch.start(orch.tree("Build it", max_workers=5))
    middle = orch.start(orch.spawn(top, "the API")[0])
    return top, middle, orch.start(orch.spawn(middle, "its tests")[0])


def ask(orch: AtOrch, fence: Fence, line: str, **told: Any) -> int:
    given = {"kind": "permission", "question": "May it call Bash?", "tool": "Bash", "input": {"command": line}}
    return orch.ask(fence, **given | told)


def shown(orch: AtOrch, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(orch("rules", *arguments, "--json").out)
    return found


def test_an_ask_is_shown_with_its_way_down_its_title_and_the_rule_it_would_make(orch: AtOrch) -> None:
    _, _, low = grow(orch)
    ask(orch, low, "git log -3", title="Shows\x1b[2J the log", suggestions=("Bash(git log:*)", "Read(//srv/**)"))
    assert orch("asks").out.splitlines()[1:] == [
        "    #1 Build it › #2 the API › #3 its tests",
        "    says: Shows␛[2J the log",
        '    Bash {"command": "git log -3"}',
        "    orch answer 1 allow|deny|TEXT",
        "    with --for subtree|tree it keeps the rule: Bash(git log:*), Read(//srv/**)",
    ]
    (found,) = json.loads(orch("asks", "--json").out)
    assert [above["id"] for above in found["path"]] == [1, 2, 3]
    assert found["suggestions"] == found["offered"] == ["Bash(git log:*)", "Read(//srv/**)"]
    assert (found["title"], found["rule_id"]) == ("Shows\x1b[2J the log", None)


def test_an_ask_for_which_no_rule_stands_says_so(orch: AtOrch) -> None:
    ask(orch, grow(orch)[0], "rm *")
    assert "it keeps a rule of yours: --rule RULE" in orch("asks").out
    assert "no rule says just what ask 1 asks for" in orch.refused("answer", "1", "allow", "--for", "tree")
    assert orch("answer", "1", "allow", "--for", "tree", "--rule", "Bash(rm *)").code == 0


def test_an_answer_for_the_subtree_is_kept_and_answers_the_same_call_below(orch: AtOrch) -> None:
    top, middle, low = grow(orch)
    for fence in (middle, low, top):
        ask(orch, fence, "make")
    done = orch("answer", "1", "allow", "with care", "--for", "subtree")
    assert done.out == ("ask 1 of #2: allow: with care\nkept for #2 and all below it: Bash(make); see: orch rules 2\n")
    assert [found["job_id"] for found in json.loads(orch("asks", "--json").out)] == [1]
    (rule,) = shown(orch)["rules"]
    assert (rule["job_id"], rule["verdict"], rule["rule"], rule["ask_id"]) == (2, "allow", "Bash(make)", 1)


def test_an_answer_for_the_tree_with_a_rule_of_ones_own(orch: AtOrch) -> None:
    _, _, low = grow(orch)
    ask(orch, low, "git push origin")
    assert "add --for subtree or --for tree" in orch.refused("answer", "1", "deny", "--rule", "Bash(git push:*)")
    assert "is not about" in orch.refused("answer", "1", "deny", "--for", "tree", "--rule", "Bash(make)")
    said = orch("answer", "1", "deny", "never", "--for", "tree", "--rule", "Bash(git push:*)", "--json")
    assert (json.loads(said.out)["answer"], json.loads(said.out)["rule_id"]) == ("deny", 1)
    assert "   1  deny   Bash(git push:*)  for #1 and below, " in orch("rules").out


@pytest.mark.parametrize("scope", ["", "all", "SUBTREE"])
def test_how_far_an_answer_goes_is_one_of_three(orch: AtOrch, scope: str) -> None:
    ask(orch, grow(orch)[0], "ls")
    assert "once" in orch.refused("answer", "1", "allow", "--for", scope)


def test_rules_are_made_shown_and_removed(orch: AtOrch) -> None:
    """What is open already is answered by them."""
    _, middle, low = grow(orch)
    ask(orch, low, "make all")
    assert "no rules; " in orch("rules").out
    done = orch("rules", "2", "--allow", "Bash(make:*)", "--deny", "Bash(git push:*)", "--why", "not from here")
    assert done.out.splitlines()[:2] == [
        "new trees: mode acceptEdits, allowed tools: none",
        "tree #1: mode acceptEdits, allowed tools: none",
    ]
    assert orch("asks").out == "nothing waits for you\n"
    lines = orch("rules", "3").out.splitlines()[2:]
    assert [line.split(", ")[0] for line in lines] == [
        "   1  allow  Bash(make:*)  for #2 and below",
        "   2  deny   Bash(git push:*)  for #2 and below",
    ]
    assert lines[1].endswith("not from here")
    assert orch("rules", "--remove", "1").code == 0
    assert [rule["id"] for rule in shown(orch, "1")["rules"]] == [2]
    assert "no rule 1 in force" in orch.refused("rules", "--remove", "1")
    assert middle.job_id == 2


def test_rules_of_another_tree_are_not_shown_with_a_job(orch: AtOrch) -> None:
    grow(orch)
    other = orch.tree("another")
    orch("rules", str(other), "--allow", "Read")
    assert shown(orch, "1")["rules"] == []
    assert len(shown(orch)["rules"]) == 1


def test_a_trees_mode_and_tools_are_changed(orch: AtOrch) -> None:
    """Commas within a rule are its own; nothing else of the tree changes."""
    grow(orch)
    assert orch("rules", "3", "--mode", "plan", "--allowed-tools", "Read, Bash(echo a, (b, c)),Edit").code == 0
    assert shown(orch, "1")["tree"] == {
        "root_id": 1,
        "permission_mode": "plan",
        "allowed_tools": ["Read", "Bash(echo a, (b, c))", "Edit"],
    }
    assert shown(orch)["store"] == {"permission_mode": "acceptEdits", "allowed_tools": []}
    orch("rules", "1", "--allowed-tools", "")
    assert shown(orch, "1")["tree"]["allowed_tools"] == []
    assert shown(orch, "1")["tree"]["permission_mode"] == "plan"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--allow", "Read"), "say for which job"),
        (("--mode", "plan"), "say for which job"),
        (("1", "--allow", "rm -rf"), "is no permission rule"),
        (("1", "--allow", "Bash(\x1b)"), "is no permission rule"),
        (("1", "--allowed-tools", "Read, rm -rf"), "is no permission rule"),
        (("1", "--mode", "yolo"), "permission_mode is 'yolo'; allowed: acceptEdits"),
        (("1", "--why", "because"), "--why belongs to a rule"),
        (("1", "--remove", "x"), "rule's"),
        (("9",), "9"),
        (("9", "--allow", "Read"), "9"),
        (("1", "--allow", "Read", "--remove", "7"), "no rule 7"),
    ],
)
def test_what_can_not_be_is_refused_in_one_line_and_nothing_is_kept(
    orch: AtOrch, arguments: tuple[str, ...], says: str
) -> None:
    grow(orch)
    assert says in orch.refused("rules", *arguments)
    assert shown(orch, "1")["rules"] == []


def test_rules_are_a_persons(orch: AtOrch) -> None:
    """A worker may look at those of its tree alone."""
    _, _, low = grow(orch)
    other = orch.tree("another")
    worker = orch.worker(low)
    for change in (("3", "--allow", "Bash"), ("3", "--mode", "bypassPermissions"), ("--remove", "1")):
        assert "for a person" in orch.refused("rules", *change, env=worker)
    assert orch("rules", "3", env=worker).code == 0
    assert orch.refused("rules", str(other), env=worker)


def test_new_trees_get_the_stores_mode_and_tools(orch: AtOrch) -> None:
    assert orch.store
    assert orch("settings", "allowed_tools", "Read, Bash(git log:*)").out == "Read,Bash(git log:*)\n"
    assert orch("settings", "permission_mode", "default").code == 0
    assert shown(orch, str(orch.tree("new")))["tree"] == {
        "root_id": 1,
        "permission_mode": "default",
        "allowed_tools": ["Read", "Bash(git log:*)"],
    }
    assert "is no permission rule" in orch.refused("settings", "allowed_tools", "Read, rm -rf")
    assert "allowed for the whole store" in orch.refused("settings", "permission_mode", "bypassPermissions")
    assert orch("settings", "allowed_tools", "").out == "\n"


def test_two_answers_at_once_are_one_answer(orch: AtOrch) -> None:
    """Two persons, two processes: one is told that it came second."""
    asked = ask(orch, grow(orch)[0], "make")
    both = [
        subprocess.Popen(
            [PROGRAM, "answer", str(asked), verdict, "--for", "tree"],
            cwd=orch.project,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for verdict in ("allow", "deny")
    ]
    said = [process.communicate(timeout=30) for process in both]
    assert Counter(process.returncode for process in both) == {0: 1, 2: 1}
    second = next(index for index, process in enumerate(both) if process.returncode)
    first_verdict = ("deny", "allow")[second]
    assert f"already answered: {first_verdict}" in said[second][1]
    assert [rule["verdict"] for rule in shown(orch)["rules"]] == [first_verdict]
