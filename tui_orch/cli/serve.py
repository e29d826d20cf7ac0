"""``orch serve``: the REST API, and the supervisor beside it, in one process."""

import click

from tui_orch.cli import exits
from tui_orch.cli.exits import BadUse
from tui_orch.cli.launcher_option import launcher_option
from tui_orch.cli.place import Place

# The server and the supervisor are imported late: every other command starts faster without.


@click.command("serve")
@click.option("--host", default="127.0.0.1", metavar="HOST", help="Where to listen (default: 127.0.0.1).")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8000, metavar="N", help="Default: 8000; 0 picks a free one."
)
@click.option("--tls-cert", metavar="FILE", help="Serve by TLS: a certificate and its chain, as PEM.")
@click.option("--tls-key", metavar="FILE", help="The certificate's key, where it is not in that file.")
@click.option("--insecure-bind", is_flag=True, help="Allow a HOST that other machines reach without TLS.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="Another name by which callers may reach it.")
@launcher_option
@click.pass_obj
def command(
    place: Place,
    host: str,
    port: int,
    tls_cert: str | None,
    tls_key: str | None,
    insecure_bind: bool,
    allow_host: tuple[str, ...],
    launcher: str | None,
) -> int:
    """Serve the REST API, and supervise, until Ctrl-C.

    Workers go on when it ends. Callers need a key: orch key new NAME. What can be called: /openapi.json
    """
    from tui_orch.api.server import ServerError, is_loopback  # noqa: PLC0415
    from tui_orch.api.tls import Tls  # noqa: PLC0415
    from tui_orch.cli.serving import serve  # noqa: PLC0415

    if tls_key is not None and tls_cert is None:
        raise BadUse("--tls-key is nothing without --tls-cert")
    if tls_cert is None and not insecure_bind and not is_loopback(host):
        raise BadUse(
            f"{host} can be reached from other machines, and the API has no TLS; "
            "listen at 127.0.0.1, give --tls-cert and --tls-key, or say --insecure-bind"
        )
    with place.make() as session:
        session.caller.require_person("a server")
        home = session.store.home
    try:
        serve(home, host, port, allow_host, None if tls_cert is None else Tls(tls_cert, tls_key), launcher)
    except ServerError as error:
        exits.tell(str(error))
        return exits.FAILED
    return exits.COMPLETED
