"""kill -9 of supervisor, workers and git in the middle of commits and merges: the same files in the end, and nothing broken."""

import pytest
from at_work import AtWork
from in_git import command, git, grove, is_sound, repository
from kills_at_random import Storm, blow, lost

from store.models import NewJob
from store.states import Kind, Status

pytestmark = pytest.mark.timeout(300)

LEAVES = 24
GROUP = NewJob("1. one\n2. another", Kind.GROUP)


def leaves() -> list[NewJob]:
    """Each writes a file of its own, changes one and removes one that were there; it fails where a part of it is killed."""
    line = "for n in 1 2 3; do echo {0} >> own-{0}.txt; done; echo {0} >> old-{0}.txt; rm gone-{0}.txt && sleep 0.2"
    return [command(line.format(number)) for number in range(LEAVES)]


def test_a_storm_of_kills_ends_with_the_same_files_as_a_calm_run(work: AtWork) -> None:
    """Two trees in one repository: one in the calm, one in the storm."""
    files = {f"{kind}-{number}.txt": f"{kind}\n" for kind in ("old", "gone") for number in range(LEAVES)}
    repository(work.project, **files)
    work.set("retry_base_s", 0.001)  # it doubles with each kill that hits the same job
    work.supervise()
    calm = grove(work, GROUP, *leaves(), max_children=LEAVES, max_attempts=60)
    assert work.until_ended(calm, 120).status is Status.COMPLETED
    storm = grove(work, GROUP, *leaves(), max_children=LEAVES, max_attempts=60)
    kills = blow(Storm(seed=4, pause_s=(0.02, 0.4), most_kills=40), work, storm)
    assert work.job(storm).status is Status.COMPLETED, work.describe()
    assert kills >= 5
    assert lost(work), "no worker was hit"
    trees = [git(work.project, "rev-parse", f"orch/{root}/{root}^{{tree}}") for root in (calm, storm)]
    assert trees[0] == trees[1]
    assert is_sound(work)
    work.wait_for(lambda: not work.processes(), "the end of all processes")
