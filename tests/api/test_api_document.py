"""The API's own document: true, whole and with examples that are right. That answers match it is fuzzed."""

from typing import Any

import pytest
from at_api import AtApi, problem
from jsonschema import Draft202012Validator

from tui_orch.api import asked, told


def _document(api: AtApi) -> dict[str, Any]:
    found: dict[str, Any] = api.client().get(f"{api.url}/openapi.json").json()
    return found


def test_the_document_needs_no_key_and_names_every_operation(quiet: AtApi) -> None:
    """Each with what may go wrong, in the one shape."""
    found = _document(quiet)
    operations = [(path, name, each) for path, of in found["paths"].items() for name, each in of.items()]
    assert len(operations) >= 26
    for path, name, operation in operations:
        assert operation["description"], (path, name)
        errors = {status: answer for status, answer in operation["responses"].items() if status[0] in "45"}
        assert {"403", "413", "421", "429"} <= set(errors)
        for answer in errors.values():
            assert answer["content"] == {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
            }


def test_every_operation_but_health_wants_a_key(quiet: AtApi) -> None:
    """None was forgotten: without one it is 401, whatever is sent."""
    for path, operations in _document(quiet)["paths"].items():
        for method, operation in operations.items():
            if path.endswith("/health"):
                continue
            assert operation["security"] == [{"APIKeyHeader": []}, {"HTTPBearer": []}], path
            sent = quiet.client().request(method, quiet.url + path.replace("{", "").replace("}", ""))
            problem(sent, 401, "not_authenticated")


def test_the_examples_are_what_the_schemas_say(quiet: AtApi) -> None:
    """Of bodies that are sent and of those that come back."""
    schemas = _document(quiet)["components"]["schemas"]
    with_examples = {name: schema for name, schema in schemas.items() if "examples" in schema}
    assert {"Orchestrate", "Answer", "LimitsChange", "NewRule", "Slot", "Accepted", "ProblemDetails"} <= set(
        with_examples
    )
    for schema in with_examples.values():
        for example in schema["examples"]:
            Draft202012Validator({"components": {"schemas": schemas}, **schema}).validate(example)


@pytest.mark.parametrize("model", [asked.Orchestrate, asked.Answer, asked.LimitsChange, asked.NewRule, asked.Slot])
def test_the_examples_are_taken(model: type[asked.Asked]) -> None:
    """As they stand."""
    for example in model.model_json_schema()["examples"]:
        model.model_validate(example)


def test_no_body_takes_what_it_does_not_know(quiet: AtApi) -> None:
    """additionalProperties is false in all that is sent; what comes back may grow."""
    schemas = _document(quiet)["components"]["schemas"]
    sent = [
        each.__name__ for each in vars(asked).values() if isinstance(each, type) and each.__module__ == asked.__name__
    ]
    for name in set(sent) & set(schemas):
        assert schemas[name]["additionalProperties"] is False, name
    assert "additionalProperties" not in schemas[told.JobStatus.__name__]


def test_there_is_no_page_that_loads_scripts_from_elsewhere(quiet: AtApi) -> None:
    """The document itself is all."""
    for path in ("/docs", "/redoc"):
        problem(quiet.person.get(quiet.url + path), 404, "not_found")
