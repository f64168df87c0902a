"""What the commands of `psops panda` read: configurations here and on hosts."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from psops.errors import UsageError

if TYPE_CHECKING:
    from psops.panda.place import Reader
    from psops.panda.sources import Fetch

EnvFile = Annotated[
    str | None,
    typer.Option("--env", metavar="FILE", help="The server's panda_server_env, or HOST:PATH."),
]


@contextmanager
def reader_of(
    inventory: str | None,
    ssh_config: str | None,
    connect_timeout: float,
    timeout: float,
    accept_new_host_keys: bool,
    env_file: str | None,
) -> "Iterator[Reader]":
    """Give what reads configurations here and on hosts; these are let go of at the end."""
    from psops.cli.target import select
    from psops.panda.place import Reader, fetch_over
    from psops.transport import Options, connect

    wanted = Options(
        connect_timeout=connect_timeout,
        timeout=timeout,
        accept_new_host_keys=accept_new_host_keys,
        ssh_config=ssh_config,
    )
    with ExitStack() as stack:

        def dial(name: str) -> "Fetch":
            chosen, options = select(
                inventory=inventory,
                hosts=(name,),
                groups=(),
                all_hosts=False,
                exclude=(),
                machine=None,
                user_bus=False,
                options=wanted,
            )
            if len(chosen) != 1:
                raise UsageError(f"{name!r} means {len(chosen)} hosts, a file is on one")
            connection = connect(chosen[0], options)
            stack.callback(connection.close)
            return fetch_over(connection, name, options.timeout)

        yield Reader(dial, env_file)
