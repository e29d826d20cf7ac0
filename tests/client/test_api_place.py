"""Where the API is, and which key opens it."""

import json
from pathlib import Path

import pytest

from tui_orch.client.api_errors import AuthenticationError
from tui_orch.client.api_place import Place, is_loopback, key_of


def note(home: Path, url: object) -> None:
    (home / "api.json").write_text(json.dumps({"url": url, "pid": 1}))


def test_what_the_caller_says_goes_first_then_the_environment_then_the_note(tmp_path: Path) -> None:
    note(tmp_path, "http://127.0.0.1:3")
    environ = {"ORCHESTRATOR_API_URL": "http://127.0.0.1:2", "ORCH_HOME": str(tmp_path)}
    assert Place("http://127.0.0.1:1/", environ).url == "http://127.0.0.1:1"
    assert Place(None, environ).url == "http://127.0.0.1:2"
    assert Place("", {"ORCH_HOME": str(tmp_path)}).url == "http://127.0.0.1:3"
    assert Place(None, {}).url == "http://localhost:8000"


def test_a_server_that_has_moved_is_found_by_its_note(tmp_path: Path) -> None:
    """Only where the caller has named no address; while there is no note the last address holds."""
    environ = {"ORCHESTRATOR_API_URL": "http://127.0.0.1:2", "ORCH_HOME": str(tmp_path)}
    place, fixed = Place(None, environ), Place("http://127.0.0.1:1", environ)
    place.look_again()
    assert place.url == "http://127.0.0.1:2"
    note(tmp_path, "http://127.0.0.1:3")
    place.look_again()
    fixed.look_again()
    assert (place.url, fixed.url) == ("http://127.0.0.1:3", "http://127.0.0.1:1")
    (tmp_path / "api.json").unlink()
    place.look_again()
    assert place.url == "http://127.0.0.1:3"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"url": 5}', '{"url": "file:///etc/passwd"}', "\udcff"])
def test_a_note_that_is_none_counts_for_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "api.json").write_bytes(text.encode(errors="surrogateescape"))
    assert Place(None, {"ORCH_HOME": str(tmp_path)}).url == "http://localhost:8000"


@pytest.mark.parametrize("given", ["http://h:1/api/v1/", "http://h:1/api/v1", " http://h:1 "])
def test_what_every_call_adds_may_stand_in_the_address(given: str) -> None:
    assert Place(given, {}).url == "http://h:1"


@pytest.mark.parametrize(
    "bad",
    ["localhost:8000", "ftp://h", "http://", "http://user:secret@h", "http://h:99999", "http://h?x=1", "http://[::1"],
)
def test_what_is_no_address_is_refused_at_once(bad: str) -> None:
    with pytest.raises(ValueError, match="api_url must be an address like"):
        Place(bad, {})
    with pytest.raises(ValueError, match="ORCHESTRATOR_API_URL must be"):
        Place(None, {"ORCHESTRATOR_API_URL": bad})


def test_this_machine_is_known_by_each_of_its_names() -> None:
    here = ("http://localhost:1", "http://127.0.0.1", "http://127.1.2.3:5", "http://[::1]:8000")
    assert all(map(is_loopback, here))
    assert not any(map(is_loopback, ("http://example.com", "http://10.0.0.1", "http://localhost.example.com")))


def test_a_key_is_that_which_is_given_or_the_workers_own() -> None:
    """None and nothing are the same: ``os.getenv`` gives None."""
    environ = {"ORCHESTRATOR_API_KEY": "k", "ORCH_TOKEN": "t"}
    assert key_of("mine\n", environ) == "mine"
    assert key_of(None, environ) == "k"
    assert key_of("", {"ORCH_TOKEN": "t"}) == "t"


def test_no_key_and_no_key_that_a_header_can_carry_are_told_before_any_call() -> None:
    with pytest.raises(AuthenticationError, match="orch key new"):
        key_of(None, {})
    for bad in ("schlüssel", "a b", "a\r\nX: y"):
        with pytest.raises(AuthenticationError, match="characters that no key has") as caught:
            key_of(bad, {})
        assert bad not in str(caught.value)
