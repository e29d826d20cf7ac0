"""Where a store lives: the folder ``.orch`` at the top of a project, its paths and its modes.

Finds it upwards like git finds ``.git``, makes it, and refuses one that others may read or that is a link.
Never opens the database file: closing a second handle to it would drop SQLite's locks.
"""

import errno
import functools
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from store.errors import StoreUnusable

FOLDER = ".orch"
FOLDER_MODE = 0o700
FILE_MODE = 0o600


@dataclass(frozen=True)
class Home:
    """The folder of one store. ``root`` is absolute. Its paths are made once: they are asked for with every transaction."""

    root: Path

    @functools.cached_property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "orch.db"

    @functools.cached_property
    def write_lock(self) -> Path:
        """The file whose lock queues writers fairly."""
        return self.root / "write.lock"

    @functools.cached_property
    def supervisor_note(self) -> Path:
        """Which supervisor holds the store, for people; that one does is told by the lock on the folder alone."""
        return self.root / "supervisor.json"

    @functools.cached_property
    def supervisor_log(self) -> Path:
        """What the supervisor did and why."""
        return self.root / "supervisor.log"

    @functools.cached_property
    def wake_socket(self) -> Path:
        """The datagram socket by which a writer wakes the supervisor at once."""
        return self.root / "wake.sock"

    @functools.cached_property
    def project(self) -> Path:
        """The folder that the store belongs to."""
        return self.root.parent

    def job_dir(self, job_id: int) -> Path:
        """The folder of one job's attempts."""
        return self.root / "jobs" / str(job_id)

    def attempt_dir(self, job_id: int, attempt: int) -> Path:
        """The folder of one attempt: ``lock``, ``output``, ``transcript.jsonl``, ``worker.log``."""
        return _attempt_dir(self.root, job_id, attempt)

    def worktree_dir(self, root_id: int, job_id: int) -> Path:
        """The git worktree of one job, where its tree has them."""
        return self.root / "worktrees" / str(root_id) / str(job_id)


@functools.lru_cache(maxsize=1024)  # asked for again and again while an attempt lives, and paths are slow to make
def _attempt_dir(root: Path, job_id: int, attempt: int) -> Path:
    return root / "jobs" / str(job_id) / str(attempt)


def find_home(explicit: str | None = None, start: Path | None = None) -> Home | None:
    """Return the store that ``explicit`` or ``ORCH_HOME`` names, or the nearest ``.orch`` upwards, or None.

    A named folder is taken as it is, whether it exists yet or not.
    """
    named = explicit or os.environ.get("ORCH_HOME")
    if named:
        return Home(Path(named).expanduser().absolute())
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / FOLDER).is_dir():
            return Home(folder / FOLDER)
    return None


def create_home(home: Home) -> None:
    """Make the folder (0700) if it is missing, let git ignore it, and check it. Raises StoreUnusable."""
    try:
        home.root.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(f"cannot make the store's folder {home.root}: {error.strerror}") from error
    check_folder(home)
    ignore = home.root / ".gitignore"
    if not ignore.exists():
        write_private(ignore, "*\n")


def check_folder(home: Home) -> None:
    """Refuse a folder that is a link, is not ours, or that others may enter. Raises StoreUnusable."""
    try:
        found = home.root.lstat()
    except FileNotFoundError as error:
        raise StoreUnusable(f"there is no store at {home.root}; start one with: orch run") from error
    if not stat.S_ISDIR(found.st_mode):
        raise StoreUnusable(f"{home.root} is not a folder of its own (a link or a file); remove it or use --home")
    if found.st_uid != os.getuid():
        raise StoreUnusable(f"{home.root} belongs to another user; use --home")
    if found.st_mode & 0o077:
        raise StoreUnusable(f"{home.root} can be entered by others; run: chmod 700 {home.root}")


def check_files(home: Home) -> None:
    """Refuse database files that are links or that others may read. Raises StoreUnusable."""
    for path in (home.database, *(Path(f"{home.database}{end}") for end in ("-wal", "-shm"))):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(found.st_mode):
            raise StoreUnusable(f"{path} is not a plain file; move it away: a store is never made over it")
        if found.st_mode & 0o077:
            raise StoreUnusable(f"{path} can be read by others; run: chmod 600 {path}")


def private_dir(path: Path, within: Path | None = None) -> Path:
    """Make ``path`` and what is missing above it inside the store, each 0700, and return it.

    A link below ``within``, which could lead anywhere, is refused. Raises OSError.
    """
    top = within or next(folder for folder in path.parents if folder.exists())
    folder = str(top)
    for name in path.relative_to(top).parts:
        folder = f"{folder}/{name}"
        try:
            os.mkdir(folder, FOLDER_MODE)
        except FileExistsError:
            if os.path.islink(folder):
                raise OSError(errno.ELOOP, "is a link, which nothing in a store is", folder) from None
    return path


def write_private(path: Path, text: str, *, durable: bool = True) -> None:
    """Write a small file (0600) so that readers see the old or the new text, never half of it."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        fresh.rename(path)
    except OSError:
        fresh.unlink(missing_ok=True)  # on a full disk half a file takes the room of what could be whole
        raise
