"""The commands and the snippet of the document that this project began with, run as they stand inside a worker.

Real HTTP, and real Claude Code workers for the parts of each request. Replaced is only what no text can know: the import
path, the key, the job's id, and the port where another program has 8000.
"""

import json
import re
import shlex
import socket
import sys
from collections.abc import Iterator

import pytest
from scripted import report, scripted

from store.models import Job
from store.states import Kind, Status
from tests.served import Served
from tui_orch.demo.script import Role, Script

pytestmark = [pytest.mark.real_cli, pytest.mark.timeout(180)]

SUBMIT = """\
curl -X POST http://localhost:8000/api/v1/orchestrate \\
  -H "X-API-Key: your-key" \\
  -H "Content-Type: application/json" \\
  -d '{
    "request": "大規模プロジェクトを構築:\\n1. バックエンド\\n2. フロントエンド\\n3. データベース",
    "config": {
      "max_workers": 3,
      "max_recursion_depth": 2
    }
  }'
"""
STATUS = """\
curl http://localhost:8000/api/v1/jobs/abc-123/status \\
  -H "X-API-Key: your-key"
"""
RESULTS = """\
curl http://localhost:8000/api/v1/jobs/abc-123/results \\
  -H "X-API-Key: your-key"
"""
SNIPPET = '''\
from orchestrator.recursive_helper import SyncRecursiveOrchestratorClient
import os

client = SyncRecursiveOrchestratorClient(
    api_url="http://localhost:8000",
    api_key=os.getenv("ORCHESTRATOR_API_KEY"),
    current_depth=1,
    max_depth=2
)

result = client.orchestrate_subtasks(
    request="""
    バックエンドのサブタスク:
    1. ユーザー認証API
    2. データCRUD API
    3. WebSocket通信
    """,
    max_workers=3
)

print(f"サブタスク完了: {result['results']}")
'''

#: Every part is done by saying its own last line.
PARTS = Script((Role(r"(?P<part>[^\n]+)\s*\Z", report("{part}: できました")),))


@pytest.fixture
def original(served: Served) -> Iterator[Served]:
    """A store with a scripted model, served at port 8000 if that is free."""
    with scripted(served, PARTS):
        served.serve(8000 if _is_free(8000) else 0)
        yield served


def test_the_curl_commands_run_inside_a_worker(original: Served) -> None:
    """Handed in, looked at until it has ended, and fetched; the parts are one level below the worker."""
    lines = (
        "exec 2>curl.log",
        f"answer=$({_of(original, SUBMIT)})",
        f'job_id=$(printf %s "$answer" | {_field("job_id")})',
        f"until {_of(original, STATUS)} > status; {_field('status')} < status | grep -Ev 'queued|running'; do sleep 0.2; done",
        f"results=$({_of(original, RESULTS)})",
        'printf "[%s,%s,%s]" "$answer" "$(cat status)" "$results" > said',
    )
    (original.project / "original.sh").write_text("\n".join(lines))
    worker, parts = _run(original, "sh -e original.sh")
    answer, status, results = json.loads((original.project / "said").read_text())
    assert (answer["job_id"], answer["status"]) == (f"{worker.id}-1", "queued")
    assert (status["status"], status["depth"], status["progress"]["completed"]) == ("completed", 2, 3)
    assert [(part["status"], part["result"]) for part in results["results"]] == [
        ("completed", "バックエンド: できました"),
        ("completed", "フロントエンド: できました"),
        ("completed", "データベース: できました"),
    ]
    assert (results["summary"]["total_tasks"], results["summary"]["successful_tasks"]) == (3, 3)
    assert [part.request.split("\n")[0] for part in parts] == ["大規模プロジェクトを構築:"] * 3


def test_the_python_snippet_runs_inside_a_worker(original: Served) -> None:
    """Its parts are real Claude Code workers, children of the worker that runs it; it prints what they found."""
    text = _of(original, SNIPPET).replace("from orchestrator.", "from tui_orch.")
    (original.project / "snippet.py").write_text(text)
    worker, parts = _run(original, f"{shlex.quote(sys.executable)} snippet.py")
    assert (worker.result or "").startswith("サブタスク完了: [{'job_id': ")
    for part, name in zip(parts, ("ユーザー認証API", "データCRUD API", "WebSocket通信"), strict=True):
        assert (part.title, part.result) == (name, f"{name}: できました")
        assert f"'result': '{name}: できました'" in (worker.result or "")


def _run(served: Served, command: str) -> tuple[Job, list[Job]]:
    """Run a command at depth 1 and return it with its children, having checked where all of them stand in the tree."""
    root = served.group(command, max_workers=3)
    ended = served.until_ended(root, timeout_s=120)
    assert ended.status is Status.COMPLETED, served.describe()
    _, worker, *parts = served.jobs(root)
    assert (ended.kind, ended.depth) == (Kind.GROUP, 0)
    assert (worker.parent_id, worker.kind, worker.depth) == (root, Kind.COMMAND, 1)
    expected = (worker.id, Kind.CLAUDE, 2, root, Status.COMPLETED)
    assert [(job.parent_id, job.kind, job.depth, job.root_id, job.status) for job in parts] == [expected] * 3
    return worker, parts


def _of(served: Served, text: str) -> str:
    """Put into the document's text what it can not know."""
    port = served.url.rpartition(":")[2]
    text = text.replace("localhost:8000", f"localhost:{port}").replace("your-key", "$ORCHESTRATOR_API_KEY")
    return re.sub(r"\babc-123\b", "$job_id", text).strip()


def _field(name: str) -> str:
    read = f"import json, sys; print(json.load(sys.stdin)[{name!r}])"
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(read)}"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
