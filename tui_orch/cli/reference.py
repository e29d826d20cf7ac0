"""``python -m tui_orch.cli.reference``: the command line's reference as Markdown, made from the commands themselves.

``make docs`` writes it to docs/cli.md; a test compares the two.
"""

import click

from tui_orch.cli.main import VERBS, orch

_HEAD = """\
# The command line

Made by `make docs` from the commands themselves; `orch VERB --help` says the same.

Exit codes: 0 completed, 3 partial, 1 failed or cancelled (or a store that can not be used), 2 bad input (nothing was changed), 124 when
`--timeout` of `orch wait` passed, 130 interrupted (the jobs go on).
"""
_WIDTH = 110


def reference() -> str:
    """Return the whole document."""
    parts = [_HEAD, _section("orch", orch, None)]
    top = click.Context(orch, info_name="orch", terminal_width=_WIDTH, max_content_width=_WIDTH)
    for verb in VERBS:
        parts.append(_section(f"orch {verb.name}", verb, top))
        if isinstance(verb, click.Group):
            below = click.Context(verb, parent=top, info_name=verb.name)
            parts += [_section(f"orch {verb.name} {name}", each, below) for name, each in verb.commands.items()]
    return "\n".join(parts)


def _section(name: str, command: click.Command, parent: click.Context | None) -> str:
    context = click.Context(
        command,
        parent,
        info_name=command.name,
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )
    return f"## {name}\n\n```\n{command.get_help(context).rstrip()}\n```\n"


if __name__ == "__main__":
    print(reference(), end="")
