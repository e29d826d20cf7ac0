"""Bad input: one line that says what, where and what is allowed; exit code 2; nothing half written."""

import json

import pytest
from at_orch import AtOrch, one_line

from store.claim import start_attempt, token_hash
from store.finish import release
from store.models import MAX_REQUEST_BYTES
from store.states import Kind, Status
from tests.by_hand import now_ms


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"max_wokers": 2}, ["max_wokers", "max_workers"]),
        ({"max_workers": "three"}, ["max_workers", "'three'", "whole number"]),
        ({"max_depth": 6}, ["max_depth", "0 to 5", "6"]),
        ({"max_depth": -1}, ["max_depth", "0 to 5"]),
        ({"timeout": 0}, ["timeout", "above 0"]),
        ({"kind": "robot"}, ["kind", "claude, command, group", "'robot'"]),
        ({"split": "list"}, ["split list", "list"]),
        ({"work_dir": "not/there"}, ["work_dir", "no folder"]),
    ],
)
def test_a_config_that_is_wrong_names_file_key_and_what_is_allowed(
    orch: AtOrch, config: dict[str, object], said: list[str]
) -> None:
    """Unknown keys, wrong types, values out of range; and no store is made for them."""
    (orch.project / "r.json").write_text(json.dumps({"request": "build it", "config": config}))
    line = orch.refused("run", "r.json")
    assert all(part in line for part in ["r.json", *said]), line
    assert not orch.home.root.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--max-depth", "9"], ["max_depth", "0 to 5", "9"]),
        (["--max-workers", "0"], ["max_workers", "1 to"]),
        (["--max-jobs", "many"], ["--max-jobs", "'many'"]),
        (["--timeout", "soon"], ["--timeout", "'soon'", "90s"]),
        (["--timeout", "1,2,3,4,5,6,7"], ["--timeout", "at most 6"]),
        (["--budget", "0"], ["budget", "above 0"]),
        (["--kind", "robot"], ["kind", "claude, command, group"]),
        (["--split", "sometimes"], ["split", "auto, list, none"]),
        (["--permission-mode", "yolo"], ["permission_mode", "acceptEdits"]),
        (["--title", "a\nb"], ["title", "one line"]),
        (["--model", "--evil"], ["model"]),
        (["--wokers", "3"], ["--wokers", "orch run --help"]),
        (["--kind", "group"], ["kind group", "list"]),
    ],
)
def test_an_option_that_is_wrong_is_told_in_one_line(orch: AtOrch, options: list[str], said: list[str]) -> None:
    """The same for what stands on the command line."""
    line = orch.refused("run", "--request", "build it", *options)
    assert all(part in line for part in said), line
    assert not orch.home.root.exists()


def test_more_workers_than_the_store_allows_are_refused_and_nothing_is_stored(orch: AtOrch) -> None:
    """The ceiling is a setting of the store, and the refusal says so."""
    orch.store  # noqa: B018 - makes it
    line = orch.refused("submit", "--request", "build it", "--max-workers", "11", "--no-supervisor")
    assert "1 to 10" in line
    assert "orch settings max_workers_ceiling" in line
    assert orch.count() == 0


def test_a_list_longer_than_the_limits_is_refused_as_a_whole(orch: AtOrch) -> None:
    """No item is stored when one is too many."""
    orch.store  # noqa: B018
    request = "\n".join(f"{number}. echo {number}" for number in range(1, 5))
    line = orch.refused("submit", "--request", request, "--kind", "command", "--max-children", "3", "--no-supervisor")
    assert "max_children" in line
    assert orch.count() == 0


@pytest.mark.parametrize("text", ["", " \n\t\n", "\u3000"])
def test_an_empty_request_is_refused(orch: AtOrch, text: str) -> None:
    """From an option as from a file."""
    (orch.project / "empty.md").write_text(text)
    assert "empty" in orch.refused("run", "--request", text)
    assert "empty.md" in orch.refused("run", "empty.md")


def test_a_request_of_a_megabyte_is_refused(orch: AtOrch) -> None:
    """With the size that is allowed."""
    (orch.project / "big.md").write_text("x" * 1_000_000)
    line = orch.refused("run", "big.md")
    assert "big.md" in line
    assert str(MAX_REQUEST_BYTES) in line
    endless = orch.process("run", "-", stdin=b"x" * 3_000_000)
    assert endless.code == 2
    assert "standard input" in one_line(endless.err)


def test_invalid_utf_8_is_refused_with_its_place(orch: AtOrch) -> None:
    """In a file, on standard input, and in an argument."""
    (orch.project / "latin.md").write_bytes(b"caf\xe9")
    assert "byte 3 (0xe9)" in orch.refused("run", "latin.md")
    piped = orch.process("run", "-", stdin=b"caf\xe9")
    assert (piped.code, piped.out) == (2, "")
    assert "standard input: byte 3" in one_line(piped.err)
    given = orch.process("run", "--request", b"caf\xe9")
    assert (given.code, given.out) == (2, "")
    assert "character 3" in one_line(given.err)
    assert not orch.home.root.exists()


def test_a_file_that_can_not_be_read_is_refused(orch: AtOrch) -> None:
    """Missing, or a folder."""
    assert "none.md" in orch.refused("run", "none.md")
    assert "No such file" in orch.refused("submit", "none.md")
    assert "directory" in orch.refused("run", str(orch.project))


def test_a_request_is_wanted_once(orch: AtOrch) -> None:
    """Neither none nor two."""
    assert "--request TEXT" in orch.refused("run")
    assert "keep one" in orch.refused("run", "r.md", "--request", "build it")


@pytest.mark.parametrize("verb", ["show", "tree", "result", "logs", "wait", "cancel", "retry", "limits", "asks"])
def test_an_id_that_does_not_exist_is_refused(orch: AtOrch, verb: str) -> None:
    """And says where ids are found."""
    orch.tree()
    assert "#77" in (line := orch.refused(verb, "77"))
    assert "orch list" in line


@pytest.mark.parametrize("wrong", ["x", "0", "-3", "1.5", "", "99999999999999999999", "１２", "12-"])
def test_what_is_no_id_is_refused(orch: AtOrch, wrong: str) -> None:
    """Before anything is looked up."""
    orch.tree()
    assert "a number such as 12" in orch.refused("show", "--", wrong)


def test_an_ask_that_does_not_exist_is_refused(orch: AtOrch) -> None:
    """An ask has an id of its own."""
    orch.tree()
    assert "orch asks" in orch.refused("answer", "5", "allow")


def test_a_batch_that_does_not_exist_is_refused(orch: AtOrch) -> None:
    """As a job is."""
    orch.tree()
    assert "1-4" in orch.refused("wait", "1-4")


def test_a_spawn_beyond_each_limit_is_refused_with_the_way_out(orch: AtOrch) -> None:
    """Depth, children and jobs name limit, value, job and the command that raises it."""
    deep = orch.start(orch.tree("deep", max_depth=0))
    line = orch.refused("spawn", "a part", env=orch.worker(deep))
    assert f"job #{deep.job_id}" in line
    assert f"orch limits {deep.job_id} --max-depth 1" in line

    wide = orch.start(orch.tree("wide", max_children=2))
    before = orch.count()
    line = orch.refused("spawn", "one", "two", "three", env=orch.worker(wide))
    assert f"orch limits {wide.job_id} --max-children 3" in line
    assert orch.count() == before, "all of a batch or nothing"

    many = orch.start(orch.tree("many", max_jobs=2))
    assert f"orch limits {many.job_id} --max-jobs 3" in orch.refused("spawn", "one", "two", env=orch.worker(many))


def test_a_spawn_that_repeats_the_request_above_it_is_refused(orch: AtOrch) -> None:
    """The way into an endless tree."""
    fence = orch.start(orch.tree("build it"))
    assert "the same" in orch.refused("spawn", "build it", env=orch.worker(fence))


def test_a_spawn_from_a_job_that_has_ended_is_refused(orch: AtOrch) -> None:
    """Its token is worth nothing any more."""
    fence = orch.start(orch.tree())
    orch.finish(fence)
    before = orch.count()
    assert "over" in orch.refused("spawn", "a part", env=orch.worker(fence))
    assert orch.count() == before


def test_a_spawn_from_an_attempt_that_was_superseded_is_refused(orch: AtOrch) -> None:
    """The old worker's children would be nobody's."""
    job_id = orch.tree()
    fence = orch.start(job_id)
    old = orch.worker(fence)
    with orch.store.write() as tx:
        release(tx, fence, "shutdown", now_ms())
        start_attempt(tx, job_id, token_hash("another"), now_ms())
    assert "over" in orch.refused("spawn", "a part", env=old)


def test_a_spawn_from_outside_any_job_is_refused(orch: AtOrch) -> None:
    """Whether a store is there or not."""
    assert "orch run" in orch.refused("spawn", "a part")
    orch.tree()
    line = orch.refused("spawn", "a part")
    assert "inside a job" in line
    assert "ORCH_TOKEN" in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "just one"),
        (["one", "--", "ls"], "just one"),
        (["--"], "no command"),
        (["--kind", "claude", "--", "ls"], "--kind command"),
        (["--kind", "robot", "x"], "robot"),
        (["--title", "a", "one", "two"], "--title"),
        (["--file", "none.md"], "none.md"),
        (["--file", "tasks.json"], "tasks[1]"),
        (["--file", "latin.md"], "byte 3"),
        (["--timeout", "-1", "x"], "--timeout"),
        (["--priority", "1000", "x"], "--priority"),
        (["x" * 300_000], str(MAX_REQUEST_BYTES)),
        (["  "], "empty"),
        (["x\ud800"], "Unicode"),
        (["--", "ls", "\udce9"], "UTF-8"),
    ],
)
def test_a_spawn_with_wrong_arguments_inserts_nothing(orch: AtOrch, arguments: list[str], said: str) -> None:
    """In one line, as everywhere."""
    (orch.project / "tasks.json").write_text('["fine", {"request": 7}]')
    (orch.project / "latin.md").write_bytes(b"caf\xe9")
    fence = orch.start(orch.tree())
    assert said in orch.refused("spawn", *arguments, env=orch.worker(fence))
    assert orch.count() == 1


@pytest.mark.parametrize(
    "arguments", [["list"], ["tree"], ["show", "1"], ["status"], ["asks"], ["settings"], ["down"], ["wait", "1"]]
)
def test_reading_where_no_store_is_makes_none(orch: AtOrch, arguments: list[str]) -> None:
    """It says how one is started."""
    assert "orch run" in orch.refused(*arguments)
    assert not orch.home.root.exists()


def test_a_store_that_can_not_be_used_is_not_the_callers_fault(orch: AtOrch) -> None:
    """Exit code 1, one line, the file left as it is."""
    orch.tree()
    orch.home.root.chmod(0o755)
    done = orch("list")
    assert (done.code, done.out) == (1, "")
    assert "chmod 700" in one_line(done.err)
    orch.home.root.chmod(0o700)


def test_a_command_that_does_not_exist_is_refused(orch: AtOrch) -> None:
    """With where to look."""
    assert "'frobnicate'" in (line := orch.refused("frobnicate"))
    assert "orch --help" in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frobs", "1"], "slots"),
        (["slots", "many"], "whole number"),
        (["slots", "0"], "1 to 1000"),
        (["slots", str(10**30)], "slots"),
        (["timeouts_s", "1,x"], "numbers of seconds"),
        (["grace_s", "nan"], "grace_s"),
        (["permission_mode", "yolo"], "acceptEdits"),
    ],
)
def test_a_setting_that_is_wrong_changes_nothing(orch: AtOrch, arguments: list[str], said: str) -> None:
    """Names, types and ranges."""
    orch.tree()
    before = orch("settings", "--json").out
    assert said in orch.refused("settings", *arguments)
    assert orch("settings", "--json").out == before


def test_limits_that_are_wrong_change_nothing(orch: AtOrch) -> None:
    """Out of range, or below what is there already."""
    fence = orch.start(orch.tree())
    orch.spawn(fence, "true")
    before = orch("limits", "1", "--json").out
    assert "0 to 5" in orch.refused("limits", "1", "--max-depth", "6")
    assert "already has jobs at depth 1" in orch.refused("limits", "1", "--max-depth", "0", "--max-jobs", "9")
    assert "budget_usd" in orch.refused("limits", "1", "--budget", "-1")
    assert "64 bits" in orch.refused("limits", "1", "--max-jobs", str(10**30))
    assert orch("limits", "1", "--json").out == before


def test_what_a_jobs_state_does_not_allow_is_refused(orch: AtOrch) -> None:
    """Cancel, retry, result and logs name the state."""
    done = orch.tree("one")
    orch.run(done)
    assert "completed" in orch.refused("cancel", str(done))
    assert "completed" in orch.refused("retry", str(done))
    waiting = orch.tree("two", Kind.COMMAND)
    assert "queued" in orch.refused("retry", str(waiting))
    assert f"orch wait {waiting}" in orch.refused("result", str(waiting))
    orch.run(waiting, Status.FAILED)
    assert "no attempt 2" in orch.refused("logs", str(waiting), "--attempt", "2")


def test_refusals_hold_nothing_that_a_terminal_obeys(orch: AtOrch) -> None:
    """Whatever was typed comes back as plain text, on one line."""
    for line in (
        orch.refused("run", "\x1b[31mred\nnext.md"),
        orch.refused("show", "\x1b]0;title\x07"),
        orch.refused("run", "--request", "x", "--kind", "\x1b[2J\u202e"),
    ):
        assert line.isprintable()
