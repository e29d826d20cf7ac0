"""What counts as the marker of a list item, and which lines lie in a code fence."""

import pytest

from tui_orch.request.markers import CHECK, indent_of, inside_fences, is_bullet, is_heading, marker_of


@pytest.mark.parametrize(
    ("line", "family", "number", "rest"),
    [
        ("1. Backend", "dot", 1, "Backend"),
        ("1.\tBackend", "dot", 1, "Backend"),
        ("1.", "dot", 1, ""),
        ("1.バックエンド", "dot", 1, "バックエンド"),
        ("１．バックエンド", "dot", 1, "バックエンド"),
        ("１. Backend", "dot", 1, "Backend"),
        ("１０．検査", "dot", 10, "検査"),
        ("007. Bond", "dot", 7, "Bond"),
        ("1) Backend", "bracket", 1, "Backend"),
        ("１）バックエンド", "bracket", 1, "バックエンド"),
        ("(1) Backend", "brackets", 1, "Backend"),
        ("（12）バックエンド", "brackets", 12, "バックエンド"),
        ("⑳ 最後", "circled", 20, "最後"),
        ("㉑続き", "circled", 21, "続き"),
        ("㊿ x", "circled", 50, "x"),
        ("❶ x", "negative circled", 1, "x"),
        ("⓴ x", "negative circled", 20, "x"),
        ("➀ x", "sans circled", 1, "x"),
        ("➓ x", "negative sans circled", 10, "x"),
        ("⓵ x", "double circled", 1, "x"),
        ("⑴ x", "brackets", 1, "x"),
    ],
)
def test_numbered_markers_are_read_with_their_family_and_number(line: str, family: str, number: int, rest: str) -> None:
    marker = marker_of(line, 7)
    assert marker is not None
    assert (marker.line, marker.family, marker.number, marker.checked, marker.rest) == (
        7,
        family,
        number,
        False,
        rest,
    )


@pytest.mark.parametrize("digit", [chr(code) for code in range(ord("①"), ord("⑳") + 1)])
def test_circled_digits_count_from_one_to_twenty(digit: str) -> None:
    marker = marker_of(f"{digit} x", 0)
    assert marker is not None
    assert marker.number == ord(digit) - ord("①") + 1


@pytest.mark.parametrize(
    ("line", "checked", "rest"),
    [
        ("- [ ] open", False, "open"),
        ("* [ ] open", False, "open"),
        ("+ [] open", False, "open"),
        ("- [　] 全角", False, "全角"),
        ("- [ ]詰めて書く", False, "詰めて書く"),
        ("- [x] done", True, "done"),
        ("- [X] done", True, "done"),
    ],
)
def test_check_boxes_are_read_with_their_mark(line: str, checked: bool, rest: str) -> None:
    marker = marker_of(line, 0)
    assert marker is not None
    assert (marker.family, marker.number, marker.checked, marker.rest) == (CHECK, 0, checked, rest)


def test_a_numbered_item_may_carry_a_check_box() -> None:
    done = marker_of("2. [x] done", 0)
    todo = marker_of("3. [ ] todo", 0)
    assert done is not None
    assert todo is not None
    assert (done.family, done.checked, done.rest) == ("dot", True, "done")
    assert (todo.family, todo.checked, todo.rest) == ("dot", False, "todo")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Backend",
        "1.5 GB of memory",
        "1.５ GB",
        "１．５倍",
        "1.x is the old line",
        "2026. It was a year",
        "2026) year",
        "1 Backend",
        "1, Backend",
        "- plain bullet",
        "-[ ] no space",
        "- [ ](address)",
        "- [xy] no mark",
        "[ ] no bullet",
        "> 1. quoted",
        "# 1. heading",
        "a) letter",
        "v1. Backend",
        "⓪ zero is no item",
    ],
)
def test_prose_is_no_marker(line: str) -> None:
    assert marker_of(line, 0) is None


def test_indentation_counts_columns_of_tabs_and_full_width_spaces() -> None:
    assert [indent_of(line) for line in ("x", "  x", "\tx", "\u3000x", " \t\u3000x", "")] == [0, 2, 4, 2, 7, 0]


def test_headings_and_bullets_are_told_from_text() -> None:
    assert [is_heading(line) for line in ("# a", "  ### b", "#", "#c", "####### d", "e # f")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    assert [is_bullet(line) for line in ("- a", "  * b", "・c", "-d", "1. e")] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("lines", "inside"),
    [
        (["a", "```", "b", "```", "c"], [0, 0, 1, 1, 0]),
        (["~~~ python", "```", "~~~", "c"], [0, 1, 1, 0]),
        (["````", "```", "````", "c"], [0, 1, 1, 0]),
        (["```", "b", "````", "c"], [0, 1, 1, 0]),
        (["```", "``` not a close", "c"], [0, 1, 1]),
        (["1. ```sh", "   b", "   ```", "c"], [0, 1, 1, 0]),
        (["- ~~~", "  b", "  ~~~", "c"], [0, 1, 1, 0]),
        (["> ```", "> b", "> ```", "c"], [0, 1, 1, 0]),
        (["```code``` in a line", "c"], [0, 0]),
        (["``", "c"], [0, 0]),
    ],
)
def test_fences_open_and_close_as_in_markdown(lines: list[str], inside: list[int]) -> None:
    assert [int(each) for each in inside_fences(lines)] == inside
