"""The API against its own document: whatever is sent, the answer is one that the document names, and never a 5xx."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from at_api import AtApi, at_api
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tui_orch.api.rates import Rates

_SETTINGS = settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
#: A request of the right form may still be refused for what it means: a question can not be allowed.
_ACCEPTED = {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404", "409"]}}
#: What a schema can not say: one of two names only, plain text; and that a slot is a worker's.
_WITH_RULES = {"/api/v1/orchestrate", "/api/v1/jobs/{job_id}/permissions", "/api/v1/slot"}
#: What a worker on another machine calls; a key may do none of it. (tests/worker/test_far_attempt.py calls it as one.)
_OF_ATTEMPTS = "/api/v1/attempt/"
#: Seconds that are read of a stream, which has no end.
_STREAM_S = 0.2
#: What there is to be found: a group that waits, jobs that ended, run and wait, a batch, an ask, and one that is not there.
_NAMES = ["1", "2", "3", "4", "5", "1-1", "9999"]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtApi]:
    """A store with something in each state, and no limit of calls."""
    with at_api(tmp_path_factory.mktemp("fuzzed"), Rates(per_second=1e9, burst=10**9)) as api:
        _, (first, second, _) = api.group("a", "b", "c")
        api.run(first)
        fence, _ = api.start(second)
        api.ask(fence)
        api.run(api.tree("alone"))
        yield api


@pytest.fixture(scope="module")
def seen() -> Counter[int]:
    """How often each status was answered."""
    return Counter()


@pytest.fixture(scope="module")
def document(fuzzed: AtApi) -> Any:
    """The app's own document; names in addresses are often those of what is there, and the key is always the right one."""
    found = httpx.get(f"{fuzzed.url}/openapi.json", trust_env=False).json()
    for path in found["paths"].values():
        for operation in path.values():
            operation.pop("security", None)
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter["schema"] = {"anyOf": [{"enum": _NAMES}, parameter["schema"]]}
    return schemathesis.openapi.from_dict(found, config=schemathesis.Config.from_dict({"checks": _ACCEPTED}))


schema = schemathesis.pytest.from_fixture("document")


@schema.exclude(path="/api/v1/events").parametrize()
@_SETTINGS
def test_every_answer_is_one_that_the_document_names(case: Any, fuzzed: AtApi, seen: Counter[int]) -> None:
    """Status, content type, headers and body."""
    excluded = [positive_data_acceptance] if _has_rules(case.operation.path) else []
    answer = case.call_and_validate(base_url=fuzzed.url, headers={"X-API-Key": fuzzed.key}, excluded_checks=excluded)
    seen[answer.status_code] += 1


def _has_rules(path: str) -> bool:
    return path in _WITH_RULES or path.startswith(_OF_ATTEMPTS)


@schema.include(path="/api/v1/events").parametrize()
@settings(_SETTINGS, max_examples=3)
def test_every_event_is_as_the_document_says(case: Any, fuzzed: AtApi) -> None:
    """Of a stream, what comes at once."""
    case.call_and_validate(base_url=fuzzed.url, headers={"X-API-Key": fuzzed.key}, timeout=_STREAM_S)


def test_the_calls_were_of_all_sorts(seen: Counter[int]) -> None:
    """Good ones and bad ones: else the test above would show nothing."""
    assert seen[200] > 50
    assert seen[404] > 20
    assert seen[422] > 20
