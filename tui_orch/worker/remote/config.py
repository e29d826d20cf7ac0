"""Where workers run, and how those elsewhere reach the store: the table ``[launcher]`` of ``config.toml`` in the store's folder.

Reads and checks; starts nothing. Without the file, workers are processes of this machine.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, ValidationError

from store.errors import BadInput
from store.home import Home
from store.leases import MOST_LEASE_MS
from store.needs import Needs, parse_needs
from tui_orch.worker.remote import CONFIG

Launching = Literal["local", "ray", "slurm"]
Work = Literal["shared", "git", "none"]

LEAST_LEASE_S = 5


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("an address such as http://head:8000")
    return text.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]
Text = Annotated[str, Field(min_length=1)]


class _Table(BaseModel):
    """A table of the file: unknown keys are refused, and no value is taken for another type's."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RayConfig(_Table):
    """``[launcher.ray]``: where the head of a Ray cluster answers."""

    address: Address = "http://127.0.0.1:8265"
    token_file: Text | None = None  # holds the cluster's token alone; a relative path counts from the store's folder


class SlurmConfig(_Table):
    """``[launcher.slurm]``: what every ``sbatch`` is told."""

    partition: Text | None = None
    account: Text | None = None
    arguments: tuple[str, ...] = Field(default=(), strict=False)


class LauncherConfig(_Table):
    """``[launcher]``: which engine runs workers, and what those need to know. Times in s."""

    kind: Launching = "local"
    url: Address | None = None  # how a node reaches `orch serve`; never None unless local
    ca_file: Text | None = None  # on the nodes: who has signed the certificate of url, where they do not know that
    lease_s: float = Field(60, ge=LEAST_LEASE_S, le=MOST_LEASE_MS / 1000, strict=False)
    work: Work = "shared"  # how a node gets the files: the same folder is there, by git, or not at all
    git_remote: Text | None = None
    program: Text = "orch"  # on the nodes
    ray: RayConfig = RayConfig()
    slurm: SlurmConfig = SlurmConfig()
    needs: Annotated[InstanceOf[Needs], BeforeValidator(parse_needs)] = Needs()  # of any worker; its job's come before


def read_config(home: Home, kind: str | None = None) -> LauncherConfig:
    """Return what the store's ``config.toml`` says, or the defaults without one; ``kind`` comes before the file's.

    Raises BadInput: one line with the file, the key and what is allowed.
    """
    path = home.root / CONFIG
    table = _launcher_table(path)
    if kind is not None:
        table = {**table, "kind": kind}
    try:
        config = LauncherConfig.model_validate(table)
    except ValidationError as error:
        raise BadInput(_first(path, error)) from error
    except BadInput as error:  # of needs, which say themselves what is allowed
        raise BadInput(f"[launcher.needs] of {path}: {error}") from error
    if config.kind != "local" and config.url is None:
        raise BadInput(
            f"url in [launcher] of {path} is missing; workers of {config.kind} reach the store by it: the address of "
            '`orch serve` as nodes see it, such as "http://head:8000"'
        )
    if config.work == "git" and config.git_remote is None:
        raise BadInput(
            f'git_remote in [launcher] of {path} is missing; with work = "git" nodes clone from it and push to it: an address '
            'such as "ssh://git@host/project.git"'
        )
    return config


def _launcher_table(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadInput(f"{path} can not be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"{path} is no TOML: {error}") from error
    unknown = sorted(found.keys() - {"launcher"})
    if unknown:
        raise BadInput(f"{path} has the unknown key {unknown[0]!r}; allowed: launcher")
    table = found.get("launcher", {})
    if not isinstance(table, dict):
        raise BadInput(f"launcher in {path} is {table!r}; it is a table: [launcher]")
    return table


_TABLES: dict[str, type[_Table]] = {"ray": RayConfig, "slurm": SlurmConfig}


def _first(path: Path, error: ValidationError) -> str:
    """Say the first thing that is wrong."""
    first = error.errors(include_url=False)[0]
    *above, key = map(str, first["loc"])
    where = f"[{'.'.join(('launcher', *above))}] of {path}"
    if first["type"] == "extra_forbidden":
        fields = _TABLES[above[0]].model_fields if above else LauncherConfig.model_fields
        return f"{where} has the unknown key {key!r}; allowed: {', '.join(fields)}"
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if first["type"] in {"model_type", "tuple_type"}:
        message = "a table" if first["type"] == "model_type" else "an array of texts"
    return f"{key} in {where} is {first['input']!r}; allowed: {message}"
