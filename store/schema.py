"""The schema that this version ships: its numbered migrations, and whether a file still has it.

Owns the order of migrations and the functions that mark our connections. Never repairs a changed schema: it tells.
"""

from functools import cache
from importlib.resources import files

import apsw

APPLICATION_ID = 0x6F726368  # "orch"

#: SQL functions that exist on our own connections alone; the guards of what others may not write call them.
MARKS = (
    "limits_are_changed_by_the_command_orch_limits",
    "settings_are_changed_by_the_command_orch_settings",
    "pauses_are_made_by_the_command_orch_pause",
    "asks_are_answered_by_the_command_orch_answer",
    "attempts_are_written_by_their_workers",
    "jobs_are_steered_by_the_orch_commands",
    "keys_are_made_by_the_command_orch_key",
)

_TEXT = "SELECT group_concat(concat_ws(char(0), type, name, tbl_name, sql), char(0)) FROM sqlite_schema"
_OBJECTS = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name"


@cache
def migrations() -> tuple[str, ...]:
    """Return the SQL of each migration in order; ``PRAGMA user_version`` counts how many a file has had."""
    folder = files("store") / "migrations"
    return tuple(
        entry.read_text("utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".sql")
    )


def mark(connection: apsw.Connection) -> None:
    """Give ``connection`` the functions that the guards of limits and settings ask for."""
    for name in MARKS:
        connection.create_scalar_function(name, _ours, 0, deterministic=True, flags=apsw.SQLITE_INNOCUOUS)


def _ours(*_: object) -> int:
    return 1


def migrate(connection: apsw.Connection) -> int:
    """Apply the migrations that are missing, each in a transaction of its own. Return the file's version."""
    version = int(str(connection.pragma("user_version")))
    for number, sql in enumerate(migrations()[version:], start=version + 1):
        connection.execute(f"BEGIN IMMEDIATE; {sql}; PRAGMA user_version = {number}; COMMIT").fetchall()
    return len(migrations())


@cache
def _expected() -> tuple[tuple[str, str, str | None], ...]:
    connection = apsw.Connection(":memory:")
    migrate(connection)
    return tuple(objects(connection))


def differences(found: list[tuple[str, str, str | None]]) -> list[str]:
    """Return one line for each table, index, trigger or view of ``found`` that is not as this version ships it."""
    ours = {(kind, name): sql for kind, name, sql in _expected()}
    theirs = {(kind, name): sql for kind, name, sql in found}
    lines = [f"{kind} {name} is missing" for kind, name in ours.keys() - theirs.keys()]
    lines += [
        f"{kind} {name} is changed"
        for kind, name in ours.keys() & theirs.keys()
        if ours[kind, name] != theirs[kind, name]
    ]
    # A view or an index that someone added for reading harms nothing; a foreign trigger could undo a rule.
    lines += [f"trigger {name} is not ours" for kind, name in theirs.keys() - ours.keys() if kind == "trigger"]
    return sorted(lines)


def text(connection: apsw.Connection) -> str:
    """Return everything in the file as one text, which is quicker to read and compare than ``objects``."""
    return str(connection.execute(_TEXT).fetchall()[0][0])


def objects(connection: apsw.Connection) -> list[tuple[str, str, str | None]]:
    """Return what ``differences`` compares: type, name and SQL of everything in the file."""
    return [
        (str(kind), str(name), sql if sql is None else str(sql)) for kind, name, sql in connection.execute(_OBJECTS)
    ]
