"""A filter means what it says, and what means nothing is said in one line."""

import pytest
from dialog_stage import a_job
from hypothesis import given
from hypothesis import strategies as st

from store.models import Job
from store.states import Kind, Status
from tui_orch.tui.filter import FIELDS, MOST_CHARS, FilterError, parse

FAILED = a_job(
    id=12,
    root_id=7,
    title="Schnittstelle für ＡＰＩ",
    status=Status.FAILED,
    reason="timeout",
    depth=2,
    attempt=3,
    subtree_cost_usd=1.5,
    subtree_tokens=2_000,
    kind=Kind.COMMAND,
    error="it broke",
    activity="Edit src/auth.py",
    children=4,
    result="none",
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "schnittstelle",
        "FÜR",
        "api",
        "auth.py",
        "broke",
        '"it broke"',
        "all of it",
        "#12",
        "id:12",
        "tree:7",
        "tree:#7",
        "state:failed",
        "STATE:Failed",
        "state:queued,failed",
        "state=failed",
        "state:ended",
        "!state:open",
        "reason:timeout",
        "kind:command",
        "cost>1",
        "cost>=1.5",
        "cost:1.5",
        "cost<$2",
        "depth:2",
        "depth<=2",
        "attempt>1",
        "tokens>1e3",
        "children:4",
        "!!api",
        '!"no such"',
        "!nothing state:failed cost>1",
        "!http://x state:failed",
    ],
)
def test_a_job_that_passes(text: str) -> None:
    assert parse(text).matches(FAILED)


@pytest.mark.parametrize(
    "text",
    [
        "#1",
        "xyz",
        '"broke it"',
        "state:running",
        "state:open",
        "cost>1.5",
        "depth:1",
        "!api",
        "api !broke",
        "state:asks",
    ],
)
def test_a_job_that_does_not_pass(text: str) -> None:
    assert not parse(text).matches(FAILED)


def test_asking_is_a_state_of_what_has_not_ended() -> None:
    """A job that ended asks nobody, whatever its counter says."""
    assert parse("state:asks").matches(a_job(status=Status.RUNNING, open_asks=1))
    assert not parse("state:asks").matches(a_job(status=Status.CANCELLED, open_asks=1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("state:broken", "state:broken is unknown; allowed: queued, running"),
        ("state:", "state: wants a word"),
        ("state>failed", "state is one of some words; write state:"),
        ("cost>", "cost is a number"),
        ("cost>one", "not cost>one"),
        ("depth:nan", "depth is a number"),
        ("depth:inf", "depth is a number"),
        ("depth:１", "depth is a number"),
        ("depth:1_0", "depth is a number"),
        ("colour:red", 'no field colour; there are: state.*"colour:red"'),
        ('"open', 'a " is open'),
        ('""', "nothing between"),
        ("!", "nothing behind the !"),
        ("api !", "nothing behind the !"),
        ("x" * (MOST_CHARS + 1), "too long"),
    ],
)
def test_what_means_nothing_is_said_in_one_line(text: str, said: str) -> None:
    with pytest.raises(FilterError, match=said) as raised:
        parse(text)
    assert "\n" not in str(raised.value)


def test_a_filter_without_terms_is_none() -> None:
    """So the app can ask `if filter`."""
    assert not parse("  ")
    assert parse("x")
    assert parse("x") == parse("x")


WORDS = st.sampled_from(
    [
        "state:failed",
        "state:open",
        "kind:claude",
        "kind:command",
        "reason:timeout",
        "cost>1",
        "depth:2",
        "attempt<=1",
        "api",
        '"it broke"',
        "#12",
    ]
)
JOBS = st.builds(
    lambda status, kind, depth, cost, title: a_job(
        status=status, kind=kind, depth=depth, subtree_cost_usd=cost, title=title
    ),
    st.sampled_from(Status),
    st.sampled_from(Kind),
    st.integers(0, 5),
    st.floats(0, 100),
    st.text(max_size=20),
)


@given(st.lists(WORDS, max_size=4), JOBS)
def test_terms_side_by_side_must_all_hold(terms: list[str], job: Job) -> None:
    assert parse(" ".join(terms)).matches(job) == all(parse(term).matches(job) for term in terms)


@given(WORDS, JOBS)
def test_a_mark_before_a_term_turns_it_round(term: str, job: Job) -> None:
    assert parse(f"!{term}").matches(job) != parse(term).matches(job)
    assert parse(f"!!{term}").matches(job) == parse(term).matches(job)


@given(st.text(alphabet=st.characters(exclude_characters='"', codec="utf-8"), min_size=1).filter(str.strip), JOBS)
def test_any_text_in_quotes_is_text(text: str, job: Job) -> None:
    """And finds the job whose title it is."""
    assert parse(f'"{text}"').matches(a_job(title=f"a {text} b"))
    assert isinstance(parse(f'"{text}"').matches(job), bool)


@given(st.lists(st.sampled_from([*'!":=<>#, $.', "a", "1", "é", *FIELDS])).map("".join), JOBS)
def test_anything_typed_is_a_filter_or_a_line_that_says_why_not(text: str, job: Job) -> None:
    said = ""
    try:
        parse(text).matches(job)
    except FilterError as error:
        said = str(error)
        said += "" if said.strip() else "\n"
    assert "\n" not in said
