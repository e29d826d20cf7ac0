"""The YAML block at the top of a request: plain, bounded, closed, and each key once."""

import pytest

from tui_orch.request.errors import RequestError
from tui_orch.request.front_matter import MAX_FRONT_MATTER_BYTES, cut


def error_of(text: str) -> str:
    with pytest.raises(RequestError) as caught:
        cut(text, "plan.md")
    message = str(caught.value)
    assert message.startswith("plan.md: ")
    assert "\n" not in message
    return message


def test_keys_and_text_are_taken_apart() -> None:
    assert cut("---\nmax_depth: 2\ntools: [a, b]\n---\n\nDo it.\n---\nend", "plan.md") == (
        {"max_depth": 2, "tools": ["a", "b"]},
        "\nDo it.\n---\nend",
    )
    assert cut("--- \na: 1\n...\nDo it.", "plan.md") == ({"a": 1}, "Do it.")


@pytest.mark.parametrize("text", ["Do it.", "", "\n---\na: 1\n---\n", "----\na: 1", "--- a: 1", " ---\na: 1\n---\n"])
def test_text_that_does_not_begin_with_three_dashes_has_no_front_matter(text: str) -> None:
    assert cut(text, "plan.md") == ({}, text)


@pytest.mark.parametrize("block", ["", "\n", "# only a comment\n", "~\n"])
def test_an_empty_block_is_an_empty_mapping(block: str) -> None:
    assert cut(f"---\n{block}---\nDo it.", "plan.md") == ({}, "Do it.")


def test_a_block_that_is_never_closed_is_refused() -> None:
    assert "line 1 opens front matter; close it" in error_of("---\nmax_depth: 2\n\nDo it.")
    assert "line 1 opens front matter; close it" in error_of("---")


def test_a_block_has_at_most_64_kib() -> None:
    line = "# " + "x" * 61 + "\n"  # 64 bytes
    full = line * (MAX_FRONT_MATTER_BYTES // 64)
    assert cut(f"---\n{full}---\nDo it.", "plan.md") == ({}, "Do it.")
    assert "may hold 65536 bytes" in error_of(f"---\n{full}#\n---\nDo it.")
    assert "may hold 65536 bytes" in error_of("---\n" + "# あ\n" * 20_000 + "---\nDo it.")


@pytest.mark.parametrize("block", ["just text", "- a\n- b", "3", "'quoted'", "true"])
def test_a_block_is_a_mapping(block: str) -> None:
    assert "the front matter must be a mapping (key: value), not " in error_of(f"---\n{block}\n---\nDo it.")


def test_a_key_given_twice_is_refused_with_its_line() -> None:
    text = "---\nmax_depth: 2\nkind: claude\nmax_depth: 3\n---\nDo it."
    assert error_of(text).endswith("line 4: the key 'max_depth' is given twice; keep one")
    assert "is given twice" in error_of('---\na: 1\n"a": 2\n---\nDo it.')
    assert "is given twice" in error_of("---\nx: {a: 1, a: 2}\n---\nDo it.")


@pytest.mark.parametrize("block", ["1: a", "true: a", "[a]: b", "~: a", "<<: {a: 1}", "? {a: 1}\n: b"])
def test_keys_are_words(block: str) -> None:
    assert "line 2: a key must be a word" in error_of(f"---\n{block}\n---\nDo it.")


@pytest.mark.parametrize(
    "block",
    [
        "a: !!str 1",
        "a: !!python/object/apply:os.system [ls]",
        "a: ! x",
        "a: !!timestamp x",
        "!!map {a: 1}",
        "a: &x 1\nb: *x",
        "a: *x",
        "a: &x [1]",
    ],
)
def test_tags_anchors_and_aliases_are_refused(block: str) -> None:
    assert "tags (!), anchors (&) and aliases (*) are not allowed" in error_of(f"---\n{block}\n---\nDo it.")


@pytest.mark.parametrize("block", ["a: [1", "a: b: c", "a\n b: 1", "\ta: 1", "a: 'x", "{a: 1", "a: @x"])
def test_broken_yaml_is_refused_with_its_line(block: str) -> None:
    message = error_of(f"---\nok: 1\n{block}\n---\nDo it.")
    assert "the front matter is not plain YAML, line " in message


def test_what_yaml_can_not_hold_is_refused() -> None:
    assert "is not plain YAML" in error_of("---\na: x\x07y\n---\nDo it.")
    assert "is not plain YAML" in error_of(f"---\na: {'9' * 5000}\n---\nDo it.")
    assert "nested too deeply" in error_of(f"---\na: {'[' * 5000}\n---\nDo it.")


def test_a_date_stays_text() -> None:
    assert cut("---\ntitle: 2026-11-22\n---\nx", "plan.md")[0] == {"title": "2026-11-22"}
    assert cut("---\ntitle: 2026-13-45\n---\nx", "plan.md")[0] == {"title": "2026-13-45"}
