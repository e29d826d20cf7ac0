"""The environment of a worker is an allow-list."""

import os
import sys
from pathlib import Path

import pytest

from store.home import Home
from store.states import Kind
from tui_orch.worker.environment import OWN, allowed, runner_environment, worker_environment

HOME = Home(Path("/project/.orch"))
KEYS = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_AUTH_TOKEN": "t", "CLAUDE_CODE_OAUTH_TOKEN": "o"}


def worker(base: dict[str, str], kind: Kind = Kind.CLAUDE) -> dict[str, str]:
    return worker_environment(allowed(base, kind), HOME, store_id="s", job=12, attempt=3, token="secret")


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TERM", "TMPDIR", "XDG_CONFIG_HOME", "VIRTUAL_ENV"),
        *("http_proxy", "HTTPS_PROXY", "no_proxy", "ALL_PROXY"),
        *("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE", "ORCHESTRATOR_API_URL"),
    ],
)
@pytest.mark.parametrize("kind", [Kind.CLAUDE, Kind.COMMAND])
def test_what_any_program_needs_passes(name: str, kind: Kind) -> None:
    assert allowed({name: "x"}, kind) == {name: "x"}


@pytest.mark.parametrize(
    "name",
    [
        *("GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "OPENAI_API_KEY", "SSH_AUTH_SOCK"),
        *("GIT_AUTHOR_NAME", "PYTHONPATH", "PYTHONHOME", "LD_PRELOAD", "NODE_OPTIONS", "BASH_ENV"),
        *("CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT", "XPATH", "PATH2", "HOMES", *OWN),
    ],
)
def test_anything_else_stays_out(name: str) -> None:
    assert allowed({name: "x"}) == {}


@pytest.mark.parametrize(
    "name", [*KEYS, "ANTHROPIC_BASE_URL", "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_MAX_RETRIES", "ORCH_CLAUDE_PATH"]
)
def test_what_reaches_the_model_goes_to_claude_alone(name: str) -> None:
    assert allowed({name: "x"}, Kind.CLAUDE) == {name: "x"}
    assert allowed({name: "x"}, Kind.COMMAND) == {}


def test_a_clouds_credentials_pass_only_while_that_cloud_serves_the_model() -> None:
    base = {"AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "r", "CLOUD_ML_REGION": "g", "AZURE_CLIENT_ID": "z"}
    assert allowed(base) == {}
    assert allowed(base | {"CLAUDE_CODE_USE_BEDROCK": "0"}) == {}
    assert set(allowed(base | {"CLAUDE_CODE_USE_BEDROCK": "1"})) == {
        "CLAUDE_CODE_USE_BEDROCK",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
    }
    assert set(allowed(base | {"CLAUDE_CODE_USE_VERTEX": "true"})) == {"CLAUDE_CODE_USE_VERTEX", "CLOUD_ML_REGION"}
    assert allowed(base | {"CLAUDE_CODE_USE_BEDROCK": "1"}, Kind.COMMAND) == {}


def test_the_user_may_name_more_and_a_whole_family() -> None:
    base = {"ORCH_ENV_PASS": " GITHUB_TOKEN ,, NPM_*,", "GITHUB_TOKEN": "g", "NPM_TOKEN": "n", "NP": "x"}
    assert set(allowed(base, Kind.COMMAND)) == {"ORCH_ENV_PASS", "GITHUB_TOKEN", "NPM_TOKEN"}


def test_a_key_that_the_user_names_reaches_a_command_too() -> None:
    base = {"ORCH_ENV_PASS": "ANTHROPIC_API_KEY", **KEYS}
    inside = runner_environment(worker(base, Kind.COMMAND), Kind.COMMAND)
    assert {name: inside.get(name) for name in KEYS} == {
        "ANTHROPIC_API_KEY": "k",
        "ANTHROPIC_AUTH_TOKEN": None,
        "CLAUDE_CODE_OAUTH_TOKEN": None,
    }


def test_no_wildcard_lets_another_jobs_token_in() -> None:
    own = {"ORCH_TOKEN": "of another", "ORCHESTRATOR_API_KEY": "a person's", "ORCH_COOKIE": "c"}
    assert allowed({"ORCH_ENV_PASS": "*", "A": "b", **own}) == {"ORCH_ENV_PASS": "*", "A": "b"}


def test_the_key_to_the_api_is_the_workers_token_and_no_other() -> None:
    """The key of whoever started the tree could reach every tree; the token reaches the worker's own subtree."""
    around = {"ORCHESTRATOR_API_KEY": "a person's", "ORCH_ENV_PASS": "ORCHESTRATOR_API_KEY"}
    assert runner_environment(worker(around), Kind.COMMAND)["ORCHESTRATOR_API_KEY"] == "secret"


def test_a_worker_is_told_who_it_is_whatever_stands_around() -> None:
    around = {"ORCH_HOME": "/other", "ORCH_TOKEN": "other", "ORCH_JOB_ID": "1", "ORCHESTRATOR_API_KEY": "k"}
    env = worker({**around, "ORCH_COOKIE": "z"})
    assert {name: env[name] for name in OWN} == {
        "ORCH_HOME": "/project/.orch",
        "ORCH_JOB_ID": "12",
        "ORCH_ATTEMPT_ID": "12.3",
        "ORCH_TOKEN": "secret",
        "ORCHESTRATOR_API_KEY": "secret",
        "ORCH_COOKIE": "s/12.3",
    }


def test_orch_is_found_inside_and_the_projects_python_stays_first() -> None:
    own = str(Path(sys.executable).parent)
    assert worker({"PATH": "/a:/b"})["PATH"] == f"/a:/b:{own}"
    assert worker({"PATH": f"/a:{own}:/b"})["PATH"] == f"/a:{own}:/b"
    assert worker({})["PATH"] == f"{os.defpath}:{own}"


def test_what_a_worker_starts_gets_its_identity_and_its_kinds_part() -> None:
    around = worker({"HOME": "/h", "PATH": "/a", **KEYS}) | {"SLURM_JWT": "cluster"}
    claude = runner_environment(around, Kind.CLAUDE)
    command = runner_environment(around, Kind.COMMAND)
    assert {"SLURM_JWT"}.isdisjoint({*claude, *command})
    assert set(KEYS) <= set(claude)
    assert set(KEYS).isdisjoint(command)
    assert all(command[name] == claude[name] == around[name] for name in (*OWN, "HOME", "PATH"))


def test_the_given_mapping_is_left_as_it_is() -> None:
    base = {"PATH": "/a", "SECRET": "s"}
    worker(base)
    assert base == {"PATH": "/a", "SECRET": "s"}
