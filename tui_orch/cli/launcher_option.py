"""The option ``--launcher`` of the verbs that supervise."""

import click

from tui_orch.worker.remote import CONFIG, KINDS

launcher_option = click.option(
    "--launcher",
    type=click.Choice(KINDS),
    metavar="KIND",
    help=f"Where new workers run: {', '.join(KINDS)} (default: as {CONFIG} in the store's folder says, else local).",
)
