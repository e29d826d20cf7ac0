"""A script decides from the conversation alone what the model says next."""

from dataclasses import replace
from pathlib import Path

import pytest

from tui_orch.demo.conversation import Conversation, Reply
from tui_orch.demo.faults import overloaded
from tui_orch.demo.script import (
    PAST_THE_END,
    Branch,
    Role,
    Script,
    ScriptError,
    ToolCall,
    Turn,
    load_script,
    next_turn,
    script_from_json,
    script_to_json,
)

WRITE = ToolCall("Write", {"file_path": "{cwd}/a.txt", "lines": ["{who}", {"deep": "{who}"}], "n": 1})
BASH = ToolCall("Bash", {"command": "true"})


def said(prompt: str = "do it", *replies: Reply, pending: str = "", cwd: str | None = "/work/x") -> Conversation:
    return Conversation(prompt, replies, pending or prompt, cwd, utility=False)


def script(*turns: Turn | Branch, match: str = "do it") -> Script:
    return Script((Role(match, turns),))


def test_turns_come_one_after_the_other_and_then_the_end() -> None:
    play = script(Turn("one", (BASH,)), Turn("two"))
    heard = [Reply("do it", 1), Reply("ok", 0), Reply("more", 0)]
    cues = [next_turn(play, said("do it", *heard[:n]), {}) for n in range(4)]
    assert [cue.turn.text for cue in cues] == ["one", "two", "done", "done"]
    assert [cue.index for cue in cues] == [0, 1, 2, 3]
    assert cues[2].turn == PAST_THE_END


def test_the_first_role_that_matches_plays() -> None:
    play = Script((Role("^b", (Turn("B"),)), Role("", (Turn("any"),))))
    assert next_turn(play, said("abc"), {}).turn.text == "any"
    assert next_turn(play, said("bcd"), {}).turn.text == "B"
    assert next_turn(play, said("bcd"), {}).role == "^b"


def test_a_request_that_no_role_knows_is_told_so() -> None:
    cue = next_turn(script(Turn("one")), said("something else"), {})
    assert cue.role is None
    assert "knows the request" in str(cue.turn.text)


def test_names_are_filled_in_everywhere_and_other_braces_stay() -> None:
    play = script(Turn("{who}: {0} {unknown} {x}", (WRITE,)), match="for (?P<who>\\w+)")
    turn = next_turn(play, said("for Ann"), {"x": "y"}).turn
    assert turn.text == "Ann: {0} {unknown} y"
    assert turn.tools[0].input == {"file_path": "/work/x/a.txt", "lines": ["Ann", {"deep": "Ann"}], "n": 1}


def test_a_given_cwd_is_stronger_than_the_learnt_one() -> None:
    assert next_turn(script(Turn("{cwd}")), said(), {"cwd": "/given"}).turn.text == "/given"


def test_an_unknown_cwd_stays_as_it_is() -> None:
    assert next_turn(script(Turn("{cwd}")), said(cwd=None), {}).turn.text == "{cwd}"


def test_a_branch_chooses_by_what_was_said_since_the_last_turn() -> None:
    play = script(
        Turn(tools=(BASH,)),
        Branch("refused", then=(Turn("alone"), Turn("bye")), otherwise=(Turn("joined"),)),
        Turn("end"),
    )
    once = Reply("do it", 1)
    assert next_turn(play, said("do it", once, pending="refused: depth 3"), {}).turn.text == "alone"
    assert next_turn(play, said("do it", once, pending="2 children ended"), {}).turn.text == "joined"
    after_refusal = (once, Reply("refused: depth 3", 0))
    assert next_turn(play, said("do it", *after_refusal, pending="x"), {}).turn.text == "bye"
    after_success = (once, Reply("2 children ended", 0))
    assert next_turn(play, said("do it", *after_success, pending="x"), {}).turn.text == "end"


def test_branches_nest_and_an_empty_one_is_passed_over() -> None:
    play = script(Branch("a", then=(Branch("b", then=(Turn("both"),)),)), Turn("rest"))
    assert next_turn(play, said("do it", pending="a b"), {}).turn.text == "both"
    assert next_turn(play, said("do it", pending="a"), {}).turn.text == "rest"
    assert next_turn(play, said("do it", pending="b"), {}).turn.text == "rest"


def test_an_answer_that_was_cut_between_its_calls_goes_on_with_those_that_are_missing() -> None:
    play = script(Turn("both", (BASH, WRITE)), Turn("then"))
    cut = next_turn(play, said("do it", Reply("do it", 1), pending="ok"), {})
    assert [call.name for call in cut.turn.tools] == ["Write"]
    assert cut.turn.text is None
    assert cut.index == 0
    assert next_turn(play, said("do it", Reply("do it", 1), Reply("ok", 1)), {}).turn.text == "then"


def test_an_answer_that_was_cut_after_its_text_is_given_again() -> None:
    play = script(Turn("I call", (BASH,)), Turn("then"))
    again = next_turn(play, said("do it", Reply("do it", 0), pending="cut off"), {})
    assert again.turn == Turn("I call", (BASH,))


def test_a_role_that_insists_says_a_turn_again_whose_call_failed() -> None:
    """So often and no more; also one behind a branch, which was chosen by what was said before it."""
    turns = (Turn("one", (BASH,)), Branch("good", then=(Turn("two", (WRITE,)),)), Turn("three"))
    failed = Reply("do it", 1, failed_calls=1)
    second = (failed, Reply("cut off", 1), Reply("good", 1, failed_calls=1))
    for insists, heard, text in (
        (1, (failed,), "one"),
        (1, second, "two"),
        (1, (*second, Reply("cut off", 1)), "three"),
        (1, (*second, Reply("cut off", 1, failed_calls=1)), "three"),
        (2, (*second, Reply("cut off", 1, failed_calls=1)), "two"),
        (0, (failed,), "three"),
        (1, (failed, *[replace(failed, was_cut_off=True)] * 5), "one"),
        (0, (replace(failed, was_cut_off=True),), "three"),
    ):
        play = Script((Role("do it", turns, insists=insists),))
        assert next_turn(play, said("do it", *heard, pending="cut off"), {}).turn.text == text


def test_a_script_survives_its_file(tmp_path: Path) -> None:
    play = script(Turn("one", (WRITE,), error=overloaded(2), hold="/x", drop_after=3), Branch("a", then=(Turn("b"),)))
    (tmp_path / "script.json").write_text(script_to_json(play))
    assert load_script(tmp_path / "script.json") == play


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("nonsense", "the file"),
        ('{"roles": [], "rols": 1}', "rols"),
        ('{"roles": [{"match": "a", "turns": [{"txt": "b"}]}]}', "roles.0.turns.0"),
        ('{"roles": [{"match": "(", "turns": []}]}', "roles.0"),
        ('{"roles": [{"match": "a", "turns": [{"delay_s": -1}]}]}', "roles.0.turns.0"),
    ],
)
def test_a_mistake_in_a_script_is_named_with_its_place(text: str, where: str) -> None:
    with pytest.raises(ScriptError, match=f"^{where}"):
        script_from_json(text)


def test_a_missing_script_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(ScriptError, match=r"bad\.json: roles: "):
        load_script(tmp_path / "bad.json")
    with pytest.raises(FileNotFoundError):
        load_script(tmp_path / "none.json")
