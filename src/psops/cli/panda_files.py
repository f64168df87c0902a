"""What the commands of `psops panda` read: configurations here and on hosts."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from psops.cli.shared import Login

if TYPE_CHECKING:
    from psops.panda.place import Reader
    from psops.panda.sources import Fetch

EnvFile = Annotated[
    str | None,
    typer.Option("--env", metavar="FILE", help="The server's panda_server_env, or HOST:PATH."),
]


@contextmanager
def reader_of(login: Login, env_file: str | None) -> "Iterator[Reader]":
    """Give what reads configurations here and on hosts; these are let go of at the end."""
    from psops.deadline import Deadline
    from psops.panda.place import Reader, fetch_from
    from psops.transport import connect

    with ExitStack() as stack:

        def dial(name: str) -> "Fetch":
            host, options = login.find(name, "HOST:PATH")
            connection = connect(host, options)
            stack.callback(connection.close)
            files = connection.open_files(Deadline(options.timeout))
            stack.callback(files.close)
            return fetch_from(files, name, options.timeout)

        yield Reader(dial, env_file)
