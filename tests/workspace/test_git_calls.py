"""How git is called: what of the outside counts, what a person's settings can not break, how a stop ends it."""

import os
import time
from pathlib import Path

import pytest
from at_git import Repository

from tui_orch.workspace.commit import save
from tui_orch.workspace.git import Git, GitError, Stopped, Ways, last_words
from tui_orch.workspace.merging import Source, merge


def test_git_variables_of_the_outside_do_not_leak_in(repo: Repository, tmp_path: Path) -> None:
    """A GIT_DIR of whoever started the worker names another repository; git still works in its own folder."""
    env = {**repo.env, "GIT_DIR": str(tmp_path / "nowhere"), "GIT_INDEX_FILE": "x", "GIT_AUTHOR_NAME": "Other"}
    assert Git(repo.top, env=env).run("rev-parse", "HEAD") == repo.head


def test_a_failure_is_one_line_that_says_what_where_and_why(repo: Repository) -> None:
    with pytest.raises(GitError) as caught:
        Git(repo.top, env=repo.env).run("rev-parse", "--verify", "no\nsuch")
    said = str(caught.value)
    assert "rev-parse" in said
    assert str(repo.top) in said
    assert "Needed a single revision" in said
    assert "\n" not in said
    assert caught.value.code == 128


def test_last_words_are_bounded_and_printable() -> None:
    said = last_words("hint: do this\nerror: \x1b[31mno\x07\nfatal: " + "x" * 5000)
    assert len(said) == 400
    assert said.isprintable()
    assert last_words("hint: a\nfatal: b\n") == "fatal: b"


def test_a_folder_that_is_gone_is_a_git_error(repo: Repository) -> None:
    with pytest.raises(GitError, match="gone"):
        Git(repo.top / "gone", env=repo.env).run("status")


def test_yes_and_no_are_told_from_a_failure(repo: Repository) -> None:
    git = Git(repo.top, env=repo.env)
    assert git.succeeds("show-ref", "--verify", "-q", "refs/heads/main")
    assert not git.succeeds("show-ref", "--verify", "-q", "refs/heads/other")
    with pytest.raises(GitError):
        git.succeeds("merge-base", "--is-ancestor", "0" * 40, "HEAD")


def test_a_stop_ends_git_while_it_runs(repo: Repository) -> None:
    """`git hash-object --stdin-paths` would wait for a line that never comes (a pipe that stays open)."""
    read, write = os.pipe()
    asked = time.monotonic()
    git = Git(repo.top, env=repo.env, stopped=lambda: time.monotonic() > asked + 0.3)
    try:
        with pytest.raises(Stopped):
            git.run("hash-object", f"/proc/{os.getpid()}/fd/{read}")
    finally:
        os.close(read)
        os.close(write)


def test_a_stop_before_the_call_starts_nothing(repo: Repository) -> None:
    with pytest.raises(Stopped):
        Git(repo.top, env=repo.env, stopped=lambda: True).run("update-ref", "refs/heads/new", "HEAD")
    assert repo.git("branch", "--list", "new") == ""


def test_settings_of_a_person_do_not_break_a_commit_or_a_merge(repo: Repository) -> None:
    """Editor, template, signing, colours, ff-only, encodings, stash and hooks as some people have them."""
    for line in (
        "commit.gpgSign true", "gpg.program false", "core.editor false", "commit.template /nowhere", "merge.ff only",
        "color.ui always", "color.status always", "status.showUntrackedFiles no", "core.safecrlf true",
        "core.autocrlf input", "diff.external false", "i18n.commitEncoding ISO-2022-JP", "commit.verbose true",
        "merge.verifySignatures true", "merge.autoStash true", "submodule.recurse true", "interactive.singleKey true",
        "core.fsmonitor false", "status.short true", "status.branch true", "diff.noprefix true", "core.pager false",
        "commit.cleanup scissors", "rerere.enabled true", "rerere.autoUpdate true", "diff.renames copies",
        "pull.rebase true", "branch.autoSetupMerge always", "core.quotePath true", "advice.detachedHead false",
        "status.relativePaths false", "merge.conflictStyle zdiff3", "log.showSignature true", "help.autocorrect prompt",
    ):  # fmt: skip
        repo.git("config", "--global", *line.split(" ", 1))
    hook = repo.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    one, two = repo.made(1), repo.made(2)
    repo.write("日本 語.txt", "crlf\r\n", at=two.folder)
    tip = save(two, "# 二 job\n\nbody", repo.how)
    assert _message(repo, tip) == "# 二 job\n\nbody\n"
    done = merge(one, [Source(2, "二", two.branch)], repo.how)
    assert done.done == ((2, tip),)
    assert _message(repo, one.branch) == "Merge orch/1/2: 二\n"
    assert repo.git("cat-file", "-p", one.branch).count("parent ") == 2
    repo.check()


def _message(repo: Repository, name: str) -> str:
    return repo.git("cat-file", "-p", name).partition("\n\n")[2] + "\n"


def test_hooks_run_where_the_ways_say_so(repo: Repository) -> None:
    hook = repo.write(".git/hooks/pre-commit", "#!/bin/sh\necho not today >&2\nexit 1\n")
    hook.chmod(0o755)
    plot = repo.made(1)
    repo.write("b.txt", at=plot.folder)
    with pytest.raises(GitError, match="not today"):
        save(plot, "with hooks", type(repo.how)(env=repo.env, ways=Ways(hooks=True)))
    assert save(plot, "without", repo.how) != repo.head


def test_who_commits_is_the_person_or_a_name_of_ours(repo: Repository) -> None:
    plot = repo.made(1)
    repo.write("b.txt", at=plot.folder)
    save(plot, "as the person", repo.how)
    assert repo.git("log", "-1", "--format=%an %ae", plot.branch) == "Person person@localhost"
    repo.git("config", "--global", "--remove-section", "user")
    repo.git("config", "--global", "user.useConfigOnly", "true")
    repo.write("c.txt", at=plot.folder)
    save(plot, "as nobody", repo.how)
    assert repo.git("log", "-1", "--format=%an %ae %cn", plot.branch) == "tui-orch tui-orch@localhost tui-orch"
