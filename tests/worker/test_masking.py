"""What is stored holds no secret, and ordinary text stays as it is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.models import Outcome, Usage
from store.states import Reason, Status
from tui_orch.worker.masking import SHAPES, Mask
from tui_orch.worker.work import Finished

SECRETS = {
    "Anthropic key": "sk-ant-api03-" + "a1B2" * 10,
    "OpenAI key": "sk-proj-" + "Ab3_" * 10,
    "GitHub token": "ghp_" + "a1B2" * 9,
    "GitLab token": "glpat-" + "a1B2" * 5,
    "Slack token": "xoxb-1234567890-abcdef",
    "AWS key": "AKIA" + "ABCD1234" * 2,
    "Google key": "AIza" + "a1B2c" * 7,
    "Stripe key": "sk_live_" + "a1B2" * 6,
    "npm token": "npm_" + "a1B2" * 9,
    "PyPI token": "pypi-" + "a1B2" * 10,
    "tui-orch key": "orch_" + "a" * 43,
    "JSON web token": "eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeKKF2QT4",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
}


def test_there_is_an_example_of_each_shape() -> None:
    assert set(SECRETS) == {name for name, _ in SHAPES}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_known_shape_is_masked_wherever_it_stands(kind: str) -> None:
    for before, after in (("", ""), ("key=", "\n"), ('{"k": "', '"}'), ("鍵:", "。"), ("https://x:", "@host/")):
        assert Mask().text(f"{before}{SECRETS[kind]}{after}") == f"{before}[secret: {kind}]{after}"


def test_a_private_key_that_is_cut_off_is_masked_to_the_end() -> None:
    assert Mask().text("-----BEGIN PRIVATE KEY-----\nMIIE") == "[secret: private key]"


@pytest.mark.parametrize(
    "text",
    [
        "risk-anticipation-in-large-projects-and-other-things",
        "task-0123456789abcdef0123456789abcdef0123",
        "d41d8cd98f00b204e9800998ecf8427e",
        "src/sk/ant.py and eyJ",
        "AKIA is a prefix, sk- too",
        "orch_token_of_attempt",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert Mask().text(text) == text


def test_the_workers_own_keys_are_masked_by_their_names_and_other_values_are_not() -> None:
    mask = Mask.of(
        {
            "ANTHROPIC_API_KEY": "made-up-value",
            "MY_PASSWORD": "short",
            "HOME": "/home/someone",
            "API_TOKEN": "made-up-value-2",
        }
    )
    assert mask.text("made-up-value made-up-value-2 short /home/someone") == (
        "[secret: ANTHROPIC_API_KEY] [secret: API_TOKEN] short /home/someone"
    )


def test_everything_in_an_ending_is_masked_and_nothing_else_changes() -> None:
    secret = SECRETS["GitHub token"]
    outcome = Outcome(
        Status.FAILED,
        Reason.EXIT_CODE,
        result=f"found {secret}",
        error=secret,
        data={"list": [secret, 1, None], secret: True},
        denials=({"tool": "Bash", "input": {"command": f"echo {secret}"}},),
        usage=Usage(0.5, 10),
    )
    masked = Mask().of_any(Finished(outcome, (1, 2)))
    assert secret not in repr(masked)
    assert (masked.outcome.status, masked.outcome.reason) == (Status.FAILED, Reason.EXIT_CODE)
    assert (masked.outcome.usage, masked.delivered) == (Usage(0.5, 10), (1, 2))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda of: st.lists(of) | st.dictionaries(st.text(max_size=4), of),
        max_leaves=8,
    )
)
def test_json_without_secrets_is_left_as_it_is(value: object) -> None:
    assert Mask().of_any(value) == value


def test_a_long_text_takes_no_time_to_speak_of() -> None:
    """A megabyte of what looks like the beginning of a secret again and again: the shapes never look back."""
    text = "sk-" * 350_000
    assert len(Mask().text(text)) <= len(text) + 100


def test_paths_are_values_too(tmp_path: Path) -> None:
    assert Mask().of_any({"folder": tmp_path}) == {"folder": tmp_path}
