"""What jobs need of a machine: parsed with one clear error, joined, kept in the store and refused where they are not right."""

import json
from typing import Any

import pytest
from at_store import AtStore

from store import tree
from store.errors import BadInput, IllegalChange
from store.models import NewJob, NewTree
from store.needs import Needs, parse_needs, read_needs
from store.states import Kind

WHOLE = {"cpus": 2, "memory_mb": 4000, "resources": {"claude": 1}, "labels": {"zone": "a", "kubernetes.io/os": "linux"}}


def test_needs_go_to_json_and_back() -> None:
    assert parse_needs(WHOLE).as_json() == WHOLE
    assert parse_needs(parse_needs(WHOLE).as_json()) == parse_needs(WHOLE)
    assert parse_needs({"cpus": None, "labels": {}}) == Needs() == parse_needs({})
    assert Needs().as_json() == {}
    assert read_needs('{"cpus": 0.5}') == Needs(cpus=0.5)


WRONG: list[tuple[Any, str]] = [
    ("much", r"needs is 'much'; it is an object with any of: cpus, memory_mb, resources, labels"),
    ({"gpus": 1}, r"unknown key 'gpus'; allowed: cpus, memory_mb, resources, labels"),
    ({"cpus": 0}, r"cpus of needs is 0; allowed: 0.01 to 1024"),
    ({"cpus": True}, r"cpus of needs is True"),
    ({"cpus": "2"}, r"cpus of needs is '2'"),
    ({"cpus": float("nan")}, r"cpus of needs is nan"),
    ({"memory_mb": 1.5}, r"memory_mb of needs is 1.5; allowed: a whole number, 1 to 4000000"),
    ({"memory_mb": 4_000_001}, r"memory_mb of needs is 4000001"),
    ({"resources": ["claude"]}, r"resources of needs is \['claude'\]; allowed: an object of at most 16 names"),
    ({"resources": {"a b": 1}}, r"resources of needs has the name 'a b'; allowed: 1 to 63 of"),
    ({"resources": {"x": 0}}, r"x in resources of needs is 0; allowed: a number above 0, up to 1000000"),
    ({"resources": {f"r{i}": 1 for i in range(17)}}, r"resources of needs has 17 names; allowed"),
    ({"labels": {"zone": "a/b"}}, r"zone in labels of needs is 'a/b'; allowed: a text of 1 to 63 of"),
    ({"labels": {"zone": 1}}, r"zone in labels of needs is 1"),
    ({"labels": {"z" * 64: "a"}}, r"labels of needs has the name 'zzz"),
    ({"labels": {1: "a"}}, r"labels of needs has the name 1;"),
]


@pytest.mark.parametrize(("value", "said"), WRONG)
def test_what_is_not_allowed_is_named_in_one_line(value: object, said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        parse_needs(value)
    assert "\n" not in str(refused.value)


def test_a_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(BadInput, match="needs is no JSON"):
        read_needs("cpus=2")


def test_own_needs_go_before_those_of_the_tree() -> None:
    """Resources and labels are joined name by name."""
    default = Needs(1.0, 500, {"claude": 1, "gpu": 1}, {"zone": "a"})
    assert Needs(2.0, None, {"gpu": 2}).over(default) == Needs(2.0, 500, {"claude": 1, "gpu": 2}, {"zone": "a"})
    assert Needs().over(default) == default
    assert default.over(None) == default.over(Needs()) == default


def test_needs_are_kept_with_tree_root_and_children(at: AtStore) -> None:
    """A job without needs of its own has none; those in force are made when it starts."""
    whole, own = parse_needs(WHOLE), Needs(cpus=0.5)
    root = at.submit(NewTree(NewJob("all", needs=own), needs=whole))
    first, second = at.spawn(at.start(root), NewJob("ls", Kind.COMMAND, needs=own), NewJob("pwd", Kind.COMMAND))
    assert [at.job(each).needs for each in (root, first, second)] == [own, own, None]
    with at.store.read() as reader:
        assert tree.get_tree(reader, root).needs == whole
    assert at.rows("SELECT needs FROM jobs WHERE id = 1") == [('{"cpus":0.5}',)]


def test_no_needs_and_empty_needs_are_the_same(at: AtStore) -> None:
    root = at.submit(NewTree(NewJob("all", needs=Needs()), needs=Needs()))
    assert at.job(root).needs is None
    with at.store.read() as reader:
        assert tree.get_tree(reader, root).needs is None


def test_items_of_a_group_have_needs(at: AtStore) -> None:
    items = (NewJob("ls", Kind.COMMAND, needs=Needs(cpus=1.0)), NewJob("pwd", Kind.COMMAND))
    root = at.submit(NewTree(NewJob("two", Kind.GROUP), items))
    with at.store.read() as reader:
        assert [each.needs for each in tree.children(reader, root)] == [Needs(cpus=1.0), None]


def test_needs_made_past_the_parser_are_refused(at: AtStore) -> None:
    with pytest.raises(BadInput, match="cpus of needs is -1"):
        at.submit(NewTree(NewJob("all", needs=Needs(cpus=-1))))


BY_HAND = [
    "much",
    "[]",
    '{"gpus": 1}',
    '{"cpus": "2"}',
    '{"cpus": 1e400}',
    '{"memory_mb": 1.5}',
    '{"resources": 1}',
    '{"resources": {"a b": 1}}',
    '{"resources": {"a\\u0000": 1}}',
    '{"resources": {}, "resources": {"a b": 1}}',
    '{"resources": {"x": 0}}',
    '{"labels": {"x": 1}}',
    '{"labels": {"x": "a b"}}',
    '{"labels": ' + json.dumps({f"l{i}": "x" for i in range(17)}) + "}",
]


@pytest.mark.parametrize("text", BY_HAND)
def test_the_schema_takes_by_hand_what_the_parser_takes(at: AtStore, text: str) -> None:
    """Whoever inserts with plain SQL leaves nothing that a reader can not read."""
    with pytest.raises(BadInput, match="needs"), at.store.write() as tx:
        tx.insert("INSERT INTO jobs(request, needs) VALUES ('x', ?)", (text,))


def test_needs_by_hand_count(at: AtStore) -> None:
    needs = '{"cpus": 2, "resources": {"claude": 1}, "labels": {"a": "b"}}'
    assert at.shell(f"INSERT INTO jobs(request, needs) VALUES ('x', '{needs}')").returncode == 0
    assert at.job(1).needs == Needs(2.0, None, {"claude": 1.0}, {"a": "b"})


def test_needs_never_change(at: AtStore) -> None:
    root = at.tree()
    with pytest.raises(IllegalChange, match="what a job needs never changes"), at.store.write() as tx:
        tx.run("UPDATE jobs SET needs = '{}' WHERE id = ?", (root,))
