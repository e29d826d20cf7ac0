"""Rules: kept by an answer or by hand, in force for a job and all below it, until they are removed."""

from typing import Any

import pytest
from at_store import AtStore

from store import asks, rules
from store.errors import BadInput, IllegalChange, NotFound, StaleAttempt
from store.models import Ask, Fence, NewJob, Rule
from store.states import Kind


def call(line: str, **more: Any) -> dict[str, Any]:
    return {"kind": "permission", "tool": "Bash", "input": {"command": line}, **more}


def grow(at: AtStore) -> tuple[Fence, Fence, Fence, Fence]:
    """#1 with #2 and #3 below it, #4 below #2; all at work."""
    top = at.start(at.tree(max_workers=5))
    left, right = (at.start(job) for job in at.spawn(top, *(NewJob(name, Kind.CLAUDE) for name in ("left", "right"))))
    return top, left, right, at.start(*at.spawn(left, NewJob("below", Kind.CLAUDE)))


def add(at: AtStore, job_id: int, verdict: str, rule: str, **more: Any) -> int:
    with at.store.write() as tx:
        return rules.add_rule(tx, job_id, verdict, rule, at.now_ms, **more)


def in_force(at: AtStore, job_id: int) -> list[str]:
    with at.store.read() as reader:
        return [f"{rule.verdict} {rule.rule}" for rule in rules.rules_for(reader, job_id)]


def answers(at: AtStore, *ask_ids: int) -> list[tuple[str | None, int | None]]:
    with at.store.read() as reader:
        found = [asks.get_ask(reader, ask_id) for ask_id in ask_ids]
    return [(ask.answer, ask.rule_id) for ask in found]


def test_a_rule_holds_for_its_job_and_all_below(at: AtStore) -> None:
    """Not for those above and beside it."""
    grow(at)
    add(at, 2, "allow", "Bash(ls)")
    add(at, 1, "deny", "Read")
    assert in_force(at, 4) == in_force(at, 2) == ["allow Bash(ls)", "deny Read"]
    assert in_force(at, 1) == in_force(at, 3) == ["deny Read"]


def test_the_same_rule_twice_is_one(at: AtStore) -> None:
    grow(at)
    assert add(at, 2, "allow", "Bash(ls)") == add(at, 2, "allow", " Bash(ls) ") != add(at, 2, "deny", "Bash(ls)")


def test_a_removed_rule_holds_no_longer_and_stays_on_record(at: AtStore) -> None:
    grow(at)
    rule_id = add(at, 1, "allow", "Bash(ls)", text="fine")
    with at.store.write() as tx:
        gone = rules.remove_rule(tx, rule_id, at.later(1))
    assert gone == Rule(rule_id, 1, "allow", "Bash(ls)", "fine", None, at.now_ms - 1000, at.now_ms)
    assert in_force(at, 4) == []
    for wrong in (rule_id, 99):
        with pytest.raises(NotFound, match=f"no rule {wrong} in force; see: orch rules"), at.store.write() as tx:
            rules.remove_rule(tx, wrong, at.now_ms)
    assert add(at, 1, "allow", "Bash(ls)") != rule_id


def test_rules_are_listed_by_tree(at: AtStore) -> None:
    grow(at)
    other = at.tree("another")
    for job_id in (4, other, 1):
        add(at, job_id, "allow", f"Bash(of {job_id})")
    with at.store.read() as reader:
        assert [rule.job_id for rule in rules.rules_in_force(reader)] == [4, other, 1]
        assert [rule.job_id for rule in rules.rules_in_force(reader, 1)] == [4, 1]


@pytest.mark.parametrize("rule", ["", "rm -rf", "Bash(ls", "Bash(\x1b)"])
def test_what_is_no_rule_is_not_kept(at: AtStore, rule: str) -> None:
    at.tree()
    with pytest.raises(BadInput):
        add(at, 1, "allow", rule)
    with pytest.raises(NotFound):
        add(at, 9, "allow", "Read")
    assert at.value("SELECT count(*) FROM rules") == 0


def test_a_rule_shows_with_its_job_in_the_feed(at: AtStore) -> None:
    """Whoever watches sees it come and go."""
    grow(at)
    seqs = [at.job(2).seq]
    rule_id = add(at, 2, "allow", "Read")
    seqs.append(at.job(2).seq)
    with at.store.write() as tx:
        rules.remove_rule(tx, rule_id, at.now_ms)
    seqs.append(at.job(2).seq)
    assert seqs == sorted(set(seqs))


def test_an_answer_for_the_subtree_answers_what_is_asked_there(at: AtStore) -> None:
    """The same call of a job below, open already; not of one beside it, and no other call."""
    top, left, right, below = grow(at)
    asked = [at.ask(fence, **call("ls")) for fence in (left, below, right, top)]
    other = at.ask(below, **call("rm x"))
    found = at.answer(asked[0], "allow", "go on", scope="subtree")
    assert (found.answer, found.text) == ("allow", "go on")
    assert answers(at, *asked, other) == [("allow", 1), ("allow", 1), (None, None), (None, None), (None, None)]
    assert at.rows("SELECT job_id, verdict, rule, text, ask_id FROM rules") == [
        (2, "allow", "Bash(ls)", "go on", asked[0])
    ]
    assert at.job(4).open_asks == 1


def test_an_answer_for_the_tree_holds_for_all_of_it(at: AtStore) -> None:
    top, _, right, below = grow(at)
    asked = [at.ask(fence, **call("ls")) for fence in (below, right, top)]
    at.answer(asked[0], "deny", "not here", scope="tree")
    assert answers(at, *asked) == [("deny", 1)] * 3
    assert at.rows("SELECT job_id FROM rules") == [(1,)]


def test_a_waiting_job_goes_on_when_a_rule_answers_it(at: AtStore) -> None:
    _, left, _, below = grow(at)
    asked = at.ask(left, **call("ls"))
    at.ask(below, **call("ls"))
    at.suspend(below, "ask")
    at.answer(asked, "allow", scope="subtree")
    assert at.states(4) == ["queued (resume)"]


def test_rules_may_be_named_where_they_cover_the_ask(at: AtStore) -> None:
    fence = at.start(at.tree())
    asked = at.ask(fence, **call("git log -3"))
    with pytest.raises(BadInput, match=r"Bash\(git push:\*\) is not about .*; offered: Bash\(git log -3\)"):
        at.answer(asked, "allow", scope="tree", rules=("Bash(git push:*)",))
    with pytest.raises(BadInput, match="is no permission rule"):
        at.answer(asked, "allow", scope="tree", rules=("git log",))
    with pytest.raises(BadInput, match="how far it goes"):
        at.answer(asked, "allow", rules=("Bash(git log:*)",))
    assert answers(at, asked) == [(None, None)]
    assert at.value("SELECT count(*) FROM rules") == 0
    at.answer(asked, "allow", scope="tree", rules=("Read", "Bash(git log:*)"))
    assert in_force(at, 1) == ["allow Read", "allow Bash(git log:*)"]


def test_suggestions_of_claude_code_are_kept_together(at: AtStore) -> None:
    asked = at.ask(at.start(at.tree()), **call("cd x && make", suggestions=("Bash(cd:*)", "Bash(make:*)")))
    at.answer(asked, "allow", scope="subtree")
    assert in_force(at, 1) == ["allow Bash(cd:*)", "allow Bash(make:*)", "allow Bash(cd x && make)"]
    with at.store.read() as reader:
        made = rules.rules_asked_for(reader, asks.get_ask(reader, asked))
    assert [rule.rule for rule in made] == ["Bash(cd:*)", "Bash(make:*)", "Bash(cd x && make)"]


def test_what_no_rule_can_say_is_answered_once_only(at: AtStore) -> None:
    fence = at.start(at.tree())
    asked = at.ask(fence, **call("rm *"))
    with pytest.raises(BadInput, match="no rule says just what ask 1 asks for"):
        at.answer(asked, "allow", scope="subtree")
    question = at.ask(fence)
    for verdict in ("deny", "answered"):
        with pytest.raises(BadInput, match="can be answered once only"):
            at.answer(question, verdict, "x", scope="tree")
    with pytest.raises(BadInput, match="can be answered once only"):
        at.answer(asked, "answered", "x", scope="tree")
    assert at.job(1).open_asks == 2
    at.answer(asked, "allow")


def test_an_ask_that_was_answered_keeps_no_rule(at: AtStore) -> None:
    asked = at.ask(at.start(at.tree()), **call("ls"))
    at.answer(asked, "deny")
    with pytest.raises(IllegalChange, match="already answered: deny"):
        at.answer(asked, "allow", scope="tree")
    assert in_force(at, 1) == []


def test_a_rule_made_by_hand_answers_what_is_open(at: AtStore) -> None:
    _, left, right, _ = grow(at)
    asked = [at.ask(left, **call("ls")), at.ask(right, **call("ls"))]
    with at.store.write() as tx:
        rules.add_rule(tx, 2, "allow", "Bash(ls)", at.now_ms)
        assert asks.apply_rules(tx, 2, at.now_ms) == 1
    assert answers(at, *asked) == [("allow", 1), (None, None)]


def test_an_ask_whose_input_can_not_be_read_stays_open_and_harms_no_other(at: AtStore) -> None:
    """A worker may put in anything by plain SQL."""
    fence = at.start(at.tree())
    deep = '{"command":' + "[" * 900 + "]" * 900 + "}"
    sql = "INSERT INTO asks(job_id, attempt, kind, tool, input, question, created_ms) VALUES (1, 1, 'permission', 'Bash', ?, 'x', 1)"
    with at.store.write() as tx:
        odd = tx.insert(sql, (deep,))
    asked = at.ask(fence, **call("ls"))
    at.answer(asked, "allow", scope="tree")
    assert answers(at, odd, asked) == [(None, None), ("allow", 1)]


def refuse(at: AtStore, fence: Fence, rule_id: int, line: str) -> Ask:
    with at.store.write() as tx:
        rule = rules.get_rule(tx, rule_id)
        given = {"tool": "Bash", "input": {"command": line}}
        return asks.refuse_by_rule(tx, fence, rule, question="May it?", now_ms=at.now_ms, **given)


def test_a_refusal_by_rule_is_kept_once_and_is_nobodys_to_answer(at: AtStore) -> None:
    """As an ask that was answered at once: the job's result tells of it."""
    fence = at.start(at.tree())
    rule_id = add(at, 1, "deny", "Bash(rm:*)", text="never")
    first, again, other = (refuse(at, fence, rule_id, line) for line in ("rm x", "rm x", "rm y"))
    assert (first.answer, first.text, first.rule_id) == ("deny", "never", rule_id)
    assert again == first
    assert other.id != first.id
    with at.store.read() as reader:
        assert asks.open_asks(reader) == asks.unused_answers(reader, 1) == []
    assert at.job(1).open_asks == 0
    at.finish(fence)
    with pytest.raises(StaleAttempt):
        refuse(at, fence, rule_id, "rm z")


def test_a_trees_allowed_tools_decide_like_rules_of_its_root(at: AtStore) -> None:
    grow(at)
    add(at, 4, "deny", "Read")
    with at.store.write() as tx:
        tree = rules.set_permissions(tx, 1, "plan", ("Bash(ls)", "Bash(echo (a))"))
        assert (tree.permission_mode, tree.allowed_tools) == ("plan", ("Bash(ls)", "Bash(echo (a))"))
        found = [(rule.id, rule.verdict, rule.rule) for rule in rules.ways_of(tx, 4)]
    assert found == [(1, "deny", "Read"), (0, "allow", "Bash(ls)"), (0, "allow", "Bash(echo (a))")]


def test_how_a_tree_asks_is_changed_piece_by_piece(at: AtStore) -> None:
    at.tree()
    with at.store.write() as tx:
        rules.set_permissions(tx, 1, allowed_tools=("Read",))
        assert rules.set_permissions(tx, 1, "dontAsk").allowed_tools == ("Read",)
        assert rules.set_permissions(tx, 1, allowed_tools=()).permission_mode == "dontAsk"
    for wrong in ({"permission_mode": "always"}, {"allowed_tools": ("rm -rf",)}):
        with pytest.raises(BadInput), at.store.write() as tx:
            rules.set_permissions(tx, 1, **wrong)
    with pytest.raises(NotFound), at.store.write() as tx:
        rules.set_permissions(tx, 9, "plan")
