"""Finding goes on around the end, in both directions."""

import pytest

from tui_orch.tui.text.find import Match, find_next, find_previous, pattern
from tui_orch.tui.text.line import line

LINES = [line("one two one"), line("nothing"), line("One more")]


def test_the_next_match_is_behind_the_place() -> None:
    """In the line, then in later ones, then around the end."""
    wanted = pattern("one")
    found = find_next(LINES, wanted, 0, 0)
    assert found == Match(0, 0, 3)
    assert find_next(LINES, wanted, 0, 3) == Match(0, 8, 11)
    assert find_next(LINES, wanted, 0, 11) == Match(2, 0, 3)
    assert find_next(LINES, wanted, 2, 3) == Match(0, 0, 3)


def test_the_previous_match_is_before_the_place() -> None:
    """In the line, then in earlier ones, then around the beginning."""
    wanted = pattern("one")
    assert find_previous(LINES, wanted, 2, 0) == Match(0, 8, 11)
    assert find_previous(LINES, wanted, 0, 8) == Match(0, 0, 3)
    assert find_previous(LINES, wanted, 0, 0) == Match(2, 0, 3)


def test_a_large_letter_makes_letters_count() -> None:
    """As in editors: small ones find both."""
    assert find_next(LINES, pattern("One"), 0, 0) == Match(2, 0, 3)


@pytest.mark.parametrize("wanted", ["absent", ".*", "[/foo]"])
def test_what_is_nowhere_is_not_found(wanted: str) -> None:
    """No character is special."""
    assert find_next(LINES, pattern(wanted), 0, 0) is None
    assert find_previous(LINES, pattern(wanted), 2, 5) is None


def test_a_text_that_is_special_elsewhere_is_found_as_it_is() -> None:
    """Brackets, dots and stars are text."""
    assert find_next([line("see [/foo] a.*b")], pattern("[/foo]"), 0, 0) == Match(0, 4, 10)


def test_one_line_alone_is_searched_around() -> None:
    """Its only match is the next one too."""
    assert find_next([line("x one")], pattern("one"), 0, 5) == Match(0, 2, 5)
    assert find_next([], pattern("one"), 0, 0) is None
    assert find_previous([], pattern("one"), 0, 0) is None
