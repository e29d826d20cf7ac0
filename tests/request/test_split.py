"""What is a list of jobs in a request, where its items end, and what they share."""

import time
from textwrap import dedent

import pytest

from store.models import MAX_REQUEST_BYTES
from tui_orch.request.split import Split, split


def text_of(block: str) -> str:
    return dedent(block).strip("\n")


def test_the_original_example_is_taken_apart() -> None:
    assert split("大規模プロジェクトを構築:\n1. バックエンド\n2. フロントエンド\n3. データベース") == Split(
        "大規模プロジェクトを構築:", ("バックエンド", "フロントエンド", "データベース")
    )


@pytest.mark.parametrize(
    ("one", "two", "three"),
    [
        ("1. ", "2. ", "3. "),
        ("1) ", "2) ", "3) "),
        ("(1) ", "(2) ", "(3) "),
        ("（1）", "（2）", "（3）"),
        ("（１）", "（２）", "（３）"),
        ("１．", "２．", "３．"),
        ("１）", "２）", "３）"),
        ("1.", "2.", "3."),
        ("① ", "② ", "③ "),
        ("①", "②", "③"),
        ("❶ ", "❷ ", "❸ "),
        ("⑴ ", "⑵ ", "⑶ "),
        ("- [ ] ", "- [ ] ", "- [ ] "),
        ("* [ ] ", "* [ ] ", "* [ ] "),
        ("１．", "2. ", "３. "),
        ("(1) ", "（２）", "⑶ "),
    ],
)
@pytest.mark.parametrize("indent", ["", "  ", "\t", "\u3000", "        "])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_kind_of_marker_makes_a_list(one: str, two: str, three: str, indent: str, newline: str) -> None:
    lines = ["次を作る:", "", f"{indent}{one}表", f"{indent}{two}画面", f"{indent}{three}検査"]
    assert split(newline.join(lines)) == Split("次を作る:", ("表", "画面", "検査"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Fix the login.",
        "1. only one",
        "- [ ] only one",
        "It needs\n1.5 GB of memory and\n2.5 GB of disk",
        "2026. was a year\n2027. will be one",
        "2. begins\n3. too late",
        "0. begins\n1. too early",
        "1. all\n1. are\n1. ones",
        "3. counts\n2. down\n1. now",
        "- plain\n- bullets",
        "a. letters\nb. here",
        "> 1. quoted\n> 2. lines",
        "1. mixes\n2) families",
        "① mixes\n❷ families",
    ],
)
def test_other_text_is_no_list(text: str) -> None:
    assert split(text) == Split(text, ())


def test_continuation_lines_and_nested_lists_belong_to_their_item() -> None:
    text = text_of("""
        Build it.

        1. Backend
           with an API
           1. routes
           2. errors
              - 404
        2. Front end

           A paragraph of its own.

           - list view
        lazy line
        3. Tests
    """)
    assert split(text) == Split(
        "Build it.",
        (
            "Backend\nwith an API\n1. routes\n2. errors\n   - 404",
            "Front end\n\n   A paragraph of its own.\n\n   - list view\nlazy line",
            "Tests",
        ),
    )


def test_a_nested_list_of_another_family_needs_no_indentation() -> None:
    text = "１．画面\n（１）一覧\n（２）編集\n２．表\n（１）索引\n（２）見本"
    assert split(text).items == ("画面\n（１）一覧\n（２）編集", "表\n（１）索引\n（２）見本")


def test_items_of_a_nested_list_are_no_jobs_of_their_own() -> None:
    text = "1. Everything:\n   1. this\n   2. that"
    assert split(text) == Split(text, ())
    bullets = "- Backend\n  1. this\n  2. that\n- Front end"
    assert split(bullets) == Split(bullets, ())


def test_paragraphs_between_numbered_items_belong_to_the_item_above() -> None:
    assert split("1. First\n\nMore on the first.\n\n2. Second").items == ("First\n\nMore on the first.", "Second")


def test_text_after_the_list_is_shared_context_too() -> None:
    text = "Before.\n\n1. a\n2. b\n   more b\n\n   still b\n\nAfter.\n\n   indented after"
    assert split(text) == Split("Before.\n\nAfter.\n\n   indented after", ("a", "b\nmore b\n\nstill b"))


def test_text_right_below_the_last_item_belongs_to_it() -> None:
    assert split("1. a\n2. b\nmore b") == Split("", ("a", "b\nmore b"))


def test_a_heading_ends_the_list() -> None:
    assert split("# T\n1. a\n2. b\n## Notes\nkeep it short") == Split("# T\n\n## Notes\nkeep it short", ("a", "b"))


def test_text_indented_less_than_the_list_ends_it() -> None:
    assert split("Build:\n    1. a\n    2. b\nThanks") == Split("Build:\n\nThanks", ("a", "b"))


@pytest.mark.parametrize("fence", ["```", "~~~", "````"])
def test_a_list_inside_a_code_fence_is_no_list(fence: str) -> None:
    text = f"Explain:\n{fence}\n1. a\n2. b\n{fence}\nthat is all"
    assert split(text) == Split(text, ())


def test_a_list_around_a_code_fence_keeps_the_code_in_its_item() -> None:
    text = "1. Run:\n```sh\n1. not an item\n\n# no heading\n```\n2. Stop\n\n```\nafter\n```"
    assert split(text) == Split("```\nafter\n```", ("Run:\n```sh\n1. not an item\n\n# no heading\n```", "Stop"))


def test_an_item_may_be_a_code_fence() -> None:
    assert split("1. ```sh\n   ls\n   ```\n2. b").items == ("```sh\nls\n```", "b")


def test_a_checked_item_is_done_and_stays_in_the_context() -> None:
    text = "Plan:\n- [x] a\n      with detail\n- [ ] b\n- [X] c\n- [ ] d\n\nEnd."
    assert split(text) == Split("Plan:\n\n- [x] a\n      with detail\n- [X] c\n\nEnd.", ("b", "d"))
    assert split("1. [x] a\n2. [ ] b\n3. c") == Split("1. [x] a", ("b", "c"))


@pytest.mark.parametrize("text", ["- [x] a\n- [ ] b", "- [x] a\n- [x] b", "1. [x] a\n2. b"])
def test_fewer_than_two_open_items_are_no_list(text: str) -> None:
    assert split(text) == Split(text, ())


@pytest.mark.parametrize("text", ["1.\n2.\n3.", "1. a\n2.\n3. c", "- [ ]\n- [ ] b"])
def test_a_form_with_empty_items_is_no_list(text: str) -> None:
    assert split(text) == Split(text, ())


def test_an_item_may_begin_on_the_line_below_its_marker() -> None:
    assert split("1.\n   a\n2.\n   b").items == ("a", "b")


@pytest.mark.parametrize(
    "text",
    [
        "## Back\n1. a\n2. b\n\n## Front\n1. c\n2. d",
        "1. a\n2. b\n\nThen:\n\n① c\n② d",
        "- [ ] a\n- [ ] b\n\nCheck by:\n1. c\n2. d",
        "- [ ] a\n- [ ] b\n\nLater:\n\n- [ ] c",
        "- [ ] a\n## Front\n- [ ] b\n- [ ] c",
        "1. a\n## Front\n2. b",
        "1. a\n2. b\n2. c\n3. d",
    ],
)
def test_where_two_lists_leave_open_what_is_meant_there_is_none(text: str) -> None:
    assert split(text) == Split(text, ())


def test_a_check_list_below_a_numbered_one_says_what_all_share() -> None:
    assert split("1. a\n2. b\n\nDone when:\n- [ ] it runs\n- [ ] it is fast") == Split(
        "Done when:\n- [ ] it runs\n- [ ] it is fast", ("a", "b")
    )


def test_a_single_number_before_the_list_is_prose() -> None:
    assert split("(1) is meant here.\n\n1. a\n2. b") == Split("(1) is meant here.", ("a", "b"))
    assert split("as in chapter\n3. Then:\n\n1. a\n2. b") == Split("as in chapter\n3. Then:", ("a", "b"))


def test_numbers_may_be_indented_to_the_right() -> None:
    text = "\n".join(f"{number:>2}. part {number}" for number in range(1, 13))
    assert split(text).items == tuple(f"part {number}" for number in range(1, 13))


@pytest.mark.parametrize(
    "line", ["1. a\n2. b\n", "- [ ] a\n", "- [ ] a\n\n", "(1) a\n", "```\n", "> - 1. ", "   1. a\n", "# \n", "word\n"]
)
def test_the_time_grows_with_the_length_alone(line: str) -> None:
    text = line * (MAX_REQUEST_BYTES // len(line))
    began = time.process_time()
    split(text)
    assert time.process_time() - began < 10  # about 1 s; the square of the lines would take minutes


def test_a_missing_number_loses_no_item() -> None:
    assert split("1. a\n2. b\n4. d").items == ("a", "b", "d")
