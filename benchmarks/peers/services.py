"""Services that some peers need: Redis and PostgreSQL, each as it comes, on a Unix socket in a folder of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol import NotThere, wait_until

#: PostgreSQL's servers run as this user where we are root, which they refuse to be.
_POSTGRES_USER = "postgres"


def need_redis() -> None:
    """Raise NotThere without a Redis."""
    if shutil.which("redis-server") is None:
        raise NotThere("it needs redis-server, which is not on this machine")


@contextmanager
def redis(folder: Path) -> Iterator[Path]:
    """Yield the socket of a Redis that saves nothing: the fastest that it can be, not the safest."""
    path = folder / "redis.sock"
    argv = ["redis-server", "--port", "0", "--unixsocket", str(path), "--dir", str(folder), "--save", ""]
    with running(argv):
        wait_until(path.exists, 10)
        yield path


def postgres_programs() -> Path:
    """Return the folder with PostgreSQL's programs. Raises NotThere."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise NotThere("it needs a PostgreSQL server, which is not on this machine")
    return Path(on_path).parent


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Yield the connection string of a PostgreSQL with its settings as they come: a commit is synced."""
    programs, data = postgres_programs(), folder / "postgres"
    data.mkdir()
    user = None
    if os.getuid() == 0:
        user = _POSTGRES_USER
        shutil.chown(data, user)
        for above in (folder, *folder.parents):
            if above.stat().st_uid == 0 and not above.stat().st_mode & 0o001:
                above.chmod(above.stat().st_mode | 0o011)  # the caller's own temporary folder is 0700
    argv = [str(programs / "initdb"), "--no-sync", "-A", "trust", "-U", "bench", "-D", str(data / "data")]
    subprocess.run(argv, user=user, cwd=data, check=True, stdout=subprocess.DEVNULL)
    server = [str(programs / "postgres"), "-D", str(data / "data"), "-k", str(data), "-h", ""]
    with running(server, user=user, cwd=data):
        ready = [str(programs / "pg_isready"), "-q", "-h", str(data), "-U", "bench"]
        wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, 20, 0.05)
        yield f"host={data} user=bench dbname=postgres"


@contextmanager
def running(
    argv: list[str], user: str | None = None, cwd: Path | None = None, log: Path | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a service or a worker for as long as the block lasts; what it says goes to ``log``, or its errors to ours."""
    with open(log or os.devnull, "ab") as out:
        errors = out if log else None
        process = subprocess.Popen(argv, user=user, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=errors)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
