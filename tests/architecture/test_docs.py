"""The documents can not drift from the code."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from store.home import Home
from store.settings import NAMES
from store.states import Kind, Reason, Status
from tui_orch.api.app import BASE, make_app
from tui_orch.api.feed import Feed
from tui_orch.api.stores import Stores
from tui_orch.cli.main import VERBS
from tui_orch.cli.reference import reference

ROOT = Path(__file__).parents[2]


def test_the_readme_names_only_commands_that_exist() -> None:
    """Every `orch VERB` of the README is a verb."""
    verbs = {verb.name for verb in VERBS}
    named = set(re.findall(r"\borch ([a-z]+)\b", (ROOT / "README.md").read_text("utf-8")))
    assert named
    assert named <= verbs


def test_the_readme_tells_the_defaults_that_are_in_force() -> None:
    """The table of limits says what the schema inserts."""
    readme = (ROOT / "README.md").read_text("utf-8")
    sql = (ROOT / "store" / "migrations" / "0001_tables.sql").read_text("utf-8")
    columns, values = re.search(r"INSERT INTO settings\(([^)]*)\)\s*VALUES \(([^;]*)\);", sql, re.DOTALL).groups()  # type: ignore[union-attr]
    names = [name.strip() for name in columns.split(",")]
    defaults = dict(zip(names, next(iter_values(values)), strict=True))
    assert set(names[1:]) == set(NAMES)
    for limit in ("max_depth", "max_jobs", "max_children", "max_workers", "max_attempts"):
        assert re.search(rf"\| {limit} \| {defaults[limit]} \|", readme), limit
    assert "| timeouts | " + ", ".join(defaults["timeouts_s"].strip("'[]").split(",")) + " s |" in readme
    assert f"`slots` ({defaults['slots']})" in readme


def iter_values(text: str) -> Iterator[list[str]]:
    yield [value.strip() for value in re.findall(r"'[^']*'|[^',]+", text) if value.strip()]


def test_the_states_document_names_every_state_and_reason() -> None:
    """And the glossary every kind."""
    states = (ROOT / "docs" / "job_states.md").read_text("utf-8")
    glossary = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    assert all(f"| {status} |" in states for status in Status)
    assert all(f"`{reason}`" in states for reason in Reason)
    assert all(f"`{kind}`" in glossary for kind in Kind)


def test_the_constraints_pin_every_direct_dependency() -> None:
    """`make` installs exact versions."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    pinned = {line.partition("==")[0].lower() for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()}
    assert {re.split(r"[<>=!~ ]", name)[0].lower() for name in wanted} <= pinned


def test_the_reference_of_the_command_line_is_what_the_commands_say() -> None:
    """`make docs` writes it."""
    assert (ROOT / "docs" / "cli.md").read_text("utf-8") == reference()


def test_the_document_of_the_api_lists_every_call(tmp_path: Path) -> None:
    """And no call that is not there."""
    home = Home(tmp_path / ".orch")
    paths = make_app(Stores(home, []), Feed(home), hosts=("localhost",)).openapi()["paths"]
    served = {f"{verb.upper()} {path.removeprefix(BASE)}" for path, verbs in paths.items() for verb in verbs}
    told = set(re.findall(r"`((?:GET|POST|PATCH|DELETE|PUT) /\S+)`", (ROOT / "docs" / "api.md").read_text("utf-8")))
    assert told - {"GET /openapi.json"} == served
