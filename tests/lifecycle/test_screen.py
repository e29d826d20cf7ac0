"""The app in a real terminal, over a real store with a real supervisor and command workers."""

import sys
from pathlib import Path

from at_work import AtWork
from on_screen import BACKSPACE, CTRL_S, ENTER, ESCAPE, OnScreen, on_screen

from store.database import Reader
from store.models import Job
from store.states import Status
from store.tree import get_job, get_tree, subtree
from tui_orch.supervisor.ownership import holder
from tui_orch.tui.row import state_word

REQUEST = """\
---
kind: command
max_depth: 2
max_workers: 8
max_attempts: 1
---
All that a screen can steer

1. `orch spawn --wait --kind command 'sleep 300 & echo $! > doomed; wait'`
2. `cat repaired`
3. `orch spawn --wait --kind command 'sh dig.sh'`
4. `sh ask.sh`
5. `until test -e enough; do sleep 0.1; done; echo it went on`
"""
ROOT, DOOMED, BROKEN, DEEP, ASKING, LASTING = 1, 2, 3, 4, 5, 6

DIG = "until orch spawn --wait --kind command 'echo the deepest'; do sleep 0.5; done\n"

ASK = f"""\
exec {sys.executable} -P - <<'END'
import os, time
from pathlib import Path
from store.asks import ask, take_answer
from store.claim import fence_of_token
from store.database import Store
from store.home import Home

wanted = {{"command": "make test"}}
with Store.open(Home(Path(os.environ["ORCH_HOME"]))) as store:
    with store.write() as tx:
        fence = fence_of_token(tx, os.environ["ORCH_TOKEN"])
        ask(tx, fence, kind="permission", tool="Bash", input=wanted, question="run the tests?", now_ms=1)
    answer = None
    while answer is None:
        time.sleep(0.1)
        with store.write() as tx:
            answer = take_answer(tx, fence, "permission", "Bash", wanted, 2)
print("the person said", answer.answer)
END
"""


def test_a_tree_is_steered_from_the_screen_and_the_store_says_the_same(work: AtWork) -> None:
    """Submit, watch three levels grow, cancel, retry, raise a limit, answer, quit: nothing but keys; the tree goes on."""
    work.set("slots", 8)
    (work.project / "dig.sh").write_text(DIG)
    (work.project / "ask.sh").write_text(ASK)
    with on_screen(work) as screen:
        screen.until_shows("No jobs yet.")
        supervisor = holder(work.home)
        assert supervisor is not None, "`orch` starts a supervisor where none runs"

        submit(screen)
        doomed, deep = only_child(work, DOOMED), only_child(work, DEEP)
        for job_id in (ROOT, DOOMED, doomed.id, DEEP, deep.id):
            screen.until_row(job_id, f"#{job_id}")
        assert screen.level(ROOT) < screen.level(DOOMED) < screen.level(doomed.id)
        assert screen.level(ROOT) < screen.level(DEEP) < screen.level(deep.id)

        cancel_a_branch(screen, work, doomed.id)
        retry_a_failure(screen, work)
        raise_the_depth(screen, work, deep.id)
        answer_an_ask(screen, work)

        for job in work.jobs(ROOT):
            screen.until_row(job.id, state_word(job))

        screen.press("q")
        assert screen.until_ended() == 0
        assert screen.attributes == screen.attributes_before
        assert not screen.modes[1049], "the alternate screen is left"
        assert screen.modes[25], "the cursor is shown"
        assert not any(screen.modes[mode] for mode in (1000, 1003, 1004, 1006, 2004)), "mouse, focus and paste are off"

        assert holder(work.home) == supervisor, "closing the screen stops nothing"
        assert work.job(LASTING).status is Status.RUNNING
        (work.project / "enough").touch()
        assert work.until_ended(ROOT).status is Status.PARTIAL
        assert work.job(LASTING).result == "it went on\n"
        ends = {job.id: job.status for job in work.jobs(ROOT)[1:]}
        assert [ends.pop(job_id) for job_id in (DOOMED, doomed.id)] == [Status.CANCELLED] * 2
        assert set(ends.values()) == {Status.COMPLETED}


def test_without_a_terminal_the_screen_says_so_and_starts_nothing(work: AtWork) -> None:
    done = work.orch(code=2)
    assert done.stdout == ""
    assert done.stderr.startswith("orch: the screen needs a terminal")
    assert done.stderr.count("\n") == 1
    assert holder(work.home) is None


def submit(screen: OnScreen) -> None:
    screen.press("n")
    screen.until_shows("New request", "Hand in")
    screen.press(REQUEST.replace("\n", ENTER))
    screen.until_shows("a group of 5 commands")
    screen.press(CTRL_S)
    screen.until_row(ROOT, "All that a screen can steer")


def cancel_a_branch(screen: OnScreen, work: AtWork, below: int) -> None:
    work.wait_for(lambda: _words(work.project / "doomed"), "the command of the branch")
    process = Path("/proc") / _words(work.project / "doomed")[0]
    assert process.exists()
    screen.go_to(DOOMED)
    screen.press("c")
    screen.until_shows(f"Cancel #{DOOMED}?", "This ends 2 jobs")
    assert work.job(DOOMED).status is Status.RUNNING, "nothing is cancelled before the person says yes"
    screen.press("y")
    work.until_ended(DOOMED)
    assert [work.job(job_id).status for job_id in (DOOMED, below)] == [Status.CANCELLED] * 2
    work.wait_for(lambda: not process.exists(), "the end of the branch's processes")
    for job_id in (DOOMED, below):
        screen.until_row(job_id, "cancelled")


def retry_a_failure(screen: OnScreen, work: AtWork) -> None:
    screen.until_row(BROKEN, "exit code")
    assert work.job(BROKEN).status is Status.FAILED
    (work.project / "repaired").write_text("repaired\n")
    screen.go_to(BROKEN)
    screen.press("r")
    screen.until_row(BROKEN, "completed", "repaired")
    job = work.job(BROKEN)
    assert (job.status, job.attempt, job.result) == (Status.COMPLETED, 2, "repaired\n")


def raise_the_depth(screen: OnScreen, work: AtWork, digging: int) -> None:
    screen.until_row(digging, "orch: max_depth")
    assert work.job(digging).children == 0
    screen.go_to(digging)
    screen.press("l")
    screen.until_shows("Limits of tree #1", "max_depth")
    screen.press(BACKSPACE)
    screen.until_shows("✘ not allowed")
    screen.press("3")
    screen.until_shows("→ 1 more level below")
    screen.press(ENTER)
    deepest = only_child(work, digging)
    screen.until_row(deepest.id, "completed", "the deepest")
    assert screen.level(deepest.id) > screen.level(digging)
    assert work.until_ended(DEEP).status is Status.COMPLETED
    assert (work.job(deepest.id).depth, work.job(deepest.id).result) == (3, "the deepest\n")
    with work.store.read() as reader:
        assert get_tree(reader, ROOT).max_depth == 3


def answer_an_ask(screen: OnScreen, work: AtWork) -> None:
    screen.until_row(ASKING, "asks: run the tests?")
    screen.press("a")
    screen.until_shows("1 ask waits for an answer", "make test")
    screen.press("a")
    screen.until_shows("Nothing waits for an answer.")
    assert work.until_ended(ASKING).result == "the person said allow\n"
    screen.press(ESCAPE)
    screen.until_row(ASKING, "completed", "the person said allow")


def only_child(work: AtWork, job_id: int) -> Job:
    def child(reader: Reader) -> Job | None:
        below = subtree(reader, job_id)[1:] if get_job(reader, job_id).children else []
        return below[0] if below else None

    return work.until(child, f"a child of #{job_id}")


def _words(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []
