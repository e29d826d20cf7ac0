"""The peers in the order of the tables, and why one is left out unless it is asked for. Pure."""

#: The yardstick first, then us, then the others.
YARDSTICK, OURS = "xargs", "tui_orch"
PEERS = (
    YARDSTICK,
    "make",
    OURS,
    "litequeue",
    "tsp",
    "huey",
    "dramatiq",
    "celery",
    "dask",
    "ray",
    "parallel",
    "procrastinate",
    "rq",
    "prefect",
)
#: Its server needs 20 s to start, every time.
ONLY_IN_FULL = ("prefect",)
