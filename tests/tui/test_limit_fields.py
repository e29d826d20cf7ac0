"""The form of limits allows what the store allows, and says what a value would mean."""

from dataclasses import replace
from pathlib import Path

import pytest
from dialog_stage import TREE, open_store, running_tree
from hypothesis import given
from hypothesis import strategies as st

from store.control import set_limits
from store.errors import BadInput
from store.models import Limits
from store.settings import get_settings
from store.tree import get_tree
from store.use import TreeUse, tree_use
from tui_orch.tui.dialogs.limit_fields import FIELDS, Form, read_times, verdict, write_times

FORM = Form(TREE, TreeUse(deepest=2, most_children=7, running=3, spent_usd=4.2), workers_ceiling=10)
UNCHANGED = {field.name: field.write(TREE) for field in FIELDS}


def changed(**texts: str) -> Limits:
    found = verdict(FORM, UNCHANGED | texts)
    assert not found.problems
    return found.limits


def problem(name: str, text: str) -> str:
    return verdict(FORM, UNCHANGED | {name: text}).problems[name]


def allows(name: str, text: str) -> str:
    field = next(field for field in FIELDS if field.name == name)
    return field.allows(field.read(text, FORM), FORM)


def test_the_fields_are_the_limits_of_a_tree() -> None:
    assert [field.name for field in FIELDS] == list(Limits.__dataclass_fields__)


def test_what_stays_as_it_is_is_not_changed() -> None:
    """Nor what is written in another way and means the same."""
    assert verdict(FORM, UNCHANGED).changes == {}
    assert verdict(FORM, UNCHANGED | {"timeouts_s": "3600, 1200,600s,5m", "budget_usd": "$10.00"}).changes == {}


def test_only_what_is_typed_is_changed() -> None:
    assert changed(max_depth="4") == Limits(max_depth=4)
    assert changed(timeouts_s="2h,90") == Limits(timeouts_s=(7200.0, 90.0))
    assert changed(budget_usd="12.5", max_jobs=" 300 ") == Limits(budget_usd=12.5, max_jobs=300)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("max_depth", "6", "a whole number from 0 to 5, not 6"),
        ("max_depth", "1", "jobs at depth 2 already"),
        ("max_depth", "", "not nothing"),
        ("max_jobs", "1.5", "a whole number"),
        ("max_jobs", "１２", "a whole number"),
        ("max_children", "0", "a whole number from 1"),
        ("max_workers", "11", "orch settings max_workers_ceiling N"),
        ("timeouts_s", "", "90s, 10m or 2h"),
        ("timeouts_s", "1h,,2h", "not nothing"),
        ("timeouts_s", "8d", "up to 7d"),
        ("timeouts_s", "1,2,3,4,5,6,7", "at most 6"),
        ("budget_usd", "0", "dollars above 0"),
        ("budget_usd", "nan", "dollars above 0"),
        ("budget_usd", "", "not nothing"),
    ],
)
def test_a_wrong_value_is_told_in_one_line(name: str, text: str, said: str) -> None:
    """The other fields stay readable."""
    assert said in problem(name, text)
    other = "max_attempts"
    assert verdict(FORM, UNCHANGED | {name: text, other: "9"}).changes == {other: 9}


def test_no_budget_is_no_change_where_there_is_none() -> None:
    form = replace(FORM, tree=replace(TREE, budget_usd=None))
    assert verdict(form, UNCHANGED | {"budget_usd": ""}).changes == {}


def test_each_value_says_what_it_would_allow() -> None:
    assert allows("max_depth", "3") == "1 more level below"
    assert allows("max_depth", "2") == "no more levels below"
    assert allows("max_jobs", "60") == "3 more jobs"
    assert allows("max_children", "7") == "no more for that job"
    assert allows("max_workers", "5") == "2 more at once"
    assert allows("max_attempts", "1") == "1 failed try of one job"
    assert allows("timeouts_s", "1h,20m") == "0: 1h, 1+: 20m"
    assert allows("timeouts_s", "1h") == "1h at every depth"
    assert allows("budget_usd", "10") == "$5.80 more"
    assert allows("budget_usd", "4") == "nothing more: the tree stands still"


@given(st.lists(st.floats(0.001, 604_800) | st.integers(1, 604_800).map(float), min_size=1, max_size=6).map(tuple))
def test_times_are_read_as_they_are_written(seconds: tuple[float, ...]) -> None:
    assert read_times(write_times(seconds)) == pytest.approx(seconds, rel=1e-9)


VALUES = [
    *(("max_depth", text) for text in ("0", "1", "2", "5", "6")),
    *(("max_jobs", text) for text in ("0", "1", "10000000", "10000001")),
    *(("max_children", text) for text in ("0", "1", "100000", "100001")),
    *(("max_workers", text) for text in ("0", "1", "10", "11")),
    *(("max_attempts", text) for text in ("0", "1", "100", "101")),
    *(("timeouts_s", text) for text in ("7d", "604801", "0", "0.5,7d")),
    *(("budget_usd", text) for text in ("0", "0.001", "1000000000", "1000000001")),
]


def test_the_form_refuses_what_the_store_refuses(tmp_path: Path) -> None:
    """And nothing else, at both ends of every range."""
    with open_store(tmp_path) as store:
        root, _ = running_tree(store, children=1)
        with store.read() as reader:
            tree, use = get_tree(reader, root.job_id), tree_use(reader, root.job_id)
            form = Form(tree, use, get_settings(reader).max_workers_ceiling)
        kept = {field.name: field.write(tree) for field in FIELDS}
        for name, text in VALUES:
            found = verdict(form, kept | {name: text})
            value = (
                tuple(float(part.replace("7d", "604800")) for part in text.split(","))
                if name == "timeouts_s"
                else float(text)
            )
            refused = False
            try:
                with store.write() as tx:
                    set_limits(tx, root.job_id, Limits(**{name: int(value) if name.startswith("max") else value}))  # type: ignore[arg-type]  # one of the limits
            except BadInput:
                refused = True
            assert refused == (name in found.problems), (name, text)
