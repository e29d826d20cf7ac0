"""The Ray engine against what a real head has answered: what each answer comes to, and what is asked."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.needs import Needs
from tests.launchers.standin_ray import TOKEN, StandinRay
from tui_orch.supervisor.engines import ray as ray_engine
from tui_orch.supervisor.engines.engine import Engine, EngineDown, EngineJob, EngineRefusal, EngineState
from tui_orch.supervisor.engines.ray import Ray


@pytest.fixture
def head() -> Iterator[StandinRay]:
    with StandinRay() as head:
        yield head


@pytest.fixture
def ray(head: StandinRay) -> Iterator[Ray]:
    engine = Ray(head.address)
    yield engine
    engine.close()


def a_job(name: str = "s-1.1", needs: Needs | None = None) -> EngineJob:
    return EngineJob(
        name, ("orch", "worker", "--url", "http://h:1?a=b c"), {"ORCH_CLAIM_CODE": "once"}, needs or Needs()
    )


def test_it_is_an_engine(ray: Ray) -> None:
    seam: Engine = ray
    assert seam.title.startswith("Ray at http://127.0.0.1:")


def test_what_is_asked_of_it(head: StandinRay, ray: Ray) -> None:
    ray.submit(a_job(needs=Needs(2.5, 3000, {"claude": 1.0}, {"zone": "n2"})))
    assert head.submitted == [
        {
            "entrypoint": "exec orch worker --url 'http://h:1?a=b c'",
            "submission_id": "s-1.1",
            "runtime_env": {"env_vars": {"ORCH_CLAIM_CODE": "once"}},
            "entrypoint_num_cpus": 2.5,
            "entrypoint_memory": 3_000_000_000,
            "entrypoint_resources": {"claude": 1.0},
            "entrypoint_label_selector": {"zone": "n2"},
        }
    ]


def test_without_needs_it_asks_for_a_processor_and_so_never_for_the_head(head: StandinRay, ray: Ray) -> None:
    ray.submit(a_job())
    assert head.submitted[0]["entrypoint_num_cpus"] == 1
    assert set(head.submitted[0]) == {"entrypoint", "submission_id", "runtime_env", "entrypoint_num_cpus"}


@pytest.mark.parametrize(
    ("record", "state"),
    [
        ("get_pending", EngineState("pending")),
        ("get_pending_unsatisfiable", EngineState("pending")),
        ("get_after_stop_pending", EngineState("pending")),
        ("get_running", EngineState("running", node="10.99.8.2")),
        ("get_succeeded", EngineState("ended", 0, "10.99.8.2")),
        ("get_failed_exit7", EngineState("ended", 7, "10.99.8.2", "out / err")),
        ("get_failed_signal9", EngineState("ended", -9, "10.99.8.3", "")),
        ("get_stopped", EngineState("ended", None, "10.99.8.2")),
        ("get_stopped_while_pending", EngineState("ended", None, "10.99.8.3")),
    ],
)
def test_what_an_answer_comes_to(head: StandinRay, ray: Ray, record: str, state: EngineState) -> None:
    head.show("s-1.1", record)
    found = ray.poll(["s-1.1", "s-2.1"])
    assert list(found) == ["s-1.1"]
    assert (found["s-1.1"].standing, found["s-1.1"].exit_code) == (state.standing, state.exit_code)
    if record != "get_stopped_while_pending":
        assert found["s-1.1"].node == state.node
        assert (found["s-1.1"].why or "") == (state.why or "")


@pytest.mark.parametrize("how", ["node_cut", "node_killed", "raylet_killed"])
def test_a_job_without_an_exit_code_has_lost_its_machine(head: StandinRay, ray: Ray, how: str) -> None:
    head.show("s-1.1", f"get_failed_{how}")
    found = ray.poll(["s-1.1"])["s-1.1"]
    assert (found.standing, found.exit_code) == ("lost", None)
    assert found.why is not None
    assert found.why.startswith("Job supervisor actor died")
    assert len(found.why) <= 310
    assert "\n" not in found.why


def test_many_are_asked_for_at_once_and_others_jobs_are_not_ours(
    head: StandinRay, ray: Ray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_engine, "_ONE_BY_ONE", 1)
    for name in ("a.1", "a.2"):
        head.show(name, "get_running")
    found = ray.poll(["a.1", "a.2", "a.3"])
    assert {name: state.standing for name, state in found.items()} == {"a.1": "running", "a.2": "running"}
    assert head.calls == [("GET", "/api/jobs/")]


def test_a_name_that_is_there_already_is_fine_and_runs_once(head: StandinRay, ray: Ray) -> None:
    ray.submit(a_job())
    ray.submit(a_job())
    assert len(head.submitted) == 1


def test_what_it_will_never_take_is_refused_in_one_line(head: StandinRay, ray: Ray) -> None:
    head.instead["POST", "/api/jobs/"] = "submit_bad_label"
    with pytest.raises(EngineRefusal, match="ValueError: Invalid label selector value `!!`") as refused:
        ray.submit(a_job())
    assert "\n" not in str(refused.value)
    head.instead["POST", "/api/jobs/"] = "submit_unknown_field"
    with pytest.raises(EngineRefusal, match="unexpected keyword argument 'surprise'"):
        ray.submit(a_job())


def test_stops(head: StandinRay, ray: Ray) -> None:
    head.show("runs", "get_running")
    head.show("waits", "get_pending")
    head.show("ended", "get_succeeded")
    ray.stop(["runs", "waits", "ended", "nobody"])
    assert ray.poll(["runs"])["runs"].standing == "ended"
    assert ray.poll(["waits"])["waits"].standing == "pending"  # it begins, and is ended, when its turn comes


def test_without_names_it_still_tells_whether_it_answers(head: StandinRay, ray: Ray) -> None:
    assert ray.poll([]) == {}
    head.stop_answering()
    with pytest.raises(EngineDown):
        ray.poll([])


def test_a_head_that_refuses_the_connection_has_taken_nothing(head: StandinRay, ray: Ray) -> None:
    head.stop_answering()
    with pytest.raises(EngineDown, match=r"does not answer: .*refused") as down:
        ray.submit(a_job())
    assert not down.value.in_doubt
    with pytest.raises(EngineDown):
        ray.poll(["s-1.1"])
    with pytest.raises(EngineDown):
        ray.stop(["s-1.1"])


def test_a_head_that_says_nothing_leaves_it_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_engine, "CALL_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine = Ray(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(EngineDown) as down:
            engine.submit(a_job())
        engine.close()
    assert down.value.in_doubt


def test_what_is_no_ray_head_is_down_and_not_an_error_of_ours(head: StandinRay, ray: Ray) -> None:
    head.instead["GET", "/api"] = "logs_unknown"
    with pytest.raises(EngineDown, match="answers 404"):
        ray.poll([])
    head.instead["GET", "/api"] = "logs_failed_node_cut"
    with pytest.raises(EngineDown, match="answers 500"):
        ray.poll(["s-1.1"])


def test_the_token_opens_it(tmp_path: Path) -> None:
    token = tmp_path / "token"
    with StandinRay(with_token=True) as head:
        shut_out = Ray(head.address)
        with pytest.raises(EngineDown, match=r"lets us not in: .*Missing authentication token; see token_file"):
            shut_out.submit(a_job())
        shut_out.close()
        engine = Ray(head.address, token)
        with pytest.raises(EngineDown, match="token_file can not be read"):
            engine.poll([])
        token.write_text("wrong\n")
        with pytest.raises(EngineDown, match="Invalid authentication token"):
            engine.poll([])
        token.write_text(f"{TOKEN}\n")  # it is read anew
        engine.submit(a_job())
        engine.close()
    assert TOKEN not in str(head.submitted)
