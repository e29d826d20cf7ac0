"""Every file has one purpose that it states, and a size that can be read."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_LINES = 350
SOURCES = sorted(
    path
    for folder in ("store", "tui_orch")
    for path in (ROOT / folder).rglob("*.py")
    if "notes_project" not in path.parts
)
MODULES = [path for path in SOURCES if path.read_text("utf-8").strip()]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_owns_and_stays_readable(path: Path) -> None:
    """A docstring first, and no file that swallows its neighbours."""
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text)), "no docstring"
    assert len(text.splitlines()) <= MOST_LINES


def test_no_file_of_tests_or_benchmarks_outgrows_a_reader() -> None:
    """The same size holds for them."""
    files = [path for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    sizes = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in files}
    assert {name: size for name, size in sizes.items() if size > MOST_LINES} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    """A reader looks for the file where a thing happens, and its name tells."""
    empty = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "core"}
    assert not {path.stem for path in SOURCES} & empty


def test_nothing_of_this_machine_or_of_a_registry_is_in_the_repository() -> None:
    """No addresses of package registries and no absolute paths of a developer's machine."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, tracked.stdout.decode().split("\0")):
        path = ROOT / name
        if not path.is_file() or path == Path(__file__):
            continue
        text = path.read_text("utf-8", errors="replace")
        for foreign in ("/root/", "/work/main", "pypi.org", "pythonhosted", "registry.npmjs"):
            assert foreign not in text, f"{name} holds {foreign!r}"
