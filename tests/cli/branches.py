"""Trees with worktrees in a real repository, their workers played by hand: what git holds, and what the store notes of it."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from at_orch import AtOrch

from store import workspaces
from store.models import Fence, NewJob, NewTree, Workspace
from store.settings import get_settings, set_setting
from store.states import Kind, Status
from store.tree import get_job, get_tree
from tests.by_hand import now_ms
from tui_orch.workspace import commit, merging, worktree
from tui_orch.workspace.choose import choose
from tui_orch.workspace.of_job import how_of, message_of, plot_of
from tui_orch.workspace.places import Plot
from tui_orch.workspace.reach import branches


class Branches:
    """A person's repository, in the project folder of ``orch`` unless said otherwise."""

    def __init__(self, orch: AtOrch, top: Path | None = None) -> None:
        self.orch = orch
        self.top = top or orch.project
        self.top.mkdir(exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "A Person")
        self.git("config", "user.email", "person@example.org")
        self.write("shared.txt", "one\ntwo\nthree\n")
        self.commit("start")

    def git(self, *args: str, at: Path | None = None) -> str:
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(["git", *args], cwd=at or self.top, env=env, capture_output=True, check=False)
        assert done.returncode == 0, (args, done.stderr.decode())
        return done.stdout.decode().removesuffix("\n")

    def write(self, name: str, text: str, at: Path | None = None) -> None:
        path = (at or self.top) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def commit(self, message: str) -> str:
        self.git("add", "-A", ":!.orch")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def tree(self, *items: str, kind: Kind = Kind.COMMAND, title: str = "the whole") -> int:
        """Hand in a tree with worktrees: a group of commands, or one job."""
        root = NewJob("all of\n" + "\n".join(items), Kind.GROUP, title) if items else NewJob("do it", kind, title)
        tasks = tuple(NewJob(item, Kind.COMMAND) for item in items)
        with self.orch.store.read() as reader:
            settings = get_settings(reader)
        new = NewTree(root, tasks, work_dir=str(self.top), workspace="worktree")
        return self.orch.submit(choose(new, settings).new)

    def plot(self, job_id: int) -> Plot:
        with self.orch.store.read() as reader:
            job = get_job(reader, job_id)
            return plot_of(self.orch.home, job, get_tree(reader, job.root_id))

    def begin(self, job_id: int) -> Fence:
        """Start an attempt in its worktree."""
        fence = self.orch.start(job_id)
        plot = self.plot(job_id)
        with self.orch.store.read() as reader:
            job = get_job(reader, job_id)
            start = workspaces.start_of(reader, job, get_tree(reader, job.root_id))
        worktree.make(plot, start)
        with self.orch.store.write() as tx:
            workspaces.note_made(tx, fence, self.git("rev-parse", plot.branch), 4_000_000, now_ms())
        return fence

    def end(self, fence: Fence, status: Status = Status.COMPLETED) -> Status:
        """Commit what is there, note it, and end the attempt."""
        plot = self.plot(fence.job_id)
        head = commit.save(plot, message_of(self.orch.job(fence.job_id), None))
        noted = self.noted(fence.job_id)
        assert noted.start_commit
        found = commit.diffstat(self.top, noted.start_commit, head)
        with self.orch.store.write() as tx:
            changed = (found.files, found.insertions, found.deletions)
            workspaces.note_head(tx, fence, head, changed, 4_000_000)
        return self.orch.finish(fence, status)

    def work(self, job_id: int, files: Mapping[str, str], status: Status = Status.COMPLETED) -> None:
        """Run a job that writes these files."""
        fence = self.begin(job_id)
        for name, text in files.items():
            self.write(name, text, self.plot(job_id).folder)
        self.end(fence, status)

    def merge_up(self, job_id: int) -> None:
        """Run the attempt of a group that merges its children's branches."""
        fence = self.begin(job_id)
        with self.orch.store.read() as reader:
            waiting = workspaces.to_merge(reader, job_id)
            how = how_of(get_settings(reader))
        sources = [merging.Source(each.job_id, each.title, each.branch) for each in waiting]
        merged = merging.merge(self.plot(job_id), sources, how)
        assert merged.conflict is None
        with self.orch.store.write() as tx:
            workspaces.note_merged(tx, fence, dict(merged.done))
        self.end(fence)

    def grown(self) -> int:
        """Return a tree of two commands, both merged into its root, whose work waits for the person."""
        root = self.tree("write a", "write b")
        self.work(root + 1, {"a.txt": "a\n"})
        self.work(root + 2, {"b.txt": "b\n", "shared.txt": "one\nTWO\nthree\n"})
        self.merge_up(root)
        return root

    def noted(self, job_id: int) -> Workspace:
        with self.orch.store.read() as reader:
            found = workspaces.get_workspace(reader, job_id)
        assert found is not None
        return found

    def names(self) -> list[str]:
        """Return the branches of trees."""
        return sorted(branches(self.top, "orch"))

    def set(self, **settings: object) -> None:
        with self.orch.store.write() as tx:
            for name, value in settings.items():
                set_setting(tx, name, value)

    def check(self) -> None:
        """The repository is sound and nothing of ours is left half done in it."""
        self.git("fsck", "--full", "--strict")
        assert self.git("stash", "list") == ""
        assert not list((self.top / ".git").rglob("*.lock"))
