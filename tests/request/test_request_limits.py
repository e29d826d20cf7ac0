"""The config that a user may give: ranges, other names, and errors of one line that say what is allowed."""

import math

import pytest
from pydantic import ValidationError

from store.models import Limits
from tui_orch.request.errors import RequestError
from tui_orch.request.limits import ALIASES, Config, limits_of, overlay, read_config


def error_of(values: object) -> str:
    with pytest.raises(RequestError) as caught:
        read_config(values, "plan.md")
    message = str(caught.value)
    assert message.startswith("plan.md: ")
    assert "\n" not in message
    assert len(message) < 600
    return message


def test_nothing_given_leaves_everything_to_the_store() -> None:
    config = read_config({}, "plan.md")
    assert set(config.model_dump().values()) == {None}
    assert limits_of(config) == Limits()


def test_null_is_not_given() -> None:
    assert read_config(dict.fromkeys(Config.model_fields) | dict.fromkeys(ALIASES), "plan.md") == Config()
    assert read_config({"max_depth": 2, "max_recursion_depth": None}, "plan.md").max_depth == 2


@pytest.mark.parametrize(
    ("key", "low", "high"),
    [
        ("max_depth", 0, 5),
        ("max_recursion_depth", 0, 5),
        ("max_workers", 1, 1000),
        ("max_jobs", 1, 100_000),
        ("max_children", 1, 1000),
        ("max_attempts", 1, 10),
        ("max_retries", 0, 9),
        ("priority", -100, 100),
    ],
)
def test_whole_numbers_are_taken_within_their_range_and_nothing_else(key: str, low: int, high: int) -> None:
    name = ALIASES.get(key, key)
    shift = 1 if key == "max_retries" else 0
    assert getattr(read_config({key: low}, "plan.md"), name) == low + shift
    assert getattr(read_config({key: high}, "plan.md"), name) == high + shift
    for wrong in (low - 1, high + 1, 2.0, "2", True, [2], {"a": 1}, 10**5000):
        assert f"{key} must be a whole number from {low} to {high}" in error_of({key: wrong})


@pytest.mark.parametrize("key", ["timeout", "default_timeout"])
def test_a_timeout_is_seconds_up_to_a_week(key: str) -> None:
    assert read_config({key: 604_800}, "plan.md").timeout == 604_800.0
    assert read_config({key: 0.5}, "plan.md").timeout == 0.5
    for wrong in (0, -1, 604_801, math.inf, math.nan, "60", True, [60]):
        assert f"{key} must be a number of seconds above 0, at most 604800, not" in error_of({key: wrong})


def test_timeouts_are_one_a_level() -> None:
    assert read_config({"timeouts": [3600, 1200.5]}, "plan.md").timeouts == (3600.0, 1200.5)
    for wrong in ([], [1] * 7, 60, "60", {"0": 60}):
        assert "timeouts must be a list of 1 to 6 numbers of seconds" in error_of({"timeouts": wrong})
    assert error_of({"timeouts": [60, 0]}).endswith("; item 2 is 0")


@pytest.mark.parametrize("key", ["budget_usd", "budget"])
def test_a_budget_is_above_zero_dollars(key: str) -> None:
    assert read_config({key: 1}, "plan.md").budget_usd == 1.0
    for wrong in (0, -0.01, math.inf, math.nan, "1", False):
        assert f"{key} must be a number of dollars above 0, not" in error_of({key: wrong})


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("kind", ["claude", "command", "group"]),
        ("split", ["auto", "list", "none"]),
        ("permission_mode", ["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"]),
    ],
)
def test_choices_name_themselves(key: str, names: list[str]) -> None:
    for name in names:
        assert getattr(read_config({key: name}, "plan.md"), key) == name
    for wrong in (names[0].upper(), "bypass", "", 1, names):
        assert f"{key} must be one of {', '.join(names)}, not" in error_of({key: wrong})


def test_permissions_are_bypassed_only_when_that_is_written() -> None:
    assert Config().permission_mode is None
    assert overlay(Config(), Config()).permission_mode is None
    assert read_config({"permission_mode": "bypassPermissions"}, "plan.md").permission_mode == "bypassPermissions"


def test_lists_are_lists_of_text() -> None:
    config = read_config({"allowed_tools": ["Read", "Bash(git log:*)"], "setting_sources": []}, "plan.md")
    assert config.allowed_tools == ("Read", "Bash(git log:*)")
    assert config.setting_sources == ()
    assert read_config({"setting_sources": ["user", "local"]}, "plan.md").setting_sources == ("user", "local")
    assert "allowed_tools must be a list of tool rules" in error_of({"allowed_tools": "Read"})
    assert "setting_sources must be a list of user, project, local" in error_of({"setting_sources": {"user"}})
    assert error_of({"allowed_tools": ["Read", "--flag"]}).endswith("; item 2 is '--flag'")
    assert error_of({"allowed_tools": [1]}).endswith("; item 1 is 1")
    assert error_of({"setting_sources": ["user", "me"]}).endswith("; item 2 is 'me'")
    assert "each at most once" in error_of({"setting_sources": ["user", "user"]})


@pytest.mark.parametrize(
    ("key", "right", "wrong"),
    [
        ("model", ["opus", "claude-sonnet-4-5[1m]", "eu.anthropic.x:0"], ["", "-p", "a b", "a\nb", "m" * 201, 4, "\0"]),
        ("work_dir", [".", "/srv/x", "作業　場"], ["", "  ", "~/x", "a\0b", 3, ["x"]]),
        ("title", ["構築", "a　b", "1"], ["", " ", "a\nb", "\ud800", "\x1b[31m", 20, True]),
    ],
)
def test_text_is_plain_text(key: str, right: list[str], wrong: list[object]) -> None:
    for value in right:
        assert getattr(read_config({key: value}, "plan.md"), key) == value
    for each in wrong:
        assert f"{key} must be " in error_of({key: each})


def test_waiting_for_a_person_is_seconds_from_zero() -> None:
    assert read_config({"park_after_s": 0}, "plan.md").park_after_s == 0.0
    for wrong in (-1, math.inf, 604_801, "5"):
        assert "park_after_s must be a number of seconds from 0 to 604800" in error_of({"park_after_s": wrong})


def test_a_key_and_its_other_name_exclude_each_other() -> None:
    for alias, name in ALIASES.items():
        assert error_of({alias: 2, name: 2}) == f"plan.md: {alias} and {name} are the same; keep one"
    assert "timeout (for every level) and timeouts" in error_of({"timeout": 1, "timeouts": [1]})
    assert "timeout (for every level) and timeouts" in error_of({"default_timeout": 1, "timeouts": [1]})


def test_an_unknown_key_is_named_with_the_nearest_known_one() -> None:
    assert "unknown key 'max_worker' (did you mean max_workers?); allowed: max_depth," in error_of({"max_worker": 3})
    assert "unknown key 'Max-Jobs' (did you mean max_jobs?)" in error_of({"Max-Jobs": 3})
    assert "unknown key 'zzz'; allowed" in error_of({"max_jobs": "wrong, too", "zzz": None})
    assert "unknown key 3; allowed" in error_of({3: 3})
    assert "unknown key 'a\\nb'" in error_of({"a\nb": 3})


def test_a_config_is_a_mapping() -> None:
    for wrong in (["max_jobs"], "max_jobs", 3, None, True):
        assert "the config must be a mapping" in error_of(wrong)


def test_a_long_wrong_value_is_shown_short() -> None:
    assert len(error_of({"kind": "x" * 100_000})) < 200
    assert len(error_of({"kind": [["x" * 1000] * 1000] * 1000})) < 600


def test_a_config_never_changes_and_takes_no_other_key() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Config(max_depth=1).max_depth = 2
    with pytest.raises(ValidationError, match="extra"):
        Config.model_validate({"zzz": None})


def test_options_go_before_what_the_file_says() -> None:
    base = read_config({"max_depth": 2, "max_workers": 3, "timeouts": [9, 8], "title": "t"}, "plan.md")
    over = read_config({"max_workers": 1, "max_depth": 0, "timeout": 5}, "the command line")
    both = overlay(base, over)
    assert (both.max_depth, both.max_workers, both.timeout, both.timeouts, both.title) == (0, 1, 5.0, None, "t")
    assert overlay(both, Config(timeouts=(7.0,))).timeout is None
    assert overlay(base, Config()) == base


def test_limits_carry_every_limit() -> None:
    config = read_config(
        {
            "max_recursion_depth": 2,
            "max_workers": 3,
            "max_jobs": 40,
            "max_children": 5,
            "max_retries": 1,
            "default_timeout": 60,
            "budget": 2.5,
        },
        "plan.md",
    )
    assert limits_of(config) == Limits(2, 40, 5, 3, 2, (60.0,), 2.5)
    assert limits_of(Config(timeouts=(9.0, 8.0))).timeouts_s == (9.0, 8.0)


@pytest.mark.parametrize(
    ("max_depth", "current_depth", "default", "left"),
    [(3, 1, 3, 2), (3, 3, 3, 0), (1, 9, 3, 0), (None, 1, 3, 2), (None, 1, 1, 0), (None, 0, 3, None), (2, 0, 3, 2)],
)
def test_current_depth_only_makes_it_stricter(
    max_depth: int | None, current_depth: int, default: int, left: int | None
) -> None:
    config = Config(max_depth=max_depth, current_depth=current_depth)
    assert limits_of(config, default).max_depth == left
    for wrong in (-1, 1.5, "1"):
        assert "current_depth must be a whole number from 0" in error_of({"current_depth": wrong})


def test_of_two_current_depths_the_deeper_one_holds() -> None:
    assert overlay(Config(current_depth=2), Config(current_depth=1)).current_depth == 2
    assert overlay(Config(current_depth=2), Config()).current_depth == 2
