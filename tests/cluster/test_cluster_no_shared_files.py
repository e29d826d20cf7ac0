"""Nodes that share no files with the head: the project comes by git over the network, or there is none."""

import subprocess
from pathlib import Path

from store.models import Ground, NewJob, NewTree
from store.states import Kind, Status
from tests.cluster.at_head import AtHead, on
from tests.cluster.hosts import until
from tests.cluster.test_cluster_trees import spawn


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=A Person", "-c", "user.email=person@example.org")
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {words}: {done.stdout}{done.stderr}"
    return done.stdout.rstrip("\n")


def test_a_command_runs_where_nothing_is_shared(far: AtHead) -> None:
    """Its output and its log come to the head over the API."""
    far.configure('work = "none"')
    far.serve()
    with far.unseen(far.project):
        root = far.group(
            NewJob("ls -A; echo made > file; cat file; orch spawn --wait --kind command 'echo below'", Kind.COMMAND)
        )
        ended = far.until_ended(root, 120.0)
        far.until_nothing_is_left()
    assert ended.status is Status.COMPLETED, far.describe()
    _, job, below = far.jobs(root)
    assert (job.result or "").splitlines()[0] == "made", "the folder was empty"
    assert below.kind is Kind.COMMAND
    assert far.orch("logs", str(job.id)).stdout.splitlines()[0] == "made"


def test_a_project_comes_and_goes_by_git(far: AtHead) -> None:
    """Each attempt has a clone of its own; what parent and child made on two nodes is on the root's branch at the remote."""
    git(far.project, "init", "-q", "-b", "main")
    (far.project / "README").write_text("a project\n")
    git(far.project, "add", "README")
    git(far.project, "commit", "-q", "-m", "the first")
    served = far.project.parent / "served"
    served.mkdir()
    git(far.project, "clone", "-q", "--bare", str(far.project), str(served / "project.git"))
    far.configure('work = "git"', f'git_remote = "git://{far.head.address}/project.git"')
    words = ("--export-all", "--enable=receive-pack", "--reuseaddr", f"--listen={far.head.address}")
    log = far.project.parent / "git.log"
    daemon = far.head.spawn("git", "daemon", "--verbose", f"--base-path={served}", *words, log=log, env=far.env)
    until(lambda: "Ready" in log.read_text(), "git daemon")
    far.serve()
    line = f"echo above > parent.txt; {spawn('n2', 'cat parent.txt > child.txt')}"
    ground = Ground(str(far.project), git(far.project, "rev-parse", "HEAD"), "main")
    with far.unseen(far.project, served):
        root = far.submit_tree(
            NewTree(NewJob(line, Kind.COMMAND, needs=on("n1")), work_dir=str(far.project), ground=ground)
        )
        ended = far.until_ended(root, 180.0)
        far.until_nothing_is_left()
    daemon.end()
    assert ended.status is Status.COMPLETED, far.describe()
    assert [far.attempts(job.id)[0].host for job in far.jobs(root)] == ["n1", "n2"]
    git(far.project, "fetch", "-q", str(served / "project.git"), "+refs/heads/orch/*:refs/heads/orch/*")
    branch = f"orch/{root}/{root}"
    assert git(far.project, "ls-tree", "-r", "--name-only", branch).splitlines() == [
        "README",
        "child.txt",
        "parent.txt",
    ]
    assert git(far.project, "show", f"{branch}:child.txt") == "above"
