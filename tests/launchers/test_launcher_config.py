"""`config.toml`: what may stand in it, and one clear line for what may not."""

from pathlib import Path

import pytest

from store.database import Store
from store.errors import BadInput
from store.home import Home
from store.needs import Needs
from tui_orch.supervisor.engines.making import make_launcher
from tui_orch.supervisor.engines.with_local import WithLocal
from tui_orch.supervisor.launcher import LocalLauncher
from tui_orch.worker.remote import KINDS
from tui_orch.worker.remote.config import LauncherConfig, read_config

FULL = """
[launcher]
kind = "ray"
url = "https://head:8000/"
lease_s = 30
work = "git"
git_remote = "ssh://head/project.git"
program = "/opt/orch/bin/orch"

[launcher.ray]
address = "http://head:8265"
token_file = "ray.token"

[launcher.slurm]
partition = "work"
account = "people"
arguments = ["--time=60", "--qos=low"]

[launcher.needs]
cpus = 1
memory_mb = 2000
resources = { claude = 1 }
labels = { zone = "a" }
"""


def config(folder: Path, text: str | bytes, kind: str | None = None) -> LauncherConfig:
    (folder / "config.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_config(Home(folder), kind)


def test_without_a_file_workers_run_here(tmp_path: Path) -> None:
    found = read_config(Home(tmp_path))
    assert (found.kind, found.lease_s, found.work, found.program) == ("local", 60, "shared", "orch")
    assert found.needs == Needs()


def test_all_that_may_stand_in_it(tmp_path: Path) -> None:
    found = config(tmp_path, FULL)
    assert (found.kind, found.url, found.lease_s, found.work) == ("ray", "https://head:8000", 30, "git")
    assert found.git_remote == "ssh://head/project.git"
    assert (found.ray.address, found.ray.token_file) == ("http://head:8265", "ray.token")
    assert found.slurm.arguments == ("--time=60", "--qos=low")
    assert found.needs == Needs(1, 2000, {"claude": 1}, {"zone": "a"})


def test_the_option_comes_before_the_file(tmp_path: Path) -> None:
    assert config(tmp_path, FULL, "slurm").kind == "slurm"
    assert config(tmp_path, FULL, "local").kind == "local"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x =", "is no TOML"),
        (b'x = "\xff"', "is no TOML"),
        ("[luncher]", "has the unknown key 'luncher'; allowed: launcher"),
        ("launcher = 1", "it is a table: [launcher]"),
        ('[launcher]\nkind = "kubernetes"', "kind in [launcher] of {}"),
        ('[launcher]\nkind = "kubernetes"', "is 'kubernetes'; allowed: 'local', 'ray' or 'slurm'"),
        ('[launcher]\nwork = "git"', "git_remote in [launcher] of {} is missing"),
        ('[launcher]\nkind = "ray"', "url in [launcher] of {} is missing"),
        ('[launcher]\nurl = "head:8000"', "allowed: an address such as http://head:8000"),
        ('[launcher]\nurl = "http://head:8000/api"', "allowed: an address such as http://head:8000"),
        ("[launcher]\nlease_s = 4.9", "lease_s in [launcher] of {} is 4.9; allowed: greater than or equal to 5"),
        ("[launcher]\nlease_s = 601", "allowed: less than or equal to 600"),
        ('[launcher]\nwork = "nfs"', "allowed: 'shared', 'git' or 'none'"),
        ('[launcher]\nprogram = ""', "program in [launcher]"),
        (
            "[launcher]\nslots = 4",
            "has the unknown key 'slots'; allowed: kind, url, ca_file, lease_s, work, git_remote, program",
        ),
        ("[launcher]\nray = 1", "allowed: a table"),
        (
            '[launcher.ray]\ntoken = "t"',
            "[launcher.ray] of {} has the unknown key 'token'; allowed: address, token_file",
        ),
        ('[launcher.ray]\naddress = "ray://head"', "address in [launcher.ray] of {} is 'ray://head'"),
        ('[launcher.slurm]\narguments = "--time=60"', "allowed: an array of texts"),
        ("[launcher.slurm]\narguments = [1]", "[launcher.slurm.arguments] of {}"),
        ("[launcher.needs]\ncpus = -1", "[launcher.needs] of {}: cpus of needs is -1; allowed: 0.01"),
        ("[launcher.needs]\ngpus = 1", "[launcher.needs] of {}: needs has the unknown key 'gpus'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        config(tmp_path, text)
    line = str(refused.value)
    assert said.format(tmp_path / "config.toml") in line
    assert str(tmp_path / "config.toml") in line
    assert "\n" not in line


def test_a_file_that_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(BadInput, match="can not be read"):
        read_config(Home(tmp_path))


@pytest.mark.parametrize("kind", KINDS)
def test_a_launcher_of_every_kind_is_made_and_closed(tmp_path: Path, kind: str) -> None:
    with Store.open(Home(tmp_path / ".orch"), create=True) as store:
        launcher = make_launcher(config(store.home.root, FULL, kind), store.home, store)
        assert isinstance(launcher, LocalLauncher if kind == "local" else WithLocal)
        assert launcher.holds_back() is None
        assert not launcher.is_alive(1, 1)
        assert launcher.close_off(1, 1) == "never"
        launcher.close()
