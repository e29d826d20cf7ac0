"""Whatever the text, splitting neither fails nor loses or adds a word; and a list that was written comes back."""

from collections import Counter
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tui_orch.request.split import split

CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫"
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
STYLES: list[Callable[[int], str]] = [
    lambda n: f"{n}. ",
    lambda n: f"{n}) ",
    lambda n: f"({n}) ",
    lambda n: f"（{n}）",
    lambda n: f"{n}．".translate(WIDE),
    lambda n: CIRCLED[n - 1],
    lambda n: "- [ ] ",
]
MARKER_CHARS = set("0123456789０１２３４５６７８９.．()（）[]-*+ \t\u3000") | set(CIRCLED)

words = (
    st.lists(
        st.sampled_from(["make", "the", "page", "表を", "作る", "GET", "x=1", "1.5", "`ls`", "(a)"]),
        min_size=1,
        max_size=5,
    )
    .map(" ".join)
    .map(lambda line: f"Do {line}")
)
MARKS = ["1.", "1. ", "2. ", "3. ", "①", "②", "（1）", "(2) ", "- [ ] ", "- [x] ", "```", "~~~", "# ", "- "]
REST = ["  ", "\t", "\u3000", "word", "作業", "1.5", "2026. ", "\n", "\n", "\n\n", "\r\n", "\r"]
pieces = st.sampled_from(MARKS + REST)
marked_texts = st.lists(pieces, max_size=40).map("".join)
written_lines = st.builds(
    lambda style, count: [f"{style(number)}part" for number in range(1, count + 1)],
    st.sampled_from(STYLES),
    st.integers(2, 5),
)
noise = st.lists(st.tuples(st.integers(0, 8), st.lists(pieces, max_size=4).map("".join)), max_size=6)


@st.composite
def disturbed_lists(draw: st.DrawFn) -> str:
    """A list as people write it, with lines in between that may be anything."""
    lines = draw(written_lines)
    for place, line in draw(noise):
        lines.insert(place, line)
    return "\n".join(lines)


texts = st.one_of(st.text(max_size=300), marked_texts, disturbed_lists())


def visible(text: str) -> Counter[str]:
    return Counter(char for char in text if not char.isspace())


@given(texts)
def test_nothing_is_lost_but_markers_and_nothing_is_added(text: str) -> None:
    found = split(text)
    kept = visible(found.context) + sum((visible(item) for item in found.items), Counter())
    assert not kept - visible(text)
    assert set(visible(text) - kept) <= MARKER_CHARS
    if not found.items:
        assert kept == visible(text)


@given(texts)
def test_there_are_no_items_or_at_least_two_with_text(text: str) -> None:
    items = split(text).items
    assert len(items) != 1
    assert all(item.strip() for item in items)


@given(texts)
def test_line_ends_make_no_difference(text: str) -> None:
    unix = text.replace("\r", "")
    assert split(unix.replace("\n", "\r\n")) == split(unix)


@given(
    style=st.sampled_from(STYLES),
    before=st.lists(words, max_size=3),
    items=st.lists(st.lists(words, min_size=1, max_size=3), min_size=2, max_size=12),
    after=st.lists(words, max_size=3),
    indent=st.sampled_from(["", " ", "    ", "　"]),
)
def test_a_written_list_comes_back_with_its_context(
    style: Callable[[int], str], before: list[str], items: list[list[str]], after: list[str], indent: str
) -> None:
    lines = [*before]
    for number, item in enumerate(items, start=1):
        lines.append(f"{indent}{style(number)}{item[0]}")
        lines += [f"{indent}      {line}" for line in item[1:]]
    lines += ["", *after]
    found = split("\n".join(lines))
    assert [[line.strip() for line in item.split("\n")] for item in found.items] == items
    assert found.context == "\n\n".join(part for part in ("\n".join(before), "\n".join(after)) if part)
