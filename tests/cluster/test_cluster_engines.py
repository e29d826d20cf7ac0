"""The real engines by themselves, before anything of the product is asked of them."""

from pathlib import Path

from tests.cluster.cluster import Cluster, do_job, make_whole


def test_a_job_runs_on_each_node(cluster: Cluster, tmp_path: Path) -> None:
    for name in cluster.nodes:
        do_job(cluster, name, f"hostname > {tmp_path / name}")
    assert [(tmp_path / name).read_text() for name in cluster.nodes] == ["n1\n", "n2\n"]


def test_a_node_that_was_killed_comes_back(cluster: Cluster, tmp_path: Path) -> None:
    cluster.hosts["n2"].kill()
    make_whole(cluster)
    do_job(cluster, "n2", f"hostname > {tmp_path / 'n2'}")
    assert (tmp_path / "n2").read_text() == "n2\n"
