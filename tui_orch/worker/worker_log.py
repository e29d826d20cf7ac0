"""The file that a worker process prints to: in its attempt's folder, private, and never reached through a link."""

import os

from store.home import FILE_MODE, Home, private_dir

WORKER_LOG = "worker.log"
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


def open_worker_log(home: Home, job_id: int, attempt: int) -> int:
    """Make the attempt's folder and return a descriptor of its log; the caller closes it. Raises OSError."""
    return os.open(private_dir(home.attempt_dir(job_id, attempt), home.root) / WORKER_LOG, _FLAGS, FILE_MODE)
