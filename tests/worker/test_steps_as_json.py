"""Every step can travel: its arguments and its answer have a form as JSON, and the SDK is not needed for it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from store.errors import BadInput
from store.models import Outcome
from store.states import Reason, Status
from tui_orch.worker.claude.question import Question
from tui_orch.worker.steps import job_steps, wire
from tui_orch.worker.steps.all_steps import STEPS
from tui_orch.worker.work import Ending, Finished, Released, Suspended

ENDINGS: tuple[Ending, ...] = (
    Finished(Outcome(Status.FAILED, Reason.EXIT_CODE, error="no", exit_code=3), (4, 5)),
    Suspended("children", "a-session", delivered=(1,)),
    Suspended("ask", None),
    Released(Reason.SHUTDOWN, session_id="a-session", not_before_ms=5),
)


@pytest.mark.parametrize("name", sorted(STEPS))
def test_every_step_has_a_form(name: str) -> None:
    step = STEPS[name]
    with pytest.raises(BadInput, match="unknown: nonsense"):
        wire.arguments_from_json(step.function, {"nonsense": 1})


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ending_arrives_as_it_was_sent(ending: Ending) -> None:
    sent = json.loads(json.dumps(wire.arguments_to_json(job_steps.record_ending, (ending,), {})))
    assert wire.arguments_from_json(job_steps.record_ending, sent) == {"ending": ending}


def test_a_question_arrives_as_it_was_sent() -> None:
    question = Question("permission", "May it?", "Bash", {"command": "ls", "deep": [{"a": None}]}, ("yes",))
    step = STEPS["ask"]
    sent = json.loads(json.dumps(wire.arguments_to_json(step.function, (question, (3,)), {})))
    assert wire.arguments_from_json(step.function, sent) == {"question": question, "told": (3,)}


def test_what_is_missing_or_of_another_type_is_one_clear_error() -> None:
    with pytest.raises(BadInput, match="record_ending takes ending; missing: ending"):
        wire.arguments_from_json(job_steps.record_ending, {})
    with pytest.raises(BadInput, match="record_ending can not take this"):
        wire.arguments_from_json(job_steps.record_ending, {"ending": 7})


def test_the_head_needs_no_sdk_for_them() -> None:
    program = "import sys; import tui_orch.worker.steps.all_steps; sys.exit('claude_agent_sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=Path(__file__).parents[2]).returncode == 0
