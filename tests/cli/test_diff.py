"""`orch diff`: what a branch changed, safe on a terminal, exact with --raw."""

import json
import subprocess
import sys

from branches import Branches

from tui_orch.cli.diff_text import diff_lines, stat_lines


def test_the_root_shows_all_that_was_merged_into_it(grove: Branches) -> None:
    root = grove.grown()
    done = grove.orch("diff", str(root))
    assert done.code == 0
    for line in ("+a", "+b", "-two", "+TWO", "diff --git a/a.txt b/a.txt"):
        assert line in done.out.splitlines()
    part = grove.orch("diff", str(root + 1)).out
    assert "a.txt" in part
    assert "b.txt" not in part


def test_numbers_for_programs(grove: Branches) -> None:
    root = grove.grown()
    found = json.loads(grove.orch("diff", str(root), "--json").out)
    assert found["branch"] == f"orch/{root}/{root}"
    assert [(file["path"], file["insertions"], file["deletions"]) for file in found["files"]] == [
        ("a.txt", 1, 0),
        ("b.txt", 1, 0),
        ("shared.txt", 1, 1),
    ]
    assert (found["insertions"], found["deletions"]) == (3, 1)
    assert found["commit"] == grove.git("rev-parse", found["branch"])
    subjects = [each["subject"] for each in found["commits"]]
    assert subjects[0].startswith("write a")
    assert sum(subject.startswith("Merge orch/") for subject in subjects) == 2


def test_a_stat_has_a_line_for_each_file(grove: Branches) -> None:
    root = grove.grown()
    lines = grove.orch("diff", str(root), "--stat").out.splitlines()
    assert len(lines) == 4
    assert "shared.txt | 2 +-" in lines[2]


def test_what_a_worker_wrote_can_not_steer_the_terminal(grove: Branches) -> None:
    root = grove.tree()
    grove.work(root, {"evil.txt": "\x1b[2Jgone\u202eright\u2028diff --git a/x b/x\n"})
    out = grove.orch("diff", str(root)).out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert sum(line.startswith("diff --git") for line in out.splitlines()) == 1


def test_raw_is_what_git_can_apply(grove: Branches) -> None:
    root = grove.tree()
    fence = grove.begin(root)
    folder = grove.plot(root).folder
    (folder / "blob.bin").write_bytes(bytes(range(256)))
    (folder / "odd.txt").write_bytes(b"\xff\xfe caf\xe9 \x1b[1m\r\n")
    grove.end(fence)
    done = subprocess.run(
        [sys.executable, "-m", "tui_orch.cli", "diff", str(root), "--raw"],
        cwd=grove.top,
        capture_output=True,
        check=True,
    )
    subprocess.run(["git", "apply", "-"], cwd=grove.top, input=done.stdout, check=True)
    for name in ("blob.bin", "odd.txt"):
        assert (grove.top / name).read_bytes() == (folder / name).read_bytes()


def test_a_rename_and_odd_names_are_told(grove: Branches) -> None:
    root = grove.tree()
    fence = grove.begin(root)
    folder = grove.plot(root).folder
    (folder / "shared.txt").rename(folder / "日本 語.txt")
    grove.end(fence)
    (file,) = json.loads(grove.orch("diff", str(root), "--json").out)["files"]
    assert (file["path"], file["was"]) == ("日本 語.txt", "shared.txt")


def test_where_there_is_nothing_to_show(grove: Branches) -> None:
    root = grove.tree()
    assert "no branch yet" in grove.orch.refused("diff", str(root))
    grove.work(root, {})
    done = grove.orch("diff", str(root))
    assert (done.code, done.out) == (0, "")
    assert "changed nothing" in done.err
    shared = grove.orch.tree()
    assert "no worktrees" in grove.orch.refused("diff", str(shared))
    assert "no job #99" in grove.orch.refused("diff", "99")


def test_a_repository_that_is_gone_is_one_line(grove: Branches) -> None:
    root = grove.grown()
    (grove.top / ".git").rename(grove.top / "was.git")
    done = grove.orch("diff", str(root))
    assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 1)


def test_a_worker_looks_at_its_own_worktree_instead(grove: Branches) -> None:
    root = grove.tree()
    fence = grove.begin(root)
    assert "for a person" in grove.orch.refused("diff", str(root), env=grove.orch.worker(fence))


def test_colours_are_ours_and_the_text_is_clean() -> None:
    patch = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n--- a\n+\x1b[31mb\n c\r"
    painted = diff_lines(patch, colour=True)
    assert painted[1].startswith("\x1b[1m--- a/x")
    assert painted[4] == "\x1b[31m--- a\x1b[0m"
    assert painted[5] == "\x1b[32m+␛[31mb\x1b[0m"
    assert painted[6] == " c"
    assert diff_lines("", colour=True) == []
    assert stat_lines(" a | 3 ++-\n 1 file", colour=True)[0] == " a | 3 \x1b[32m++\x1b[0m\x1b[31m-\x1b[0m"


def test_the_change_goes_through_the_pager_of_a_person(grove: Branches) -> None:
    """On a terminal alone."""
    root = grove.grown()
    pager = grove.top.parent / "pager"
    pager.write_text(f"#!/bin/sh\ncat > {grove.top.parent}/paged\n")
    pager.chmod(0o755)
    code = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
    command = [sys.executable, "-c", code, sys.executable, "-m", "tui_orch.cli", "diff", str(root)]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(grove.top.parent), "TERM": "xterm", "PAGER": str(pager)}
    subprocess.run(command, cwd=grove.top, env=env, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    assert "\x1b[32m+a\x1b[0m" in (grove.top.parent / "paged").read_text().splitlines()
